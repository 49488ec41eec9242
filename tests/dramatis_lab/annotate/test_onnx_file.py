from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (pip install dramatis[annotate])")
pytest.importorskip("onnx", reason="onnx is not installed")

from dramatis.errors import UserError
from dramatis_lab.annotate.onnx_file import OnnxFile, resize_frame
from tests.dramatis_lab.annotate.networks import write_constant


def test_a_network_tells_its_own_size(tmp_path: Path) -> None:
    path = write_constant(tmp_path / "net.onnx", (32, 64), {"out": np.arange(3.0)})
    net = OnnxFile(path, "detector", (640, 640))
    assert net.size == (32, 64)
    (out,) = net.run(np.zeros((32, 64, 3), np.float32))
    assert out.tolist() == [0, 1, 2]


def test_without_onnxruntime_the_remedy_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_constant(tmp_path / "net.onnx", (32, 64), {"out": np.arange(3.0)})
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UserError, match=r"^the detector .*net\.onnx needs the package onnxruntime"):
        OnnxFile(path, "detector", (640, 640))


def test_a_box_of_a_frame_is_scaled_and_black_beyond_it() -> None:
    frame = np.full((20, 30, 3), 100, np.uint8)
    assert resize_frame(frame, (10, 15)).shape == (10, 15, 3)
    part = resize_frame(frame, (20, 20), (-10.0, 0.0, 10.0, 20.0))
    assert (part[:, :9] == 0).all()
    assert (part[:, 11:] == 100).all()
