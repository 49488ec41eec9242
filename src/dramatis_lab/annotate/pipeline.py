"""The annotation of one video in one pass, as section 3.3 of the report has it.

People are detected in the first frame of a shot and keypoints in each box. Both prompt segmentation and tracking. Then
every frame's masks are held against fresh detections and keypoints, and what is misaligned or overlaps too little is
dropped, with the cause. Frames are read once and forgotten, so memory does not grow with the length of the video.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from dramatis.media.masks import Rle, encode_mask
from dramatis.story.values import FrameSpan
from dramatis_lab.annotate.cuts import mark_cuts
from dramatis_lab.annotate.records import Segment, Shot, cut_segments
from dramatis_lab.annotate.settings import Settings
from dramatis_lab.annotate.units import Detection, Frame, Masks, Parts, Pose, Prompt, Tracking
from dramatis_lab.annotate.validate import Finding, ShotValidator

Watch = Callable[[int, Frame, Masks | None], None]
"""Called with each frame's number, the frame, and the masks (None where nobody is followed)."""


def annotate_frames(
    frames: Iterable[Frame], parts: Parts, settings: Settings, watch: Watch | None = None
) -> tuple[list[Shot], list[Segment]]:
    """The shots of a video and the segments of all people in them."""
    shots: list[Shot] = []
    segments: list[Segment] = []
    current: _Shot | None = None
    for number, (begins, frame) in enumerate(mark_cuts(frames, settings)):
        if begins or current is None:
            if current is not None:
                current.close(shots, segments)
            current = _Shot(number, parts, settings)
        masks = current.step(frame)
        if watch is not None:
            watch(number, frame, masks)
    if current is not None:
        current.close(shots, segments)
    return shots, segments


class _Shot:
    """A shot at work. Nobody is followed until a frame shows somebody: a shot may fade in."""

    def __init__(self, start: int, parts: Parts, settings: Settings) -> None:
        self._start = start
        self._stop = start
        self._parts = parts
        self._settings = settings
        self._tracking: Tracking | None = None
        self._validator: ShotValidator | None = None
        self._followed_from = start
        self._findings: list[list[Finding]] = []
        self._masks: list[list[Rle]] = []
        self._unclaimed = 0

    def step(self, frame: Frame) -> Masks | None:
        """Take the next frame; the masks of those who are followed."""
        detections, poses = self._look(frame)
        if self._tracking is None and detections:
            self._begin(detections, poses)
        self._stop += 1
        if self._tracking is None or self._validator is None:
            return None
        masks = self._tracking.step(frame)
        findings = self._validator.check(frame, masks, detections, poses)
        for person, (finding, mask) in enumerate(zip(findings, masks, strict=True)):
            self._findings[person].append(finding)
            self._masks[person].append(encode_mask(mask))
        self._unclaimed += len(detections) > len(masks)
        return masks

    def close(self, shots: list[Shot], segments: list[Segment]) -> None:
        """Add the shot and its segments to the lists."""
        people = len(self._findings)
        shots.append(Shot(span=FrameSpan(self._start, self._stop), people=people, unclaimed=self._unclaimed))
        for person, (findings, masks) in enumerate(zip(self._findings, self._masks, strict=True)):
            segments += cut_segments(person, self._followed_from, findings, masks, self._settings)

    def _look(self, frame: Frame) -> tuple[list[Detection], list[Pose]]:
        detections = self._parts.detector.detect(frame)
        return detections, self._parts.pose.estimate(frame, [detection.box for detection in detections])

    def _begin(self, detections: list[Detection], poses: list[Pose]) -> None:
        prompts = [Prompt(detection.box, pose) for detection, pose in zip(detections, poses, strict=True)]
        self._tracking = self._parts.segmenter.begin(prompts)
        self._validator = ShotValidator(len(prompts), self._settings)
        self._followed_from = self._stop
        self._findings = [[] for _ in prompts]
        self._masks = [[] for _ in prompts]
