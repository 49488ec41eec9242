"""Everybody in a picture: faces and their landmarks, and which pixels are whose, by the small perception network.

The network has learnt on pictures of one person. So it never sees a whole group: windows over the picture show where
faces are and what is anybody's, and every face is then looked at by itself, at the size that the network knows. Pixels
of people who touch go to the one from whose head and chest they are reached first, along the edges of the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage
from skimage.filters import sobel
from skimage.segmentation import watershed

import dramatis
from dramatis.media.image import Pictures
from dramatis.media.masks import Masks
from dramatis.models.loading import load_model
from dramatis.models.perception import FaceReading, PerceptionNet
from dramatis.motion.face import fit_head
from dramatis.runtime.files import hash_file
from dramatis.story.values import Box

WEIGHTS = Path(dramatis.__file__).parent / "weights" / "mini" / "perception"
CELLS = 64
"""Cells of a side of the network's masks."""
LOOK = 7.2
"""Side of the square that a face is looked at in, in radii of its landmarks: what most training pictures show."""
FACE_FOUND, FACE_SEEN = 0.9, 0.5
"""Least score of a face that is new, and of one that is followed: lights out of focus reach 0.86."""
FACE_ERROR = 0.06
"""Most that landmarks may differ from a head's, in head heights (`HeadFit.error`)."""
_STEADY = 0.7
"""Most that the centre of a face may move between two looks at it, in radii."""
_COMPACT = 0.3
"""How much distance counts beside edges where people touch (`skimage.segmentation.watershed`)."""
_CLOSER = 3.0
"""How much the middle of a closer look counts beside the windows."""
_SPOT = 5.5
"""Side of the first look at a spot, in radii of a disc of its area: skin reaches beyond the landmarks."""
_LEAST_CELLS = 16
"""Cells of a window below which a spot is no face."""
_ROUNDS = 3
"""How often faces are looked for in what is left of the picture without those found so far."""
_BOX_RADIUS = 0.39
"""Radius of a face's landmarks over the root of their box's area."""
_SKIN = 1.8
"""Half the width of a face's skin and hair line, in radii of its landmarks."""


class CropBox(NamedTuple):
    """Which square is looked at, in pixels; it may reach beyond the picture."""

    left: float
    top: float
    side: float


def radius_of(points: NDArray[np.float32]) -> float:
    """Root mean square distance of (K, 2) points from their mean."""
    return float(np.sqrt(((points - points.mean(0)) ** 2).sum(1).mean()))


def square_around(landmarks: NDArray[np.float32]) -> CropBox:
    """The square to look at a face with these landmarks (68, 2) px."""
    x, y = landmarks.mean(0)
    side = LOOK * radius_of(landmarks)
    return CropBox(float(x - side / 2), float(y - side / 2), side)


@dataclass(frozen=True, eq=False)
class Face:
    """One look at a face. landmarks: (68, 2) px.  score: 0..1.  person: (64, 64) in 0..1 over `square`."""

    landmarks: NDArray[np.float32]
    score: float
    person: NDArray[np.float32]
    square: CropBox

    @property
    def centre(self) -> NDArray[np.float32]:
        """Mean of the landmarks, px."""
        return np.asarray(self.landmarks.mean(0))

    @property
    def radius(self) -> float:
        """Root mean square distance of the landmarks from their centre, px."""
        return radius_of(self.landmarks)

    @property
    def crop_box(self) -> CropBox:
        """The square to look at the same face in again."""
        return square_around(self.landmarks)

    def is_face(self, least: float = FACE_SEEN) -> bool:
        """Whether the network is that sure, and the landmarks lie as those of a head do."""
        if self.score < least:
            return False
        try:
            return fit_head(self.landmarks).error < FACE_ERROR
        except ValueError:
            return False


@dataclass(frozen=True, eq=False)
class DetectedPerson:
    """Somebody in a picture.

    landmarks: (68, 2) px.  score: of the face, 0..1.  face, person: the boxes of the landmarks and of the whole
    person, as shares of the picture; equal where only the face was looked at.  reading: all that the network saw,
    where it looked at the whole picture at once, as it does for portraits.
    """

    landmarks: NDArray[np.float32]
    score: float
    face: Box
    person: Box
    reading: FaceReading | None = None


