"""How the models are made, distilled, annotated for and measured. Nothing in `dramatis` imports it."""
