"""Our own eye on the example's portrait: where it looks, what it keeps, and what it never claims."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dramatis.media.image import Pictures
from dramatis.senses.seeing.eye import CropBox
from dramatis.senses.seeing.own_eye import CELLS, OwnEye
from tests import ROOT


@pytest.fixture(scope="module")
def portrait() -> Pictures:
    picture = Image.open(ROOT / "examples" / "portrait.png").convert("RGB").resize((160, 160), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def test_the_face_is_found_and_can_be_looked_at_again(own_eye: OwnEye, portrait: Pictures) -> None:
    (face,) = own_eye.find(portrait)
    assert face.eye == own_eye.name == "own"
    assert face.closer is not None
    assert face.closer.person.shape == (CELLS, CELLS)
    again = own_eye.face_in(portrait, face.crop_box)
    assert again is not None
    assert np.abs(again.landmarks - face.landmarks).mean() < 1
    assert own_eye.face_in(portrait, CropBox(0.0, 0.0, 12.0)) is None


def test_windows_are_looked_at_once_for_each_frame(
    own_eye: OwnEye, portrait: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[int] = []
    run = own_eye._run

    def counted(frame: Pictures, squares: list[CropBox]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        looks.append(len(squares))
        return run(frame, squares)

    monkeypatch.setattr(own_eye, "_run", counted)
    copy = portrait.copy()
    first = own_eye.detect_windows(copy, 160)
    assert own_eye.detect_windows(copy, 160) is first
    assert looks == [1]
    assert first.person.shape == first.face.shape == (CELLS, CELLS)


def test_an_outline_holds_the_face_and_not_the_corners(own_eye: OwnEye, portrait: Pictures) -> None:
    faces = own_eye.find(portrait)
    (outline,) = own_eye.outlines(portrait, faces)
    x, y = faces[0].centre.astype(int)
    assert outline[y, x] > 0.9
    assert outline[:20, [0, -1]].max() < 0.1


def test_it_sees_neither_bodies_nor_doubts(own_eye: OwnEye, portrait: Pictures) -> None:
    assert own_eye.bodies(portrait, own_eye.find(portrait)) == [None]
    assert own_eye.doubts(portrait) == []
