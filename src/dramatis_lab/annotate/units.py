"""What the parts of the annotation hand to each other, and the three parts that can be exchanged.

A detector finds people in a picture, a pose estimator finds keypoints in each box, and a segmenter follows the prompted
people through a shot. Nothing in the pipeline asks which network is behind them. Pixels are those of the frame: x to
the right, y down, and the right and lower edges of a box lie outside it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dramatis.media.masks import Masks as Masks

Frame = NDArray[np.uint8]
"""A picture (H, W, 3), RGB."""


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Square pixels; 0 for a box without extent."""
        return max(0.0, self.right - self.left) * max(0.0, self.bottom - self.top)

    def overlap(self, other: Box) -> float:
        """Intersection over union, 0..1."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        shared = Box(left, top, min(self.right, other.right), min(self.bottom, other.bottom)).area
        return shared / max(self.area + other.area - shared, 1e-9)

    def within(self, size: tuple[int, int]) -> Box:
        """The part inside a picture of (width, height)."""
        width, height = size
        xs, ys = np.clip([self.left, self.right], 0, width), np.clip([self.top, self.bottom], 0, height)
        return Box(float(xs[0]), float(ys[0]), float(xs[1]), float(ys[1]))


@dataclass(frozen=True)
class Detection:
    """A person found in a picture, and how sure the detector is (0..1)."""

    box: Box
    score: float


@dataclass(frozen=True, eq=False)
class Pose:
    """Keypoints (K, 2) of one person in pixels, and how sure each is, (K,) in 0..1. K is the estimator's own."""

    points: NDArray[np.float32]
    confidence: NDArray[np.float32]

    def sure(self, least: float) -> NDArray[np.float32]:
        """Those with at least that confidence, (J, 2)."""
        return self.points[self.confidence >= least]


@dataclass(frozen=True, eq=False)
class Prompt:
    """Whom to follow: a person's box and keypoints in the first frame of a shot."""

    box: Box
    pose: Pose


class Detector(Protocol):
    """Finds people."""

    identity: str
    """Names the network and its weights: another identity, another annotation."""

    def detect(self, frame: Frame) -> list[Detection]:
        """The people in a picture, from left to right."""
        ...


class PoseEstimator(Protocol):
    """Finds keypoints."""

    identity: str

    def estimate(self, frame: Frame, boxes: Sequence[Box]) -> list[Pose]:
        """The keypoints of the person in each box."""
        ...


class Tracking(Protocol):
    """One shot that is being segmented."""

    def step(self, frame: Frame) -> Masks:
        """Masks of the prompted people in the next frame, in their order; the first frame is that of the prompts.

        Someone who cannot be found has an empty mask.
        """
        ...


class Segmenter(Protocol):
    """Follows people."""

    identity: str

    def begin(self, prompts: Sequence[Prompt]) -> Tracking:
        """Start a shot with at least one prompt."""
        ...


@dataclass(frozen=True)
class Parts:
    """The three parts that annotate."""

    detector: Detector
    pose: PoseEstimator
    segmenter: Segmenter

    @property
    def identity(self) -> list[str]:
        """What an annotation made with these parts depends on, beside the video and the settings."""
        return [self.detector.identity, self.pose.identity, self.segmenter.identity]


def box_of(mask: NDArray[np.bool_]) -> Box | None:
    """The smallest box round a mask (H, W); None for an empty one."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    return Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))


def mask_overlap(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Intersection over union of two masks; 0 when both are empty."""
    return float((a & b).sum() / max((a | b).sum(), 1))
