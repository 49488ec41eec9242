"""Sharpness of faces beside their portrait, and what counts as outside a person."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from dramatis_lab.evaluate.measures.looks import change_outside, face_sharpness_kept, surroundings

FACE = np.array([(10.0, 10.0), (50.0, 50.0)])


def test_a_blurred_frame_is_less_sharp_and_a_jump() -> None:
    portrait = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    blurred = gaussian_filter(portrait.astype(float), (1, 1, 0)).astype(np.uint8)
    same = face_sharpness_kept([portrait] * 3, [FACE] * 3, portrait, FACE)
    assert same.kept == pytest.approx(1)
    assert same.jump == 0
    mixed = face_sharpness_kept([portrait, blurred], [FACE] * 2, portrait, FACE)
    assert 0.5 < mixed.kept < 0.6
    assert mixed.jump > 1.5


def test_the_surroundings_keep_their_distance_from_the_person() -> None:
    outline = np.zeros((90, 120), np.float32)
    outline[30:60, 40:60] = 1
    outside = surroundings(outline, face_height=40)
    assert outside is not None
    assert outside.shape == outline.shape
    assert not outside[45, 61:69].any()
    assert outside[45, 80:].all()
    assert surroundings(np.ones((90, 120), np.float32), 40) is None


def test_only_what_changes_outside_counts() -> None:
    outside = np.zeros((8, 8), bool)
    outside[:, 4:] = True
    first, inside, beyond = (np.zeros((8, 8, 3), np.uint8) for _ in range(3))
    inside[:, :4], beyond[:, 4:] = 200, 3
    assert change_outside([first, inside], outside) == 0
    assert change_outside([first, inside, beyond], outside) == pytest.approx(1.5)
