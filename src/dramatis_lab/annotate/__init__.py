"""Masks of every person in a video, validated frame by frame, as training data (section 3.3 of the report)."""
