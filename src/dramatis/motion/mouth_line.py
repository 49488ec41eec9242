"""The mouth line of a portrait: where the upper lip ends and the lower lip begins, from corner to corner."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dramatis.motion.face import TEMPLATE_68, HeadFit

LINE_POINTS = 33
"""Points of each of the two edges."""
UPPER_EDGE, LOWER_EDGE = (60, 61, 62, 63, 64), (60, 67, 66, 65, 64)
"""Landmarks along the upper lip's lower edge and along the lower lip's upper edge, from left to right."""


@dataclass(frozen=True, eq=False)
class MouthLine:
    """Two edges over the straight line between the mouth's corners.

    corners: (2, 2) px, the left one first. upper, lower: (LINE_POINTS,) px below that line (negative: above), at
    equal distances from the left corner to the right one; they meet where the lips do, and at the corners.
    """

    corners: NDArray[np.float64]
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]

    @property
    def width(self) -> float:
        """Distance of the corners, px."""
        return float(np.linalg.norm(self.corners[1] - self.corners[0]))

    @property
    def gap(self) -> float:
        """Largest distance of the edges, px."""
        return float((self.lower - self.upper).max())

    @property
    def axes(self) -> NDArray[np.float64]:
        """(2, 2) unit vectors along the line between the corners and down from it."""
        along = (self.corners[1] - self.corners[0]) / max(self.width, 1e-6)
        return np.array([along, (-along[1], along[0])])

    def coordinates(self, points: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Share of the way from the left corner to the right one, and px below the line, of (..., 2) px."""
        moved = (np.asarray(points, np.float64) - self.corners[0]) @ self.axes.T
        return moved[..., 0] / max(self.width, 1e-6), moved[..., 1]

    def places(self, shares: ArrayLike, below: ArrayLike) -> NDArray[np.float64]:
        """(..., 2) px: the inverse of `coordinates`."""
        along, down = self.axes
        shares, below = np.asarray(shares, np.float64), np.asarray(below, np.float64)
        return np.asarray(self.corners[0] + shares[..., None] * self.width * along + below[..., None] * down)

    def edge(self, values: NDArray[np.float64], shares: ArrayLike) -> NDArray[np.float64]:
        """`upper` or `lower` at shares of the way; beyond the corners it goes on flat."""
        return np.interp(np.asarray(shares, np.float64), np.linspace(0, 1, len(values)), values)


def mouth_line_of(landmarks: ArrayLike, inner: ArrayLike | None = None) -> MouthLine:
    """The mouth line by an eye's points: the inner contour of the lips (20, 2) where there is one, else 68 landmarks.

    All in px; the contour runs from the left corner over the upper lip and back, as in `FaceContours.lips_inner`.
    """
    if inner is None:
        points = np.asarray(landmarks, np.float64)
        upper, lower = points[list(UPPER_EDGE)], points[list(LOWER_EDGE)]
    else:
        ring = np.asarray(inner, np.float64)
        upper, lower = ring[:11], np.concatenate([ring[:1], ring[:9:-1]])
    flat = MouthLine(np.stack([upper[0], upper[-1]]), np.zeros(LINE_POINTS), np.zeros(LINE_POINTS))
    shares = np.linspace(0, 1, LINE_POINTS)
    edges = []
    for edge in (upper, lower):
        along, below = flat.coordinates(edge)
        order = np.argsort(along)
        edges.append(np.interp(shares, along[order], below[order]))
    middle = (edges[0] + edges[1]) / 2
    return MouthLine(flat.corners, np.minimum(edges[0], middle), np.maximum(edges[1], middle))


def canonical_edge(
    landmarks: tuple[int, ...], head: HeadFit, count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points (count, 3) of an edge of the canonical mouth, and how far along the picture's mouth they are, (count,).

    landmarks: `UPPER_EDGE` or `LOWER_EDGE`, or others from left to right. The shares tell what a turned head hides:
    its far half of the mouth is short.
    """
    corners = TEMPLATE_68[list(landmarks)].astype(np.float64)
    x = np.linspace(corners[0, 0], corners[-1, 0], count)
    points = np.stack([x, *(np.interp(x, corners[:, 0], corners[:, axis]) for axis in (1, 2))], -1)
    return points, shares_along(points, head)


def shares_along(points: NDArray[np.float64], head: HeadFit) -> NDArray[np.float64]:
    """How far along the mouth, from the left corner (0) to the right one (1), points (n, 3) of the head are seen."""
    ends = TEMPLATE_68[[UPPER_EDGE[0], UPPER_EDGE[-1]]] @ head.rotation[:2].T
    along = ends[1] - ends[0]
    return np.asarray((points @ head.rotation[:2].T - ends[0]) @ along / max(float(along @ along), 1e-9))
