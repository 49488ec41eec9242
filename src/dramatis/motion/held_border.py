"""People whom the picture's border cuts off: there they stay at the border, so that it is never seen to move."""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
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
        self._freedom = np.stack([across, down], -1).astype(np.float32)

    def freedom(self, places: NDArray[np.floating]) -> NDArray[np.float32]:
        """(..., 2) px -> (..., 2) in 0..1, how much of a move across and down is made there."""
        rows, columns = self._freedom.shape[:2]
        x, y = (np.clip(places[..., axis] / _CELL, 0, last - 1.001) for axis, last in ((0, columns), (1, rows)))
        column, row = x.astype(np.int32), y.astype(np.int32)
        across, down = ((at - cell).astype(np.float32)[..., None] for at, cell in ((x, column), (y, row)))
        flat, first = self._freedom.reshape(-1, 2), row * columns + column
        above = flat[first] + across * (flat[first + 1] - flat[first])
        first = first + columns
        below = flat[first] + across * (flat[first + 1] - flat[first])
        return np.asarray(above + down * (below - above))


def _borders(
    outline: NDArray[np.floating], x: NDArray[np.int64], y: NDArray[np.int64]
) -> list[tuple[NDArray[np.floating], NDArray[np.int64]]]:
    """The four rims of an outline, top, bottom, left and right, and the places asked for on each."""
    return [(outline[0], x), (outline[-1], x), (outline[:, 0], y), (outline[:, -1], y)]


def _along(line: NDArray[np.floating], scale: float) -> NDArray[np.float64]:
    """How much a border holds along its length: wholly where a person is, and a little further."""
    reach = max(1, round(2 * _SPREAD * scale))
    widened = sliding_window_view(np.pad(line.astype(np.float64), reach, mode="edge"), 2 * reach + 1).max(-1)
    window = np.hanning(2 * reach + 3)[1:-1]
    return np.convolve(np.pad(widened, reach, mode="edge"), window / window.sum(), "valid")
