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
from dramatis.motion.face import TEMPLATE_68, head_rotation
from dramatis.senses.seeing.eye import Eye, Face, face_box
from dramatis.senses.seeing.picture_file import PictureFile
from dramatis_lab.evaluate.cases.group_scenes import GroupScene
from dramatis_lab.evaluate.rows import eyes as rows
from dramatis_lab.evaluate.rows.eyes import EyeBench, found_row, group_shares, head_errors, same_face
from dramatis_lab.world.takes.heads import HeadStill


def face_at(x: float, y: float = 60.0, yaw: float = 0.0) -> Face:
    flat = (TEMPLATE_68 @ head_rotation(yaw, 0.0, 0.0).T)[:, :2] * (100, -100) + (x, y)
    return Face(flat.astype(np.float32), 0.9)


class GivenEye:
    """Sees what it is told, in every picture."""

    def __init__(self, *faces: Face) -> None:
        self.name, self._faces = "given", list(faces)

    def find(self, frame: Pictures) -> list[Face]:
        return self._faces

    def faces(self, picture: PictureFile) -> tuple[Face, ...]:
        return tuple(self._faces)


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
    assert head_errors(cast(Eye, GivenEye(moved)), [still]) == pytest.approx((0.1, 0.1), rel=0.01)
    assert head_errors(cast(Eye, GivenEye()), [still]) == pytest.approx((1.0, 1.0))


def test_a_false_person_spoils_a_scene(tmp_path: Path) -> None:
    size = (320, 128)
    people = [face_at(80), face_at(220)]
    with VideoWriter(tmp_path / "truth.mp4", size) as writer:
        writer.write(np.zeros((128, 320, 3), np.uint8))
    boxes = tuple(face_box(face.landmarks, size) for face in people)
    arrays = (np.zeros((1, 64, 160, 3), np.uint8), *(np.zeros(0) for _ in range(5)))
    kinds = [(False, boxes), (False, (*boxes, boxes[0])), (True, boxes)]
    scenes = [GroupScene(tmp_path, close, seen, (), *arrays) for close, seen in kinds]

    def shares(*faces: Face) -> list[float]:
        return list(group_shares(cast(Eye, GivenEye(*faces)), scenes).values())

    assert shares(*people) == [1.0, 1.0, 1.0]
    assert shares(people[0]) == pytest.approx([0.5, 2 / 3, 0.5])
    assert shares(*people, face_at(150)) == [0.0, 0.0, 0.0]
