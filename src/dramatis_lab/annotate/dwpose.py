"""133 keypoints of body, feet, face and hands by DWPose (Apache licence) in its ONNX file, `dw-ll_ucoco_384.onnx`.

The network sees one upright person in 288x384 pixels. For each keypoint it returns scores over the columns and scores
over the rows of the picture, at twice its resolution (SimCC).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from dramatis.story.values import Box
from dramatis_lab.annotate.onnx_file import OnnxFile, format_shapes, resize_frame
from dramatis_lab.annotate.units import Frame, Pose

_INPUT_SIZE = (384, 288)
KEYPOINTS = 133
FINER = 2
"""Scores per pixel of the input, along each side."""
ROOM = 1.25
"""Size of the view relative to the box."""
_MEAN = np.array([123.675, 116.28, 103.53], np.float32)
_DEVIATION = np.array([58.395, 57.12, 57.375], np.float32)


class DwPose:
    """The keypoints of DWPose. Raises UserError for a file that is not DWPose."""

    def __init__(self, path: Path) -> None:
        self._net = OnnxFile(path, "pose estimator", _INPUT_SIZE)
        self.identity = self._net.identity
        height, width = self._net.size
        shapes = [output.shape for output in self._net.run(np.zeros((height, width, 3), np.float32))]
        wanted = [(1, KEYPOINTS, FINER * width), (1, KEYPOINTS, FINER * height)]
        if shapes != wanted:
            raise self._net.fault(
                f"returns scores of {format_shapes(shapes)}, not the columns and rows of {KEYPOINTS} keypoints"
            )

    def estimate(self, frame: Frame, boxes: Sequence[Box]) -> list[Pose]:
        return [self._pose(frame, box) for box in boxes]

    def _pose(self, frame: Frame, box: Box) -> Pose:
        size = self._net.size
        view = padded_box(box, size[1] / size[0])
        picture = resize_frame(frame, size, (view.left, view.top, view.right, view.bottom)).astype(np.float32)
        columns, rows = (output[0] for output in self._net.run((picture - _MEAN) / _DEVIATION))
        places = np.stack([columns.argmax(1), rows.argmax(1)], 1) / FINER
        scales = np.array([(view.right - view.left) / size[1], (view.bottom - view.top) / size[0]])
        points = places * scales + (view.left, view.top)
        confidence = np.minimum(columns.max(1), rows.max(1)).clip(0, 1)
        return Pose(points.astype(np.float32), confidence.astype(np.float32))


def padded_box(box: Box, aspect: float) -> Box:
    """The box with a margin, extended to an aspect ratio (width over height)."""
    width, height = max(1.0, box.right - box.left), max(1.0, box.bottom - box.top)
    width, height = max(width, height * aspect) * ROOM, max(height, width / aspect) * ROOM
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
