"""mediapipe's networks, run by LiteRT: what goes in, and how their answers are read.

Each class is one network file. Squares are cut from a `Pyramid`, and all answers are in pixels of its picture. How the
answers are laid out was read from the published graphs of mediapipe 0.10 (Apache-2.0).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray
from PIL import Image

from dramatis.media.image import Pictures
from dramatis.senses.seeing.eye import CropBox
from dramatis.senses.seeing.pyramid import Pyramid, square_to_picture

FULL_RANGE = "face_detection/face_detection_full_range_sparse.tflite"
SHORT_RANGE = "face_detection/face_detection_short_range.tflite"
MESH = "face_landmark/face_landmark.tflite"
IRIS = "iris_landmark/iris_landmark.tflite"
POSE_DETECTION = "pose_detection/pose_detection.tflite"
POSE = "pose_landmark/pose_landmark_full.tflite"
SEGMENTATION = "selfie_segmentation/selfie_segmentation.tflite"
_OVERLAP = 0.3
"""IoU from which two detections are of one thing."""


class TfliteNet:
    """A network file: one picture in, arrays out in the file's own order."""

    def __init__(self, path: Path) -> None:
        with _without_log():
            # One thread, so that sums have one order on every machine.
            self._net = Interpreter(str(path), num_threads=1)
            self._net.allocate_tensors()
        self._input = self._net.get_input_details()[0]["index"]
        self._outputs = [detail["index"] for detail in self._net.get_output_details()]

    def __call__(self, picture: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """picture: (H, W, 3) in the network's own range; the outputs come without the batch axis."""
        self._net.set_tensor(self._input, picture[None])
        self._net.invoke()
        return [self._net.get_tensor(index)[0] for index in self._outputs]


@contextmanager
def _without_log() -> Iterator[None]:
    """Keep away what LiteRT itself writes to the standard error of whoever runs a command: no setting silences it."""
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


@dataclass(frozen=True, eq=False)
class Detections:
    """D things found. boxes: (D, 4) px, left, top, right, bottom.  points: (D, K, 2) px.  scores: (D,) in 0..1."""

    boxes: NDArray[np.float64]
    points: NDArray[np.float64]
    scores: NDArray[np.float64]

    @classmethod
    def joined(cls, parts: list[Detections]) -> Detections:
        """All of several detections, each thing once."""
        return cls(
            np.concatenate([part.boxes for part in parts]),
            np.concatenate([part.points for part in parts]),
            np.concatenate([part.scores for part in parts]),
        ).distinct()

    def distinct(self) -> Detections:
        """Without repetitions: of overlapping ones the surest counts."""
        kept: list[int] = []
        for index in np.argsort(-self.scores, kind="stable"):
            if all(_iou(self.boxes[index], self.boxes[other]) < _OVERLAP for other in kept):
                kept.append(int(index))
        return Detections(self.boxes[kept], self.points[kept], self.scores[kept])


class AnchorNet:
    """A detector whose answers are relative to a fixed grid of anchors."""

    def __init__(self, path: Path, cells: int, anchors: NDArray[np.float64], low: float) -> None:
        self._net, self._cells, self._anchors, self._low = TfliteNet(path), cells, anchors, low

    @classmethod
    def full_range(cls, folder: Path) -> AnchorNet:
        """Faces up to some metres away."""
        return cls(folder / FULL_RANGE, 192, _grid(48, 1), -1.0)

    @classmethod
    def short_range(cls, folder: Path) -> AnchorNet:
        """Faces that fill a good part of the picture."""
        return cls(folder / SHORT_RANGE, 128, np.concatenate([_grid(16, 2), _grid(8, 6)]), -1.0)

    @classmethod
    def people(cls, folder: Path) -> AnchorNet:
        """People, with the middle of the hips and a circle round the body."""
        anchors = np.concatenate([_grid(28, 2), _grid(14, 2), _grid(7, 6)])
        return cls(folder / POSE_DETECTION, 224, anchors, -1.0)

    def detect(self, picture: Pyramid, square: CropBox, least: float) -> Detections:
        """What a square shows with at least this score."""
        centre = (square.left + square.side / 2, square.top + square.side / 2)
        view = picture.cut(centre, square.side, self._cells).astype(np.float32)
        span = 255.0 / (1.0 - self._low)
        values, logits = self._net(view / np.float32(span) + np.float32(self._low))
        scores = _sigmoid(logits[:, 0])
        sure = scores >= least
        rows = values[sure].astype(np.float64) / self._cells
        anchors, corner = self._anchors[sure], np.array(square[:2])
        middles = rows[:, :2] + anchors
        boxes = np.concatenate([middles - rows[:, 2:4] / 2, middles + rows[:, 2:4] / 2], 1)
        points = rows[:, 4:].reshape(len(rows), (rows.shape[1] - 4) // 2, 2) + anchors[:, None]
        return Detections(
            boxes * square.side + np.tile(corner, 2), points * square.side + corner, scores[sure]
        ).distinct()


class MeshNet:
    """468 points of a face."""

    CELLS = 192

    def __init__(self, folder: Path) -> None:
        self._net = TfliteNet(folder / MESH)

    def look(
        self, picture: Pyramid, centre: tuple[float, float], side: float, angle: float
    ) -> tuple[NDArray[np.float64], float]:
        """(468, 3) px, z towards the back, and how surely it is a face, 0..1, in a turned square."""
        view = picture.cut(centre, side, self.CELLS, angle).astype(np.float32) / np.float32(255)
        values, logit = self._net(view)
        mesh = _to_picture(values.reshape(-1, 3), centre, side, self.CELLS, angle)
        return mesh, float(_sigmoid(logit.ravel()[0]))


class IrisNet:
    """Lids and iris of one eye."""

    CELLS = 64

    def __init__(self, folder: Path) -> None:
        self._net = TfliteNet(folder / IRIS)

    def look(
        self, picture: Pyramid, centre: tuple[float, float], side: float, angle: float, *, mirrored: bool
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lids (16, 2) and iris (5, 2), px. mirrored: for the eye on the right of the picture.

        The network knows eyes on the left of a picture: lids go from the outer corner over the lower lid to the inner
        one, then from the outer over the upper. The iris begins with its centre.
        """
        view = picture.cut(centre, side, self.CELLS, angle)
        view = view[:, ::-1] if mirrored else view
        outputs = self._net(np.ascontiguousarray(view).astype(np.float32) / np.float32(255))
        contour, iris = (values.reshape(-1, 3)[:, :2].astype(np.float64) for values in outputs)
        points = np.concatenate([contour[:16], iris])
        if mirrored:
            points[:, 0] = self.CELLS - points[:, 0]
        placed = _to_picture(np.column_stack([points, np.zeros(len(points))]), centre, side, self.CELLS, angle)
        return placed[:16, :2], placed[16:, :2]


@dataclass(frozen=True, eq=False)
class PoseLook:
    """A body. points: (33, 2) px.  visibility: (33,) in 0..1.  flag: how surely it is a person, 0..1.

    outline: (H, W) in 0..1, which pixels of the picture are this person's, coarsely.
    """

    points: NDArray[np.float64]
    visibility: NDArray[np.float64]
    flag: float
    outline: NDArray[np.float32]


class PoseNet:
    """33 points of a body, whether each can be seen, and the person's outline."""

    CELLS = 256

    def __init__(self, folder: Path) -> None:
        self._net = TfliteNet(folder / POSE)

    def look(self, picture: Pyramid, centre: tuple[float, float], side: float, angle: float) -> PoseLook:
        """What a turned square shows."""
        view = picture.cut(centre, side, self.CELLS, angle).astype(np.float32) / np.float32(255)
        values, flag, outline = self._net(view)[:3]
        rows = values.reshape(-1, 5)[:33].astype(np.float64)
        placed = _to_picture(rows[:, :3], centre, side, self.CELLS, angle)
        affine = np.vstack([square_to_picture(centre, side, self.CELLS, angle), (0, 0, 1)])
        cells = Image.fromarray(_sigmoid(outline.reshape(self.CELLS, self.CELLS)).astype(np.float32))
        spread = cells.transform(
            picture.size, Image.Transform.AFFINE, np.linalg.inv(affine)[:2].ravel().tolist(), Image.Resampling.BILINEAR
        )
        return PoseLook(placed[:, :2], _sigmoid(rows[:, 3]), float(flag.ravel()[0]), np.asarray(spread))


class SegmentationNet:
    """Which pixels show people."""

    CELLS = 256

    def __init__(self, folder: Path) -> None:
        self._net = TfliteNet(folder / SEGMENTATION)

    def mask(self, view: Pictures) -> NDArray[np.float32]:
        """(256, 256) in 0..1 for a picture (256, 256, 3)."""
        (mask,) = self._net(view.astype(np.float32) / np.float32(255))
        return mask.reshape(self.CELLS, self.CELLS)


def _sigmoid(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    return np.asarray(1 / (1 + np.exp(-np.clip(np.asarray(logits, np.float64), -80, 80))))


def _grid(cells: int, each: int) -> NDArray[np.float64]:
    """(cells * cells * each, 2) centres of a grid's cells, in shares, row by row, each as often as it has anchors."""
    middles = (np.arange(cells) + 0.5) / cells
    x, y = np.meshgrid(middles, middles)
    return np.repeat(np.column_stack([x.ravel(), y.ravel()]), each, axis=0)


def _to_picture(
    points: NDArray[np.floating], centre: tuple[float, float], side: float, cells: int, angle: float
) -> NDArray[np.float64]:
    """(K, 3) from cells of a turned square to pixels of the picture; depth keeps its direction and is scaled."""
    affine = square_to_picture(centre, side, cells, angle)
    flat = points[:, :2].astype(np.float64) @ affine[:, :2].T + affine[:, 2]
    return np.column_stack([flat, points[:, 2].astype(np.float64) * side / cells])


def _iou(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Intersection over union of two boxes (4,)."""
    shared = np.prod(np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None))
    areas = np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2])
    return float(shared / max(areas - shared, 1e-9))
