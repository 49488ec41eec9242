"""From mesh to landmarks: the table is whole, mirrors itself, and turns with the head."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.face import head_rotation
from dramatis.senses.seeing.library_landmarks import TERMS, _table, landmarks_from_mesh, mesh_axes, yaw_terms

POINTS = 468


def random_mesh() -> np.ndarray:
    """Points of a ball with the eye corners, hair line and chin where a face has them, in px."""
    rng = np.random.default_rng(3)
    mesh = rng.normal(size=(POINTS, 3)) * 40
    mesh[[33, 263]] = (-45, -20, 5), (45, -20, 5)
    mesh[[10, 152]] = (0, -90, 0), (0, 90, 0)
    return mesh


def test_axes_are_those_of_the_head() -> None:
    axes, unit = mesh_axes(random_mesh())
    assert unit == pytest.approx(90)
    assert axes == pytest.approx(np.diag([1.0, -1.0, -1.0]), abs=1e-9)
    assert axes @ axes.T == pytest.approx(np.eye(3))
    assert yaw_terms(axes) == pytest.approx([1] + [0] * (TERMS - 1))


def test_landmarks_follow_a_mesh_that_moves_and_grows() -> None:
    mesh = random_mesh()
    first = landmarks_from_mesh(mesh)
    assert first.shape == (68, 2)
    assert landmarks_from_mesh(2 * mesh + (30, -7, 0)) == pytest.approx(2 * first + (30, -7), abs=1e-3)


def test_landmarks_turn_with_the_head_in_the_picture() -> None:
    mesh = random_mesh()
    turn = np.eye(3)
    turn[:2, :2] = head_rotation(0.0, 0.0, 0.4)[:2, :2]
    assert landmarks_from_mesh(mesh @ turn.T) == pytest.approx(landmarks_from_mesh(mesh) @ turn[:2, :2].T, abs=1e-3)


def test_the_table_mirrors_itself() -> None:
    points, offsets = _table()
    assert points.shape == (68,)
    assert offsets.shape == (68, TERMS, 3)
    assert points.min() >= 0
    assert points.max() < POINTS
    odd = np.array([1.0, -1.0] * TERMS)[:TERMS, None]
    for left, right in ((36, 45), (48, 54), (0, 16), (31, 35), (17, 26)):
        assert offsets[right] == pytest.approx(offsets[left] * odd * (-1, 1, 1), abs=2e-4)
