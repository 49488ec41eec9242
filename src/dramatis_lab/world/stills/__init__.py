"""Still pictures of people, as users bring them, for the perception network."""
