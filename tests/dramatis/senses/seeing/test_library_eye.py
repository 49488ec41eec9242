"""The library's eye: faces however large and wherever they are, their fine lines, outlines, bodies and doubts."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageFilter

from dramatis.media.image import Pictures
from dramatis.models.perception import interocular
from dramatis.senses.seeing.eye import CropBox, Eye
from dramatis.senses.seeing.finder import PersonFinder
from tests import ROOT
from tests.dramatis.senses.seeing.conftest import skip_without_library


@pytest.fixture(scope="module")
def eye() -> Eye:
    skip_without_library()
    return PersonFinder("library").eye


@pytest.fixture(scope="module")
def portrait() -> Pictures:
    picture = Image.open(ROOT / "examples" / "portrait.png").convert("RGB").resize((256, 256), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def test_fine_lines_lie_where_the_landmarks_do(eye: Eye, portrait: Pictures) -> None:
    (face,) = eye.find(portrait)
    apart, contours = interocular(face.landmarks), face.contours
    assert contours is not None
    assert [line.shape for line in (contours.lips_outer, contours.lips_inner, contours.lids, contours.irises)] == [
        (20, 2), (20, 2), (2, 16, 2), (2, 5, 2),
    ]  # fmt: skip
    near = pytest.approx(0, abs=0.12 * apart)
    assert np.linalg.norm(contours.lips_outer[0] - face.landmarks[48]) == near, "the left corner comes first"
    assert np.linalg.norm(contours.lips_outer[10] - face.landmarks[54]) == near
    assert contours.lips_outer[5, 1] < contours.lips_outer[15, 1], "then the upper lip"
    for lids, iris, corners in zip(contours.lids, contours.irises, ((36, 39), (42, 45)), strict=True):
        assert np.linalg.norm(lids[0] - face.landmarks[corners[0]]) == near
        assert np.linalg.norm(lids[8] - face.landmarks[corners[1]]) == near
        assert lids[4, 1] < iris[0, 1] < lids[12, 1], "upper lid, iris, lower lid"
        assert iris[3, 0] < iris[0, 0] < iris[1, 0]
        assert iris[2, 1] < iris[0, 1] < iris[4, 1]


@pytest.mark.parametrize("share", [0.08, 0.2, 1.0])
def test_a_face_is_found_however_small_it_is_in_a_wide_picture(share: float, eye: Eye, portrait: Pictures) -> None:
    side = 720
    small = Image.fromarray(portrait).resize((round(share * side), round(share * side)), Image.Resampling.LANCZOS)
    wide = np.full((side, 2 * side, 3), 110, np.uint8)
    top, left = side - small.height, side + 300 - small.width // 2
    wide[top:, left : left + small.width] = np.asarray(small)
    (face,) = eye.find(wide)
    (alone,) = eye.find(portrait)
    expected = alone.landmarks * (small.width / 256) + (left, top)
    assert np.abs(face.landmarks - expected).mean() < 0.05 * interocular(expected)


def test_a_face_is_found_where_a_caller_expects_it_and_nowhere_else(eye: Eye, portrait: Pictures) -> None:
    (face,) = eye.find(portrait)
    again = eye.face_in(portrait, face.crop_box)
    assert again is not None
    assert np.abs(again.landmarks - face.landmarks).mean() < 1.5
    assert eye.face_in(portrait, CropBox(0.0, 0.0, 30.0)) is None


def test_an_outline_is_the_persons(eye: Eye, portrait: Pictures) -> None:
    faces = eye.find(portrait)
    (outline,) = eye.outlines(portrait, faces)
    assert outline.shape == (256, 256)
    x, y = faces[0].centre.astype(int)
    assert outline[y, x] > 0.9
    assert outline[240, 128] > 0.9
    assert outline[:20, :20].max() < 0.1
    assert eye.outlines(portrait, []).shape == (0, 256, 256)


def test_shoulders_are_beside_the_face_they_belong_to(eye: Eye, portrait: Pictures) -> None:
    faces = eye.find(portrait)
    (body,) = eye.bodies(portrait, faces)
    assert body is not None
    assert body.shoulders[0, 0] < faces[0].centre[0] < body.shoulders[1, 0]
    assert body.shoulders[:, 1].min() > faces[0].centre[1]
    assert body.visibility.shape == (4, 2)
    assert body.visibility[0].min() > 0.5
    elsewhere = faces[0].placed(1.0, (500.0, 0.0))
    assert eye.bodies(portrait, [elsewhere]) == [None]


def test_a_face_that_is_no_longer_one_is_doubted(eye: Eye, portrait: Pictures) -> None:
    blurred = np.asarray(Image.fromarray(portrait).filter(ImageFilter.GaussianBlur(14)))
    assert eye.find(blurred) == []
    assert eye.doubts(np.full((256, 256, 3), 90, np.uint8)) == []
    (doubt, *_) = eye.doubts(portrait)
    assert doubt.box.left < 128 < doubt.box.right
    assert not doubt.turned
