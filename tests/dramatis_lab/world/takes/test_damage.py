"""Every damage spoils the picture, more when told to, and the same way for the same seed."""

import numpy as np
import pytest
from numpy.typing import NDArray

from dramatis_lab.world.takes.damage import DAMAGES, FRAME_DAMAGES, apply_damage, shift_pictures


@pytest.fixture(scope="module")
def clip() -> NDArray[np.uint8]:
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:48, 0:64] / 64.0
    base = np.stack([np.sin(9 * x) * 60 + 128, np.cos(7 * y) * 60 + 120, 90 + 70 * x], -1)
    texture = rng.normal(0, 12, base.shape)
    return np.stack([np.roll(base + texture, k, 1) for k in range(5)]).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("kind", FRAME_DAMAGES)
def test_damage_is_seeded_and_grows_with_severity(clip: NDArray[np.uint8], kind: str) -> None:
    def error(severity: float) -> float:
        spoilt = apply_damage(clip, kind, severity, np.random.default_rng(3)).frames
        assert spoilt.shape == clip.shape
        assert spoilt.dtype == np.uint8
        return float(np.abs(spoilt.astype(float) - clip).mean())

    first, second = (apply_damage(clip, kind, 0.7, np.random.default_rng(5)).frames for _ in range(2))
    assert np.array_equal(first, second)
    assert error(0.0) == 0.0
    assert 1.0 < error(0.2) < error(1.0)


def test_jitter_reports_its_shift(clip: NDArray[np.uint8]) -> None:
    spoilt = apply_damage(clip, "jitter", 1.0, np.random.default_rng(1))
    assert np.abs(spoilt.shift).max() >= 1
    assert np.array_equal(spoilt.frames, shift_pictures(clip, spoilt.shift))
    right, down = spoilt.shift[2].astype(int)
    inner = slice(10, 30)
    assert np.array_equal(spoilt.frames[2, 10 + down : 30 + down, 10 + right : 30 + right], clip[2, inner, inner])


def test_unknown_kind_and_severity_are_refused(clip: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="unknown damage"):
        apply_damage(clip, "frozen", 0.5, np.random.default_rng(0))
    with pytest.raises(ValueError, match="severity"):
        apply_damage(clip, "blur", 1.5, np.random.default_rng(0))
    assert len(set(DAMAGES)) == len(DAMAGES)
