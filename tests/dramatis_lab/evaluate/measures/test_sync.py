"""Lip sync: planted lags, correlations and pauses are measured as they are."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis_lab.evaluate.measures.sync import MAX_LAG, correlation, cut_curve, lip_sync, silence_ratio, sync_inside


def curves(clips: int, frames: int, seed: int = 0) -> list[np.ndarray]:
    """Mouth openings that syllables might make: smooth noise, never negative."""
    rng = np.random.default_rng(seed)
    kernel = np.hanning(5) / np.hanning(5).sum()
    return [np.maximum(np.convolve(rng.normal(0.1, 0.2, frames + 4), kernel, "valid"), 0) for _ in range(clips)]


@pytest.mark.parametrize("lag", [-3, 0, 2, MAX_LAG])
def test_a_planted_lag_is_found(lag: int) -> None:
    true = curves(4, 60)
    measured = [np.roll(curve, lag) for curve in true]
    sync = lip_sync(measured, true)
    assert sync.lag == lag  # positive where the lips come late
    assert sync.best == pytest.approx(1.0, abs=0.05)
    assert (sync.r == sync.best) == (lag == 0)


def test_a_planted_correlation_is_measured() -> None:
    true = curves(20, 100)
    noise = curves(20, 100, seed=1)
    measured = [0.6 * a + 0.8 * b for a, b in zip(true, noise, strict=True)]
    assert lip_sync(measured, true).r == pytest.approx(0.6, abs=0.06)


def test_shuffled_clips_do_not_correlate() -> None:
    true = curves(20, 100)
    assert abs(lip_sync(true[1:] + true[:1], true).r) < 0.1


def test_how_open_a_face_rests_is_not_sync() -> None:
    true = curves(2, 100)
    noise = curves(2, 100, seed=1)
    apart = lip_sync([noise[0], noise[1] + 5], [true[0], true[1] + 5])
    assert abs(apart.r) < 0.3


def test_a_still_mouth_earns_nothing() -> None:
    assert correlation(np.full(9, 0.3), np.arange(9.0)) == 0.0
    assert lip_sync([np.full(40, 0.2)], curves(1, 40)).best == 0.0


def test_silence_ratio_of_known_curves() -> None:
    true = [np.concatenate([np.full(20, 0.4), np.zeros(20)])]
    assert silence_ratio([np.where(true[0] > 0, 0.4, 0.1)], true) == pytest.approx(0.25)
    assert silence_ratio([np.where(true[0] > 0, 0.45, 0.0)], true) == 0.0
    assert np.isnan(silence_ratio([np.full(9, 0.2)], [np.full(9, 0.4)]))


def test_sync_inside_windows_is_told_from_sync_elsewhere() -> None:
    rng = np.random.default_rng(0)
    true, noise = rng.normal(size=4000), rng.normal(size=4000)
    where = np.arange(4000) % 20 < 8
    half = np.where(where, 0.6 * true + 0.8 * noise, true)
    assert sync_inside([half], [true], [where]) == pytest.approx(0.6, abs=0.03)
    assert sync_inside([true[:2000], true[2000:]], [true[:2000], true[2000:]], [where[:2000], where[2000:]]) == (
        pytest.approx(1.0)
    )
    assert np.isnan(sync_inside([true], [true], [np.zeros(4000, bool)]))
    assert np.isnan(sync_inside([-true], [true], [where]))  # lips against the sound are no yardstick


def test_stretches_keep_a_long_rest_and_drop_a_short_one() -> None:
    assert [len(part) for part in cut_curve(np.arange(250.0), 100)] == [100, 100, 50]
    assert [len(part) for part in cut_curve(np.arange(249.0), 100)] == [100, 100]
    assert [len(part) for part in cut_curve(np.arange(9.0), 100)] == [9]
