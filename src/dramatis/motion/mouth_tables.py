"""How the canonical face's mouth and lids move, and what is inside its mouth: tables derived from ICT-FaceKit.

`dramatis_lab.world.people.articulation_tables` makes them. ICT-FaceKit is the work of the USC Institute for Creative
Technologies, under the MIT licence in `articulation.LICENSE` beside the tables. Axes and units are those of
`dramatis.motion.face`: head heights, x right, y up, z towards the camera.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dramatis.motion.visemes import MOUTH_CHANNELS

TABLE_UNIT = 1 / 10000
"""Head heights that one step of the file's integers means."""
SHAPE_CHANNELS = (*MOUTH_CHANNELS, "mouthClose")
"""The shapes of the mouth's fields; the last one lifts the lower lip to the upper where the jaw is open."""


@dataclass(frozen=True)
class Grid:
    """Nodes over the canonical face, seen from the front: the first one (left, low), rows upwards, `step` apart."""

    left: float
    low: float
    step: float
    shape: tuple[int, int]

    def nodes(self) -> NDArray[np.float64]:
        """(rows, columns, 2) places of the nodes, x and y."""
        rows, columns = (np.arange(n) * self.step for n in self.shape)
        return np.stack(np.meshgrid(columns + self.left, rows + self.low), -1)

    def refined(self, times: int) -> Grid:
        """The same region with nodes so many times denser."""
        rows, columns = ((n - 1) * times + 1 for n in self.shape)
        return Grid(self.left, self.low, self.step / times, (rows, columns))

    def sample(self, field: NDArray[np.floating], points: NDArray[np.floating]) -> NDArray[np.float64]:
        """A field (rows, columns, ...) at places (..., 2), bilinear; outside the grid the value at its rim."""
        rows, columns = self.shape
        x = ((points[..., 0] - self.left) / self.step).clip(0, columns - 1.001)
        y = ((points[..., 1] - self.low) / self.step).clip(0, rows - 1.001)
        column, row = x.astype(np.int64), y.astype(np.int64)
        more = (slice(None),) * (x.ndim) + (None,) * (field.ndim - 2)
        across, up = (x - column)[more], (y - row)[more]
        below = field[row, column] * (1 - across) + field[row, column + 1] * across
        above = field[row + 1, column] * (1 - across) + field[row + 1, column + 1] * across
        return np.asarray(below * (1 - up) + above * up)


MOUTH_GRID = Grid(-0.45, -0.52, 0.01, (82, 91))
LID_GRID = Grid(-0.29, 0.11, 0.005, (49, 53))
"""Of the eye on the left of the picture; the other is its mirror image."""


@dataclass(frozen=True, eq=False)
class MouthInside:
    """Points on teeth, gums and tongue, in head heights.

    points: (n, 3). normals: (n, 3), of unit length. part: (n,) 0 teeth, 1 gums, 2 tongue. lower: (n,) whether a point
    moves with the jaw.
    """

    points: NDArray[np.float32]
    normals: NDArray[np.float32]
    part: NDArray[np.int8]
    lower: NDArray[np.bool_]


@cache
def mouth_field_table() -> NDArray[np.float32]:
    """(11, 2, rows, columns, 3) displacements of `SHAPE_CHANNELS` at full weight: upper side, then lower side."""
    return _scaled("mouth")


@cache
def lid_field_table() -> NDArray[np.float32]:
    """(2, rows, columns, 3) displacements of the skin above and below an eye that shuts."""
    return _scaled("lids")


@cache
def mouth_inside() -> MouthInside:
    """Teeth, gums and tongue of the canonical head with its mouth shut."""
    with np.load(_path()) as table:
        parts = table["inside_parts"]
        normals = table["inside_normals"].astype(np.float32) / 127
    return MouthInside(_scaled("inside_points"), normals, (parts & 3).astype(np.int8), parts >= 4)


def _scaled(name: str) -> NDArray[np.float32]:
    with np.load(_path()) as table:
        return np.asarray(table[name].astype(np.float32) * np.float32(TABLE_UNIT))


def _path() -> Path:
    return Path(__file__).with_name("articulation.npz")
