from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from dramatis.senses.seeing.likeness import SAME_FACE_LIKENESS, likeness
from dramatis.senses.seeing.own_eye import OwnEye
from dramatis.senses.seeing.people import find_people
from tests import ROOT

CASES = ROOT / "benchmarks" / "cases"


@pytest.fixture(scope="module")
def seen() -> list[tuple[np.ndarray, np.ndarray]]:
    """Pictures and landmarks: two people who look alike to the network, and the first at another size and light."""
    detector = OwnEye.shipped()
    faces = [Image.open(CASES / f"0{case}" / "portrait.png").convert("RGB") for case in (0, 2)]
    small = faces[0].crop((30, 20, 240, 230)).resize((130, 130), Image.Resampling.BILINEAR)
    faces.append(small.point(lambda value: int(0.8 * value) + 20))
    pictures = [np.asarray(face) for face in faces]
    return [(picture, find_people(detector, picture)[0].landmarks) for picture in pictures]


def test_one_face_in_two_copies_is_the_same_and_another_is_not(seen: list[tuple[np.ndarray, np.ndarray]]) -> None:
    one, other, copy = seen
    assert likeness(*one, *one) == pytest.approx(1.0, abs=0.02)
    assert likeness(*copy, *one) > SAME_FACE_LIKENESS + 0.03
    assert max(likeness(*other, *one), likeness(*other, *copy), likeness(*copy, *other)) < SAME_FACE_LIKENESS - 0.05
