"""What the networks learn from: shards of samples, what is precomputed from them, and batches by task."""
