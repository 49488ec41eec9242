"""How well the models do: measures of finished videos, the cases they are measured on, and the table of results."""
