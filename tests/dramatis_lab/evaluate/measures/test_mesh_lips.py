"""Lips under the mesh: what opens a mouth and what does not, closures, turns."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dramatis.motion.face import head_rotation
from dramatis.story.values import FPS
from dramatis_lab.evaluate.measures.mesh_lips import (
    SEALED,
    SEALED_MOST,
    closures,
    gap_range,
    in_head_frame,
    lip_gaps,
    mesh_height,
    sealed_gap,
    turning_share,
)

UPPER, LOWER = [81, 13, 311], [178, 14, 402]


@pytest.fixture
def mesh() -> NDArray[np.float64]:
    """Points of a face in no order, 100 px high from hair line to chin, lips sealed."""
    rng = np.random.default_rng(0)
    points = rng.uniform(-50, 50, (468, 3))
    points[10], points[152] = (0, -50, 0), (0, 50, 0)
    points[33], points[263] = (-30, -20, 5), (30, -20, 5)
    points[UPPER] = points[LOWER] = [(-5, 25, -10), (0, 25, -10), (5, 25, -10)]
    return points


def opened(mesh: NDArray[np.float64], gap: float) -> NDArray[np.float64]:
    out = mesh.copy()
    out[LOWER, 1] += gap
    out[152, 1] += 2 * gap
    return out


def test_a_gap_is_a_share_of_the_face_however_the_head_is_turned(mesh: NDArray[np.float64]) -> None:
    turned = [
        1.3 * opened(mesh, gap) @ head_rotation(0.3, gap / 30, 0.1).T.astype(float) + (200, 100 + gap, 0)
        for gap in (0, 6)
    ]
    assert mesh_height(mesh) == pytest.approx(100)
    assert lip_gaps(np.stack(turned), mesh) == pytest.approx([0, 0.06], abs=1e-9)


def test_rigid_points_come_back_to_their_places(mesh: NDArray[np.float64]) -> None:
    moved = 0.7 * mesh @ head_rotation(-0.4, 0.2, 0.3).T.astype(float) + (3, 4, 5)
    assert in_head_frame(moved[None], mesh)[0] == pytest.approx(mesh, abs=1e-9)


def test_frames_without_a_face_are_read_off_between_their_neighbours(mesh: NDArray[np.float64]) -> None:
    lost = np.full_like(mesh, np.nan)
    assert lip_gaps(np.stack([mesh, lost, opened(mesh, 8)]), mesh) == pytest.approx([0, 0.04, 0.08], abs=1e-9)
    assert lip_gaps(np.stack([lost, lost]), mesh) == pytest.approx([0, 0])


def test_what_sealed_lips_look_like_is_learnt_from_the_portrait_or_forgiven_within_bounds() -> None:
    film = np.linspace(0.015, 0.1, 100)
    assert sealed_gap(0.004, film) == 0.004, "a portrait with sealed lips says it itself"
    assert sealed_gap(0.04, film) == pytest.approx(0.0167, abs=1e-4), "parted lips: the film's smallest"
    assert sealed_gap(0.04, film + 0.05) == SEALED_MOST, "a film whose lips never meet"
    assert sealed_gap(0.04, film - 0.015) == SEALED


def test_only_m_b_and_p_have_to_shut_the_lips() -> None:
    gaps = np.full(50, 0.1)
    gaps[10] = 0.0
    phones = [(0.0, 9 / FPS, "aa"), (9 / FPS, 10.6 / FPS, "m"), (10.6 / FPS, 30 / FPS, "ah"), (30 / FPS, 31 / FPS, "p")]
    assert closures(gaps, phones) == [True, False]
    assert closures(np.zeros(50), phones) == [False, False], "a mouth that never opens shuts nothing"
    assert closures(gaps, [(90 / FPS, 91 / FPS, "b")]) == [], "beyond the film"


def test_a_curve_turns_where_it_turns_by_more_than_a_little() -> None:
    smooth = np.sin(np.arange(100) * 2 * np.pi / 25)
    assert turning_share(smooth) == pytest.approx(8 / 98)
    assert turning_share(smooth + 0.001 * (-1.0) ** np.arange(100)) == pytest.approx(8 / 98)
    assert turning_share(smooth + 0.5 * (-1.0) ** np.arange(100)) > 0.5
    assert turning_share(np.zeros(100)) == 0
    assert gap_range(smooth) == pytest.approx(2, abs=0.05)
