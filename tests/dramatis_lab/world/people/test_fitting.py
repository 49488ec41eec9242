"""The geometry that fits the parts of a person to one another, on shapes whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis_lab.world.people.fitting import (
    CollisionSurface,
    boundary_vertices,
    cubic_step,
    merge_map,
    rest_normals,
    smoothing_matrix,
    surface_samples,
    warp_points,
)

CORNERS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]], np.float32)
SQUARE = np.array([[0, 1, 2], [0, 2, 3]], np.int32)


def test_the_step_runs_in_either_direction() -> None:
    assert cubic_step(np.array([-1.0, 0.0, 0.5, 1.0, 2.0]), 0.0, 1.0).tolist() == [0.0, 0.0, 0.5, 1.0, 1.0]
    assert cubic_step(np.array([0.0, 1.0]), 1.0, 0.0).tolist() == [1.0, 0.0]


def test_normals_of_a_square_point_along_z() -> None:
    assert rest_normals(CORNERS, SQUARE) == pytest.approx(np.tile([0.0, 0.0, 1.0], (4, 1)))


def test_smoothing_averages_neighbours() -> None:
    values = np.array([0.0, 3.0, 6.0, 9.0])
    assert smoothing_matrix(SQUARE, 4) @ values == pytest.approx([6.0, 3.0, 4.0, 3.0])


def test_the_boundary_of_a_square_is_all_of_it_and_a_closed_shape_has_none() -> None:
    assert boundary_vertices(SQUARE).tolist() == [0, 1, 2, 3]
    tetrahedron = np.array([[0, 1, 2], [0, 3, 1], [1, 3, 2], [2, 3, 0]], np.int32)
    assert boundary_vertices(tetrahedron).tolist() == []


def test_vertices_of_one_piece_merge_within_a_cell() -> None:
    points = np.array([[0.1, 0, 0], [0.2, 0, 0], [0.9, 0, 0], [0.15, 0, 0]], np.float32)
    merged = merge_map(points, np.array([0, 0, 0, 1], np.int32), np.array([0.5, 0.5, 0.5, 0.5], np.float32))
    assert merged[0] == merged[1]
    assert merged[2] == 2
    assert merged[3] == 3, "another piece"
    kept = merge_map(points, np.zeros(4, np.int32), np.array([0, 0, 0.5, 0], np.float32))
    assert kept.tolist() == [0, 1, 2, 3], "a cell of 0 keeps its vertex"


def test_points_are_pushed_out_of_a_surface_and_down_to_its_ceiling() -> None:
    steps = np.linspace(0, 1, 21, dtype=np.float32)
    points = np.stack([*np.meshgrid(steps, steps), np.zeros((21, 21), np.float32)], -1).reshape(-1, 3)
    surface = CollisionSurface(points, np.tile(np.array([0, 0, 1], np.float32), (len(points), 1)), _tree(points))
    probe = np.array([[0.5, 0.5, -0.01], [0.5, 0.5, 0.3], [0.5, 0.5, -0.2]], np.float32)
    assert surface.push(probe, 0.02)[:, 2] == pytest.approx([0.02, 0.3, -0.2], abs=1e-5)
    assert surface.push(probe, 0.02, ceiling=0.1)[1, 2] == pytest.approx(0.1, abs=1e-5)


def _tree(points: np.ndarray):  # type: ignore[no-untyped-def]
    from scipy.spatial import cKDTree

    return cKDTree(points)


def test_equal_offsets_of_the_anchors_move_every_point_by_them() -> None:
    anchors = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    moved = warp_points(CORNERS, anchors, np.tile(np.array([0.1, 0.2, 0.3], np.float32), (40, 1)))
    assert moved - CORNERS == pytest.approx(np.tile([0.1, 0.2, 0.3], (4, 1)), abs=1e-5)


def test_samples_lie_on_the_triangles() -> None:
    samples = surface_samples(CORNERS, SQUARE, 4)
    assert samples[:, 2] == pytest.approx(0.0)
    assert samples.min() >= 0.0
    assert samples.max() <= 1.0
