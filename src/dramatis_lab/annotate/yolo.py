"""People by a YOLO-class detector in an ONNX file, whatever its family.

The families differ in how they lay out their output, and that tells which one a file is of. Nothing of their code is
imported: several are under the AGPL, and whoever gives such a file has its licence to observe. YOLOX is under the
Apache licence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dramatis_lab.annotate.onnx_file import OnnxFile, resized, said
from dramatis_lab.annotate.units import Box, Detection, Frame

PERSON = 0
"""Class of people in COCO's order."""
INPUT = (640, 640)
STRIDES = (8, 16, 32)
LEAST_SCORE, MOST_OVERLAP = 0.4, 0.6
_PAD = 114
Raw = NDArray[np.float32]
Found = tuple[Raw, Raw]
"""Boxes (A, 4) as left, top, right, bottom in pixels of the input, and scores of people (A,)."""


@dataclass(frozen=True)
class Layout:
    """How a family lays out one output. fits: shape of the output and number of cells of the input's grids.

    bgr, scale: order and factor of the picture's colours.  centred: whether the picture stands in the middle of the
    input or in its upper left corner.
    """

    name: str
    fits: Callable[[tuple[int, ...], int], bool]
    read: Callable[[Raw, tuple[int, int]], Found]
    bgr: bool = False
    scale: float = 1 / 255
    centred: bool = True


def _columns(raw: Raw, _: tuple[int, int]) -> Found:
    return corners(raw[:4].T), raw[4 + PERSON]


def _rows(raw: Raw, _: tuple[int, int]) -> Found:
    return corners(raw[:, :4]), raw[:, 4] * raw[:, 5 + PERSON]


def _ends(raw: Raw, _: tuple[int, int]) -> Found:
    return raw[:, :4], np.where(raw[:, 5].round() == PERSON, raw[:, 4], 0.0).astype(np.float32)


def _cells(raw: Raw, size: tuple[int, int]) -> Found:
    cells, strides = grid(size)
    middles = (raw[:, :2] + cells) * strides
    return corners(np.concatenate([middles, np.exp(raw[:, 2:4]) * strides], 1)), raw[:, 4] * raw[:, 5 + PERSON]


LAYOUTS = (
    Layout("end to end (YOLO10, YOLO26)", lambda shape, _: shape[1] == 6 and shape[0] <= 1000, _ends),
    Layout("YOLOX", lambda shape, cells: shape[0] == cells and shape[1] > 5, _cells, True, 1.0, False),
    Layout("YOLO5, YOLO7", lambda shape, cells: shape[0] == 3 * cells and shape[1] > 5, _rows),
    Layout("YOLO8, YOLO9, YOLO11, YOLO12", lambda shape, cells: shape[1] == cells and shape[0] > 4, _columns),
)


class YoloDetector:
    """A detector of any of `LAYOUTS`. Raises UserError for a file of another."""

    def __init__(self, path: Path) -> None:
        self._net = OnnxFile(path, "detector", INPUT)
        self.identity = self._net.identity
        height, width = self._net.size
        shapes = [output.shape[1:] for output in self._net.run(np.zeros((height, width, 3), np.float32))]
        cells = len(grid((height, width))[0])
        layouts = [layout for layout in LAYOUTS if len(shapes[0]) == 2 and layout.fits(shapes[0], cells)]
        if len(shapes) != 1 or not layouts:
            raise self._net.fault(f"gives {said(shapes)} numbers, as no YOLO that is known does")
        self.layout = layouts[0]

    def detect(self, frame: Frame) -> list[Detection]:
        height, width = self._net.size
        scale = min(height / frame.shape[0], width / frame.shape[1])
        inner = (max(1, round(frame.shape[0] * scale)), max(1, round(frame.shape[1] * scale)))
        top, left = ((height - inner[0]) // 2, (width - inner[1]) // 2) if self.layout.centred else (0, 0)
        picture = np.full((height, width, 3), _PAD, np.float32)
        picture[top : top + inner[0], left : left + inner[1]] = resized(frame, inner)
        picture = picture[..., ::-1] if self.layout.bgr else picture
        boxes, scores = self.layout.read(self._net.run(picture * np.float32(self.layout.scale))[0][0], (height, width))
        boxes = (boxes - (left, top, left, top)) / scale
        size = (frame.shape[1], frame.shape[0])
        people = [
            Detection(Box(*map(float, boxes[place])).within(size), float(min(1.0, scores[place])))
            for place in best(boxes, scores)
        ]
        return sorted((person for person in people if person.box.area > 0), key=lambda person: person.box.left)


def corners(boxes: Raw) -> Raw:
    """(A, 4) boxes given as middle and size, as left, top, right, bottom."""
    middle, half = boxes[:, :2], boxes[:, 2:4] / 2
    return np.concatenate([middle - half, middle + half], 1)


def grid(size: tuple[int, int]) -> Found:
    """Column and row (A, 2), and stride (A, 1), of every cell of the grids over an input of (height, width)."""
    cells, strides = [], []
    for stride in STRIDES:
        rows, columns = np.mgrid[: size[0] // stride, : size[1] // stride]
        cells.append(np.stack([columns.ravel(), rows.ravel()], 1))
        strides.append(np.full((rows.size, 1), stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


def best(boxes: Raw, scores: Raw) -> list[int]:
    """Those that are sure enough and not another view of a surer one, the surest first."""
    chosen: list[int] = []
    for place in np.argsort(-scores, kind="stable"):
        if scores[place] < LEAST_SCORE:
            break
        box = Box(*boxes[place])
        if all(box.overlap(Box(*boxes[other])) < MOST_OVERLAP for other in chosen):
            chosen.append(int(place))
    return chosen
