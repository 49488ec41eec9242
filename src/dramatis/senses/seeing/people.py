"""Everybody in a picture, from left to right: where each face is, and where the person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dramatis.media.image import Pictures
from dramatis.motion.face import fit_head
from dramatis.senses.seeing.eye import LOOK, CropBox, Eye, Face, FaceContours, face_box
from dramatis.story.values import Box

_BOX_RADIUS = 0.39
"""Radius of a face's landmarks over the root of their box's area."""


@dataclass(frozen=True, eq=False)
class DetectedPerson:
    """Somebody in a picture.

    landmarks: (68, 2) px.  score: how sure the eye is of the face, 0..1.  face, person: the boxes of the landmarks and
    of the whole person, as shares of the picture; equal where only the face was looked at.  eye: which one saw it.
    contours: lips, lids and irises, where the eye sees as finely.
    """

    landmarks: NDArray[np.float32]
    score: float
    face: Box
    person: Box
    eye: str = "own"
    contours: FaceContours | None = None


def person_with_face(face: Face, size: tuple[int, int], mask: NDArray[np.bool_] | None = None) -> DetectedPerson:
    """The person with this face, in a picture of (width, height) px. mask: (H, W), which pixels show the person."""
    box = whole = face_box(face.landmarks, size)
    if mask is not None and mask.any():
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        whole = Box(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1).shares(size)
    return DetectedPerson(face.landmarks, face.score, box, whole, face.eye, face.contours)


def find_people(eye: Eye, picture: Pictures, faces: Sequence[Face] | None = None) -> list[DetectedPerson]:
    """Everybody in a picture (H, W, 3) whose face can be seen, from left to right; faces: if found already."""
    faces = eye.find(picture) if faces is None else faces
    outlines = eye.outlines(picture, faces) if faces else ()
    size = picture.shape[1], picture.shape[0]
    return [person_with_face(face, size, outline > 0.5) for face, outline in zip(faces, outlines, strict=True)]


def find_faces(eye: Eye, picture: Pictures, boxes: Sequence[Box]) -> list[Face | None]:
    """The face in each box (as in `DetectedPerson.face`) of a picture (H, W, 3); None where there is none.

    The picture may have another size than the one in which the boxes were found.
    """
    return [_face_in(eye, picture, box.pixels((picture.shape[1], picture.shape[0]))) for box in boxes]


def _face_in(eye: Eye, picture: Pictures, box: Box) -> Face | None:
    face = eye.face_in(picture, square_of_box(box))
    if face is None:
        return None
    x, y = face.centre
    return face if box.left < x < box.right and box.top < y < box.bottom else None


def square_of_box(box: Box) -> CropBox:
    """The square to look at a face whose landmarks fill a box, both in pixels."""
    side = LOOK * _BOX_RADIUS * box.area**0.5
    x, y = box.centre
    return CropBox(x - side / 2, y - side / 2, side)


def largest_face(faces: Sequence[Face]) -> Face | None:
    """The face with the largest head, however it is turned; None of nobody."""
    return max(faces, key=head_size, default=None)


def head_size(face: Face) -> float:
    """Height of the head, px, whichever way it looks."""
    return fit_head(face.landmarks).scale
