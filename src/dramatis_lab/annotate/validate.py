"""Whether a mask is still that person: every frame against fresh detections, fresh keypoints and what came before.

Whoever follows people drifts, swaps them or holds on to nothing, and its own confidence does not tell. So each frame is
looked at again as if it were the first, and every mask must agree with what is found there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from dramatis_lab.annotate.settings import Settings
from dramatis_lab.annotate.units import Box, Detection, Frame, Masks, Pose, box_of, mask_overlap

TOUCH = 0.05
"""Least overlap of boxes at which a detection is about a mask at all."""
_LEVELS = 6
"""Steps of each colour in a histogram."""
_LEARNT = 10
"""Trusted frames from which a person's colours are learnt."""


class Cause(StrEnum):
    """Why a mask, a segment or a video is not used."""

    LOST = "lost"
    JUMP = "jump"
    UNDETECTED = "undetected"
    LOW_OVERLAP = "low overlap"
    MISALIGNED = "misaligned keypoints"
    SECOND_PERSON = "second person"
    IDENTITY = "other identity"
    TOO_SHORT = "too short"
    NOBODY = "nobody"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Finding:
    """The judgement of one mask in one frame: no cause, or the first check that it failed and what was measured."""

    cause: Cause | None = None
    value: float = 0.0


SOUND = Finding()


class ShotValidator:
    """Judges the masks of one shot, frame after frame."""

    def __init__(self, people: int, settings: Settings) -> None:
        self._settings = settings
        self._trusted: list[NDArray[np.bool_] | None] = [None] * people
        self._colours = np.zeros((people, _LEVELS**3))
        self._learnt = np.zeros(people, int)

    def check(
        self, frame: Frame, masks: Masks, detections: Sequence[Detection], poses: Sequence[Pose]
    ) -> list[Finding]:
        """One finding for each mask (N, H, W). `detections` and `poses` are of this frame, and of each other."""
        boxes = [box_of(mask) for mask in masks]
        matches = match_boxes(boxes, [detection.box for detection in detections])
        findings = []
        for person, (mask, box) in enumerate(zip(masks, boxes, strict=True)):
            finding = self._judge(person, frame, mask, box, matches.get(person), detections, poses)
            if finding is SOUND:
                self._trust(person, frame, mask)
            findings.append(finding)
        return findings

    def _judge(
        self,
        person: int,
        frame: Frame,
        mask: NDArray[np.bool_],
        box: Box | None,
        match: int | None,
        detections: Sequence[Detection],
        poses: Sequence[Pose],
    ) -> Finding:
        """The checks in order, from what a mask is to whose it is."""
        bounds = self._settings
        area = float(mask.mean())
        if box is None or area < bounds.least_area:
            return Finding(Cause.LOST, area)
        last = self._trusted[person]
        if last is not None and (kept := mask_overlap(mask, last)) < bounds.step:
            return Finding(Cause.JUMP, kept)
        if match is None:
            return Finding(Cause.UNDETECTED)
        if (overlap := box.overlap(detections[match].box)) < bounds.box_overlap:
            return Finding(Cause.LOW_OVERLAP, overlap)
        slack = bounds.slack * box.area**0.5
        if (inside := share_inside(poses[match].sure(bounds.sure), mask, slack)) < bounds.inside:
            return Finding(Cause.MISALIGNED, inside)
        others = [pose.sure(bounds.sure) for place, pose in enumerate(poses) if place != match]
        foreign = max((share_inside(points, mask, 0.0) for points in others if len(points)), default=0.0)
        if foreign > bounds.foreign:
            return Finding(Cause.SECOND_PERSON, foreign)
        return self._recognise(person, frame, mask)

    def _trust(self, person: int, frame: Frame, mask: NDArray[np.bool_]) -> None:
        self._trusted[person] = mask
        if self._learnt[person] < _LEARNT:
            self._colours[person] += colours(frame, mask)
            self._learnt[person] += 1

    def _recognise(self, person: int, frame: Frame, mask: NDArray[np.bool_]) -> Finding:
        """Whether the colours under a mask are this person's so far, and not rather somebody else's in this shot."""
        if not self._learnt[person]:
            return SOUND
        seen = colours(frame, mask)
        known: list[int] = np.flatnonzero(self._learnt).tolist()
        alike = {other: float(np.minimum(seen, self._colours[other] / self._learnt[other]).sum()) for other in known}
        own = alike.pop(person)
        if own < self._settings.own or max(alike.values(), default=0.0) - own > self._settings.likeness:
            return Finding(Cause.IDENTITY, own)
        return SOUND


def match_boxes(boxes: Sequence[Box | None], found: Sequence[Box]) -> dict[int, int]:
    """Which of the found boxes belongs to which of `boxes`, the best overlaps first, each used once."""
    pairs = [
        (box.overlap(other), place, index)
        for place, box in enumerate(boxes)
        if box is not None
        for index, other in enumerate(found)
    ]
    matches: dict[int, int] = {}
    for overlap, place, index in sorted(pairs, key=lambda pair: (-pair[0], *pair[1:])):
        if overlap >= TOUCH and place not in matches and index not in matches.values():
            matches[place] = index
    return matches


def share_inside(points: NDArray[np.floating], mask: NDArray[np.bool_], slack: float) -> float:
    """Share of the points (K, 2) that lie in the mask (H, W) or within `slack` pixels of it; 0 without any point.

    Points outside the picture do not count, for a mask cannot hold them.
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


def colours(frame: Frame, mask: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Histogram of the colours under a mask, (216,) with sum 1."""
    seen = frame[::2, ::2][mask[::2, ::2]].astype(np.int64) * _LEVELS // 256
    cells = (seen[:, 0] * _LEVELS + seen[:, 1]) * _LEVELS + seen[:, 2]
    return np.bincount(cells, minlength=_LEVELS**3) / max(len(cells), 1)
