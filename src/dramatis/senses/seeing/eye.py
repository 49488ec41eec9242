"""What an eye sees, and the protocol that every eye keeps: faces, outlines, shoulders and hands in any picture.

Two eyes stand behind it. `library_eye.LibraryEye` runs the models of a well-kept library and has seen real people;
`own_eye.OwnEye` is this project's own network, which has seen rendered ones and needs no further files.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from dramatis.media.image import Pictures
from dramatis.motion.face import fit_head, rotation_angles
from dramatis.story.values import Box

Points = NDArray[np.float32]
"""(K, 2) places in pixels, x to the right, y down; the centre of the first pixel is (0.5, 0.5)."""
LOOK = 7.2
"""Side of the square that a face is looked at in, in radii of its landmarks: what most training pictures show."""
FACE_FOUND, FACE_SEEN = 0.9, 0.5
"""Least score of a face that is new, and of one that is followed: lights out of focus reach 0.86."""
FACE_ERROR = 0.06
"""Most that landmarks may differ from a head's, in head heights (`HeadFit.error`), where a face is followed."""
NEW_FACE_ERROR = 0.03
"""The same for a face that is new: rendered faces stay below 0.02, other things do not."""


class CropBox(NamedTuple):
    """Which square is looked at, in pixels; it may reach beyond the picture."""

    left: float
    top: float
    side: float


@dataclass(frozen=True, eq=False)
class FaceContours:
    """The fine lines of a face, in pixels; the side of the picture comes first, never the person's own.

    lips_outer, lips_inner: (20, 2), from the left corner of the mouth over the upper lip and back along the lower one.
    lids: (2, 16, 2), left eye first, from the left corner over the upper lid and back. irises: (2, 5, 2), the centre,
    then right, top, left and bottom.
    """

    lips_outer: Points
    lips_inner: Points
    lids: NDArray[np.float32]
    irises: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class CloserLook:
    """What the own network sees of the person round a face: `person`, (64, 64) in 0..1, over `square`."""

    person: NDArray[np.float32]
    square: CropBox


@dataclass(frozen=True, eq=False)
class Face:
    """One look at a face.

    landmarks: (68, 2) px, iBUG order.  score: how sure the eye is, 0..1.  eye: which one it was.  contours: lips, lids
    and irises, where the eye sees as finely.  closer: what the own network saw around the face.
    """

    landmarks: Points
    score: float
    eye: str = "own"
    contours: FaceContours | None = None
    closer: CloserLook | None = None

    @property
    def centre(self) -> Points:
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

    @property
    def angles(self) -> tuple[float, float, float]:
        """Yaw, pitch and roll of the head in radians, see `dramatis.motion.face`. Raises ValueError where none fits."""
        return rotation_angles(fit_head(self.landmarks).rotation)

    def is_face(self, least: float = FACE_SEEN, error: float = FACE_ERROR) -> bool:
        """Whether the eye is that sure, and the landmarks lie as those of a head do, up to an error in head heights."""
        if self.score < least:
            return False
        try:
            return fit_head(self.landmarks).error < error
        except ValueError:
            return False

    def placed(self, scale: float, shift: tuple[float, float] = (0.0, 0.0)) -> Face:
        """The same face in the picture at another size: every place times `scale`, then moved by `shift` px."""
        moved, factor = np.array(shift, np.float32), np.float32(scale)
        contours, closer = self.contours, self.closer
        if contours is not None:
            lines = (contours.lips_outer, contours.lips_inner, contours.lids, contours.irises)
            contours = FaceContours(*(line * factor + moved for line in lines))
        if closer is not None:
            left, top, side = closer.square
            closer = CloserLook(closer.person, CropBox(left * scale + shift[0], top * scale + shift[1], side * scale))
        return replace(self, landmarks=self.landmarks * factor + moved, contours=contours, closer=closer)


@dataclass(frozen=True)
class Doubt:
    """Something that may be a face, but is not used as one.

    box: px.  turned: whether it seems to be turned far to the side.
    """

    box: Box
    turned: bool = False


@dataclass(frozen=True, eq=False)
class BodyPose:
    """Shoulders, elbows, wrists and hands: (2, 2) px each, that on the left of the picture first.

    A hand is the middle of its knuckles. visibility: (4, 2) in 0..1, how surely each can be seen, in that order.
    outline: (H, W) in 0..1, which pixels the network that finds the joints takes for this person's: coarser than
    `Eye.outlines`, and seen by other eyes.
    """

    shoulders: Points
    elbows: Points
    wrists: Points
    hands: Points
    visibility: NDArray[np.float32]
    outline: NDArray[np.float32] | None = None


class Eye(Protocol):
    """Sees people in pictures (H, W, 3) uint8. Not safe for several threads at once: `PersonFinder` guards it."""

    name: str
    """What users are told: "library" or "own"."""
    identity: str
    """Names the networks and their weights; what was seen with another identity is looked at again."""
    cuts_out: bool
    """Whether outlines are fine enough to set people before another background."""
    sharpest_side: int
    """Shorter side of a picture, px, beyond which this eye sees no better."""

    def find(self, frame: Pictures) -> list[Face]:
        """All faces, from left to right."""
        ...

    def face_in(self, frame: Pictures, square: CropBox) -> Face | None:
        """The face that a square surrounds, as `crop_box` does; None where none can be seen."""
        ...

    def outlines(self, frame: Pictures, faces: Sequence[Face]) -> NDArray[np.float32]:
        """(N, H, W) in 0..1: how much of each pixel belongs to each person; soft at hair, together at most 1."""
        ...

    def bodies(self, frame: Pictures, faces: Sequence[Face]) -> list[BodyPose | None]:
        """Shoulders and arms of each person; None where the eye does not see them."""
        ...

    def doubts(self, frame: Pictures) -> list[Doubt]:
        """What may be a face but cannot be used, the likeliest first: it tells why a picture is refused."""
        ...


def radius_of(points: Points) -> float:
    """Root mean square distance of (K, 2) points from their mean."""
    return float(np.sqrt(((points - points.mean(0)) ** 2).sum(1).mean()))


def square_around(landmarks: Points) -> CropBox:
    """The square to look at a face with these landmarks (68, 2) px."""
    x, y = landmarks.mean(0)
    side = LOOK * radius_of(landmarks)
    return CropBox(float(x - side / 2), float(y - side / 2), side)


def face_box(landmarks: Points, size: tuple[int, int]) -> Box:
    """The box of landmarks (68, 2) px, as shares of a picture of (width, height)."""
    return Box(*landmarks.min(0).tolist(), *landmarks.max(0).tolist()).shares(size)


def distinct_faces(faces: Sequence[Face]) -> list[Face]:
    """The faces without repetitions: of two looks at one face the earlier counts."""
    different: list[Face] = []
    for face in faces:
        if all(distance_between(face, other) > max(face.radius, other.radius) for other in different):
            different.append(face)
    return different


def distance_between(face: Face, other: Face) -> float:
    """Distance between the centres of two faces, px."""
    return float(np.linalg.norm(face.centre - other.centre))
