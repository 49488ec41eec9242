"""The own eye: the small perception network looks at parts of pictures.

The network has learnt on rendered pictures of one person. So it never sees a whole group: windows over the picture show
where faces are and what is anybody's, and every face is then looked at by itself, at the size that the network knows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

import dramatis
from dramatis.media.image import Pictures
from dramatis.models.loading import load_model
from dramatis.models.perception import PerceptionNet
from dramatis.runtime.files import hash_file
from dramatis.senses.seeing.division import divide_people
from dramatis.senses.seeing.eye import (
    FACE_FOUND,
    NEW_FACE_ERROR,
    BodyPose,
    CloserLook,
    CropBox,
    Doubt,
    Face,
    distance_between,
    distinct_faces,
)
from dramatis.senses.seeing.matting import refine_outline
from dramatis.senses.seeing.pyramid import crop

WEIGHTS = Path(dramatis.__file__).parent / "weights" / "mini" / "perception"
CELLS = 64
"""Cells of a side of the network's masks."""
_STEADY = 0.7
"""Most that the centre of a face may move between two looks at it, in radii."""
_CLOSER = 3.0
"""How much the middle of a closer look counts beside the windows."""
_SPOT = 5.5
"""Side of the first look at a spot, in radii of a disc of its area: skin reaches beyond the landmarks."""
_LEAST_CELLS = 16
"""Cells of a window below which a spot is no face."""
_ROUNDS = 3
"""How often faces are looked for in what is left of the picture without those found so far."""
_SKIN = 1.8
"""Half the width of a face's skin and hair line, in radii of its landmarks."""


@dataclass(frozen=True, eq=False)
class WindowMaps:
    """What windows over a frame show. person, face: (h, w) in 0..1 on a grid of cells of `cell` pixels each."""

    person: NDArray[np.float32]
    face: NDArray[np.float32]
    cell: float


