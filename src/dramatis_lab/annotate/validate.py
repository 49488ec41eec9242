"""Checks in every frame whether a mask still shows its person, by fresh detections, fresh keypoints and earlier masks.

A tracker drifts, swaps people or holds on to nothing, and its own confidence does not reveal it. So each frame is
analysed again as if it were the first, and every mask must agree with what is found there. A second eye then judges
what has passed (`judge`).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dramatis.senses.seeing.eye import Eye
from dramatis.story.values import Box
from dramatis_lab.annotate.judge import MaskJudge
from dramatis_lab.annotate.settings import AnnotationSettings
from dramatis_lab.annotate.units import Detection, Frame, Masks, Pose, bounding_box, mask_iou
from dramatis_lab.annotate.verdicts import SOUND, Cause, MaskVerdict

TOUCH = 0.05
"""Least IoU of boxes at which a detection can belong to a mask."""
_LEVELS = 6
"""Bins of each colour channel in a histogram."""
_LEARNT = 10
"""Number of trusted frames from which the colours of a person are learnt."""


class ShotValidator:
    """Judges the masks of one shot, frame after frame."""

    def __init__(self, people: int, settings: AnnotationSettings, second: Eye | None = None) -> None:
        """second: an eye of another kind than the one that made the masks, if there is one."""
        self._settings = settings
        self._judge_again = MaskJudge(people, settings, second)
        self._trusted: list[NDArray[np.bool_] | None] = [None] * people
        self._colours = np.zeros((people, _LEVELS**3))
        self._learnt = np.zeros(people, int)

    def check(
        self, frame: Frame, masks: Masks, detections: Sequence[Detection], poses: Sequence[Pose]
    ) -> list[MaskVerdict]:
        """One verdict for each mask (N, H, W). detections, poses: of this frame, in the same order."""
        boxes = [bounding_box(mask) for mask in masks]
        matches = match_boxes(boxes, [detection.box for detection in detections])
        found = [poses[matches[person]] if person in matches else None for person in range(len(masks))]
        self._judge_again.look(frame, found)
        verdicts = []
        for person, (mask, box) in enumerate(zip(masks, boxes, strict=True)):
            verdict = self._judge(person, frame, mask, box, matches.get(person), detections, poses)
            pose = found[person]
            if verdict is SOUND and pose is not None:
                verdict = self._judge_again.judge(person, mask, pose)
            if verdict is SOUND:
                self._trust(person, frame, mask)
            verdicts.append(verdict)
        return verdicts

    def _judge(
        self,
        person: int,
        frame: Frame,
        mask: NDArray[np.bool_],
        box: Box | None,
        match: int | None,
        detections: Sequence[Detection],
        poses: Sequence[Pose],
    ) -> MaskVerdict:
        """The checks in order: the mask itself, whether it fits the frame, whether it fits the person."""
        bounds = self._settings
        area = float(mask.mean())
        if box is None or area < bounds.least_area:
            return MaskVerdict(Cause.LOST, area)
        last = self._trusted[person]
        if last is not None and (kept := mask_iou(mask, last)) < bounds.step:
            return MaskVerdict(Cause.JUMP, kept)
        if match is None:
            return MaskVerdict(Cause.UNDETECTED)
        if (overlap := box.iou(detections[match].box)) < bounds.box_overlap:
            return MaskVerdict(Cause.LOW_OVERLAP, overlap)
        slack = bounds.slack * box.area**0.5
        if (inside := share_inside(poses[match].sure(bounds.sure), mask, slack)) < bounds.inside:
            return MaskVerdict(Cause.MISALIGNED, inside)
        others = [pose.sure(bounds.sure) for index, pose in enumerate(poses) if index != match]
        foreign = max((share_inside(points, mask, 0.0) for points in others if len(points)), default=0.0)
        if foreign > bounds.foreign:
            return MaskVerdict(Cause.SECOND_PERSON, foreign)
        return self._recognise(person, frame, mask)

    def _trust(self, person: int, frame: Frame, mask: NDArray[np.bool_]) -> None:
        self._trusted[person] = mask
        if self._learnt[person] < _LEARNT:
            self._colours[person] += colour_histogram(frame, mask)
            self._learnt[person] += 1

    def _recognise(self, person: int, frame: Frame, mask: NDArray[np.bool_]) -> MaskVerdict:
        """Whether the colours under a mask resemble this person's so far, more than anybody else's in the shot."""
        if not self._learnt[person]:
            return SOUND
        histogram = colour_histogram(frame, mask)
        known: list[int] = np.flatnonzero(self._learnt).tolist()
        likenesses = {
            other: float(np.minimum(histogram, self._colours[other] / self._learnt[other]).sum()) for other in known
        }
        likeness = likenesses.pop(person)
        if likeness < self._settings.own or max(likenesses.values(), default=0.0) - likeness > self._settings.likeness:
            return MaskVerdict(Cause.IDENTITY, likeness)
        return SOUND


def match_boxes(boxes: Sequence[Box | None], found: Sequence[Box]) -> dict[int, int]:
    """Which index of `found` belongs to which index of `boxes`: the largest IoU first, each used once."""
    pairs = [
        (box.iou(other), number, index)
        for number, box in enumerate(boxes)
        if box is not None
        for index, other in enumerate(found)
    ]
    matches: dict[int, int] = {}
    for overlap, number, index in sorted(pairs, key=lambda pair: (-pair[0], *pair[1:])):
        if overlap >= TOUCH and number not in matches and index not in matches.values():
            matches[number] = index
    return matches


def share_inside(points: NDArray[np.floating], mask: NDArray[np.bool_], slack: float) -> float:
    """Share of the points (K, 2) that lie in the mask (H, W) or within `slack` pixels of it; 0 without any point.

    Points outside the picture do not count, since no mask can hold them.
    """
    height, width = mask.shape
    on_picture = ((points >= 0) & (points < (width, height))).all(-1)
    if not on_picture.any():
        return 0.0
    angles = np.arange(8) * np.pi / 4
    ring = np.concatenate([np.zeros((1, 2)), slack * np.stack([np.cos(angles), np.sin(angles)], -1)])
    spots = points[on_picture][:, None] + ring
    columns = np.clip(np.floor(spots[..., 0]), 0, width - 1).astype(int)
    rows = np.clip(np.floor(spots[..., 1]), 0, height - 1).astype(int)
    return float(mask[rows, columns].any(1).mean())


def colour_histogram(frame: Frame, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Histogram of the colours under a mask, (216,) with sum 1."""
    pixels = frame[::2, ::2][mask[::2, ::2]].astype(np.int64) * _LEVELS // 256
    cells = (pixels[:, 0] * _LEVELS + pixels[:, 1]) * _LEVELS + pixels[:, 2]
    return np.bincount(cells, minlength=_LEVELS**3) / max(len(cells), 1)
