"""How each emotion moves brows, lids and lips: displacement fields over the canonical face.

With them a warp shows a smile before the video model has done anything, on a drawn face as well as on a photograph.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dramatis.motion.face import TEMPLATE_68
from dramatis.story.values import EMOTIONS

_F32 = NDArray[np.float32]

EXPRESSION_LANDMARKS = (*range(17, 27), *range(36, 68))
"""The landmarks that expressions move: brows, eyes, lips."""
_SPREAD = 0.06
"""How far around a landmark the skin moves with it, in head heights."""
_YIELDING = 0.1
"""How far a landmark may fall short of the expression, so that neighbours that move apart do not tear the skin."""
_ROUNDS = 4
"""Iterations of the inversion in `undo_expression`."""
_LEFT, _LOW, _STEP = -0.40, -0.35, 0.0125
_SHAPE = (68, 65)
"""The grid (rows upwards, columns) of the fields, in head heights; they are zero at its rim."""
EXPRESSION_BOX = (_LEFT, _LOW, _LEFT + (_SHAPE[1] - 1) * _STEP, _LOW + (_SHAPE[0] - 1) * _STEP)
"""Left, bottom, right and top of what expressions move, in head heights."""


@cache
def expression_shapes() -> _F32:
    """(8, 42, 2) head heights (x right, y up) by which each emotion at full intensity moves `EXPRESSION_LANDMARKS`.

    In the order of EMOTIONS. They were measured on the synthetic world's faces in front view, with which
    `tests/dramatis/motion/test_expression.py` compares them.
    """
    table = json.loads(Path(__file__).with_name("expressions.json").read_text(encoding="utf-8"))
    thousandths = np.array([table[name] for name in EMOTIONS], np.float32)
    return thousandths.reshape(len(EMOTIONS), -1, 2) / np.float32(1000)


def undo_expression(head: _F32, change: _F32) -> _F32:
    """Where the content at head coordinates (T, n, 2) was before the emotions changed by `change` (T, 8).

    Points that the change does not reach, and frames without a change, stay as they are.
    """
    out = head.copy()
    for frame in np.flatnonzero(np.abs(change).max(1) > 1e-4):
        # Not a product of matrices: for so little work the threads of its library would only wait for one another.
        field = np.einsum("k,khwc->hwc", change[frame], _fields())
        # A point q moved to q + field(q). Four rounds invert this to within 0.2 pixels for 99 of 100 points of a head
        # of 70 pixels with a full smile, 0.4 for disgust: accurate enough for a hint that a model refines.
        for _ in range(_ROUNDS):
            out[frame] = head[frame] - _sample(field, out[frame])
    return out


@cache
def _fields() -> _F32:
    """(8, rows, columns, 2) displacements around the landmarks of the canonical face."""
    rows, columns = (np.arange(n) * _STEP + low for n, low in zip(_SHAPE, (_LOW, _LEFT), strict=True))
    nodes = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 1, 2)
    points = TEMPLATE_68[list(EXPRESSION_LANDMARKS), :2]
    between = _pull(points[:, None], points) + _YIELDING * np.eye(len(points))
    # Neighbours pull as well. Solving for the strengths makes the landmarks arrive where the expression puts them.
    # (Means of neighbours showed a third of a smile, since the middle of the lips held its corners down.)
    strengths = np.linalg.solve(between, expression_shapes())
    fields = (_pull(nodes, points) @ strengths).reshape(len(EMOTIONS), *_SHAPE, 2)
    fields[:, [0, -1]] = fields[:, :, [0, -1]] = 0
    return fields.astype(np.float32)


def _pull(positions: NDArray[np.floating], points: NDArray[np.floating]) -> NDArray[np.floating]:
    """(n, k): how strongly each of k points pulls at positions (n, 1, 2)."""
    return np.exp(-np.square(positions - points).sum(-1) / (2 * _SPREAD**2))


def _sample(field: _F32, points: _F32) -> _F32:
    """A field (rows, columns, 2) at (n, 2) head coordinates, bilinear; outside the grid its rim, which is zero."""
    position = (points - np.array([_LEFT, _LOW], np.float32)) / np.float32(_STEP)
    position = position.clip(0, np.array([_SHAPE[1] - 1.001, _SHAPE[0] - 1.001], np.float32))
    low = position.astype(np.int32)
    share = position - low
    x, y = low[:, 0], low[:, 1]
    across, up = share[:, :1], share[:, 1:]
    below = field[y, x] + across * (field[y, x + 1] - field[y, x])
    above = field[y + 1, x] + across * (field[y + 1, x + 1] - field[y + 1, x])
    return below + up * (above - below)
