"""How each emotion moves brows, lids and lips: displacement fields over the canonical face.

With them a warp shows a smile before the video model has done anything, on a drawn face as on a photograph.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dramatis.motion.face import TEMPLATE_68
from dramatis.story.values import EMOTIONS

F32 = NDArray[np.float32]

POINTS = (*range(17, 27), *range(36, 68))
"""The landmarks that expressions move: brows, eyes, lips."""
SPREAD = 0.06
"""How far around a landmark the skin follows it, in head heights."""
YIELDING = 0.1
"""How much less than the expression asks a landmark may move, so that neighbours that part do not tear the skin."""
ROUNDS = 4
_LEFT, _LOW, _STEP = -0.40, -0.35, 0.0125
_SHAPE = (68, 65)
"""The grid (rows upwards, columns) on which fields are kept, in head heights; zero at its rim."""


@cache
def expression_shapes() -> F32:
    """(8, 42, 2) head heights (x right, y up) by which each emotion in full moves `POINTS`, in the order of EMOTIONS.

    Read off the synthetic world's faces in front view (`tests/motion/test_expression.py` compares them).
    """
    table = json.loads(Path(__file__).with_name("expressions.json").read_text(encoding="utf-8"))
    thousandths = np.array([table[name] for name in EMOTIONS], np.float32)
    return thousandths.reshape(len(EMOTIONS), -1, 2) / np.float32(1000)


def unexpressed(head: F32, change: F32) -> F32:
    """Where the content of head coordinates (T, n, 2) lay before the emotions changed by `change` (T, 8).

    Points that the change does not reach, and frames without any, stay as they are.
    """
    out = head.copy()
    for frame in np.flatnonzero(np.abs(change).max(1) > 1e-4):
        field = np.tensordot(change[frame], _fields(), 1)
        # A point q went to q + field(q). Four rounds bring it home to 0.2 pixels for 99 of 100 points of a
        # head of 70 pixels that smiles in full, 0.4 for disgust: enough for a hint that a model refines.
        for _ in range(ROUNDS):
            out[frame] = head[frame] - _sample(field, out[frame])
    return out


@cache
def _fields() -> F32:
    """(8, rows, columns, 2) displacements around the landmarks of the canonical face."""
    rows, columns = (np.arange(n) * _STEP + low for n, low in zip(_SHAPE, (_LOW, _LEFT), strict=True))
    places = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 1, 2)
    points = TEMPLATE_68[list(POINTS), :2]
    between = _pull(points[:, None], points) + YIELDING * np.eye(len(points))
    # Neighbours pull as well: solved for, the landmarks arrive where the expression wants them. (Means of neighbours
    # showed a third of a smile, since the middle of the lips held its corners down.)
    strengths = np.linalg.solve(between, expression_shapes())
    fields = (_pull(places, points) @ strengths).reshape(len(EMOTIONS), *_SHAPE, 2)
    fields[:, [0, -1]] = fields[:, :, [0, -1]] = 0
    return fields.astype(np.float32)


def _pull(places: NDArray[np.floating], points: NDArray[np.floating]) -> NDArray[np.floating]:
    """(n, k): how strongly each of k points pulls at places (n, 1, 2)."""
    return np.exp(-np.square(places - points).sum(-1) / (2 * SPREAD**2))


def _sample(field: F32, points: F32) -> F32:
    """(rows, columns, 2) at (n, 2) head coordinates, bilinear; outside the grid its rim, which is zero."""
    place = (points - np.array([_LEFT, _LOW], np.float32)) / np.float32(_STEP)
    place = place.clip(0, np.array([_SHAPE[1] - 1.001, _SHAPE[0] - 1.001], np.float32))
    low = place.astype(np.int32)
    share = place - low
    x, y = low[:, 0], low[:, 1]
    across, up = share[:, :1], share[:, 1:]
    below = field[y, x] + across * (field[y, x + 1] - field[y, x])
    above = field[y + 1, x] + across * (field[y + 1, x + 1] - field[y + 1, x])
    return below + up * (above - below)
