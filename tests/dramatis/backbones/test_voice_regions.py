"""Masks of two people and the background: in the order of the characters, disjoint, over the whole picture."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis.backbones.voice_regions import voice_regions
from dramatis.motion.face import ANCHOR_TEMPLATE

SIZE, GRID = (64, 128), (8, 16)


def face(x: float, y: float = 28.0, height: float = 24.0) -> np.ndarray:
    """(9, 2) rigid points of a head that faces the camera, in pixels."""
    return (ANCHOR_TEMPLATE[:, :2] * (height, -height) + (x, y)).astype(np.float32)


def test_every_cell_belongs_to_one_person_or_to_the_background() -> None:
    first, second, background = voice_regions(np.stack([face(30), face(98)]), SIZE, GRID)
    assert ((first + second + background) == 1).all()
    # Eight pixels a cell: heads of 24 pixels at x 30 and 98, and a hand's breadth of nobody between them.
    assert first[3].tolist() == [0, 0, *[1] * 4, *[0] * 10]
    assert second[3].tolist() == [*[0] * 10, *[1] * 4, 0, 0]
    assert not (first[:2] + second[:2]).any(), "above their heads is nobody"
    assert np.array_equal(first[3], first[7]), "bodies reach to the bottom of the picture"


def test_the_first_character_is_the_first_person_wherever_they_stand() -> None:
    faces = np.stack([face(30), face(98, y=36)])
    first, second, background = voice_regions(faces, SIZE, GRID)
    assert np.array_equal(voice_regions(faces[::-1], SIZE, GRID), np.stack([second, first, background]))
    assert not np.array_equal(first, second[:, ::-1])


def test_people_who_stand_close_share_at_the_middle_between_them() -> None:
    first, second, _ = voice_regions(np.stack([face(56), face(72)]), SIZE, GRID)
    assert first[4].nonzero()[0].max() == 7
    assert second[4].nonzero()[0].min() == 8


@pytest.mark.parametrize("scale", [2, 3])
def test_a_larger_picture_has_the_same_regions(scale: int) -> None:
    faces = np.stack([face(30), face(98)])
    size = (SIZE[0] * scale, SIZE[1] * scale)
    assert np.array_equal(voice_regions(faces * scale, size, GRID), voice_regions(faces, SIZE, GRID))
