"""The parts that need no download: people, keypoints and masks as `dramatis.senses.seeing.people` finds them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dramatis.senses.seeing.people import FACE_SEEN, Eye, Face, Square, distinct, square_round
from dramatis_lab.annotate.units import Box, Detection, Frame, Masks, Pose, Prompt, Tracking, box_of

FACES = {68: slice(68), 133: slice(23, 91)}
"""Where the 68 landmarks of a face stand among so many keypoints: alone, and in COCO's whole body (DWPose)."""


class PerceptionDetector:
    """People by their faces; the box is that of the person's mask in this frame alone."""

    def __init__(self, eye: Eye) -> None:
        self.identity = eye.identity
        self._eye = eye

    def detect(self, frame: Frame) -> list[Detection]:
        faces = self._eye.find(frame)
        if not faces:
            return []
        boxes = [box_of(mask) for mask in self._eye.people(frame, faces)]
        return [Detection(box, face.score) for box, face in zip(boxes, faces, strict=True) if box is not None]


class PerceptionPose:
    """68 landmarks of the face, searched for in the upper part of a box."""

    def __init__(self, eye: Eye) -> None:
        self.identity = eye.identity
        self._eye = eye

    def estimate(self, frame: Frame, boxes: Sequence[Box]) -> list[Pose]:
        return [self._pose(frame, box) for box in boxes]

    def _pose(self, frame: Frame, box: Box) -> Pose:
        face = self._eye.at(frame, head_square(box))
        face = self._eye.at(frame, face.closer)
        sure = face.score if face.is_face() else 0.0
        return Pose(face.landmarks, np.full(len(face.landmarks), sure, np.float32))


def head_square(box: Box) -> Square:
    """Where the head of a standing or sitting person is to be looked for: the top of the box, as wide as the box."""
    side = max(1.0, min(box.right - box.left, box.bottom - box.top))
    middle = (box.left + box.right) / 2
    return Square(middle - side / 2, box.top - 0.05 * side, side)


class PerceptionSegmenter:
    """Follows faces from look to look; the masks are those of the looks."""

    def __init__(self, eye: Eye) -> None:
        self.identity = eye.identity
        self._eye = eye

    def begin(self, prompts: Sequence[Prompt]) -> Tracking:
        return _FollowedFaces(self._eye, prompts)


class _FollowedFaces:
    """Where each face was last; one that is lost is looked for there again in every frame."""

    def __init__(self, eye: Eye, prompts: Sequence[Prompt]) -> None:
        self._eye = eye
        self._squares = [first_square(prompt) for prompt in prompts]

    def step(self, frame: Frame) -> Masks:
        masks = np.zeros((len(self._squares), *frame.shape[:2]), bool)
        seen: dict[int, Face] = {}
        for person, square in enumerate(self._squares):
            face = self._eye.at(frame, square)
            if face.is_face() and len(distinct([*seen.values(), face])) > len(seen):
                seen[person] = face
                self._squares[person] = face.closer
        if seen:
            masks[list(seen)] = self._eye.people(frame, list(seen.values()))
        return masks


def first_square(prompt: Prompt) -> Square:
    """Where to look first: at the face's keypoints if they are known and sure, else at the top of the box."""
    pose, part = prompt.pose, FACES.get(len(prompt.pose.points))
    if part is None or pose.confidence[part].min() < FACE_SEEN:
        return head_square(prompt.box)
    return square_round(pose.points[part])
