from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (pip install dramatis[annotate])")
pytest.importorskip("onnx", reason="onnx is not installed")

from dramatis.errors import UserError
from dramatis.story.values import Box
from dramatis_lab.annotate.yolo import YoloDetector, cell_grid, non_maximum_suppression
from tests.dramatis_lab.annotate.networks import write_constant, write_mean

SIDE = (64, 96)
CELLS = 96 + 24 + 6
FRAME = np.zeros((128, 288, 3), np.uint8)
"""Scaled by a third to 43 rows of 96 columns."""
BORDER = 10
"""Rows above it where it stands in the middle."""


def columns() -> np.ndarray:
    """YOLO8 of two classes: two sure people, one of them seen twice, one unsure, and something else."""
    out = np.zeros((1, 6, CELLS), np.float32)
    out[0, :, 0] = (70, 30, 20, 30, 0.9, 0.0)
    out[0, :, 1] = (71, 30, 20, 30, 0.8, 0.0)
    out[0, :, 2] = (20, 30, 20, 30, 0.7, 0.1)
    out[0, :, 3] = (45, 30, 20, 30, 0.2, 0.0)
    out[0, :, 4] = (45, 30, 20, 30, 0.0, 0.9)
    return out


def rows() -> np.ndarray:
    """The same of YOLO5: rows, and how sure it is of anything times how sure of each class."""
    out = np.zeros((1, 3 * CELLS, 7), np.float32)
    out[0, :5, :4] = columns()[0, :4, :5].T
    out[0, :5, 4] = 1.0
    out[0, :5, 5:] = columns()[0, 4:, :5].T
    return out


def cells() -> np.ndarray:
    """The same of YOLOX: middles relative to cells, and logarithms of sizes, both in strides; no border above."""
    places, strides = cell_grid(SIDE)
    out = np.zeros((1, CELLS, 7), np.float32)
    for row, (x, y, width, height, *scores) in enumerate(columns()[0, :, :5].T):
        middle = np.array([x, y - BORDER]) / strides[row] - places[row]
        size = [math.log(width / strides[row, 0]), math.log(height / strides[row, 0])]
        out[0, row] = (*middle, *size, 1.0, *scores)
    return out


def ends() -> np.ndarray:
    """The same of YOLO10, which gives corners and leaves nothing to choose."""
    out = np.zeros((1, 300, 6), np.float32)
    out[0, 0] = (60, 15, 80, 45, 0.9, 0)
    out[0, 1] = (10, 15, 30, 45, 0.7, 0)
    out[0, 2] = (35, 15, 55, 45, 0.9, 1)
    return out


@pytest.mark.parametrize("output", [columns, rows, cells, ends])
def test_people_are_found_in_every_layout(output: object, tmp_path: Path) -> None:
    detector = YoloDetector(write_constant(tmp_path / "yolo.onnx", SIDE, {"output0": output()}))  # type: ignore[operator]
    found = detector.detect(FRAME)
    assert [round(detection.score, 2) for detection in found] == [0.7, 0.9]
    for detection, left in zip(found, (30, 180), strict=True):
        box = detection.box
        assert (box.left, box.right) == pytest.approx((left, left + 60), abs=0.1)
        assert (box.top, box.bottom) == pytest.approx((15, 105), abs=0.1)


def test_colours_reach_the_network_in_order_between_0_and_1(tmp_path: Path) -> None:
    detector = YoloDetector(write_mean(tmp_path / "yolo.onnx", (32, 32)))
    frame = np.zeros((32, 32, 3), np.uint8)
    frame[..., 0], frame[..., 2] = 255, 51
    (found,) = detector.detect(frame)
    assert found.box.right == pytest.approx(1.0 + 5)
    assert found.box.bottom == pytest.approx(0.2 + 5)


def test_another_file_is_another_annotation(tmp_path: Path) -> None:
    one = YoloDetector(write_constant(tmp_path / "one.onnx", SIDE, {"output0": columns()}))
    two = YoloDetector(write_constant(tmp_path / "two.onnx", SIDE, {"output0": rows()}))
    assert one.identity != two.identity


def test_a_box_is_given_once() -> None:
    boxes = np.array([(0, 0, 10, 10), (1, 0, 11, 10), (30, 0, 40, 10)], np.float32)
    assert non_maximum_suppression(boxes, np.array([0.5, 0.9, 0.45], np.float32)) == [1, 2]
    assert Box(0, 0, 10, 10).iou(Box(1, 0, 11, 10)) > 0.6


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path, "does not exist"),
        (lambda path: path.write_text("not a network") and path, "not an ONNX network"),
        (lambda path: write_constant(path, SIDE, {"output0": np.zeros((1, 7))}), "no YOLO that is known"),
        (lambda path: write_constant(path, SIDE, {"a": columns(), "b": columns()}), "no YOLO that is known"),
    ],
    ids=["missing", "text", "classifier", "two outputs"],
)
def test_other_files_are_refused_in_one_sentence(make: object, message: str, tmp_path: Path) -> None:
    path = make(tmp_path / "yolo.onnx")  # type: ignore[operator]
    with pytest.raises(UserError, match=message) as error:
        YoloDetector(path)
    assert str(path) in str(error.value)
