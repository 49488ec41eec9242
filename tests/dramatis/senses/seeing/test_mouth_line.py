from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dramatis.motion.mouth_line import mouth_line_of
from dramatis.senses.seeing.mouth_line import colours_at, find_mouth_line
from tests.drawn_face import TOOTH, draw_face


def test_colours_between_pixels_are_their_means() -> None:
    picture = np.zeros((2, 2, 3), np.uint8)
    picture[:, 1] = 200
    assert colours_at(picture, np.array([1.0, 1.0]))[0] == pytest.approx(100 / 255, abs=1e-3)
    assert colours_at(picture, np.array([9.0, -3.0]))[0] == pytest.approx(200 / 255, abs=1e-3)


def test_a_line_seen_too_low_is_moved_to_the_dark_between_the_lips() -> None:
    picture, face = draw_face()
    assert face.contours is not None
    true = mouth_line_of(face.landmarks, face.contours.lips_inner)
    inner = face.contours.lips_inner.copy()
    inner[1:10] += (0, 1)
    inner[11:] += (0, 3)  # thick lips look parted to the eye
    seen = replace(face, contours=replace(face.contours, lips_inner=inner))
    line = find_mouth_line(picture, seen)
    assert line.gap == 0
    middle = slice(6, -6)
    assert np.abs(line.upper - true.upper)[middle].mean() < 0.8
    assert np.abs(mouth_line_of(seen.landmarks, inner).lower - true.lower)[middle].mean() > 2


def test_teeth_between_the_lips_leave_the_mouth_parted() -> None:
    picture, face = draw_face(gap=7.0)
    line = find_mouth_line(picture, face)
    assert line.gap == pytest.approx(7.0, abs=0.5)
    middle = line.places(0.5, (line.edge(line.upper, 0.5) + line.edge(line.lower, 0.5)) / 2)
    assert np.abs(colours_at(picture, middle) * 255 - TOOTH).max() < 10


def test_an_eye_without_contours_is_served_by_its_landmarks() -> None:
    picture, face = draw_face()
    line = find_mouth_line(picture, replace(face, contours=None))
    assert line.width == pytest.approx(float(np.linalg.norm(face.landmarks[64] - face.landmarks[60])), abs=0.01)
