from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.tiny import canonical_sight

from dramatis.models.perception import PerceptionNet, Sight
from dramatis_lab.evaluate.measures import MAX_LAG, correlation, framing, lip_sync, openings, psnr, see, silence_ratio


def curves(clips: int, frames: int, seed: int = 0) -> list[np.ndarray]:
    """Mouth openings that syllables might make: smooth noise, never negative."""
    rng = np.random.default_rng(seed)
    kernel = np.hanning(5) / np.hanning(5).sum()
    return [np.maximum(np.convolve(rng.normal(0.1, 0.2, frames + 4), kernel, "valid"), 0) for _ in range(clips)]


@pytest.mark.parametrize("lag", [-3, 0, 2, MAX_LAG])
def test_a_planted_lag_is_found(lag: int) -> None:
    true = curves(4, 60)
    seen = [np.roll(curve, lag) for curve in true]
    sync = lip_sync(seen, true)
    assert sync.lag == lag  # positive where the lips come late
    assert sync.best == pytest.approx(1.0, abs=0.05)
    assert (sync.r == sync.best) == (lag == 0)


def test_a_planted_correlation_is_measured() -> None:
    true = curves(20, 100)
    noise = curves(20, 100, seed=1)
    seen = [0.6 * a + 0.8 * b for a, b in zip(true, noise, strict=True)]
    assert lip_sync(seen, true).r == pytest.approx(0.6, abs=0.06)


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


def test_framing_tells_zoom_and_pan_apart() -> None:
    sight = canonical_sight()
    centre = np.array([32.0, 32.0], np.float32)

    def filmed(zoom: float, pan: float) -> list[Sight]:
        moves = np.linspace(0, 1, 25)
        return [
            replace(sight, landmarks=centre + (sight.landmarks - centre) * np.exp(zoom * t) + [64 * pan * t, 0])
            for t in moves
        ]

    size = (64, 64)
    assert framing(filmed(0, 0), size) == pytest.approx((0, 0), abs=1e-6)
    zoom, pan = framing(filmed(0.3, 0), size)
    assert zoom == pytest.approx(0.3 * 5 / 6, abs=0.01)
    assert abs(pan) < 0.01
    zoom, pan = framing(filmed(0, -0.2), size)
    assert abs(zoom) < 1e-6
    assert pan == pytest.approx(-0.2 * 5 / 6, abs=0.01)


def test_psnr_of_a_known_error_and_of_chosen_pixels() -> None:
    a = np.full((2, 4, 6, 3), 100, np.uint8)
    b = a + np.uint8(51)
    assert psnr(a, b) == psnr(b, a) == pytest.approx(-20 * np.log10(0.2))
    where = np.zeros((2, 4, 6), bool)
    where[:, :2] = True
    b[:, :2] = a[:, :2]
    assert psnr(a, b, where) == 100.0
    assert psnr(a, b, ~where) == pytest.approx(-20 * np.log10(0.2))


def test_one_sight_a_frame_in_any_batches(frames: np.ndarray) -> None:
    eye = PerceptionNet(widths=(4, 4, 4, 4)).eval()
    whole, parts = see(eye, frames[:5]), see(eye, frames[:5], batch=2)
    assert len(whole) == len(parts) == 5
    assert np.allclose(openings(whole), openings(parts), atol=1e-3)
    assert openings(whole).shape == (5,)
