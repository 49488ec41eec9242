"""Fits the parts of a person to one another: body under head, hair on scalp, cloth outside skin, and fewer triangles.

Pure geometry on arrays in metres with the head centre at the origin; nothing here knows about identities or colours.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from scipy.spatial import cKDTree

from dramatis_lab.world.arrays import F32, I32
from dramatis_lab.world.people.assets import Body

NECK_TILT = 0.35
"""How much depth counts as height in `neck_height`: the chin belongs to the head, the nape at the same
height to the neck.
"""
NECK_TOP, NECK_BASE = -0.055, -0.15
"""`neck_height` above which everything turns with the head, and below which nothing does."""


def cubic_step(x: NDArray[np.floating], low: float, high: float) -> F32:
    """0 at `low`, 1 at `high` (either order), smooth in between."""
    t = np.clip((np.asarray(x, np.float32) - low) / (high - low), 0.0, 1.0)
    return (t * t * (3 - 2 * t)).astype(np.float32)


def neck_height(points: F32) -> F32:
    """(N,) height that follows the slanted border between head and neck."""
    return points[:, 1] + NECK_TILT * points[:, 2]


def head_share(points: F32) -> F32:
    """(N,) 0..1: how far a resting point follows the turning head."""
    return cubic_step(neck_height(points), NECK_BASE, NECK_TOP)


def shift_share(points: F32) -> F32:
    """(N,) 0..1: how far a resting point follows the head's translation; the body leans from the hips."""
    return cubic_step(points[:, 1], -0.75, -0.05)


def rest_normals(vertices: F32, faces: I32) -> F32:
    """(V, 3) unit normals, area weighted.

    `renderer.raster.vertex_normals` is the fast one for every frame. It rounds differently, and the bytes of a data set
    depend on the rounding here.
    """
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    total = np.zeros_like(vertices)
    for k in range(3):
        for axis in range(3):
            total[:, axis] += np.bincount(faces[:, k], normal[:, axis], len(vertices))
    return total / np.maximum(np.linalg.norm(total, axis=1, keepdims=True), 1e-12)


def smoothing_matrix(faces: I32, count: int) -> csr_matrix:
    """(count, count) matrix that replaces each vertex by the mean of its neighbours."""
    edges = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    rows, columns = np.concatenate([edges, edges[:, ::-1]]).T
    matrix = csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(count, count))
    matrix.data[:] = 1.0
    degree = np.maximum(np.asarray(matrix.sum(1)).ravel(), 1.0)
    return csr_matrix(matrix.multiply(1.0 / degree[:, None]))


def boundary_vertices(faces: I32) -> I32:
    """Vertices on edges that only one triangle has."""
    edges = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    unique, count = np.unique(edges, axis=0, return_counts=True)
    return np.unique(unique[count == 1]).astype(np.int32)


def merge_map(points: F32, piece: I32, cell: F32) -> I32:
    """(V,) index of the vertex that stands for each: vertices of one piece in one cubic cell of side `cell` merge.

    points (V, 3); piece, cell (V,). The vertex nearest to the mean stands for its cell, so that linear
    shapes stay exact where a vertex remains. A cell side of 0 keeps a vertex; pieces that touch at rest
    (the teeth of both jaws) stay apart.
    """
    result = np.arange(len(points), dtype=np.int32)
    index = np.nonzero(cell > 0)[0]
    side = cell[index, None]
    key = np.concatenate([np.floor(points[index] / side), side * 1e5, piece[index, None]], axis=1).astype(np.int64)
    _, group = np.unique(key, axis=0, return_inverse=True)
    group = group.ravel()
    count = np.bincount(group)
    mean = np.stack([np.bincount(group, points[index, axis]) for axis in range(3)], 1) / count[:, None]
    distance = np.linalg.norm(points[index] - mean[group], axis=1)
    order = np.lexsort((distance, group))
    first = np.concatenate([[True], np.diff(group[order]) > 0])
    result[index] = index[order[first]][group]
    return result


