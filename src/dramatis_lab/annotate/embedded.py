"""The parts that need no download of their own: people, keypoints and masks by an eye of `dramatis.senses.seeing`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dramatis.senses.seeing.eye import (
    FACE_SEEN,
    BodyPose,
    CropBox,
    Eye,
    Face,
    distance_between,
    distinct_faces,
    square_around,
)
from dramatis.story.values import Box
from dramatis_lab.annotate.units import FACES, Detection, Frame, Masks, Pose, Prompt, Tracking, bounding_box


class FrameLooks:
    """One eye, which looks at each frame once for all parts."""

    def __init__(self, eye: Eye) -> None:
        self.eye = eye
        self._frame: Frame | None = None
        self._faces: list[Face] | None = None
        self._outlined: tuple[list[Face], Masks] | None = None

    def faces(self, frame: Frame) -> list[Face]:
        """All faces in a frame, from left to right."""
        self._turn_to(frame)
        if self._faces is None:
            self._faces = self.eye.find(frame)
        return self._faces

    def face_near(self, frame: Frame, square: CropBox) -> Face | None:
        """The face that a square surrounds: among those of the frame, or by a look at this very place."""
        left, top, side = square
        middle = np.array([left + side / 2, top + side / 2])
        near = [face for face in self.faces(frame) if np.linalg.norm(face.centre - middle) < face.radius]
        return near[0] if near else self.eye.face_in(frame, square)

    def masks(self, frame: Frame, faces: list[Face]) -> Masks:
        """(N, H, W) of the people with these faces."""
        self._turn_to(frame)
        if self._outlined is None or self._outlined[0] != faces:
            self._outlined = (faces, self.eye.outlines(frame, faces) > 0.5)
        return self._outlined[1]

    def bodies(self, frame: Frame, faces: list[Face]) -> list[BodyPose | None]:
        """Shoulders and arms of the people with these faces."""
        return self.eye.bodies(frame, faces) if faces else []

    def _turn_to(self, frame: Frame) -> None:
        if self._frame is not frame:
            self._frame, self._faces, self._outlined = frame, None, None


class EyeDetector:
    """Finds people by their faces; a box surrounds the person's mask in this frame."""

    def __init__(self, looks: FrameLooks) -> None:
        self.identity = looks.eye.identity
        self._looks = looks

    def detect(self, frame: Frame) -> list[Detection]:
        faces = self._looks.faces(frame)
        if not faces:
            return []
        boxes = [bounding_box(mask) for mask in self._looks.masks(frame, faces)]
        return [Detection(box, face.score) for box, face in zip(boxes, faces, strict=True) if box is not None]


class EyePose:
    """Finds the 68 landmarks of a face in the upper part of a box, and the body below it."""

    def __init__(self, looks: FrameLooks) -> None:
        self.identity = looks.eye.identity
        self._looks = looks

    def estimate(self, frame: Frame, boxes: Sequence[Box]) -> list[Pose]:
        faces = [self._face(frame, box) for box in boxes]
        seen = [face for face in faces if face is not None]
        bodies = iter(self._looks.bodies(frame, seen))
        return [_lost() if face is None else _pose(face, next(bodies)) for face in faces]

    def _face(self, frame: Frame, box: Box) -> Face | None:
        inside = [
            face
            for face in self._looks.faces(frame)
            if box.left <= face.centre[0] < box.right and box.top <= face.centre[1] < box.bottom
        ]
        if inside:
            middle = (box.left + box.right) / 2
            return min(inside, key=lambda face: abs(float(face.centre[0]) - middle))
        return self._looks.eye.face_in(frame, head_crop(box))


def _lost() -> Pose:
    """The pose of somebody whose face is not seen."""
    return Pose(np.zeros((68, 2), np.float32), np.zeros(68, np.float32))


def _pose(face: Face, body: BodyPose | None) -> Pose:
    return Pose(face.landmarks, np.full(len(face.landmarks), face.score, np.float32), body)


def head_crop(box: Box) -> CropBox:
    """Where to look for the head of somebody who stands or sits: a square at the top of the box, as wide as it."""
    side = max(1.0, min(box.right - box.left, box.bottom - box.top))
    middle = (box.left + box.right) / 2
    return CropBox(middle - side / 2, box.top - 0.05 * side, side)


class EyeSegmenter:
    """Follows faces from frame to frame and masks the people they belong to."""

    def __init__(self, looks: FrameLooks) -> None:
        self.identity = looks.eye.identity
        self._looks = looks

    def begin(self, prompts: Sequence[Prompt]) -> Tracking:
        return _FollowedFaces(self._looks, prompts)


class _FollowedFaces:
    """Where each face was last seen; a lost face is looked for there in every frame."""

    def __init__(self, looks: FrameLooks, prompts: Sequence[Prompt]) -> None:
        self._looks = looks
        self._crops = [initial_crop(prompt) for prompt in prompts]

    def step(self, frame: Frame) -> Masks:
        masks: NDArray[np.bool_] = np.zeros((len(self._crops), *frame.shape[:2]), bool)
        faces: dict[int, Face] = {}
        for person, square in enumerate(self._crops):
            face = self._looks.face_near(frame, square)
            if face is not None and len(distinct_faces([*faces.values(), face])) > len(faces):
                faces[person] = face
                self._crops[person] = face.crop_box
        if faces:
            masks[list(faces)] = self._own_masks(frame, faces)
        return masks

    def _own_masks(self, frame: Frame, faces: dict[int, Face]) -> Masks:
        """Masks of the people followed. Others in the frame keep their own pixels."""
        strangers = [
            other
            for other in self._looks.faces(frame)
            if all(distance_between(other, face) > face.radius for face in faces.values())
        ]
        everybody = sorted([*faces.values(), *strangers], key=lambda face: float(face.centre[0]))
        masks = self._looks.masks(frame, everybody)
        return masks[[everybody.index(face) for face in faces.values()]]


def initial_crop(prompt: Prompt) -> CropBox:
    """Where to look first: at the keypoints of the face if they are confident, otherwise at the top of the box."""
    pose, part = prompt.pose, FACES.get(len(prompt.pose.points))
    if part is None or pose.confidence[part].min() < FACE_SEEN:
        return head_crop(prompt.box)
    return square_around(pose.points[part])