@dataclass(frozen=True, eq=False)
class WindowMaps:
    """What windows over a frame show. person, face: (h, w) in 0..1 on a grid of cells of `cell` pixels each."""

    person: NDArray[np.float32]
    face: NDArray[np.float32]
    cell: float


class FaceDetector:
    """Looks at parts of frames with the perception network; what the windows over the last frame showed is kept."""

    def __init__(self, net: PerceptionNet, identity: str = "") -> None:
        self.identity = identity
        self.net = net.eval()
        self._last: tuple[Pictures, dict[float, WindowMaps]] | None = None

    @classmethod
    def shipped(cls, folder: Path = WEIGHTS) -> FaceDetector:
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
        steady = _distance(first, second) < _STEADY * second.radius
        return second if steady and second.is_face(FACE_FOUND) else None

    def people(self, frame: Pictures, faces: Sequence[Face]) -> Masks:
        """Masks (N, H, W) of the people with these faces, without overlap."""
        large = min(frame.shape[:2])
        small = max(face.crop_box.side for face in faces) < large / 2
        return split_people(frame, faces, self.detect_windows(frame, large / 2 if small else large))

    def at(self, frame: Pictures, square: CropBox) -> Face:
        """One look at a square."""
        points, masks, score = self._run(frame, [square])
        return Face(points[0], float(score[0]), masks[0, 0], square)

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


def find_people(detector: FaceDetector, picture: Pictures) -> list[DetectedPerson]:
    """Everybody in a picture (H, W, 3) whose face can be seen, from left to right."""
    faces = detector.find(picture)
    masks = detector.people(picture, faces) if faces else ()
    return [detected_person(picture, face, mask) for face, mask in zip(faces, masks, strict=True)]


def find_faces(detector: FaceDetector, picture: Pictures, boxes: Sequence[Box]) -> list[Face | None]:
    """The face in each box (as in `DetectedPerson.face`) of a picture (H, W, 3); None where there is none.

    The picture may have another size than the one in which the boxes were found.
    """
    return [_face_in(detector, picture, box) for box in boxes]


def _face_in(detector: FaceDetector, picture: Pictures, box: Box) -> Face | None:
    height, width = picture.shape[:2]
    left, top, right, bottom = box.pixels((width, height))
    side = LOOK * _BOX_RADIUS * float(np.sqrt((right - left) * (bottom - top)))
    first = detector.at(picture, CropBox((left + right - side) / 2, (top + bottom - side) / 2, side))
    second = detector.at(picture, first.crop_box)
    x, y = second.centre
    return second if second.is_face() and left < x < right and top < y < bottom else None


def face_box(landmarks: NDArray[np.float32], size: tuple[int, int]) -> Box:
    """The box of landmarks (68, 2) px, as shares of a picture of (width, height)."""
    return Box(*landmarks.min(0).tolist(), *landmarks.max(0).tolist()).shares(size)


def detected_person(picture: Pictures, face: Face, mask: NDArray[np.bool_]) -> DetectedPerson:
    """The person with this face (in pixels of the picture) and this mask (H, W)."""
    height, width = picture.shape[:2]
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = face_box(face.landmarks, (width, height))
    if not len(rows):
        return DetectedPerson(face.landmarks, face.score, box, box)
    whole = Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
    return DetectedPerson(face.landmarks, face.score, box, whole.shares((width, height)))


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


def _distance(face: Face, other: Face) -> float:
    """Distance between the centres of two faces, px."""
    return float(np.linalg.norm(face.centre - other.centre))


def distinct_faces(faces: Sequence[Face]) -> list[Face]:
    """The faces without repetitions: of two looks at one face the earlier counts."""
    different: list[Face] = []
    for face in faces:
        if all(_distance(face, other) > max(face.radius, other.radius) for other in different):
            different.append(face)
    return different


