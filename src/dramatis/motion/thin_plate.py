"""Thin-plate splines: the smoothest map of the plane that takes some points to given places (Bookstein, 1989)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class ThinPlate:
    """A map of the plane. centres: (n, 2). weights: (n + 3, 2), the last three of the affine part."""

    centres: NDArray[np.float64]
    weights: NDArray[np.float64]
    scale: float

    def __call__(self, points: ArrayLike) -> NDArray[np.float64]:
        """(..., 2) places -> (..., 2) where the map takes them."""
        places = np.asarray(points, np.float64)
        flat = places.reshape(-1, 2)
        return (_terms(flat, self.centres, self.scale) @ self.weights).reshape(places.shape)


def fit_thin_plate(centres: ArrayLike, targets: ArrayLike, stiffness: float = 0.0) -> ThinPlate:
    """The thin-plate spline from `centres` (n, 2) to `targets` (n, 2).

    stiffness: 0 meets the targets exactly; the larger, the more it yields for a smoother map. Raises ValueError for
    fewer than three points or points on a line.
    """
    source, target = np.asarray(centres, np.float64), np.asarray(targets, np.float64)
    if source.shape != target.shape or source.ndim != 2 or len(source) < 3:
        raise ValueError(f"A thin-plate spline needs at least 3 pairs of points, not {source.shape}, {target.shape}.")
    scale = float(np.ptp(source, axis=0).max())
    if not scale > 0 or np.linalg.matrix_rank(source - source.mean(0), tol=1e-6 * scale) < 2:
        raise ValueError("A thin-plate spline needs points that do not lie on a line.")
    count = len(source)
    terms = _terms(source, source, scale)
    system = np.zeros((count + 3, count + 3))
    system[:count] = terms
    system[:count, :count] += stiffness * np.eye(count)
    system[count:, :count] = terms[:, count:].T
    right = np.zeros((count + 3, 2))
    right[:count] = target
    weights = np.asarray(np.linalg.lstsq(system, right, rcond=None)[0], np.float64)
    return ThinPlate(source, weights, scale)


def _terms(points: NDArray[np.float64], centres: NDArray[np.float64], scale: float) -> NDArray[np.float64]:
    """(m, n + 3): r^2 log r^2 to every centre, then 1, x, y, all in units of `scale`."""
    square = np.square((points[:, None] - centres) / scale).sum(-1)
    bent = square * np.log(np.maximum(square, 1e-20))
    return np.column_stack([bent, np.ones(len(points)), (points - centres.mean(0)) / scale])