class OwnEye:
    """The own eye: looks at parts of frames with the perception network.

    What the windows over the last frame showed is kept.
    """

    name = "own"
    cuts_out = False
    sharpest_side = 512

    def __init__(self, net: PerceptionNet, identity: str = "") -> None:
        self.identity = identity
        self.net = net.eval()
        self._last: tuple[Pictures, dict[float, WindowMaps]] | None = None

    @classmethod
    def shipped(cls, folder: Path = WEIGHTS) -> OwnEye:
        """With the weights of this package."""
        files = sorted(folder.glob("*.safetensors"))
        return cls(load_model(PerceptionNet, folder), "perception:" + ",".join(hash_file(file)[:16] for file in files))

    def find(self, frame: Pictures) -> list[Face]:
        """All faces, from left to right. Where large windows show small faces or none, smaller ones are tried."""
        large = min(frame.shape[:2])
        faces = self._found(frame, large)
        if not faces or min(face.crop_box.side for face in faces) < large / 2:
            faces = distinct_faces([*faces, *self._found(frame, large / 2)])
        return sorted(faces, key=lambda face: float(face.centre[0]))

    def _found(self, frame: Pictures, side: float) -> list[Face]:
        """The faces in windows of one size. Each is looked at twice and counts if it stays where it is."""
        windows = self.detect_windows(frame, side)
        shown = windows.face > 0.5
        faces: list[Face] = []
        for _ in range(_ROUNDS):
            new = [face for spot in _spots(shown, windows.cell) if (face := self._settled(frame, spot))]
            for face in new:
                _erase(shown, face, windows.cell)
            if not new:
                break
            faces += new
        return distinct_faces(faces)

    def _settled(self, frame: Pictures, spot: CropBox) -> Face | None:
        first = self.at(frame, spot)
        second = self.at(frame, first.crop_box)
        steady = distance_between(first, second) < _STEADY * second.radius
        return second if steady and second.is_face(FACE_FOUND, NEW_FACE_ERROR) else None

    def face_in(self, frame: Pictures, square: CropBox) -> Face | None:
        """The face that a square surrounds; None where none can be seen."""
        face = self.at(frame, self.at(frame, square).crop_box)
        return face if face.is_face() else None

    def bodies(self, frame: Pictures, faces: Sequence[Face]) -> list[BodyPose | None]:  # noqa: ARG002
        """Nobody's: the network knows faces alone."""
        return [None] * len(faces)

    def doubts(self, frame: Pictures) -> list[Doubt]:  # noqa: ARG002
        """None: what the network is not sure of may be anything."""
        return []

    def outlines(self, frame: Pictures, faces: Sequence[Face]) -> NDArray[np.float32]:
        """(N, H, W) in 0..1: how much of each pixel belongs to each person, together at most 1."""
        large = min(frame.shape[:2])
        small = max(face.crop_box.side for face in faces) < large / 2
        windows = self.detect_windows(frame, large / 2 if small else large)
        share = _refined(_enlarged(windows.person, frame.shape[:2]), faces)
        cell = min([windows.cell, *(face.closer.square.side / CELLS for face in faces if face.closer is not None)])
        return divide_people(frame, faces, refine_outline(frame, share, cell))

    def at(self, frame: Pictures, square: CropBox) -> Face:
        """One look at a square."""
        points, masks, score = self._run(frame, [square])
        return Face(points[0], float(score[0]), self.name, closer=CloserLook(masks[0, 0], square))

    def detect_windows(self, frame: Pictures, side: float) -> WindowMaps:
        """Square windows over the frame, half a window apart."""
        if self._last is None or self._last[0] is not frame:
            self._last = (frame, {})
        windows = self._last[1]
        if side not in windows:
            windows[side] = self._detect_windows(frame, side)
        return windows[side]

    def _detect_windows(self, frame: Pictures, side: float) -> WindowMaps:
        cell = side / CELLS
        reach = [round((extent - side) / cell) for extent in frame.shape[:2]]
        rows, columns = (sorted({*range(0, last, CELLS // 2), last}) for last in reach)
        corners = [(row, column) for row in rows for column in columns]
        _, masks, _ = self._run(frame, [CropBox(column * cell, row * cell, side) for row, column in corners])
        shown = np.zeros((2, reach[0] + CELLS, reach[1] + CELLS), np.float32)
        weight = np.zeros(shown.shape[1:], np.float32)
        trust = _pyramid()
        for (row, column), mask in zip(corners, masks, strict=True):
            part = np.s_[row : row + CELLS, column : column + CELLS]
            shown[:, *part] += trust * mask
            weight[part] += trust
        person, face = shown / weight
        return WindowMaps(person, face, cell)

    @torch.no_grad()
    def _run(
        self, frame: Pictures, squares: Sequence[CropBox]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """Landmarks (B, 68, 2) in pixels of the frame, masks (B, 2, 64, 64) and face scores (B,), both in 0..1."""
        size = PerceptionNet.size
        views = np.stack([crop(frame, square, size) for square in squares])
        images = torch.from_numpy(views).permute(0, 3, 1, 2).float() / 127.5 - 1
        outputs = self.net(images.to(next(self.net.parameters()).dtype))
        points, masks, scores = (values.float() for values in outputs)
        corners = np.array([square[:2] for square in squares], np.float32)[:, None]
        scales = np.array([square.side / size for square in squares], np.float32)[:, None, None]
        return points.numpy() * scales + corners, masks.sigmoid().numpy(), scores.sigmoid().numpy()


def _spots(shown: NDArray[np.bool_], cell: float) -> list[CropBox]:
    """Squares around the spots of a map of cells that show the skin of a face, largest first."""
    labels, count = ndimage.label(shown)
    squares = []
    for label in range(1, count + 1):
        rows, columns = np.nonzero(labels == label)
        if len(rows) >= _LEAST_CELLS:
            side = min(_SPOT * float(np.sqrt(len(rows) / np.pi)), CELLS) * cell
            x, y = (columns.mean() + 0.5) * cell, (rows.mean() + 0.5) * cell
            squares.append(CropBox(x - side / 2, y - side / 2, side))
    return sorted(squares, key=lambda square: -square.side)


def _erase(shown: NDArray[np.bool_], face: Face, cell: float) -> None:
    """Erase a face and the neck below it from a map of cells, in place: two faces may share a spot."""
    ys, xs = (np.mgrid[: shown.shape[0], : shown.shape[1]] + 0.5) * cell
    aside, below = np.abs(xs - face.centre[0]) / face.radius, (ys - face.centre[1]) / face.radius
    shown[(aside < _SKIN) & (np.abs(below) < 1.5 * _SKIN)] = False


def _enlarged(cells: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """A map of cells over a frame of (height, width)."""
    large = Image.fromarray(cells).resize(size[::-1], Image.Resampling.BILINEAR)
    return np.array(large)


def _refined(share: NDArray[np.float32], faces: Sequence[Face]) -> NDArray[np.float32]:
    """A map (H, W) of where anybody is, improved by closer looks at faces; a look counts most in its middle."""
    total, weight = share.copy(), np.ones_like(share)
    for look in (face.closer for face in faces if face.closer is not None):
        side = max(1, round(look.square.side))
        left, top = round(look.square.left), round(look.square.top)
        rows = slice(max(0, top), max(0, min(share.shape[0], top + side)))
        columns = slice(max(0, left), max(0, min(share.shape[1], left + side)))
        inner = np.s_[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        trust = (_CLOSER * _enlarged(_pyramid(), (side, side)))[inner]
        total[rows, columns] += trust * _enlarged(look.person, (side, side))[inner]
        weight[rows, columns] += trust
    return total / weight


def _pyramid() -> NDArray[np.float32]:
    """How far the network's cells can be trusted, (64, 64) in 0..1: least at the borders, which cut things off."""
    taper = np.minimum(np.arange(CELLS) + 0.5, CELLS - np.arange(CELLS) - 0.5) * 2 / CELLS
    return np.minimum.outer(taper, taper).astype(np.float32)
