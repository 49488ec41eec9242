"""The rows of the eyes: what counts as found and as false, and what is skipped where files are absent."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from PIL import Image

from dramatis.media.image import Pictures
from dramatis.media.video import VideoWriter
from dramatis.motion.face import RIGID_ANCHORS, TEMPLATE_68, head_rotation
from dramatis.senses.seeing.eye import CropBox, Eye, Face, face_box
from dramatis.senses.seeing.picture_file import PictureFile
from dramatis_lab.evaluate.cases.group_scenes import GroupScene
from dramatis_lab.evaluate.rows import eyes as rows
from dramatis_lab.evaluate.rows.eyes import (
    EyeBench,
    HeadErrors,
    found_row,
    group_shares,
    head_errors,
    own_rows,
    people_found,
    same_face,
)
from dramatis_lab.world.takes.heads import HeadStill


def face_at(x: float, y: float = 60.0, yaw: float = 0.0) -> Face:
    flat = (TEMPLATE_68 @ head_rotation(yaw, 0.0, 0.0).T)[:, :2] * (100, -100) + (x, y)
    return Face(flat.astype(np.float32), 0.9)


class GivenEye:
    """Sees what it is told, in every picture; its outlines are boxes of one pixel's margin round the landmarks."""

    def __init__(self, *faces: Face) -> None:
        self.name, self._faces = "given", list(faces)

    @property
    def eye(self) -> GivenEye:
        return self

    own_eye = eye

    def find(self, frame: Pictures) -> list[Face]:
        return self._faces

    def faces(self, picture: PictureFile) -> tuple[Face, ...]:
        return tuple(self._faces)

    def at(self, frame: Pictures, square: CropBox) -> Face:
        return self._faces[0]

    def portrait(self, picture: PictureFile, size: tuple[int, int]) -> Face:
        return self._faces[0]

    def outlines(self, frame: Pictures, faces: Sequence[Face]) -> np.ndarray:
        shares = np.zeros((len(faces), *frame.shape[:2]), np.float32)
        for share, face in zip(shares, faces, strict=True):
            (left, top), (right, bottom) = face.landmarks.min(0).astype(int), face.landmarks.max(0).astype(int)
            share[top - 1 : bottom + 1, left - 1 : right + 1] = 1
        return shares


def bench_with(library: Sequence[Face], own: Sequence[Face], tmp_path: Path) -> EyeBench:
    bench = EyeBench(tmp_path)
    picture = PictureFile(tmp_path / "a.png", "a", Image.new("RGB", (300, 200)))
    vars(bench).update(library=GivenEye(*library), own=GivenEye(*own), portraits=[picture, picture])
    return bench


def test_a_face_is_found_where_both_eyes_see_it(tmp_path: Path) -> None:
    row = found_row(bench_with([face_at(100)], [face_at(105), face_at(220)], tmp_path))
    assert (row.value, row.passed) == ("2 of 2; 0", True)
    row = found_row(bench_with([face_at(100), face_at(220)], [face_at(105)], tmp_path))
    assert (row.value, row.passed) == ("2 of 2; 2", False)
    row = found_row(bench_with([face_at(100)], [face_at(220)], tmp_path))
    assert (row.value, row.passed) == ("0 of 2; 0", False)


def test_half_an_interocular_distance_is_the_border_between_faces() -> None:
    assert same_face(face_at(100), face_at(115))
    assert not same_face(face_at(100), face_at(120))


def test_rows_without_their_files_say_so(tmp_path: Path) -> None:
    bench = bench_with([], [], tmp_path)
    vars(bench).update(library=None, portraits=[], assets=None)
    for row in (found_row(bench), *rows.lips_rows(bench), *rows.own_rows(bench), *rows.outline_rows(bench)):
        assert row.passed is None
        assert "(absent)" in row.name


@pytest.mark.parametrize("yaw", [0.0, 1.0])
def test_errors_are_over_the_eyes_distance_from_the_front(yaw: float) -> None:
    true = face_at(100, yaw=yaw).landmarks
    still = HeadStill(np.zeros((200, 200, 3), np.uint8), true, np.ones((200, 200), bool))
    moved = Face(true + np.array([3.716, 0], np.float32), 0.9)
    errors = head_errors(cast(Eye, GivenEye(moved)), [still])
    assert (errors.lips, errors.lids, errors.found) == pytest.approx((0.1, 0.1, 1.0), rel=0.01)
    assert errors.lips_projected == pytest.approx(0.1 / np.cos(yaw), rel=0.01)
    assert head_errors(cast(Eye, GivenEye()), [still]) == HeadErrors(1.0, 1.0, 1.0, 0.0)


def test_our_own_eye_is_compared_with_the_largest_face_of_the_library(tmp_path: Path) -> None:
    small = Face(face_at(30, 40).landmarks * np.float32(0.5), 0.9)
    row, false = own_rows(bench_with([small, face_at(150, 100)], [face_at(150, 100), face_at(230, 100)], tmp_path))
    assert (row.value, row.passed) == ("2; 0.000; 1.000", False)  # two pictures are fewer than the bar
    assert false.value == "2"
    row, _ = own_rows(bench_with([face_at(150, 100)], [face_at(153.716, 100)], tmp_path))
    assert row.figures["lips"] == pytest.approx([0.1, 0.1], rel=0.01)


def test_a_portrait_without_a_face_is_not_compared(tmp_path: Path) -> None:
    bench = bench_with([face_at(150, 100)], [face_at(150, 100)], tmp_path)
    looks = iter([(face_at(150, 100),), ()])
    vars(vars(bench)["library"])["faces"] = lambda picture: next(looks)
    row, _ = own_rows(bench)
    assert len(row.figures["lips"]) == 1


def anchors_of(*people: Face) -> np.ndarray:
    return np.stack([person.landmarks[list(RIGID_ANCHORS)] for person in people])


def test_a_person_is_found_within_half_an_interocular_distance() -> None:
    people = [face_at(80), face_at(220)]
    anchors = anchors_of(*people)
    assert people_found(people, anchors) == [True, True]
    assert people_found([face_at(80), face_at(235)], anchors) == [True, True]
    assert people_found([face_at(80)], anchors) == [True, False]
    assert people_found([], anchors) == [False, False]
    assert people_found([*people, face_at(150)], anchors) == [False, False], "a false person"
    assert people_found([face_at(80), face_at(242)], anchors) == [False, False], "too far from anybody"


def test_scenes_are_counted_by_kind_over_their_frames(tmp_path: Path) -> None:
    people = [face_at(80), face_at(220)]
    with VideoWriter(tmp_path / "truth.mp4", (320, 128)) as writer:
        for _ in range(9):
            writer.write(np.zeros((128, 320, 3), np.uint8))

    def scene(*here: Face, close: bool = False) -> GroupScene:
        anchors = np.repeat(anchors_of(*here)[:, None] / 2, 9, axis=1)  # at half the size of the video
        anchors[:, 8] += 40  # somewhere else in the second frame that is looked at
        frames, nothing = np.zeros((9, 64, 160, 3), np.uint8), np.zeros(0)
        boxes = tuple(face_box(face.landmarks, (320, 128)) for face in here)
        return GroupScene(tmp_path, close, boxes, (), frames, nothing, nothing, anchors, nothing, nothing)

    scenes = [scene(*people), scene(*people, face_at(290)), scene(people[0], close=True)]
    shares = group_shares(cast(Eye, GivenEye(*people)), scenes)
    assert shares == pytest.approx({"two people": 0.5, "three people": 1 / 3, "occluded": 0.0})
