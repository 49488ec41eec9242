from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (pip install dramatis[annotate])")
pytest.importorskip("onnx", reason="onnx is not installed")

from dramatis.errors import UserError
from dramatis_lab.annotate.embedded import PerceptionDetector, PerceptionPose, PerceptionSegmenter
from dramatis_lab.annotate.parts import PartChoice, open_parts
from dramatis_lab.annotate.sam2 import Sam2Segmenter
from dramatis_lab.annotate.yolo import YoloDetector
from tests.dramatis_lab.annotate.networks import write_constant, write_sam2


def test_without_a_choice_everything_is_embedded_and_opened_once() -> None:
    parts = open_parts(PartChoice())
    assert isinstance(parts.detector, PerceptionDetector)
    assert isinstance(parts.pose, PerceptionPose)
    assert isinstance(parts.segmenter, PerceptionSegmenter)
    assert open_parts(PartChoice()) is parts
    assert parts.identity[0].startswith("perception:")


def test_what_is_given_takes_the_place_of_what_is_embedded(tmp_path: Path) -> None:
    ends = np.zeros((1, 300, 6))
    yolo = write_constant(tmp_path / "yolo.onnx", (64, 64), {"output0": ends})
    parts = open_parts(PartChoice(detector=yolo, segmenter=write_sam2(tmp_path / "sam2")))
    assert isinstance(parts.detector, YoloDetector)
    assert isinstance(parts.pose, PerceptionPose)
    assert isinstance(parts.segmenter, Sam2Segmenter)
    assert len(set(parts.identity)) == 3


def test_a_bad_file_is_refused_before_anything_embedded_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "dramatis_lab.annotate.embedded.FaceDetector.shipped", lambda: pytest.fail("a model was loaded")
    )
    with pytest.raises(UserError, match="does not exist"):
        open_parts(PartChoice(pose=tmp_path / "nowhere.onnx"))
