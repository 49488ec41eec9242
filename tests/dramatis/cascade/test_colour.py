from __future__ import annotations

import numpy as np
import pytest
from skimage.color import rgb2lab

from dramatis.backbones.corruption import corrupt
from dramatis.cascade.colour import match_colours
from dramatis.senses.seeing.measures import laplacian_variance
from tests.tiny import canonical_sight


def textured(seed: int = 0) -> np.ndarray:
    """(64, 64, 3) uint8: coarse patches of skin-like colours under fine grain."""
    rng = np.random.default_rng(seed)
    patches = rng.integers(60, 150, (8, 8, 3)).repeat(8, 0).repeat(8, 1)
    return (patches + rng.integers(0, 30, (64, 64, 3)) + [20, 0, -20]).astype(np.uint8)


def mean_lab(pictures: np.ndarray) -> np.ndarray:
    """(F, H, W, 3) -> (F, 3)."""
    return rgb2lab(pictures).mean((1, 2))


def test_no_corruption_is_the_picture_itself() -> None:
    assert np.array_equal(corrupt(textured(), 0.0), textured())


def test_more_corruption_is_more_blur_and_more_of_a_warm_cast() -> None:
    grey = np.full((64, 64, 3), 120, np.uint8)
    sharpness, warmth = [], []
    for strength in (0.0, 0.3, 0.6, 1.0):
        spoilt = corrupt(textured(), strength)
        assert spoilt.shape == (64, 64, 3)
        assert spoilt.dtype == np.uint8
        sharpness.append(laplacian_variance(spoilt, canonical_sight()) / spoilt.var())
        red, green, blue = corrupt(grey, strength)[0, 0].astype(int)
        assert red >= green >= blue
        warmth.append(red - blue)
    assert all(np.diff(sharpness) < 0)
    assert all(np.diff(warmth) > 0)
    assert sharpness[-1] < 0.1 * sharpness[0]


def test_a_clip_whose_colours_drifted_takes_those_of_its_keyframes() -> None:
    true = np.stack([textured()] * 5)
    drifted = (0.8 * true + [25, 5, 0]).astype(np.uint8)
    back = match_colours(drifted, true[0], true[-1])
    assert np.abs(back.astype(int) - true).mean() < 3 < 10 < np.abs(drifted.astype(int) - true).mean()
    assert np.allclose(mean_lab(back), mean_lab(true), atol=0.5)


def test_a_clip_that_fits_its_keyframes_stays() -> None:
    clip = np.stack([np.roll(textured(), shift, axis=1) for shift in range(0, 20, 4)])
    assert np.abs(match_colours(clip, clip[0], clip[-1]).astype(int) - clip).max() <= 1


def test_colours_go_evenly_from_one_keyframe_to_the_other() -> None:
    head, tail = textured(), (textured() * 0.6).astype(np.uint8)
    light = mean_lab(match_colours(np.stack([head] * 5), head, tail))[:, 0]
    ends = mean_lab(np.stack([head, tail]))[:, 0]
    assert np.allclose(light, np.linspace(ends[0], ends[1], 5), atol=0.5)


def test_colours_beyond_the_gamut_are_clipped_in_silence(recwarn: pytest.WarningsRecorder) -> None:
    rng = np.random.default_rng(0)
    yellow = np.where(rng.random((16, 16, 1)) < 0.5, [230, 200, 0], [10, 10, 5]).astype(np.uint8)
    dull = rng.integers(110, 130, (3, 16, 16, 3)).astype(np.uint8)
    out = match_colours(dull, yellow, yellow)
    assert mean_lab(out)[0, 2] > mean_lab(dull)[0, 2] + 20
    assert not recwarn.list
