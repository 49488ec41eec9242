"""One picture at full size and at halves of it, from which squares are cut at any scale and angle."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dramatis.media.image import Pictures
from dramatis.senses.seeing.eye import CropBox

_SMALLEST = 64
"""Shorter side, px, at which a picture is halved no further."""


class Pyramid:
    """A picture (H, W, 3) uint8. Each half is made once, when a square is first cut from it."""

    def __init__(self, picture: Pictures) -> None:
        self.picture = picture
        self._levels = [Image.fromarray(picture)]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, px."""
        return self._levels[0].size

    def cut(self, centre: tuple[float, float], side: float, cells: int, angle: float = 0.0) -> Pictures:
        """A square (cells, cells, 3) of `side` px around `centre`, black where it reaches beyond the picture.

        angle: radians by which the square is turned, clockwise as seen.
        """
        level = self._level(side / cells)
        to_picture = square_to_picture(centre, side, cells, angle) / 2**level
        cut = self._levels[level].transform(
            (cells, cells), Image.Transform.AFFINE, to_picture.ravel().tolist(), Image.Resampling.BILINEAR
        )
        return np.asarray(cut)

    def _level(self, scale: float) -> int:
        """The level whose pixels are at most as large as the cells asked for."""
        level = 0
        while scale >= 2 and min(self._levels[level].size) >= 2 * _SMALLEST:
            level, scale = level + 1, scale / 2
            if level == len(self._levels):
                self._levels.append(self._levels[-1].reduce(2))
        return level


def square_to_picture(centre: tuple[float, float], side: float, cells: int, angle: float = 0.0) -> NDArray[np.float64]:
    """(2, 3) from cells of such a square to pixels of the picture."""
    cos, sin, scale = np.cos(angle), np.sin(angle), side / cells
    turn = scale * np.array([[cos, -sin], [sin, cos]])
    return np.column_stack([turn, np.array(centre) - turn @ (cells / 2, cells / 2)])


def crop(frame: Pictures, square: CropBox, size: int) -> Pictures:
    """A square of the frame at `size` x `size`; where it reaches beyond the frame, the border is repeated."""
    left, top = int(np.floor(square.left)), int(np.floor(square.top))
    reach = int(np.ceil(square.side)) + 2
    x, y = square.left - left, square.top - top
    part = Image.fromarray(_with_border(frame, left, top, reach))
    scaled = part.resize((size, size), Image.Resampling.BILINEAR, box=(x, y, x + square.side, y + square.side))
    return np.asarray(scaled)


def _with_border(frame: Pictures, left: int, top: int, side: int) -> Pictures:
    """A square of whole pixels; the frame's border is repeated beyond it."""
    height, width = frame.shape[:2]
    inside = frame[max(0, top) : max(0, top + side), max(0, left) : max(0, left + side)]
    if inside.shape[:2] == (side, side):
        return np.ascontiguousarray(inside)
    columns = np.clip(np.arange(left, left + side), 0, width - 1)
    rows = np.clip(np.arange(top, top + side), 0, height - 1)
    return frame[rows].take(columns, axis=1)
