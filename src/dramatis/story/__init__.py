"""Values that cross folder borders: time, observations, the experts' dialogue, the storyline."""
