"""A matting network of the user's own: what it is given, where its answer goes, and files that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (pip install dramatis[lab])")
pytest.importorskip("onnx", reason="onnx is not installed")

from dramatis.errors import UserError
from dramatis.motion.face import TEMPLATE_68
from dramatis.senses.seeing.eye import Face
from dramatis.senses.seeing.own_eye import OwnEye
from dramatis_lab.annotate.matting import MattedEye, MattingNetwork
from dramatis_lab.annotate.parts import PartChoice, open_parts
from tests.dramatis_lab.annotate.networks import write_constant, write_red


def test_outlines_are_the_networks(tmp_path: Path) -> None:
    picture = np.zeros((150, 220, 3), np.uint8)
    picture[40:, 60:160, 0] = 255
    network = MattingNetwork(write_red(tmp_path / "red.onnx"))
    alpha = network.alpha(picture)
    assert alpha.shape == (150, 220)
    assert alpha[60:140, 70:150].min() > 0.98
    assert alpha[:30].max() < 0.02
    face = Face((TEMPLATE_68[:, :2] * (60, -60) + (110, 70)).astype(np.float32), 1.0)
    eye = MattedEye(OwnEye.shipped(), network)
    (outline,) = eye.outlines(picture, [face])
    assert np.array_equal(outline > 0.5, alpha > 0.5)
    assert eye.outlines(picture, []).shape == (0, 150, 220)
    assert network.identity in eye.identity


def test_it_becomes_the_segmenter_and_is_judged_by_another_eye(tmp_path: Path) -> None:
    parts = open_parts(PartChoice(matting=write_red(tmp_path / "red.onnx")))
    assert "matting network:" in parts.segmenter.identity
    assert isinstance(parts.second, OwnEye)


def test_another_network_is_refused(tmp_path: Path) -> None:
    boxes = write_constant(tmp_path / "boxes.onnx", (64, 64), {"output0": np.zeros((1, 300, 6))})
    with pytest.raises(UserError, match=r"boxes.onnx answers with 1x300x6, not 1x1x64x64; docs/annotation.md"):
        MattingNetwork(boxes)
    with pytest.raises(UserError, match="does not exist"):
        MattingNetwork(tmp_path / "nowhere.onnx")
