"""The library's eye: mediapipe's networks see faces, lips, lids, irises, outlines, shoulders and hands of real people.

Faces are looked for in the whole picture and, where they are small or none is found, in ever smaller squares of it.
Each is then followed by the mesh of 468 points until its square stays where it is. What the mesh sees becomes 68
landmarks as this project means them (`library_landmarks`), and finer lines of lips and eyes.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dramatis.media.image import Pictures
from dramatis.senses.seeing.division import divide_people
from dramatis.senses.seeing.eye import BodyPose, CropBox, Doubt, Face, FaceContours, distinct_faces
from dramatis.senses.seeing.library_files import LIBRARY_FILES, MEDIAPIPE_VERSION
from dramatis.senses.seeing.library_landmarks import landmarks_from_mesh
from dramatis.senses.seeing.library_nets import (
    AnchorNet,
    Detections,
    IrisNet,
    MeshNet,
    PoseLook,
    PoseNet,
    SegmentationNet,
)
from dramatis.senses.seeing.matting import refine_outline
from dramatis.senses.seeing.pyramid import Pyramid, crop
from dramatis.story.values import Box

_DETECTED = 0.5
"""Least score of a detection that the mesh looks at."""
_DOUBTED = 0.3
"""Least score of a detection that explains why a picture is refused."""
_FACE_FLAG = 0.5
"""Least certainty of the mesh that it sees a face."""
_SMALL_FACE = 0.2
"""Width of a face, as a share of the square it was found in, below which smaller squares are searched too."""
_FINEST = 3
"""How often the squares that are searched are halved at most."""
_LEAST_SQUARE = 160
"""Side of a square, px, below which a further half would show nothing new."""
_MESH_REACH = 1.5
"""Side of the square that the mesh looks at, over the face's longer extent (as the library cuts it)."""
_MESH_RADII = 4.0
"""The same in radii of a face's 68 landmarks, about; the mesh itself then says more exactly where the face is."""
_MESH_LOOKS = 3
_EYE_REACH = 2.3
"""Side of the square that an eye is looked at in, over the width of its lids (as the library cuts it)."""
_BODY_REACH = 1.25
"""Side of the square that a body is looked at in, over the diameter of the circle round it (as the library cuts it)."""
_HEAD_REACH, _HEAD_UP = 7.0, 0.42
"""Side of the square in which a head is segmented, in radii of its landmarks, and the share of it above their middle:
on 24 rendered training people 6 and 7 gave the least error at hair, and 10 and more were worse than no second look."""
_FADE = 0.1
"""Share of a square's side over which a closer look fades in."""
_WIDE = 1.3
"""Longer over shorter side of a picture from which each face is segmented in a square of its own."""
_BODY_FOUND, _BODY_SEEN = 0.5, 0.5

OUTER_EYE_CORNERS = (33, 263)
_LIPS_OUTER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
_LIPS_INNER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
_EYE_CORNERS = ((33, 133), (362, 263))
"""Points of the mesh at the corners of each eye, from left to right."""
_NOSE, _SHOULDERS, _ELBOWS, _WRISTS = 0, (12, 11), (14, 13), (16, 15)
_KNUCKLES = ((18, 20), (17, 19))
"""Points of the pose, that on the left of the picture first where somebody faces the camera."""


