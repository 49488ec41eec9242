"""The mouth line on a picture, to a pixel: the darkest smooth path between the lips.

An eye's contours are a few pixels off, and call a shut mouth with thick lips parted. The path is found by dynamic
programming near them. Where teeth or the dark of the mouth lie between the contours, the mouth is parted, and they
stand.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dramatis.media.image import Pictures
from dramatis.motion.mouth_line import LINE_POINTS, MouthLine, mouth_line_of
from dramatis.senses.seeing.eye import Face

_REACH = 0.11
"""How far from the contours the path may lie, in widths of the mouth."""
_ROWS = 45
_BEND = 0.05
"""What a path pays for each row that it climbs or falls from one column to the next."""
_FAR = 0.35
"""What it pays for lying at the end of its reach."""
_PARTED = 0.055
"""Least gap of a parted mouth, in its widths."""
_UNLIKE_LIPS = 0.14
"""Difference of the middle of a parted mouth from both lips, in 0..1 of sRGB."""
_MIDDLE = slice(LINE_POINTS // 4, -(LINE_POINTS // 4))


def find_mouth_line(picture: Pictures, face: Face) -> MouthLine:
    """The mouth line of a face in a picture (H, W, 3) uint8, in its pixels."""
    seen = mouth_line_of(face.landmarks, None if face.contours is None else face.contours.lips_inner)
    if _is_parted(picture, face, seen):
        return seen
    middle = (seen.upper + seen.lower) / 2
    path = _darkest_path(picture, MouthLine(seen.corners, middle, middle))
    return MouthLine(seen.corners, path, path)


def colours_at(picture: Pictures, places: NDArray[np.floating]) -> NDArray[np.float32]:
    """Colours (..., 3), in 0..1, of a picture at places (..., 2) px, bilinear, the border repeated."""
    height, width = picture.shape[:2]
    x = (np.asarray(places)[..., 0] - 0.5).clip(0, width - 1.001)
    y = (np.asarray(places)[..., 1] - 0.5).clip(0, height - 1.001)
    column, row = x.astype(np.int64), y.astype(np.int64)
    across, down = (x - column)[..., None], (y - row)[..., None]
    right, below = np.minimum(column + 1, width - 1), np.minimum(row + 1, height - 1)
    upper = picture[row, column] * (1 - across) + picture[row, right] * across
    lower = picture[below, column] * (1 - across) + picture[below, right] * across
    return np.asarray((upper * (1 - down) + lower * down) / 255, np.float32)


def _is_parted(picture: Pictures, face: Face, line: MouthLine) -> bool:
    """Whether what lies between the contours is neither lip."""
    if line.gap < _PARTED * line.width:
        return False
    shares = np.linspace(0, 1, LINE_POINTS)[_MIDDLE]
    upper, lower = line.upper[_MIDDLE], line.lower[_MIDDLE]
    reach = _lip_heights(face, line)
    between = _mean_at(picture, line, shares, [upper + part * (lower - upper) for part in (0.35, 0.5, 0.65)])
    lips = (
        _mean_at(picture, line, shares, [upper - part * reach[0] for part in (0.35, 0.5, 0.65)]),
        _mean_at(picture, line, shares, [lower + part * reach[1] for part in (0.35, 0.5, 0.65)]),
    )
    return bool(min(np.linalg.norm(between - lip) for lip in lips) > _UNLIKE_LIPS)


def _lip_heights(face: Face, line: MouthLine) -> tuple[float, float]:
    """Heights of the upper and the lower lip in their middle, px."""
    ring = face.landmarks[48:60] if face.contours is None else face.contours.lips_outer
    _, below = line.coordinates(ring)
    return float(line.upper.mean() - below.min()), float(below.max() - line.lower.mean())


def _mean_at(
    picture: Pictures, line: MouthLine, shares: NDArray[np.float64], rows: list[NDArray[np.float64]]
) -> NDArray[np.float32]:
    return np.asarray(np.mean([colours_at(picture, line.places(shares, row)).mean(0) for row in rows], axis=0))


def _darkest_path(picture: Pictures, line: MouthLine) -> NDArray[np.float64]:
    """(LINE_POINTS,) px below the line between the corners."""
    shares = np.linspace(0, 1, LINE_POINTS)
    offsets = np.linspace(-1, 1, _ROWS) * _REACH * line.width
    # The corners themselves stay where the eye saw them.
    freedom = np.minimum(1.0, 6 * np.minimum(shares, 1 - shares))
    rows = line.upper[:, None] + freedom[:, None] * offsets
    light = colours_at(picture, line.places(shares[:, None], rows)).mean(-1)
    light = (light - light.min()) / max(float(np.ptp(light)), 1e-6)
    light = np.apply_along_axis(lambda row: np.convolve(np.pad(row, 1, "edge"), (0.25, 0.5, 0.25), "valid"), 1, light)
    cost = light + _FAR * np.square(np.linspace(-1, 1, _ROWS))
    path = _cheapest(cost)
    smooth = np.convolve(
        np.pad(rows[np.arange(LINE_POINTS), path], 2, "edge"), (1 / 9, 2 / 9, 3 / 9, 2 / 9, 1 / 9), "valid"
    )
    smooth[[0, -1]] = line.upper[[0, -1]]
    return np.asarray(smooth)


def _cheapest(cost: NDArray[np.floating]) -> NDArray[np.int64]:
    """The row of the cheapest path in each column of a table (columns, rows), by dynamic programming."""
    columns, rows = cost.shape
    steps = np.arange(-2, 3)
    total, came = cost[0].astype(np.float64), np.zeros((columns, rows), np.int64)
    for column in range(1, columns):
        before = np.pad(total, 2, constant_values=np.inf)
        choices = np.stack([before[2 + step : 2 + step + rows] + _BEND * abs(step) for step in steps])
        best = choices.argmin(0)
        came[column] = np.arange(rows) + steps[best]
        total = cost[column] + choices[best, np.arange(rows)]
    path = np.empty(columns, np.int64)
    path[-1] = total.argmin()
    for column in range(columns - 1, 0, -1):
        path[column - 1] = came[column, path[column]]
    return path
