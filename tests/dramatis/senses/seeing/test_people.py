"""Everybody in a picture, with the shipped weights, on the example's portrait and its mirror image side by side."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dramatis.media.image import Pictures
from dramatis.senses.seeing.people import CropBox, Face, FaceDetector, crop, detected_person, find_faces, find_people
from dramatis.story.values import Box
from tests import ROOT

SIDE = 160
PORTRAIT = ROOT / "examples" / "portrait.png"


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector.shipped()


def pair(side: int = SIDE) -> Pictures:
    alone = np.asarray(Image.open(PORTRAIT).convert("RGB").resize((side, side), Image.Resampling.LANCZOS))
    return np.concatenate([alone, alone[:, ::-1]], 1)


def mirrored(box: Box) -> Box:
    left, top, right, bottom = box
    return Box(1 - right, top, 1 - left, bottom)


def test_two_people_are_found_from_left_to_right(detector: FaceDetector) -> None:
    left, right = find_people(detector, pair())
    assert min(left.score, right.score) > 0.9
    assert left.landmarks.shape == (68, 2)
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


def test_nobody_is_found_on_a_plain_wall(detector: FaceDetector) -> None:
    assert find_people(detector, np.full((96, 160, 3), 90, np.uint8)) == []


def test_faces_are_found_again_in_their_boxes_at_another_size(detector: FaceDetector) -> None:
    people = find_people(detector, pair())
    small = pair(SIDE // 2)
    faces = find_faces(detector, small, [person.face for person in people])
    for face, person in zip(faces, people, strict=True):
        assert face is not None
        assert np.abs(2 * face.landmarks - person.landmarks).mean() < 2
    wall = pair()
    wall[:, SIDE:] = 90
    first, second = find_faces(detector, wall, [person.face for person in people])
    assert first is not None
    assert second is None
    beside = Box(0.45, 0.3, 0.55, 0.6)
    assert find_faces(detector, pair(), [beside]) == [None], "the face next to a box is not the face in it"


def test_what_lies_outside_the_picture_is_cut_off() -> None:
    points = np.array([[-10.0, 5.0], [30.0, 50.0]], np.float32)
    face = Face(points, 0.9, np.zeros((64, 64), np.float32), CropBox(0.0, 0.0, 1.0))
    picture = np.zeros((40, 80, 3), np.uint8)
    seen = detected_person(picture, face, np.zeros((40, 80), bool))
    assert seen.face == seen.person == (0.0, 0.125, 0.375, 1.0)


def test_a_view_keeps_its_place_and_draws_the_border_outwards() -> None:
    frame = np.zeros((20, 30, 3), np.uint8)
    frame[5:10, 10:15] = 200
    assert np.array_equal(crop(frame, CropBox(10.0, 5.0, 5.0), 5), frame[5:10, 10:15])
    frame[:, :1] = 99
    assert (crop(frame, CropBox(-20.0, 0.0, 10.0), 10) == 99).all()
