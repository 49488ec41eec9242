from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dramatis.motion.articulation import OUTER_EYE_DISTANCE
from dramatis.senses.seeing.articulated_face import look_at_face
from tests.drawn_face import draw_face


def test_a_shut_mouth_rests_shut_and_shows_no_teeth() -> None:
    face = look_at_face(*draw_face())
    assert face.mouth_at_rest().rest == 0
    assert not face.own_teeth.any()
    assert len(face.eyes) == 2


def test_a_parted_mouth_brings_its_gap_and_its_own_teeth() -> None:
    picture, seen = draw_face(gap=7.0)
    face = look_at_face(picture, seen)
    assert face.mouth_at_rest().rest == pytest.approx(7 / (face.head.scale * OUTER_EYE_DISTANCE), rel=0.1)
    grid = face.inside.grid
    rows, columns = np.nonzero(face.own_teeth > 0.5)
    places = np.stack([grid.left + columns * grid.step, grid.top + rows * grid.step], -1)
    assert len(places) > 20
    shares, below = face.mouth.line.coordinates(places)
    assert ((shares > 0) & (shares < 1)).all()
    assert (below > face.mouth.line.upper.min() - 1).all()


def test_teeth_are_as_bright_as_the_picture_allows() -> None:
    picture, seen = draw_face()
    bright = look_at_face(picture, seen).inside.upper[..., :3].max()
    dim = look_at_face((picture * 0.4).astype(np.uint8), seen).inside.upper[..., :3].max()
    assert 0.6 < bright <= 1
    assert dim < 0.55 * bright


def test_an_eye_without_contours_gives_a_face_that_cannot_blink() -> None:
    picture, seen = draw_face()
    assert look_at_face(picture, replace(seen, contours=None)).eyes == ()
