"""Parts for people who are plain squares: exact, fast, and able to go wrong on purpose."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from dramatis.story.values import Box
from dramatis_lab.annotate.units import Detection, Frame, Masks, Parts, Pose, Prompt, Tracking, bounding_box

GROUND = 40
COLOURS = np.array([(220, 30, 30), (30, 60, 220), (30, 200, 60)], np.uint8)
SIDE = 40
HEIGHT, WIDTH = 96, 160
Fault = Callable[[int, Masks], Masks]
"""Given the number of a frame and its true masks, the masks that a segmenter gives."""


def frame_of(places: dict[int, tuple[int, int]], ground: int = GROUND) -> Frame:
    """A square of each colour with its upper left corner at (x, y)."""
    frame = np.full((HEIGHT, WIDTH, 3), ground, np.uint8)
    for colour, (x, y) in places.items():
        frame[y : y + SIDE, x : x + SIDE] = COLOURS[colour]
    return frame


def walk(frames: int = 40) -> list[Frame]:
    """Two people, of whom the first walks half his width to the right."""
    return [frame_of({0: (10 + t // 2, 20), 1: (110, 30)}) for t in range(frames)]


def mask_of(frame: Frame, colour: np.ndarray) -> np.ndarray:
    return np.asarray((frame == colour).all(-1))


class SquareDetector:
    identity = "squares"

    def detect(self, frame: Frame) -> list[Detection]:
        boxes = [bounding_box(mask_of(frame, colour)) for colour in COLOURS]
        return sorted((Detection(box, 1.0) for box in boxes if box), key=lambda found: found.box.left)


class SquarePose:
    identity = "corners"

    def estimate(self, _frame: Frame, boxes: Sequence[Box]) -> list[Pose]:
        steps = np.array([(x, y) for x in (0.1, 0.5, 0.9) for y in (0.1, 0.5, 0.9)])
        poses = []
        for box in boxes:
            points = np.array([box.left, box.top]) + steps * (box.right - box.left, box.bottom - box.top)
            poses.append(Pose(points.astype(np.float32), np.ones(9, np.float32)))
        return poses


class SquareSegmenter:
    """Follows the colour in the middle of each prompt; `fault` spoils what it gives."""

    def __init__(self, fault: Fault = lambda _, masks: masks) -> None:
        self.identity = "colours"
        self._fault = fault

    def begin(self, prompts: Sequence[Prompt]) -> Tracking:
        return _FollowedColours(prompts, self._fault)


class _FollowedColours:
    def __init__(self, prompts: Sequence[Prompt], fault: Fault) -> None:
        self._middles = [prompt.pose.points[4].astype(int) for prompt in prompts]
        self._colours: list[np.ndarray] = []
        self._fault = fault
        self._number = 0

    def step(self, frame: Frame) -> Masks:
        self._colours = self._colours or [frame[y, x] for x, y in self._middles]
        masks = self._fault(self._number, np.stack([mask_of(frame, colour) for colour in self._colours]))
        self._number += 1
        return masks


def parts(fault: Fault = lambda _, masks: masks) -> Parts:
    return Parts(SquareDetector(), SquarePose(), SquareSegmenter(fault))
