"""A refusal names its true cause and a remedy, in one sentence."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from dramatis.errors import UserError
from dramatis.motion.face import TEMPLATE_68, head_rotation
from dramatis.senses.seeing.eye import Doubt, Face
from dramatis.senses.seeing.people import person_with_face
from dramatis.senses.seeing.picture_file import PictureFile, open_picture
from dramatis.senses.seeing.refusals import check_usable, is_large_enough, no_face
from dramatis.story.values import Box
from tests import ROOT

MIDDLE = Box(60.0, 60.0, 196.0, 216.0)


def turned(scale: float, degrees: float = 0.0) -> Face:
    """A head in the middle of 256x256 pixels."""
    flat = (TEMPLATE_68 @ head_rotation(np.radians(degrees), 0.0, 0.0).T)[:, :2] * (scale, -scale) + 128
    return Face(flat.astype(np.float32), 0.9)


@pytest.fixture(scope="module")
def portrait() -> PictureFile:
    return open_picture(ROOT / "examples" / "portrait.png")


@pytest.fixture
def noise(tmp_path: Path) -> PictureFile:
    """Sharp everywhere."""
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (256, 256, 3), np.uint8)).save(tmp_path / "noise.png")
    return open_picture(tmp_path / "noise.png")


@pytest.fixture
def soft(noise: PictureFile, tmp_path: Path) -> PictureFile:
    """Blurred everywhere."""
    noise.image.filter(ImageFilter.GaussianBlur(9)).save(tmp_path / "soft.png")
    return open_picture(tmp_path / "soft.png")


@pytest.mark.parametrize(
    ("face", "size", "cause"),
    [
        (turned(50), (256, 256), "only 19 pixels apart and 24 are needed; give a larger picture"),
        (turned(300, 66), (256, 256), "turned by 66 degrees and at most 60 can be animated; give a picture"),
    ],
)
def test_a_face_is_refused_for_its_own_fault(face: Face, size: tuple[int, int], cause: str, noise: PictureFile) -> None:
    with pytest.raises(UserError, match=rf"noise.png: .*({cause})"):
        check_usable(face, noise, size)


def test_a_face_that_is_small_in_a_large_picture_is_refused(noise: PictureFile, tmp_path: Path) -> None:
    noise.image.resize((800, 800)).save(tmp_path / "far.png")
    with pytest.raises(UserError, match=r"far.png: the face is too small to be animated; crop the picture"):
        check_usable(turned(66), open_picture(tmp_path / "far.png"), (512, 512))


@pytest.mark.parametrize("face", [turned(90), turned(200, 55), turned(200, -55)])
def test_a_good_face_is_taken(face: Face, noise: PictureFile) -> None:
    check_usable(face, noise, (256, 256))
    assert is_large_enough(person_with_face(face, (256, 256)), (256, 256))
    assert not is_large_enough(person_with_face(face, (256, 256)), (5600, 5600))


def test_a_picture_without_a_face_is_told_why(noise: PictureFile, soft: PictureFile, portrait: PictureFile) -> None:
    assert "noise.png: no face was found in this picture; give a portrait" in str(no_face(noise))
    assert "has too few pixels" in str(no_face(noise, [Doubt(Box(10, 10, 40, 40))]))
    assert "soft.png: a face was found, but it is blurred; give a sharper" in str(no_face(soft, [Doubt(MIDDLE)]))
    assert "is turned by more than 60 degrees; give" in str(no_face(noise, [Doubt(MIDDLE, turned=True)]))
    assert "is covered in part; give" in str(no_face(noise, [Doubt(MIDDLE)]))
    assert "is covered in part" in str(no_face(portrait, [Doubt(MIDDLE)])), "the example's portrait is sharp"
    likeliest_first = [Doubt(MIDDLE, turned=True), Doubt(Box(0, 0, 9, 9))]
    assert "turned" in str(no_face(noise, likeliest_first))
