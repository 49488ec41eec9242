"""People whom the picture's border cuts off: there they stay at the border, so that it is never seen to move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dramatis.motion.signals import smoothstep

_REACH = 0.45
"""How far from the border the way from staying to moving leads, in head heights."""
_SPREAD = 0.1
"""How far along the border what stays reaches beyond the person, in head heights."""
_CELL = 4
"""Pixels between the places that freedom is worked out for."""


class BorderHold:
    """How freely each part of a picture may move across the borders near it.

    outline: (H, W) in 0..1, which pixels are anybody's. scale: height of a head, px.
    """

    def __init__(self, outline: NDArray[np.floating], scale: float) -> None:
        height, width = outline.shape
        y, x = np.arange(0, height + _CELL, _CELL), np.arange(0, width + _CELL, _CELL)
        edges = [_along(line, scale)[at.clip(0, len(line) - 1)] for line, at in _borders(outline, x, y)]
        top, bottom, left, right = edges
        reach = _REACH * scale
        down, across = (
            np.minimum(
                1 - first[cross] * (1 - smoothstep(at / reach))[along],
                1 - last[cross] * (1 - smoothstep((extent - at) / reach))[along],
            )
            for first, last, at, extent, cross, along in (
                (top, bottom, y, height, (None, slice(None)), (slice(None), None)),
                (left, right, x, width, (slice(None), None), (None, slice(None))),
            )
        )
        self._freedom = np.stack([across, down]).astype(np.float32)

    def freedom(self, places: NDArray[np.floating]) -> NDArray[np.float32]:
        """(..., 2) px -> (..., 2) in 0..1, how much of a move across and down is made there."""
        sides = np.array(self._freedom.shape[:0:-1]) - 1
        at = np.clip(places / _CELL, 0, sides)
        cell = np.minimum(at.astype(np.int64), np.maximum(sides - 1, 0))
        (x, y), (column, row) = np.moveaxis(at - cell, -1, 0), np.moveaxis(cell, -1, 0)
        top = self._freedom[:, row, column] * (1 - x) + self._freedom[:, row, column + 1] * x
        bottom = self._freedom[:, row + 1, column] * (1 - x) + self._freedom[:, row + 1, column + 1] * x
        return np.moveaxis(top * (1 - y) + bottom * y, 0, -1)


def _borders(
    outline: NDArray[np.floating], x: NDArray[np.int64], y: NDArray[np.int64]
) -> list[tuple[NDArray[np.floating], NDArray[np.int64]]]:
    """The four rims of an outline, top, bottom, left and right, and the places asked for on each."""
    return [(outline[0], x), (outline[-1], x), (outline[:, 0], y), (outline[:, -1], y)]


def _along(line: NDArray[np.floating], scale: float) -> NDArray[np.float64]:
    """How much a border holds along its length: wholly where a person is, and a little further."""
    reach = max(1, round(2 * _SPREAD * scale))
    widened = np.lib.stride_tricks.sliding_window_view(np.pad(line, reach, mode="edge"), 2 * reach + 1).max(-1)
    bell = np.exp(-0.5 * (np.arange(-2 * reach, 2 * reach + 1) / (_SPREAD * scale)) ** 2)
    return np.convolve(np.pad(widened.astype(np.float64), 2 * reach, mode="edge"), bell / bell.sum(), mode="valid")