def crop(frame: Pictures, square: CropBox, size: int) -> Pictures:
    """A square of the frame at `size` x `size`; where it reaches beyond the frame, the border is repeated."""
    height, width = frame.shape[:2]
    left, top = int(np.floor(square.left)), int(np.floor(square.top))
    reach = int(np.ceil(square.side)) + 2
    columns = np.clip(np.arange(left, left + reach), 0, width - 1)
    rows = np.clip(np.arange(top, top + reach), 0, height - 1)
    x, y = square.left - left, square.top - top
    part = Image.fromarray(frame[np.ix_(rows, columns)])
    scaled = part.resize((size, size), Image.Resampling.BILINEAR, box=(x, y, x + square.side, y + square.side))
    return np.asarray(scaled)


def split_people(frame: Pictures, faces: Sequence[Face], windows: WindowMaps) -> Masks:
    """Which pixel belongs to whom: masks (N, H, W) of the people with these faces, without overlap."""
    height, width = frame.shape[:2]
    share = _refined(_enlarged(windows.person, (height, width)), faces)
    anybody = share[::2, ::2] > 0.5
    seeds = _seeds(faces, (height, width))[::2, ::2] * anybody
    edges = sobel(frame[::2, ::2].astype(np.float32).mean(-1))
    owners = watershed(edges, seeds, mask=anybody, compactness=_COMPACT)
    # A person's own border is as fine as the network's; only the border between two is that of the half-size picture.
    owners = np.repeat(np.repeat(owners, 2, 0), 2, 1)[:height, :width]
    nobody = owners == 0
    if nobody.any() and not nobody.all():
        rows, columns = ndimage.distance_transform_edt(nobody, return_distances=False, return_indices=True)
        near = ndimage.binary_dilation(~nobody, iterations=2)
        owners = np.where(near, owners[rows, columns], 0)
    return np.stack([(share > 0.5) & (owners == k + 1) for k in range(len(faces))])


def _enlarged(cells: NDArray[np.float32], size: tuple[int, int]) -> NDArray[np.float32]:
    """A map of cells over a frame of (height, width)."""
    large = Image.fromarray(cells).resize(size[::-1], Image.Resampling.BILINEAR)
    return np.array(large)


def _refined(share: NDArray[np.float32], faces: Sequence[Face]) -> NDArray[np.float32]:
    """A map (H, W) of where anybody is, improved by closer looks at faces; a look counts most in its middle."""
    total, weight = share.copy(), np.ones_like(share)
    for face in faces:
        side = max(1, round(face.square.side))
        left, top = round(face.square.left), round(face.square.top)
        rows = slice(max(0, top), max(0, min(share.shape[0], top + side)))
        columns = slice(max(0, left), max(0, min(share.shape[1], left + side)))
        inner = np.s_[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        trust = (_CLOSER * _enlarged(_pyramid(), (side, side)))[inner]
        total[rows, columns] += trust * _enlarged(face.person, (side, side))[inner]
        weight[rows, columns] += trust
    return total / weight


def _pyramid() -> NDArray[np.float32]:
    """How far the network's cells can be trusted, (64, 64) in 0..1: least at the borders, which cut things off."""
    taper = np.minimum(np.arange(CELLS) + 0.5, CELLS - np.arange(CELLS) - 0.5) * 2 / CELLS
    return np.minimum.outer(taper, taper).astype(np.float32)


def _seeds(faces: Sequence[Face], size: tuple[int, int]) -> NDArray[np.int64]:
    """What certainly belongs to each person, (H, W): the face, and neck and chest below it. The nearer person wins."""
    ys, xs = np.mgrid[: size[0], : size[1]] + 0.5
    seeds = np.zeros(size, np.int64)
    for k in np.argsort([face.radius for face in faces]):
        face = faces[k]
        aside, below = np.abs(xs - face.centre[0]) / face.radius, (ys - face.centre[1]) / face.radius
        chest = np.clip(0.8 + 0.6 * (below - 1), 0, 1.8)
        seeds[(np.hypot(aside, below) < 1.0) | ((below > 1.0) & (aside < chest))] = k + 1
    return seeds
