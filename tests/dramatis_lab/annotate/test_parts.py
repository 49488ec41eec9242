from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (pip install dramatis[lab])")
pytest.importorskip("onnx", reason="onnx is not installed")

from dramatis.errors import UserError
from dramatis.senses.seeing.finder import EyeName, PersonFinder, person_finder
from dramatis.senses.seeing.library_files import missing_for_library_eye
from dramatis_lab.annotate.embedded import EyeDetector, EyePose, EyeSegmenter
from dramatis_lab.annotate.parts import PartChoice, open_parts
from dramatis_lab.annotate.sam2 import Sam2Segmenter
from dramatis_lab.annotate.yolo import YoloDetector
from tests.dramatis_lab.annotate.networks import write_constant, write_sam2


def test_without_a_choice_everything_is_embedded_and_opened_once() -> None:
    parts = open_parts(PartChoice())
    assert isinstance(parts.detector, EyeDetector)
    assert isinstance(parts.pose, EyePose)
    assert isinstance(parts.segmenter, EyeSegmenter)
    assert open_parts(PartChoice()) is parts
    assert parts.embedded
    assert parts.identity[0] == person_finder().identity


def test_our_own_network_judges_what_another_has_made_and_never_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    names: tuple[EyeName, ...] = ("own", "library")
    for name in names:
        if name == "library" and missing_for_library_eye() is not None:
            continue
        finder = PersonFinder(name)
        monkeypatch.setattr("dramatis.senses.seeing.finder.person_finder", lambda finder=finder: finder)
        parts = open_parts.__wrapped__(PartChoice())
        assert parts.second is (None if name == "own" else finder.own_eye)
        assert len(parts.identity) == (3 if name == "own" else 4)


def test_what_is_given_takes_the_place_of_what_is_embedded(tmp_path: Path) -> None:
    ends = np.zeros((1, 300, 6))
    yolo = write_constant(tmp_path / "yolo.onnx", (64, 64), {"output0": ends})
    parts = open_parts(PartChoice(detector=yolo, segmenter=write_sam2(tmp_path / "sam2")))
    assert isinstance(parts.detector, YoloDetector)
    assert isinstance(parts.pose, EyePose)
    assert isinstance(parts.segmenter, Sam2Segmenter)
    assert parts.second is person_finder().own_eye, "SAM 2 is judged by our own network"
    assert not parts.embedded


def test_a_bad_file_is_refused_before_anything_embedded_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dramatis.senses.seeing.finder.person_finder", lambda: pytest.fail("a model was loaded"))
    with pytest.raises(UserError, match="does not exist"):
        open_parts(PartChoice(pose=tmp_path / "nowhere.onnx"))
