"""Finds people with a YOLO-class detector of any family in an ONNX file.

The families lay out their output differently, and the layout tells the family of a file. None of their code is
imported: several are under the AGPL, and whoever provides such a file must observe its licence. YOLOX is under the
Apache licence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dramatis.story.values import Box
from dramatis_lab.annotate.onnx_file import OnnxFile, format_shapes, resize_frame
from dramatis_lab.annotate.units import Detection, Frame

_PERSON_CLASS = 0
"""Class of people in COCO's order."""
_INPUT_SIZE = (640, 640)
_STRIDES = (8, 16, 32)
LEAST_SCORE, MOST_OVERLAP = 0.4, 0.6
_PAD = 114
RawOutput = NDArray[np.float32]
ScoredBoxes = tuple[RawOutput, RawOutput]
"""Boxes (A, 4) as left, top, right and bottom in pixels of the input, and the scores (A,) that they hold people."""


@dataclass(frozen=True)
class Layout:
    """How a family lays out its output. fits: whether a shape and a number of grid cells are of this layout.

    bgr, scale: order and factor of the picture's colours.  centred: whether the picture is in the middle of the input
    or in its upper left corner.
    """

    name: str
    fits: Callable[[tuple[int, ...], int], bool]
    read: Callable[[RawOutput, tuple[int, int]], ScoredBoxes]
    bgr: bool = False
    scale: float = 1 / 255
    centred: bool = True


def _columns(raw: RawOutput, _: tuple[int, int]) -> ScoredBoxes:
    return to_corners(raw[:4].T), raw[4 + _PERSON_CLASS]


def _rows(raw: RawOutput, _: tuple[int, int]) -> ScoredBoxes:
    return to_corners(raw[:, :4]), raw[:, 4] * raw[:, 5 + _PERSON_CLASS]


def _ends(raw: RawOutput, _: tuple[int, int]) -> ScoredBoxes:
    return raw[:, :4], np.where(raw[:, 5].round() == _PERSON_CLASS, raw[:, 4], 0.0).astype(np.float32)


def _cells(raw: RawOutput, size: tuple[int, int]) -> ScoredBoxes:
    cells, strides = cell_grid(size)
    middles = (raw[:, :2] + cells) * strides
    return to_corners(np.concatenate([middles, np.exp(raw[:, 2:4]) * strides], 1)), raw[:, 4] * raw[
        :, 5 + _PERSON_CLASS
    ]


LAYOUTS = (
    Layout("end to end (YOLO10, YOLO26)", lambda shape, _: shape[1] == 6 and shape[0] <= 1000, _ends),
    Layout(
        "YOLOX", lambda shape, cells: shape[0] == cells and shape[1] > 5, _cells, bgr=True, scale=1.0, centred=False
    ),
    Layout("YOLO5, YOLO7", lambda shape, cells: shape[0] == 3 * cells and shape[1] > 5, _rows),
    Layout("YOLO8, YOLO9, YOLO11, YOLO12", lambda shape, cells: shape[1] == cells and shape[0] > 4, _columns),
)


class YoloDetector:
    """A detector of any of `LAYOUTS`. Raises UserError for a file of any other layout."""

    def __init__(self, path: Path) -> None:
        self._net = OnnxFile(path, "detector", _INPUT_SIZE)
        self.identity = self._net.identity
        height, width = self._net.size
        shapes = [output.shape[1:] for output in self._net.run(np.zeros((height, width, 3), np.float32))]
        cells = len(cell_grid((height, width))[0])
        layouts = [layout for layout in LAYOUTS if len(shapes[0]) == 2 and layout.fits(shapes[0], cells)]
        if len(shapes) != 1 or not layouts:
            raise self._net.fault(f"gives {format_shapes(shapes)} outputs, as no YOLO that is known does")
        self.layout = layouts[0]

    def detect(self, frame: Frame) -> list[Detection]:
        height, width = self._net.size
        scale = min(height / frame.shape[0], width / frame.shape[1])
        inner = (max(1, round(frame.shape[0] * scale)), max(1, round(frame.shape[1] * scale)))
        top, left = ((height - inner[0]) // 2, (width - inner[1]) // 2) if self.layout.centred else (0, 0)
        picture = np.full((height, width, 3), _PAD, np.float32)
        picture[top : top + inner[0], left : left + inner[1]] = resize_frame(frame, inner)
        picture = picture[..., ::-1] if self.layout.bgr else picture
        boxes, scores = self.layout.read(self._net.run(picture * np.float32(self.layout.scale))[0][0], (height, width))
        boxes = (boxes - (left, top, left, top)) / scale
        size = (frame.shape[1], frame.shape[0])
        people = [
            Detection(Box(*map(float, boxes[index])).within(size), float(min(1.0, scores[index])))
            for index in non_maximum_suppression(boxes, scores)
        ]
        return sorted((person for person in people if person.box.area > 0), key=lambda person: person.box.left)


def to_corners(boxes: RawOutput) -> RawOutput:
    """(A, 4) boxes as left, top, right and bottom, from boxes as centre and size."""
    middle, half = boxes[:, :2], boxes[:, 2:4] / 2
    return np.concatenate([middle - half, middle + half], 1)


def cell_grid(size: tuple[int, int]) -> ScoredBoxes:
    """Column and row (A, 2), and stride (A, 1), of every cell of the grids over an input of (height, width)."""
    cells, strides = [], []
    for stride in _STRIDES:
        rows, columns = np.mgrid[: size[0] // stride, : size[1] // stride]
        cells.append(np.stack([columns.ravel(), rows.ravel()], 1))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


def non_maximum_suppression(boxes: RawOutput, scores: RawOutput) -> list[int]:
    """Indices of the boxes with a sufficient score that no better box overlaps, the best first."""
    chosen: list[int] = []
    for index in np.argsort(-scores, kind="stable"):
        if scores[index] < LEAST_SCORE:
            break
        box = Box(*boxes[index])
        if all(box.iou(Box(*boxes[other])) < MOST_OVERLAP for other in chosen):
            chosen.append(int(index))
    return chosen
