"""Training data on disk: shards of samples."""
