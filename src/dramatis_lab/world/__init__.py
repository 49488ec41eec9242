"""The synthetic world: people that we render and hear, with exact ground truth."""
