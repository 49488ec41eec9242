"""Other makers' checkpoints: their layouts, checked before and while they load."""
