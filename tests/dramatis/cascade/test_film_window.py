from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dramatis.backbones.profile import Framing, LowResolution, Profile
from dramatis.cascade.film_window import film_window
from dramatis.motion.articulation import OUTER_EYE_DISTANCE
from dramatis.motion.face import TEMPLATE_68, HeadFit, project
from dramatis.motion.performance import Performance
from dramatis.senses.seeing.eye import Face

MINI = Profile(family="mini", name="m", framing=Framing(target_interocular_px=31, area_per_person=True))


def head(x: float, y: float, apart: float) -> HeadFit:
    """A head that looks ahead, with its outer eye corners so many px apart."""
    return HeadFit(apart / OUTER_EYE_DISTANCE, np.array([x, y]), np.eye(3), 0.0)


def test_a_face_in_the_middle_is_filmed_as_large_as_in_training() -> None:
    window = film_window([head(400, 300, 62)], (800, 600), MINI)
    assert window.low == (128, 128)
    assert window.width == window.height == pytest.approx(256)
    assert window.left + window.width / 2 == pytest.approx(400)
    assert window.head(head(400, 300, 62)).scale * OUTER_EYE_DISTANCE == pytest.approx(31)


def test_a_model_without_a_wish_films_the_whole_frame() -> None:
    whole = Profile(family="mini", name="m", low=LowResolution(area=64 * 64))
    assert film_window([head(40, 30, 6)], (128, 64), whole).box == (0, 0, 128, 64)


@given(st.floats(0, 800), st.floats(0, 600), st.floats(20, 400), st.floats(0, 800), st.booleans())
def test_windows_lie_within_the_frame(x: float, y: float, apart: float, other: float, two: bool) -> None:
    heads = [head(x, y, apart), head(other, y, apart / 2)] if two else [head(x, y, apart)]
    window = film_window(heads, (800, 600), MINI)
    left, top, right, bottom = window.box
    assert left >= -1e-6
    assert top >= -1e-6
    assert right <= 800 + 1e-6
    assert bottom <= 600 + 1e-6
    assert all(side % 16 == 0 for side in window.low)
    assert window.width / window.height == pytest.approx(window.low[0] / window.low[1])
    assert math.prod(window.low) <= 1.35 * MINI.most_area(len(heads))


def test_two_people_share_a_window_that_holds_both() -> None:
    window = film_window([head(250, 300, 40), head(550, 320, 40)], (800, 600), MINI)
    left, _, right, _ = window.box
    assert left < 250 - 60
    assert right > 550 + 60
    assert window.low[0] > window.low[1]


def test_faces_heads_and_pictures_move_into_the_window_alike() -> None:
    window, still = film_window([head(400, 300, 62)], (800, 600), MINI), Performance.still(1)
    landmarks = project(head(400, 300, 62), still, (600, 800), TEMPLATE_68)[0]
    face = window.face(Face(landmarks, 1.0), 2)
    in_low = project(window.head(head(400, 300, 62)), still, (128, 128), TEMPLATE_68)[0]
    assert np.allclose(face.landmarks, 2 * in_low, atol=0.01)
    picture = np.zeros((600, 800, 3), np.uint8)
    x, y = landmarks[30].astype(int)
    picture[y - 4 : y + 5, x - 4 : x + 5] = 255
    seen = window.cut(picture, 2)
    assert seen.shape == (256, 256, 3)
    rows, columns = np.nonzero(seen[..., 0] > 128)
    assert abs(columns.mean() + 0.5 - face.landmarks[30, 0]) < 1.5
    assert abs(rows.mean() + 0.5 - face.landmarks[30, 1]) < 1.5
