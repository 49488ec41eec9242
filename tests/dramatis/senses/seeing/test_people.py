"""Everybody in a picture, by each eye, on the example's portrait and its mirror image side by side."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dramatis.media.image import Pictures
from dramatis.motion.face import TEMPLATE_68, head_rotation
from dramatis.senses.seeing.eye import Eye, Face
from dramatis.senses.seeing.finder import PersonFinder
from dramatis.senses.seeing.people import find_faces, find_people, head_size, largest_face, person_with_face
from dramatis.story.values import Box
from tests import ROOT

SIDE = 160
PORTRAIT = ROOT / "examples" / "portrait.png"


@pytest.fixture
def eye(any_finder: PersonFinder) -> Eye:
    return any_finder.eye


def pair(side: int = SIDE) -> Pictures:
    alone = np.asarray(Image.open(PORTRAIT).convert("RGB").resize((side, side), Image.Resampling.LANCZOS))
    return np.concatenate([alone, alone[:, ::-1]], 1)


def mirrored(box: Box) -> Box:
    left, top, right, bottom = box
    return Box(1 - right, top, 1 - left, bottom)


def test_two_people_are_found_from_left_to_right(eye: Eye) -> None:
    left, right = find_people(eye, pair())
    assert min(left.score, right.score) > 0.8
    assert left.eye == eye.name
    low, high = left.landmarks.min(0), left.landmarks.max(0)
    assert left.face == pytest.approx(
        (low[0] / (2 * SIDE), low[1] / SIDE, high[0] / (2 * SIDE), high[1] / SIDE), abs=1e-3
    )
    assert right.face == pytest.approx(mirrored(left.face), abs=0.02)
    for person in (left, right):
        assert person.person[0] < person.face[0] < person.face[2] < person.person[2]
        assert person.person[1] < person.face[1] < person.face[3] < person.person[3]
    assert left.person[2] < 0.6 < right.person[2]
    assert left.person[0] < 0.4 < right.person[0]


def test_nobody_is_found_on_a_plain_wall(eye: Eye) -> None:
    assert find_people(eye, np.full((96, 160, 3), 90, np.uint8)) == []


def test_faces_are_found_again_in_their_boxes_at_another_size(eye: Eye) -> None:
    people = find_people(eye, pair())
    small = pair(SIDE // 2)
    faces = find_faces(eye, small, [person.face for person in people])
    for face, person in zip(faces, people, strict=True):
        assert face is not None
        assert np.abs(2 * face.landmarks - person.landmarks).mean() < 2
    wall = pair()
    wall[:, SIDE:] = 90
    first, second = find_faces(eye, wall, [person.face for person in people])
    assert first is not None
    assert second is None
    beside = Box(0.45, 0.3, 0.55, 0.6)
    assert find_faces(eye, pair(), [beside]) == [None], "the face next to a box is not the face in it"


def test_what_lies_outside_the_picture_is_cut_off() -> None:
    points = np.array([[-10.0, 5.0], [30.0, 50.0]], np.float32)
    seen = person_with_face(Face(points, 0.9), (80, 40), np.zeros((40, 80), bool))
    assert seen.face == seen.person == (0.0, 0.125, 0.375, 1.0)


def test_the_largest_head_counts_however_it_is_turned() -> None:
    def face(scale: float, yaw: float) -> Face:
        flat = (TEMPLATE_68 @ head_rotation(yaw, 0.0, 0.0).T)[:, :2] * (scale, -scale) + 200
        return Face(flat.astype(np.float32), 0.9)

    near, far = face(100, 0.9), face(80, 0.0)
    assert np.ptp(near.landmarks[:, 0]) < 1.2 * np.ptp(far.landmarks[:, 0])
    assert head_size(near) == pytest.approx(100, rel=0.01)
    assert largest_face([far, near]) is near
    assert largest_face([]) is None
