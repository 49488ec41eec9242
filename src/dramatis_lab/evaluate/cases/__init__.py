"""What is measured: held-out people, scenes and words, as values, and how they are made."""
