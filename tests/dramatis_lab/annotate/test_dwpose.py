from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed (pip install dramatis[annotate])")
pytest.importorskip("onnx", reason="onnx is not installed")

from dramatis.errors import UserError
from dramatis.story.values import Box
from dramatis_lab.annotate.dwpose import KEYPOINTS, DwPose, padded_box
from tests.dramatis_lab.annotate.networks import write_constant


def outputs(height: int = 384, width: int = 288) -> dict[str, np.ndarray]:
    """The peak of keypoint k at column 2 k and row 4 k of the scores, all sure but the last."""
    columns, rows = np.zeros((1, KEYPOINTS, 2 * width)), np.zeros((1, KEYPOINTS, 2 * height))
    for k in range(KEYPOINTS):
        columns[0, k, 2 * k], rows[0, k, 4 * k] = 0.8, 0.9
    columns[0, -1] *= 0.1
    return {"simcc_x": columns, "simcc_y": rows}


def test_peaks_become_pixels_of_the_frame(tmp_path: Path) -> None:
    pose = DwPose(write_constant(tmp_path / "dwpose.onnx", (384, 288), outputs(), "input"))
    box = Box(50, 20, 50 + 144 / 1.25, 20 + 192 / 1.25)  # with its room 144x192: half the size of the input
    (found, again) = pose.estimate(np.zeros((240, 320, 3), np.uint8), [box, box])
    corner = np.array([50, 20]) - np.array([144, 192]) * 0.1
    assert np.allclose(found.points[10], corner + np.array([10, 20]) / 2, atol=1e-3)
    assert np.allclose(found.points[100], corner + np.array([100, 200]) / 2, atol=1e-3)
    assert np.allclose(found.confidence[:-1], 0.8)
    assert found.confidence[-1] == pytest.approx(0.08)
    assert np.array_equal(found.points, again.points)


def test_a_view_has_room_and_the_networks_shape() -> None:
    wide = padded_box(Box(0, 0, 100, 10), 0.75)
    assert (wide.right - wide.left) / (wide.bottom - wide.top) == pytest.approx(0.75)
    assert wide.right - wide.left == pytest.approx(125)
    assert padded_box(Box(0, 0, 10, 100), 0.75).top == pytest.approx(-12.5)


def test_another_network_is_refused(tmp_path: Path) -> None:
    body = {name: value[:, :17] for name, value in outputs().items()}
    with pytest.raises(UserError, match="133 keypoints"):
        DwPose(write_constant(tmp_path / "body.onnx", (384, 288), body, "input"))
