"""What moves with a head besides the head: neck and shoulders follow a little, and the chest breathes.

Only where people stand on a layer of their own (`sampling.layers`): a background would be dragged along.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dramatis.story.values import FPS

_FOLLOWS = 0.16
"""How far the middle of the shoulders goes along with the head."""
_SHOULDERS = (-0.55, 0.9, 0.55)
"""Where they are, in head heights: above the head's centre, and how far to the sides, and up and down, that reaches."""
_CHEST = (-1.05, 0.8, 0.45)
"""The same of what breathing moves."""
_RISE = 0.013
"""How far the chest rises with a breath, in head heights."""
_BREATH_SECONDS = (3.2, 4.6)
"""Shortest and longest breath of a person at rest."""


def breath_track(frames: int, rng: np.random.Generator) -> NDArray[np.float32]:
    """(T,) 0 to 1, how full the chest is; 0 at frame 0. Breaths differ a little in length and depth."""
    place, values = 0.0, np.zeros(frames, np.float32)
    while place < frames:
        length, depth = rng.uniform(*_BREATH_SECONDS) * FPS, rng.uniform(0.8, 1.0)
        first, last = int(np.ceil(place)), min(frames, int(np.ceil(place + length)))
        share = (np.arange(first, last) - place) / length
        # In is faster than out.
        values[first:last] = depth * np.sin(np.pi * share**0.8) ** 2
        place += length
    return values


def shoulder_weight(head: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T, n, 2) head coordinates -> (T, n, 1): how far what is seen there goes along with the head."""
    return np.float32(_FOLLOWS) * _hill(head, _SHOULDERS)


def chest_rise(head: NDArray[np.float32], breath: NDArray[np.floating]) -> NDArray[np.float32]:
    """(T, n, 2) head coordinates and (T,) breath -> (T, n, 1): how far the chest has risen there, in head heights."""
    return np.asarray(_RISE * np.asarray(breath, np.float32)[:, None, None] * _hill(head, _CHEST), np.float32)


def _hill(head: NDArray[np.float32], place: tuple[float, float, float]) -> NDArray[np.float32]:
    middle, aside, along = place
    return np.exp(-((head[..., :1] / aside) ** 2) - ((head[..., 1:] - middle) / along) ** 2).astype(np.float32)