@dataclass(frozen=True)
class CollisionSurface:
    """A closed or nearly closed skin to stay outside of: vertices and outward unit normals, both (N, 3)."""

    vertices: F32
    normals: F32
    tree: cKDTree

    @classmethod
    def of(cls, vertices: F32, faces: I32) -> CollisionSurface:
        used = np.unique(faces)
        return cls(vertices[used], rest_normals(vertices, faces)[used], cKDTree(vertices[used]))

    def push(self, points: F32, margin: float, reach: float = 0.04, ceiling: float | None = None) -> F32:
        """Points moved along the skin's normals until `margin` outside; points deeper than `reach` are left.

        With a `ceiling`, points that hover higher than that are brought down to it.
        """
        distance, nearest = self.tree.query(points, k=3, workers=1)
        weight = 1.0 / np.maximum(distance, 1e-4) ** 2
        weight /= weight.sum(1, keepdims=True)
        normal = np.einsum("nk,nkd->nd", weight, self.normals[nearest])
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-9)
        height = np.einsum("nk,nkd,nd->n", weight, points[:, None] - self.vertices[nearest], normal)
        lift = np.where((height < margin) & (distance[:, 0] < reach), margin - height, 0.0)
        if ceiling is not None:
            lift = np.where(height > ceiling, ceiling - height, lift)
        return (points + lift[:, None] * normal).astype(np.float32)


def warp_points(points: F32, anchors: F32, offsets: F32, neighbours: int = 12) -> F32:
    """Move points (N, 3) by the smooth mean of the offsets (A, 3) of the nearest anchors (A, 3)."""
    distance, nearest = cKDTree(anchors).query(points, k=neighbours, workers=1)
    weight = 1.0 / (distance + 0.01) ** 2
    weight /= weight.sum(1, keepdims=True)
    return (points + np.einsum("nk,nkd->nd", weight, offsets[nearest])).astype(np.float32)


FOREARM_BONES = ("lowerarm", "wrist", "finger", "metacarpal")
ARM_BONES = ("upperarm", *FOREARM_BONES)
"""What the names of the bones of a forearm and of a whole arm begin with."""


def arm_weights(body: Body, side: str, bones: tuple[str, ...] = ARM_BONES) -> F32:
    """(V,) how far each base vertex follows the arm of side "L" or "R", or some of its `bones`."""
    count = len(body.mesh.vertices)
    arm, total = np.zeros(count, np.float32), np.zeros(count, np.float32)
    for bone, (index, weight) in body.skin.items():
        total[index] += weight
        if bone.endswith("." + side) and bone.startswith(bones):
            arm[index] += weight
    arm /= np.maximum(total, 1e-6)
    unknown = total < 1e-6
    if unknown.any():
        _, nearest = cKDTree(body.mesh.vertices[~unknown]).query(body.mesh.vertices[unknown])
        arm[unknown] = arm[~unknown][nearest]
    return arm


def lower_arms(points: F32, pivots: dict[str, F32], shares: dict[str, F32], angle: float) -> F32:
    """Turn both arms of points (N, 3) down by `angle` radians about their shoulders; shares: side -> (N,) 0..1."""
    result = points.copy()
    for side, turn in (("L", -angle), ("R", angle)):
        arm = points - pivots[side]
        c, s = np.cos(turn), np.sin(turn)
        turned = np.stack([c * arm[:, 0] - s * arm[:, 1], s * arm[:, 0] + c * arm[:, 1], arm[:, 2]], 1)
        result += shares[side][:, None] * (turned - arm)
    return result.astype(np.float32)


def surface_samples(vertices: F32, faces: I32, steps: int = 5) -> F32:
    """(F * n, 3) points spread evenly over triangles, for nearest-point queries."""
    grid = [(i / steps, j / steps) for i in range(steps + 1) for j in range(steps + 1 - i)]
    a, b, c = (vertices[faces[:, k]] for k in range(3))
    samples: Sequence[F32] = [a * (1 - u - v) + b * u + c * v for u, v in grid]
    return np.concatenate(samples).astype(np.float32)
