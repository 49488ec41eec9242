FRAMES = 25
SIDE = 128
"""Frames of the case that `bench` has, and pixels of a side of them."""
