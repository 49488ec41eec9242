"""Annotates one video in one pass, after section 3.3 of the report.

People are detected in the first frame of a shot, and keypoints in each box. Both prompt segmentation and tracking. The
masks of every frame are then compared with fresh detections and keypoints, and those that are misaligned or overlap too
little are rejected, with the cause. Frames are read once and forgotten, so memory does not grow with the video.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from PIL import Image

from dramatis.media.masks import Rle, encode_mask
from dramatis.story.values import FrameSpan
from dramatis_lab.annotate.cuts import mark_cuts
from dramatis_lab.annotate.records import Segment, VideoShot, cut_segments
from dramatis_lab.annotate.settings import AnnotationSettings
from dramatis_lab.annotate.units import Detection, Frame, Masks, Parts, Pose, Prompt, Tracking
from dramatis_lab.annotate.validate import ShotValidator
from dramatis_lab.annotate.verdicts import MaskVerdict

FrameCallback = Callable[[int, Frame, Masks | None], None]
"""Called with the number of each frame, the frame, and its masks (None if nobody is followed)."""


def annotate_frames(
    frames: Iterable[Frame], parts: Parts, settings: AnnotationSettings, on_frame: FrameCallback | None = None
) -> tuple[list[VideoShot], list[Segment]]:
    """The shots of a video and the segments of all people in them.

    A shot ends at a hard cut, and where somebody who came later has stayed: from there on everybody is followed anew.
    """
    shots: list[VideoShot] = []
    segments: list[Segment] = []
    current: _Shot | None = None
    for number, (begins, frame) in enumerate(mark_cuts(frames, settings)):
        if begins or current is None or current.has_newcomer:
            if current is not None:
                current.close(shots, segments)
            current = _Shot(number, parts, settings)
        masks = current.step(frame)
        if on_frame is not None:
            on_frame(number, frame, masks)
    if current is not None:
        current.close(shots, segments)
    return shots, segments


def shrunk_frame(frame: Frame, side: int) -> Frame:
    """A frame whose shorter side is at most that many px."""
    height, width = frame.shape[:2]
    scale = side / min(height, width)
    if scale >= 1:
        return frame
    size = (round(width * scale), round(height * scale))
    return np.asarray(Image.fromarray(frame).resize(size, Image.Resampling.BOX))


def enlarged_masks(masks: Masks, size: tuple[int, int]) -> Masks:
    """Masks (N, H, W) at another (height, width), with smooth borders and still without overlap."""
    if masks.shape[1:] == size:
        return masks
    height, width = size
    large = [
        np.asarray(Image.fromarray(mask.astype(np.float32)).resize((width, height), Image.Resampling.BILINEAR)) > 0.5
        for mask in masks
    ]
    return np.stack(large)


class _Shot:
    """The shot in progress. Nobody is followed until a frame shows somebody, since a shot may fade in."""

    def __init__(self, start: int, parts: Parts, settings: AnnotationSettings) -> None:
        self._start = start
        self._stop = start
        self._parts = parts
        self._settings = settings
        self._tracking: Tracking | None = None
        self._validator: ShotValidator | None = None
        self._followed_from = start
        self._verdicts: list[list[MaskVerdict]] = []
        self._masks: list[list[Rle]] = []
        self._unclaimed = 0
        self._newcomer_frames = 0

    @property
    def has_newcomer(self) -> bool:
        """Whether somebody whom nobody follows has been seen for so long that they stay."""
        return self._newcomer_frames >= self._settings.newcomer

    def step(self, whole: Frame) -> Masks | None:
        """Process the next frame; returns the masks of the people followed, or None if there are none yet.

        The embedded parts work on a smaller copy of large frames.
        """
        frame = shrunk_frame(whole, self._settings.side) if self._parts.embedded else whole
        detections, poses = self._detect(frame)
        if self._tracking is None and detections:
            self._begin(detections, poses)
        self._stop += 1
        if self._tracking is None or self._validator is None:
            return None
        masks = self._tracking.step(frame)
        verdicts = self._validator.check(frame, masks, detections, poses)
        masks = enlarged_masks(masks, (whole.shape[0], whole.shape[1]))
        for person, (verdict, mask) in enumerate(zip(verdicts, masks, strict=True)):
            self._verdicts[person].append(verdict)
            self._masks[person].append(encode_mask(mask))
        newcomer = len(detections) > len(masks)
        self._unclaimed += newcomer
        self._newcomer_frames = self._newcomer_frames + 1 if newcomer else 0
        return masks

    def close(self, shots: list[VideoShot], segments: list[Segment]) -> None:
        """Add the shot and its segments to the lists."""
        people = len(self._verdicts)
        shots.append(VideoShot(span=FrameSpan(self._start, self._stop), people=people, unclaimed=self._unclaimed))
        for person, (verdicts, masks) in enumerate(zip(self._verdicts, self._masks, strict=True)):
            segments += cut_segments(person, self._followed_from, verdicts, masks, self._settings)

    def _detect(self, frame: Frame) -> tuple[list[Detection], list[Pose]]:
        detections = self._parts.detector.detect(frame)
        return detections, self._parts.pose.estimate(frame, [detection.box for detection in detections])

    def _begin(self, detections: list[Detection], poses: list[Pose]) -> None:
        prompts = [Prompt(detection.box, pose) for detection, pose in zip(detections, poses, strict=True)]
        self._tracking = self._parts.segmenter.begin(prompts)
        self._validator = ShotValidator(len(prompts), self._settings, self._parts.second)
        self._followed_from = self._stop
        self._verdicts = [[] for _ in prompts]
        self._masks = [[] for _ in prompts]