class LibraryEye:
    """Sees with mediapipe's networks in `folder`, one computing thread, one caller at a time."""

    name = "library"
    identity = f"mediapipe {MEDIAPIPE_VERSION}: " + ",".join(sha256[:8] for sha256 in LIBRARY_FILES.values()) + "; 2"
    cuts_out = True
    sharpest_side = 10_000

    def __init__(self, folder: Path) -> None:
        self._detectors = (AnchorNet.full_range(folder), AnchorNet.short_range(folder))
        self._mesh, self._iris = MeshNet(folder), IrisNet(folder)
        self._segmenter = SegmentationNet(folder)
        self._people, self._pose = AnchorNet.people(folder), PoseNet(folder)
        self._last: Pyramid | None = None

    def find(self, frame: Pictures) -> list[Face]:
        """All faces, from left to right."""
        picture = self._pyramid(frame)
        faces: list[Face] = []
        for level in range(_FINEST + 1):
            side = _square_side(picture.size, level)
            if level and side < _LEAST_SQUARE:
                break
            found = self._detections(picture, _squares(picture.size, side, whole=level == 0))
            faces = distinct_faces([*faces, *self._settled(picture, found)])
            if faces and min(np.ptp(face.landmarks[:, 0]) for face in faces) >= _SMALL_FACE * side:
                break
        return sorted(faces, key=lambda face: float(face.centre[0]))

    def face_in(self, frame: Pictures, square: CropBox) -> Face | None:
        """The face that a square surrounds; None where none can be seen."""
        picture = self._pyramid(frame)
        found = self._detections(picture, [square])
        middle = np.array(square[:2]) + square.side / 2
        faces = self._settled(picture, found) or self._guessed(picture, square)
        return min(faces, key=lambda face: float(np.linalg.norm(face.centre - middle)), default=None)

    def outlines(self, frame: Pictures, faces: Sequence[Face]) -> NDArray[np.float32]:
        """(N, H, W) in 0..1: how much of each pixel belongs to each person; soft at hair, together at most 1."""
        if not faces:
            return np.zeros((0, *frame.shape[:2]), np.float32)
        coarse, cell = self._anybody(self._pyramid(frame), faces)
        return divide_people(frame, faces, refine_outline(frame, coarse, cell))

    def coarse_outline(self, frame: Pictures, faces: Sequence[Face]) -> NDArray[np.float32]:
        """(H, W) in 0..1: where anybody is, as the segmenter says, merely enlarged."""
        return self._anybody(self._pyramid(frame), faces)[0]

    def bodies(self, frame: Pictures, faces: Sequence[Face]) -> list[BodyPose | None]:
        """Shoulders and arms of each person; None where no body is seen with the face."""
        picture = self._pyramid(frame)
        side = float(max(picture.size))
        found = self._people.detect(picture, _centred(picture.size, side), _BODY_FOUND)
        poses = [pose for hips, top, *_ in found.points if (pose := self._posed(picture, hips, top)) is not None]
        bodies: list[BodyPose | None] = []
        for face in faces:
            near = [pose for pose in poses if np.linalg.norm(pose.points[_NOSE] - face.centre) < face.radius]
            bodies.append(_body(near[0]) if near else None)
        return bodies

    def doubts(self, frame: Pictures) -> list[Doubt]:
        """What the detector takes for a face and the mesh does not, the likeliest first."""
        picture = self._pyramid(frame)
        parts = [
            net.detect(picture, square, _DOUBTED)
            for level in (0, 1)
            for square in _squares(picture.size, _square_side(picture.size, level), whole=level == 0)
            for net in self._detectors
        ]
        found = Detections.joined(parts)
        return [Doubt(Box(*box), _is_turned(points)) for box, points in zip(found.boxes, found.points, strict=True)]

    def mesh_of(self, frame: Pictures) -> NDArray[np.float64] | None:
        """The mesh (468, 3), px, of the surest face; None where there is none."""
        picture = self._pyramid(frame)
        found = self._detections(picture, _squares(picture.size, float(max(picture.size)), whole=True))
        for box, points in zip(found.boxes, found.points, strict=True):
            mesh, flag, _ = self._mesh_at(picture, *_start(box, points))
            if flag >= _FACE_FLAG:
                return mesh
        return None

    def mesh_near(self, frame: Pictures, mesh: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """The mesh (468, 3), px, of the face that lay at `mesh` a frame before; None where none is there any more."""
        return self._sure_mesh(frame, *_square_of_mesh(mesh))

    def mesh_of_face(self, frame: Pictures, face: Face) -> NDArray[np.float64] | None:
        """The mesh (468, 3), px, of a face that was found in this frame; None where the mesh sees none in its place."""
        return self._sure_mesh(frame, face.centre.astype(np.float64), _MESH_RADII * face.radius, 0.0)

    def _sure_mesh(
        self, frame: Pictures, centre: NDArray[np.float64], side: float, angle: float
    ) -> NDArray[np.float64] | None:
        mesh, flag, _ = self._mesh_at(self._pyramid(frame), centre, side, angle)
        return mesh if flag >= _FACE_FLAG else None

    def _pyramid(self, frame: Pictures) -> Pyramid:
        """The pyramid of a frame; that of the last frame is kept."""
        if self._last is None or self._last.picture is not frame:
            self._last = Pyramid(frame)
        return self._last

    def _detections(self, picture: Pyramid, squares: Sequence[CropBox]) -> Detections:
        return Detections.joined(
            [net.detect(picture, square, _DETECTED) for square in squares for net in self._detectors]
        )

    def _settled(self, picture: Pyramid, found: Detections) -> list[Face]:
        """The faces that the mesh confirms, the surest first."""
        looks = zip(found.boxes, found.points, found.scores, strict=True)
        faces = (self._followed(picture, *_start(box, points), float(score)) for box, points, score in looks)
        return [face for face in faces if face is not None]

    def _guessed(self, picture: Pyramid, square: CropBox) -> list[Face]:
        """The face where the detector sees none but a caller expects one: in the middle of the square, upright."""
        middle = np.array(square[:2]) + square.side / 2
        face = self._followed(picture, middle, square.side / 2, 0.0, _DETECTED)
        return [] if face is None else [face]

    def _followed(
        self, picture: Pyramid, centre: NDArray[np.float64], side: float, angle: float, score: float
    ) -> Face | None:
        """The face in a turned square; None if the mesh says that it is none."""
        mesh, flag, angle = self._mesh_at(picture, centre, side, angle)
        if flag < _FACE_FLAG:
            return None
        face = Face(landmarks_from_mesh(mesh), min(score, flag), self.name, self._contours(picture, mesh, angle))
        return face if face.is_face() else None

    def _mesh_at(
        self, picture: Pyramid, centre: NDArray[np.float64], side: float, angle: float
    ) -> tuple[NDArray[np.float64], float, float]:
        """Mesh, certainty and angle of a face, looked at again where the mesh says that it is."""
        mesh, flag = np.zeros((468, 3)), 0.0
        for _ in range(_MESH_LOOKS):
            mesh, flag = self._mesh.look(picture, (float(centre[0]), float(centre[1])), side, angle)
            centre, side, angle = _square_of_mesh(mesh)
        return mesh, flag, angle

    def _contours(self, picture: Pyramid, mesh: NDArray[np.float64], angle: float) -> FaceContours:
        lids, irises = zip(
            *(
                self._eye_lines(picture, mesh[list(corners), :2], angle, mirrored=index == 1)
                for index, corners in enumerate(_EYE_CORNERS)
            ),
            strict=True,
        )
        outer, inner = (mesh[list(line), :2].astype(np.float32) for line in (_LIPS_OUTER, _LIPS_INNER))
        return FaceContours(outer, inner, np.stack(lids), np.stack(irises))

    def _eye_lines(
        self, picture: Pyramid, corners: NDArray[np.float64], angle: float, *, mirrored: bool
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Lids (16, 2) from the left corner over the upper lid and back, and iris (5, 2), of one eye."""
        middle = corners.mean(0)
        side = _EYE_REACH * float(np.linalg.norm(corners[1] - corners[0]))
        contour, iris = self._iris.look(picture, (float(middle[0]), float(middle[1])), side, angle, mirrored=mirrored)
        outer, lower, inner, upper = contour[:1], contour[1:8], contour[8:9], contour[9:]
        if mirrored:  # its outer corner is the right one
            ring = np.concatenate([inner, upper[::-1], outer, lower])
            iris = iris[[0, 3, 2, 1, 4]]
        else:
            ring = np.concatenate([outer, upper, inner, lower[::-1]])
        return ring.astype(np.float32), iris.astype(np.float32)

    def _posed(self, picture: Pyramid, hips: NDArray[np.float64], top: NDArray[np.float64]) -> PoseLook | None:
        """The body between hips and the top of the circle round it."""
        up = top - hips
        angle = float(np.arctan2(up[0], -up[1]))
        side = 2 * _BODY_REACH * float(np.linalg.norm(up))
        look = self._pose.look(picture, (float(hips[0]), float(hips[1])), side, angle)
        return look if look.flag >= _BODY_SEEN else None

    def _anybody(self, picture: Pyramid, faces: Sequence[Face]) -> tuple[NDArray[np.float32], float]:
        """Where anybody is, (H, W) in 0..1, and how many pixels of the picture one cell of the answer covers.

        The segmenter sees the whole picture, in wide ones the squares around each face, and each head from nearer.
        """
        width, height = picture.size
        squares = [_centred(picture.size, float(max(width, height)))]
        if max(width, height) > _WIDE * min(width, height):
            squares += [_square_of_side(face, picture.size) for face in faces]
        squares += [_square_of_head(face) for face in faces]
        anybody = np.zeros((height, width), np.float32)
        for number, square in enumerate(squares):
            self._paste(anybody, picture, square, whole=number == 0)
        return anybody, min(square.side for square in squares) / SegmentationNet.CELLS

    def _paste(self, anybody: NDArray[np.float32], picture: Pyramid, square: CropBox, *, whole: bool) -> None:
        """Write what the segmenter sees in a square over a map (H, W), in place; fading out towards its border."""
        mask = self._segmenter.mask(crop(picture.picture, square, SegmentationNet.CELLS))
        height, width = anybody.shape
        left, top = max(0, int(square.left)), max(0, int(square.top))
        right = min(width, int(np.ceil(square.left + square.side)))
        bottom = min(height, int(np.ceil(square.top + square.side)))
        scale = SegmentationNet.CELLS / square.side
        cells = Box(left - square.left, top - square.top, right - square.left, bottom - square.top)
        within = Box(*(scale * edge for edge in cells)).within((SegmentationNet.CELLS, SegmentationNet.CELLS))
        large = Image.fromarray(mask).resize((right - left, bottom - top), Image.Resampling.BICUBIC, box=within)
        part = anybody[top:bottom, left:right]
        trust = 1.0 if whole else _trust(square, (left, top, right, bottom))
        part += trust * (np.clip(np.asarray(large), 0, 1) - part)


def _square_of_mesh(mesh: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, float]:
    """Centre, side and angle of the square in which a face (468, 3) is looked at again."""
    across = mesh[OUTER_EYE_CORNERS[1], :2] - mesh[OUTER_EYE_CORNERS[0], :2]
    angle = float(np.arctan2(across[1], across[0]))
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    upright = mesh[:, :2] @ turn.T
    low, high = upright.min(0), upright.max(0)
    return turn.T @ (low + high) / 2, max(1.0, _MESH_REACH * float((high - low).max())), angle


def _trust(square: CropBox, part: tuple[int, int, int, int]) -> NDArray[np.float32]:
    """How much the segmenter's look at a square counts in each pixel of a part of it: less towards the border."""
    left, top, right, bottom = part
    x = np.arange(left, right) + 0.5 - square.left
    y = np.arange(top, bottom) + 0.5 - square.top
    inside_x, inside_y = np.minimum(x, square.side - x), np.minimum(y, square.side - y)
    inside = np.minimum(inside_x[None], inside_y[:, None]) / (_FADE * square.side)
    return np.clip(inside, 0, 1).astype(np.float32)


def _square_of_head(face: Face) -> CropBox:
    """The square in which hair and shoulders of a head are looked at from nearer."""
    side = _HEAD_REACH * face.radius
    return CropBox(float(face.centre[0]) - side / 2, float(face.centre[1]) - _HEAD_UP * side, side)


def _square_of_side(face: Face, size: tuple[int, int]) -> CropBox:
    """The largest square within a picture of (width, height) that has a face in its middle."""
    side = float(min(size))
    left, top = (
        min(max(0.0, float(at) - side / 2), extent - side) for at, extent in zip(face.centre, size, strict=True)
    )
    return CropBox(left, top, side)


def _start(box: NDArray[np.float64], points: NDArray[np.float64]) -> tuple[NDArray[np.float64], float, float]:
    """Centre, side and angle of the first square for a detected face; its first two points are the eyes."""
    across = points[1] - points[0]
    side = _MESH_REACH * float((box[2:] - box[:2]).max())
    return (box[:2] + box[2:]) / 2, side, float(np.arctan2(across[1], across[0]))


def _is_turned(points: NDArray[np.float64]) -> bool:
    """Whether the nose lies beside both eyes, as it does in faces that are turned by more than about 60 degrees."""
    across = points[1] - points[0]
    along = float((points[2] - points[0]) @ across / max(float(across @ across), 1e-9))
    return not 0.0 < along < 1.0


def _square_side(size: tuple[int, int], level: int) -> float:
    """Side of the squares in which faces are looked for; first the whole picture in one."""
    return float(max(size)) if level == 0 else min(size) / 2 ** (level - 1)


def _centred(size: tuple[int, int], side: float) -> CropBox:
    return CropBox((size[0] - side) / 2, (size[1] - side) / 2, side)


def _squares(size: tuple[int, int], side: float, *, whole: bool) -> list[CropBox]:
    """Squares that cover a picture of (width, height), half a side apart."""
    if whole:
        return [_centred(size, side)]
    starts = [np.linspace(0, extent - side, max(1, int(np.ceil(2 * (extent - side) / side)) + 1)) for extent in size]
    return [CropBox(float(left), float(top), side) for top in starts[1] for left in starts[0]]


def _body(look: PoseLook) -> BodyPose:
    def pair(indices: tuple[int, int]) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        return look.points[list(indices)].astype(np.float32), look.visibility[list(indices)]

    (shoulders, a), (elbows, b), (wrists, c) = pair(_SHOULDERS), pair(_ELBOWS), pair(_WRISTS)
    knuckles = [list(hand) for hand in _KNUCKLES]
    hands, d = look.points[knuckles].mean(1).astype(np.float32), look.visibility[knuckles].mean(1)
    return BodyPose(shoulders, elbows, wrists, hands, np.stack([a, b, c, d]).astype(np.float32), look.outline)
