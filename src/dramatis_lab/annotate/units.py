"""The values that the parts of the annotation exchange, and the protocols of the three replaceable parts.

A detector finds people in a picture, a pose estimator finds keypoints in each box, and a segmenter follows the prompted
people through a shot. The pipeline does not know which networks are behind them. All boxes and points are in pixels of
the frame, x to the right and y down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from dramatis.media.masks import Masks as Masks
from dramatis.senses.seeing.eye import BodyPose, Eye, Points
from dramatis.story.values import Box

FACES = {68: slice(68), 133: slice(23, 91)}
"""Which keypoints are the 68 landmarks of a face: all of 68, or some of the 133 of COCO's whole body (DWPose)."""
Frame = NDArray[np.uint8]
"""A picture (H, W, 3), RGB."""


@dataclass(frozen=True)
class Detection:
    """A person found in a picture, and how sure the detector is (0..1)."""

    box: Box
    score: float


@dataclass(frozen=True, eq=False)
class Pose:
    """Keypoints (K, 2) of one person in pixels and their confidence (K,) in 0..1. K depends on the estimator.

    body: shoulders, arms and hands, where the estimator sees them.
    """

    points: NDArray[np.float32]
    confidence: NDArray[np.float32]
    body: BodyPose | None = None

    @property
    def face(self) -> Points:
        """(68, 2) the landmarks of the face; all points where the estimator has no face among them."""
        return self.points[FACES.get(len(self.points), slice(None))]

    def sure(self, least: float) -> NDArray[np.float32]:
        """(J, 2) the keypoints with at least this confidence."""
        return self.points[self.confidence >= least]


@dataclass(frozen=True, eq=False)
class Prompt:
    """Whom to follow: a person's box and keypoints in the first frame of a shot."""

    box: Box
    pose: Pose


class Detector(Protocol):
    """Finds people."""

    identity: str
    """Names the network and its weights; annotations made with another identity are made again."""

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
    """The segmentation of one shot."""

    def step(self, frame: Frame) -> Masks:
        """Masks of the prompted people in the next frame, in their order; the first frame is that of the prompts.

        A person who cannot be found has an empty mask.
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
    """The three parts that annotate, and a second eye that judges.

    second: of another kind than the segmenter; None where there is no other.  embedded: whether all three come with
    this package, which know no more of a large picture than of a small one.
    """

    detector: Detector
    pose: PoseEstimator
    segmenter: Segmenter
    second: Eye | None = None
    embedded: bool = False

    @property
    def identity(self) -> list[str]:
        """What an annotation depends on besides the video and the settings."""
        second = [] if self.second is None else [self.second.identity]
        return [self.detector.identity, self.pose.identity, self.segmenter.identity, *second]


def bounding_box(mask: NDArray[np.bool_]) -> Box | None:
    """The smallest box round a mask (H, W); None for an empty one."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    if not len(rows):
        return None
    return Box(float(columns[0]), float(rows[0]), float(columns[-1] + 1), float(rows[-1] + 1))


def mask_iou(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> float:
    """Intersection over union of two masks; 0 when both are empty."""
    return float((a & b).sum() / max((a | b).sum(), 1))
