"""Drift, growth and seams: planted ones are measured as they are."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis_lab.evaluate.measures.steadiness import (
    frame_change,
    frames_inside,
    growth,
    seam_ratio,
    share_of_drift,
    slope_per_minute,
)


def test_a_planted_slope_is_found_whatever_lies_around_it() -> None:
    seconds = np.arange(25 * 90) / 25
    wobble = np.sin(2 * np.pi * seconds / 1.5)  # whole periods: it has no slope of its own worth naming
    assert slope_per_minute(3.0 + 0.7 * seconds / 60) == pytest.approx(0.7)
    assert slope_per_minute(3.0 - 2.0 * seconds / 60 + 0.1 * wobble) == pytest.approx(-2.0, abs=0.02)
    assert slope_per_minute(np.full(100, 4.0)) == pytest.approx(0.0)
    assert np.isnan(slope_per_minute(np.ones(1)))


def test_growth_is_the_last_five_seconds_over_the_first() -> None:
    values = np.concatenate([np.full(125, 2.0), np.full(500, 99.0), np.full(125, 3.0)])
    assert growth(values) == pytest.approx(1.5)
    assert np.isnan(growth(np.ones(249)))
    assert growth(np.ones(250)) == 1.0


def test_only_a_video_that_drifts_can_be_beaten() -> None:
    assert share_of_drift(0.1, 1.0) == pytest.approx(0.1)
    assert share_of_drift(-0.5, 1.0) == pytest.approx(0.5)  # drifting the other way is drift too
    assert share_of_drift(0.0, -1.0) == float("inf")


def test_seams_that_jump_are_seen_on_both_sides() -> None:
    changes = np.ones(40)
    changes[[9, 10]] = 3.0  # into frame 10 and out of it
    changes[29] = 3.0
    assert seam_ratio(changes, [10]) == pytest.approx(3.0 / (39 + 1) * 38, rel=0.01)
    assert seam_ratio(changes, [10, 29, 30]) == pytest.approx((3 * 3 + 2) / 5)
    assert seam_ratio(np.ones(40), [10, 30]) == 1.0
    assert seam_ratio(changes, [20]) < 1.0
    assert np.isnan(seam_ratio(changes, []))


def test_hand_overs_at_the_ends_have_one_side() -> None:
    changes = np.ones(10)
    changes[[0, 9]] = 2.0
    assert seam_ratio(changes, [0, 10]) == 2.0


def test_frames_of_ranges() -> None:
    assert frames_inside([range(1, 3), range(5, 9)], 7).tolist() == [False, True, True, False, False, True, True]
    assert not frames_inside([], 4).any()


def test_change_counts_grey_levels_either_way() -> None:
    a = np.full((2, 2, 3), 10, np.uint8)
    assert frame_change(a, a + np.uint8(5)) == frame_change(a + np.uint8(5), a) == 5.0
