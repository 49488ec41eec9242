"""The curves themselves: where they begin and end, what they keep and what they bound."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.signals import lag_track, pulses, ramp, smooth_noise, smooth_track, smoothstep, soft_limit


def test_an_ease_is_flat_at_both_ends_and_symmetric() -> None:
    x = np.linspace(-1, 2, 301)
    ease = smoothstep(x)
    assert (ease[x <= 0] == 0).all()
    assert (ease[x >= 1] == 1).all()
    assert (np.diff(ease) >= 0).all()
    assert np.allclose(smoothstep(x) + smoothstep(1 - x), 1)
    assert smoothstep(0.01) < 1e-4


def test_a_ramp_holds_between_attack_and_release() -> None:
    envelope = ramp(40, 10, 20)
    assert envelope[0] < 0.01
    assert envelope[-1] < 0.01
    assert (envelope[10:20] == 1).all()


def test_noise_of_a_longer_track_begins_with_the_shorter_one() -> None:
    long, short = (smooth_noise(np.arange(frames) / 7, np.random.default_rng(3)) for frames in (4000, 500))
    assert np.array_equal(long[:400], short[:400])
    assert long.std() == pytest.approx(1, abs=0.25)
    assert np.abs(np.diff(long)).max() < 1, "no sudden change"


def test_a_lag_follows_a_step_and_arrives() -> None:
    steps = np.repeat([[0.0, 1.0], [1.0, 0.0]], [20, 30], axis=0)
    out = lag_track(steps, 8, before=steps[0])
    assert np.allclose(out[:20], steps[:20])
    assert np.allclose(out[30:], steps[30:])
    assert (np.diff(out[18:32, 0]) >= -1e-12).all()
    assert np.allclose(out.sum(1), 1)


def test_smoothing_keeps_lines_and_repeats_the_edges() -> None:
    assert np.allclose(smooth_track(np.full(9, 2.5), 5), 2.5)
    line = np.arange(20.0)
    assert np.allclose(smooth_track(line, 5)[2:-2], line[2:-2])


def test_pulses_add_up_and_are_cut_at_the_end() -> None:
    out = pulses(6, np.array([0, 1, 5]), [1.0, 2.0, 3.0], [1.0, 0.5])
    assert out.tolist() == [1.0, 2.5, 1.0, 0.0, 0.0, 3.0]


def test_a_soft_limit_changes_nothing_well_inside_and_never_exceeds_the_bound() -> None:
    values = np.linspace(-10, 10, 401)
    out = soft_limit(values, 2.0)
    inside = np.abs(values) <= 1.4
    assert np.array_equal(out[inside], values[inside])
    assert np.abs(out).max() <= 2.0
    assert (np.diff(out) >= 0).all()
