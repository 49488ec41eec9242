from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from dramatis.models.perception import FaceReading
from dramatis.senses.seeing.measures import (
    LIPS_MIDDLE,
    MOUTH_CORNERS,
    colour_distance,
    laplacian_variance,
    mean_lab,
    mouth_width,
    shape_distance,
    smile,
)
from tests.tiny import canonical_sight


def textured() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)


def moved(points: tuple[int, ...], by: tuple[float, float]) -> FaceReading:
    """The canonical sight with some landmarks moved by (right, down) px."""
    sight = canonical_sight()
    landmarks = sight.landmarks.copy()
    landmarks[list(points)] += by
    return replace(sight, landmarks=landmarks)


def test_blur_lowers_sharpness_and_flat_has_none() -> None:
    sight, frame = canonical_sight(), textured()
    soft = gaussian_filter(frame.astype(float), (1, 1, 0)).astype(np.uint8)
    assert laplacian_variance(frame, sight) > 5 * laplacian_variance(soft, sight) > 0
    assert laplacian_variance(np.full_like(frame, 90), sight) == 0.0


def test_sharpness_is_the_faces_not_the_backgrounds() -> None:
    sight, frame = canonical_sight(), textured()
    low, high = sight.landmarks.min(0).astype(int) - 2, sight.landmarks.max(0).astype(int) + 3
    frame[low[1] : high[1], low[0] : high[0]] = 128
    assert laplacian_variance(frame, sight) == 0.0


@pytest.mark.parametrize("by", [(-500, 0), (0, -500), (500, 500)])
def test_a_face_outside_the_picture_has_no_sharpness(by: tuple[float, float]) -> None:
    assert laplacian_variance(textured(), moved(tuple(range(68)), by)) == 0.0


def test_raised_corners_are_a_smile_however_the_head_leans() -> None:
    rest, happy, sad = canonical_sight(), moved(MOUTH_CORNERS, (0, -2)), moved(MOUTH_CORNERS, (0, 2))
    assert smile(happy) > smile(rest) > smile(sad)
    assert smile(happy) - smile(rest) == pytest.approx(2 / rest.interocular, rel=1e-4)
    turn = np.array([[0, -1], [1, 0]], np.float32)
    lying = replace(happy, landmarks=happy.landmarks @ turn.T)
    assert smile(lying) == pytest.approx(smile(happy), abs=1e-5)
    assert smile(moved((*MOUTH_CORNERS, *LIPS_MIDDLE), (0, 5))) == pytest.approx(smile(rest), abs=1e-5)


def test_mouth_width_in_interocular_distances() -> None:
    rest, wide = canonical_sight(), moved(MOUTH_CORNERS[1:], (3, 0))
    assert 0.3 < mouth_width(rest) < 1.0
    assert mouth_width(wide) - mouth_width(rest) == pytest.approx(3 / rest.interocular, rel=1e-3)


def test_shape_ignores_place_size_and_lean_but_not_proportions() -> None:
    face = canonical_sight()
    turn = np.array([[0.8, -0.6], [0.6, 0.8]], np.float32)
    same = replace(face, landmarks=1.7 * face.landmarks @ turn.T + 11)
    long = replace(face, landmarks=face.landmarks * np.array([1, 1.2], np.float32))
    assert shape_distance(face, same) < 1e-5
    assert shape_distance(face, long) > 0.02


def test_colour_is_measured_on_the_face() -> None:
    picture = np.full((64, 64, 3), 120, np.uint8)
    other = picture.copy()
    other[:, 32:] = (250, 20, 20)
    face = canonical_sight()
    left = replace(face, face_mask=np.repeat(np.arange(32) < 16, 32).reshape(32, 32).T.astype(np.float32))
    assert colour_distance(picture, left, other, left) == pytest.approx(0, abs=1e-6)
    assert colour_distance(picture, face, other, face) > 20


def test_the_mean_colour_is_that_of_the_mask() -> None:
    frame = np.zeros((8, 8, 3), np.uint8)
    frame[:, 4:] = 255
    mask = np.zeros((4, 4))
    mask[:, 2:] = 1
    assert mean_lab(frame, mask) == pytest.approx([100, 0, 0], abs=0.1)
    assert mean_lab(frame, 1 - mask) == pytest.approx([0, 0, 0], abs=0.1)
    assert mean_lab(frame, np.full((4, 4), 0.5))[0] == pytest.approx(50, abs=0.1)
