"""The values of what an eye sees: where a face is, whether it is one, and the same face at another size."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.face import TEMPLATE_68, head_rotation
from dramatis.senses.seeing.eye import LOOK, CloserLook, CropBox, Face, FaceContours, distinct_faces, face_box


def canonical(scale: float = 100.0, centre: tuple[float, float] = (200.0, 150.0), yaw: float = 0.0) -> Face:
    flat = (TEMPLATE_68 @ head_rotation(yaw, 0.1, -0.05).T)[:, :2] * (scale, -scale) + centre
    return Face(flat.astype(np.float32), 0.9)


def test_angles_are_those_of_the_head() -> None:
    assert canonical(yaw=0.6).angles == pytest.approx((0.6, 0.1, -0.05), abs=1e-3)


def test_a_face_is_one_by_its_score_and_its_shape() -> None:
    face = canonical()
    assert face.is_face(0.9)
    assert not face.is_face(0.91)
    bent = Face(face.landmarks + np.where(np.arange(68) % 2, 30, 0)[:, None].astype(np.float32), 0.9)
    assert not bent.is_face()
    assert bent.is_face(error=1.0)
    assert not Face(np.zeros((68, 2), np.float32), 1.0).is_face()


def test_a_face_keeps_its_lines_at_another_size() -> None:
    lines = [np.full(shape, 10.0, np.float32) for shape in ((20, 2), (20, 2), (2, 16, 2), (2, 5, 2))]
    look = CloserLook(np.ones((64, 64), np.float32), CropBox(10.0, 20.0, 30.0))
    face = Face(canonical().landmarks, 0.8, "library", FaceContours(*lines), look)
    moved = face.placed(2.0, (-3.0, 5.0))
    assert np.allclose(moved.landmarks, 2 * face.landmarks + (-3.0, 5.0))
    assert moved.contours is not None
    assert moved.closer is not None
    for line in (moved.contours.lips_outer, moved.contours.lips_inner, moved.contours.lids, moved.contours.irises):
        assert (line[..., 0] == 17.0).all()
        assert (line[..., 1] == 25.0).all()
    assert moved.closer.square == (17.0, 45.0, 60.0)
    assert (moved.score, moved.eye) == (0.8, "library")
    assert moved.radius == pytest.approx(2 * face.radius, rel=1e-5)


def test_the_square_to_look_again_surrounds_the_face() -> None:
    face = canonical()
    left, top, side = face.crop_box
    assert side == pytest.approx(LOOK * face.radius)
    assert (left + side / 2, top + side / 2) == pytest.approx(tuple(face.centre), abs=1e-3)


def test_of_two_looks_at_one_face_the_earlier_counts() -> None:
    first, again, other = canonical(), canonical(centre=(204.0, 150.0)), canonical(centre=(400.0, 150.0))
    assert distinct_faces([first, again, other]) == [first, other]


def test_boxes_are_shares_of_the_picture() -> None:
    points = np.array([[20.0, 10.0], [60.0, 40.0]], np.float32)
    assert face_box(points, (200, 100)) == (0.1, 0.1, 0.3, 0.4)
