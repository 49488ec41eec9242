"""Measures of a finished video: lip sync, silence, sharpness, direction, identity. Frames in, figures out."""
