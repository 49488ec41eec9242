"""Pixels of people who touch go to the one whose head and chest they are reached from; nothing is shared."""

from __future__ import annotations

import numpy as np

from dramatis.motion.face import TEMPLATE_68
from dramatis.senses.seeing.division import divide_people
from dramatis.senses.seeing.eye import Face


def face_at(x: float, y: float = 60.0, scale: float = 60.0) -> Face:
    return Face((TEMPLATE_68[:, :2] * (scale, -scale) + (x, y)).astype(np.float32), 1.0)


def two_blocks() -> tuple[np.ndarray, np.ndarray]:
    """A picture of two touching blocks of different greys, and where anybody is."""
    picture = np.full((160, 200, 3), 20, np.uint8)
    picture[20:, 20:100], picture[20:, 100:180] = 120, 200
    share = (picture[..., 0] > 20).astype(np.float32)
    return picture, share


def test_each_gets_their_own_side_of_an_edge() -> None:
    picture, share = two_blocks()
    left, right = divide_people(picture, [face_at(60), face_at(140)], share)
    assert np.array_equal(left + right, share)
    assert (left[30:, 20:97] == 1).all()
    assert (right[30:, 103:180] == 1).all()


def test_soft_borders_stay_soft_and_are_nobody_elses() -> None:
    picture, share = two_blocks()
    share *= np.float32(0.7)
    share[10:20, 20:180] = 0.1
    people = divide_people(picture, [face_at(60), face_at(140)], share)
    assert np.allclose(people.max(0)[12:18, 24:176], 0.1)
    assert ((people > 0).sum(0) <= 1).all()


def test_what_no_face_reaches_is_left_out() -> None:
    picture, share = two_blocks()
    share[:, 95:105] = 0
    (alone,) = divide_people(picture, [face_at(55)], share)
    assert (alone[30:, 20:90] == 1).all()
    assert (alone[:, 110:] == 0).all()
