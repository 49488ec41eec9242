"""From the library's mesh of 468 points to the 68 landmarks that everything here was trained and is measured with.

The two do not mean quite the same places: a landmark is a point of the mesh, moved by an offset in the head's own axes
that depends on how far the head is turned. Points and offsets were fitted to rendered training people, whose landmarks
are known exactly (`dramatis_lab.train.mesh_landmarks`).
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

_RIGHT, _LEFT, _TOP, _CHIN = 263, 33, 10, 152
"""Points of the mesh that span the head's axes: outer corners of the eyes, hair line and chin."""
TERMS = 3
"""An offset is a polynomial of this many terms in the sine of the yaw."""


@cache
def _table() -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Points (68,) of the mesh, and offsets (68, TERMS, 3) in distances of the outer eye corners."""
    table = json.loads(files(__package__).joinpath("library_landmarks.json").read_text(encoding="utf-8"))
    return np.array(table["points"]), np.array(table["offsets"])


def landmarks_from_mesh(mesh: NDArray[np.float64]) -> NDArray[np.float32]:
    """The 68 landmarks (68, 2), iBUG order, of a mesh (468, 3); both in px, depth towards the back."""
    points, offsets = _table()
    axes, unit = mesh_axes(mesh)
    moved = np.einsum("ktc,t->kc", offsets, yaw_terms(axes)) @ axes
    return (mesh[points, :2] + unit * moved[:, :2]).astype(np.float32)


def mesh_axes(mesh: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """The head's axes as rows (3, 3), to the right, up and across both, and the distance of the outer eye corners."""
    right = mesh[_RIGHT] - mesh[_LEFT]
    unit = max(float(np.linalg.norm(right)), 1e-6)
    right = right / unit
    up = mesh[_TOP] - mesh[_CHIN]
    up = up - (up @ right) * right
    up = up / max(float(np.linalg.norm(up)), 1e-6)
    return np.stack([right, up, np.cross(right, up)]), unit


def yaw_terms(axes: NDArray[np.float64]) -> NDArray[np.float64]:
    """(TERMS,) powers of the sine of the yaw, of axes as `mesh_axes` gives them."""
    return np.power(float(axes[2, 0]), np.arange(TERMS), dtype=np.float64)
