"""The parts that need no download: people, keypoints and masks by `dramatis.senses.seeing.people`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dramatis.senses.seeing.people import FACE_SEEN, CropBox, Face, FaceDetector, distinct_faces, square_around
from dramatis.story.values import Box
from dramatis_lab.annotate.units import Detection, Frame, Masks, Pose, Prompt, Tracking, bounding_box

FACES = {68: slice(68), 133: slice(23, 91)}
"""Which keypoints are the 68 landmarks of a face: all of 68, or some of the 133 of COCO's whole body (DWPose)."""


class PerceptionDetector:
    """Finds people by their faces; a box surrounds the person's mask in this frame."""

    def __init__(self, detector: FaceDetector) -> None:
        self.identity = detector.identity
        self._detector = detector

    def detect(self, frame: Frame) -> list[Detection]:
        faces = self._detector.find(frame)
        if not faces:
            return []
        boxes = [bounding_box(mask) for mask in self._detector.people(frame, faces)]
        return [Detection(box, face.score) for box, face in zip(boxes, faces, strict=True) if box is not None]


class PerceptionPose:
    """Finds the 68 landmarks of a face in the upper part of a box."""

    def __init__(self, detector: FaceDetector) -> None:
        self.identity = detector.identity
        self._detector = detector

    def estimate(self, frame: Frame, boxes: Sequence[Box]) -> list[Pose]:
        return [self._pose(frame, box) for box in boxes]

    def _pose(self, frame: Frame, box: Box) -> Pose:
        face = self._detector.at(frame, head_crop(box))
        face = self._detector.at(frame, face.crop_box)
        sure = face.score if face.is_face() else 0.0
        return Pose(face.landmarks, np.full(len(face.landmarks), sure, np.float32))


def head_crop(box: Box) -> CropBox:
    """Where to look for the head of somebody who stands or sits: a square at the top of the box, as wide as it."""
    side = max(1.0, min(box.right - box.left, box.bottom - box.top))
    middle = (box.left + box.right) / 2
    return CropBox(middle - side / 2, box.top - 0.05 * side, side)


class PerceptionSegmenter:
    """Follows faces from frame to frame and masks the people they belong to."""

    def __init__(self, detector: FaceDetector) -> None:
        self.identity = detector.identity
        self._detector = detector

    def begin(self, prompts: Sequence[Prompt]) -> Tracking:
        return _FollowedFaces(self._detector, prompts)


class _FollowedFaces:
    """Where each face was last seen; a lost face is looked for there in every frame."""

    def __init__(self, detector: FaceDetector, prompts: Sequence[Prompt]) -> None:
        self._detector = detector
        self._crops = [initial_crop(prompt) for prompt in prompts]

    def step(self, frame: Frame) -> Masks:
        masks = np.zeros((len(self._crops), *frame.shape[:2]), bool)
        faces: dict[int, Face] = {}
        for person, crop in enumerate(self._crops):
            face = self._detector.at(frame, crop)
            if face.is_face() and len(distinct_faces([*faces.values(), face])) > len(faces):
                faces[person] = face
                self._crops[person] = face.crop_box
        if faces:
            masks[list(faces)] = self._detector.people(frame, list(faces.values()))
        return masks


def initial_crop(prompt: Prompt) -> CropBox:
    """Where to look first: at the keypoints of the face if they are confident, otherwise at the top of the box."""
    pose, part = prompt.pose, FACES.get(len(prompt.pose.points))
    if part is None or pose.confidence[part].min() < FACE_SEEN:
        return head_crop(prompt.box)
    return square_around(pose.points[part])
