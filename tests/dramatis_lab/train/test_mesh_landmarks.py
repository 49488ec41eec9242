"""The fit finds the points and offsets from which landmarks were made."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.face import head_rotation
from dramatis.senses.seeing.library_landmarks import TERMS, mesh_axes, yaw_terms
from dramatis_lab.data.face_views import MIRRORED_LANDMARKS
from dramatis_lab.train.mesh_landmarks import MeshSamples, fit_mesh_landmarks
from dramatis_lab.world.takes.heads import HeadStill

PAIRS = 234


def symmetric_mesh(rng: np.random.Generator) -> np.ndarray:
    """468 points in pairs that mirror each other, with the eye corners, hair line and chin where the fit looks."""
    half = rng.normal(size=(PAIRS, 3)) * (30, 40, 20) + (40, 0, 0)
    mesh = np.zeros((2 * PAIRS, 3))
    free = [index for index in range(468) if index not in (33, 263, 10, 152)]
    for pair, (left, right) in enumerate(zip(free[::2], free[1::2], strict=True)):
        mesh[left], mesh[right] = half[pair] * (-1, 1, 1), half[pair]
    mesh[free[:12], 0] = 0
    mesh[[33, 263]] = (-45, -20, 5), (45, -20, 5)
    mesh[[10, 152]] = (0, -90, 0), (0, 90, 0)
    return mesh


def test_landmarks_that_are_moved_points_of_the_mesh_are_found_again() -> None:
    rng = np.random.default_rng(1)
    shape = symmetric_mesh(rng)
    free = [index for index in range(468) if index not in (33, 263, 10, 152)]
    middle, sides = free[:12], free[12:]
    points, offsets = np.zeros(68, int), np.zeros((68, TERMS, 3))
    odd = np.array([1.0, -1.0] * TERMS)[:TERMS, None]
    for landmark, other in enumerate(MIRRORED_LANDMARKS):
        if other < landmark:
            partner = sides.index(int(points[other]))
            points[landmark] = sides[partner + 1 - 2 * (partner % 2)]
            offsets[landmark] = offsets[other] * odd * (-1, 1, 1)
        elif other == landmark:
            points[landmark] = middle[landmark % 12]
        else:
            points[landmark] = sides[2 * landmark]
            offsets[landmark] = rng.normal(size=(TERMS, 3)) * 0.01
    meshes, stills = [], []
    for _ in range(40):
        turn = head_rotation(rng.uniform(-1, 1), 0.2 * rng.normal(), 0.1 * rng.normal())
        mesh = shape @ turn.T + (100, 100, 0)
        axes, unit = mesh_axes(mesh)
        moved = np.einsum("ktc,t->kc", offsets, yaw_terms(axes)) @ axes
        marks = mesh[points, :2] + unit * moved[:, :2]
        meshes.append(mesh)
        stills.append(HeadStill(np.zeros((1, 1, 3), np.uint8), marks.astype(np.float32), np.zeros((1, 1), bool)))
    found, fitted = fit_mesh_landmarks(MeshSamples.of(meshes, stills))
    left = []
    for mesh, still in zip(meshes, stills, strict=True):
        axes, unit = mesh_axes(mesh)
        moved = np.einsum("ktc,t->kc", fitted, yaw_terms(axes)) @ axes
        left.append(np.linalg.norm(mesh[found, :2] + unit * moved[:, :2] - still.landmarks, axis=1) / unit)
    assert np.median(left) < 0.01
    assert (found == points).mean() > 0.8
    assert np.mean(left) == pytest.approx(0, abs=0.02)
