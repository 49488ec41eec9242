"""Rows about the annotation pipeline: overlap with exact masks, planted faults, good segments.

Faults are planted into the masks that the segmenter gives, as trackers go wrong, and into the clips. The parts are the
embedded ones; detector and pose estimator look at each frame once for all faults.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

import numpy as np
from PIL import Image

from dramatis.backbones.base import one_thread
from dramatis.media.sheet import contact_sheet
from dramatis.runtime.executor import ProcessExecutor, Task
from dramatis.story.values import Box
from dramatis_lab.annotate.overlay import downsample, tint_masks
from dramatis_lab.annotate.parts import PartChoice, open_parts
from dramatis_lab.annotate.pipeline import annotate_frames
from dramatis_lab.annotate.records import Segment
from dramatis_lab.annotate.settings import AnnotationSettings
from dramatis_lab.annotate.units import (
    Detection,
    Detector,
    Frame,
    Masks,
    Parts,
    Pose,
    PoseEstimator,
    Prompt,
    Tracking,
    bounding_box,
    mask_iou,
)
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.cases.composed import COMPOSED_FRAMES, FAULT_ONSET, ComposedClip, bad_clips, good_clips
from dramatis_lab.evaluate.cases.faults import FAULTS_FROM_ONSET, FAULTS_FROM_START, LEAKS
from dramatis_lab.evaluate.report import Row, judged_row
from dramatis_lab.evaluate.rows.footage import footage_rows

ANNOTATION_WORKERS = 4
"""Processes that annotate clips side by side."""
WRONG_OVERLAP = 0.6
"""A mask is wrong that overlaps the right one by less than this."""
KEPT_OVERLAP = 0.8
"""A mask that is kept and overlaps the truth by less than this is a fault of the annotation."""
GOOD_OVERLAP = 0.75
"""Every mask of a good segment overlaps the truth by at least this."""
KEPT_SHARE = 0.9
"""Share of its frames that must be kept for a segment to count as kept."""


@dataclass(frozen=True)
class AnnotatedClip:
    """What the pipeline makes of a clip: segments, and the masks of every frame (None where nobody is followed)."""

    segments: list[Segment]
    masks: list[Masks | None]

    def kept(self, person: int) -> np.ndarray:
        """(T,) whether each frame of a person is kept."""
        frames = np.zeros(len(self.masks), bool)
        for segment in self.segments:
            if segment.person == person and segment.kept:
                frames[segment.span.start : segment.span.stop] = True
        return frames

    def crosses(self, person: int, frame: int) -> bool:
        """Whether one kept segment of a person holds the frame and the one before it."""
        return any(
            segment.person == person and segment.kept and frame in segment.span and frame - 1 in segment.span
            for segment in self.segments
        )


@dataclass(frozen=True)
class ExaminedClip:
    """verdicts: (fault, whether it was rejected) for each person with each fault in the clip."""

    result: AnnotatedClip
    verdicts: list[tuple[str, bool]]


def annotation_rows(bench: Bench) -> list[Row]:
    """Mask overlap, planted faults rejected, good segments kept."""
    good, bad = good_clips(bench.cases), bad_clips(bench.cases)
    tasks = [Task(f"{index}", examine_clip, (clip,)) for index, clip in enumerate([*good, *bad])]
    with ProcessExecutor(ANNOTATION_WORKERS, one_thread) as executor:
        examined = {int(done.key): done.value for done in executor.map(tasks)}
    results = [examined[index].result for index in range(len(good))]
    draw_annotations(good, results).save(bench.pictures / "annotation.png")
    planted = [verdict for index in range(len(tasks)) for verdict in examined[index].verdicts]
    everything = [(clip, examined[index].result) for index, clip in enumerate([*good, *bad])]
    return [
        *overlap_rows(good, results),
        planted_row(planted),
        wrong_row(everything),
        kept_row(good, results),
        *footage_rows(bench),
    ]


def examine_clip(clip: ComposedClip) -> ExaminedClip:
    """Annotate a clip; plant faults into its masks if it has none of its own."""
    parts = RememberingParts.of(open_parts(PartChoice()))
    result = annotate_clip(clip, parts)
    has_own_fault = bool(clip.ends_at_onset or clip.wrong)
    return ExaminedClip(result, judge_clip(clip, result) if has_own_fault else plant_faults(clip, result, parts))


def plant_faults(clip: ComposedClip, result: AnnotatedClip, parts: RememberingParts) -> list[tuple[str, bool]]:
    """(fault, whether it was rejected) for each person with each fault that makes the person's masks wrong.

    Only for people who are kept without the fault: a track that is rejected anyway proves nothing.
    """
    right = [masks for masks in result.masks if masks is not None]
    if len(right) < COMPOSED_FRAMES or len({len(masks) for masks in right}) > 1:
        return []
    verdicts = []
    starts = dict.fromkeys(FAULTS_FROM_ONSET, FAULT_ONSET) | dict.fromkeys(FAULTS_FROM_START, 0)
    for name, fault in (FAULTS_FROM_ONSET | FAULTS_FROM_START).items():
        start = starts[name]
        masks = [
            fault(index, right_masks, right[start]) if index >= start else right_masks
            for index, right_masks in enumerate(right)
        ]
        least = KEPT_OVERLAP if name in LEAKS else WRONG_OVERLAP
        given = GivenBoxes(parts.detector, parts.pose, masks) if name in LEAKS else None
        faulty = replace(parts, segmenter=GivenSegmenter(masks))
        spoilt = annotate_clip(clip, faulty if given is None else replace(faulty, detector=given, pose=given))
        for person in [person for person in range(len(right[0])) if result.kept(person).mean() >= KEPT_SHARE]:
            wrong = np.array([mask_iou(a[person], b[person]) < least for a, b in zip(masks, right, strict=True)])
            if wrong.any():
                of_person = [segment.cause for segment in spoilt.segments if segment.person == person]
                causes = sorted({cause for cause in of_person if cause is not None})
                rejected = not (wrong & spoilt.kept(person)).any()
                verdicts.append((f"{clip.name}: {name} ({', '.join(causes)})", rejected))
    return verdicts


def judge_clip(clip: ComposedClip, result: AnnotatedClip) -> list[tuple[str, bool]]:
    """(fault, whether it was rejected) for the people whom a clip with a fault of its own must not keep."""
    verdicts = [(clip.name, not result.crosses(person, FAULT_ONSET)) for person in clip.ends_at_onset]
    return verdicts + [(clip.name, not result.kept(person)[frames].any()) for person, frames in clip.wrong.items()]


def annotate_clip(clip: ComposedClip, parts: Parts) -> AnnotatedClip:
    """Run the annotation pipeline over a clip."""
    masks: list[Masks | None] = []
    _, segments = annotate_frames(
        clip.frames, parts, AnnotationSettings(), lambda _, __, frame_masks: masks.append(frame_masks)
    )
    return AnnotatedClip(segments, masks)


def true_mask_overlaps(clip: ComposedClip, result: AnnotatedClip) -> np.ndarray:
    """(K, N) overlap of each true mask with the best of the pipeline's; 0 where nobody is followed."""
    overlaps = np.zeros(clip.truth.shape[:2])
    for row, (frame_index, true) in enumerate(zip(clip.index, clip.truth, strict=True)):
        masks = result.masks[frame_index]
        for person, mask in enumerate(true if masks is not None else ()):
            overlaps[row, person] = max(mask_iou(mask, other) for other in masks)
    return overlaps


def overlap_rows(clips: Sequence[ComposedClip], results: Sequence[AnnotatedClip]) -> list[Row]:
    """Mean overlap over all people and true masks, before validation; then by kind."""
    overlaps = {clip.name: true_mask_overlaps(clip, result) for clip, result in zip(clips, results, strict=True)}
    kinds = list(dict.fromkeys(clip.kind for clip in clips))
    means = {
        kind: float(np.mean(np.concatenate([overlaps[clip.name].ravel() for clip in clips if clip.kind == kind])))
        for kind in kinds
    }
    whole = float(np.mean(np.concatenate([values.ravel() for values in overlaps.values()])))
    name = "annotation, embedded parts: mask IoU on rendered clips"
    row = judged_row(name, f"{whole:.3f}", "0.9", "0.95", whole >= 0.9, whole >= 0.95, {"whole": whole, **means})
    return [row, Row(f"  {' / '.join(kinds)}", " / ".join(f"{means[kind]:.3f}" for kind in kinds))]


def planted_row(verdicts: Sequence[tuple[str, bool]]) -> Row:
    """Share of the planted faults of which no wrong frame is kept."""
    share = float(np.mean([rejected for _, rejected in verdicts]))
    for name, rejected in verdicts:
        print(f"{'rejected' if rejected else 'kept although bad'}: {name}")
    value = f"{share:.3f} of {len(verdicts)}"
    name = "  planted bad segments rejected"
    return judged_row(name, value, "0.95", "0.99", share >= 0.95, share >= 0.99, {"share": share})


def wrong_row(annotated: Sequence[tuple[ComposedClip, AnnotatedClip]]) -> Row:
    """Share of the kept masks, where the truth is known, that overlap it by less than they should."""
    overlaps: list[float] = []
    for clip, result in annotated:
        for row, frame_index in enumerate(clip.index):
            masks = result.masks[int(frame_index)]
            people = [p for p in range(0 if masks is None else len(masks)) if result.kept(p)[int(frame_index)]]
            known = [person for person in people if not _is_changed(clip, int(frame_index))]
            overlaps += [max(mask_iou(masks[p], true) for true in clip.truth[row]) for p in known]  # type: ignore[index]
    share = float(np.mean(np.array(overlaps) < KEPT_OVERLAP)) if overlaps else 1.0
    name, value = f"  wrong masks kept (IoU under {KEPT_OVERLAP})", f"{share:.3f} of {len(overlaps)}"
    return judged_row(name, value, "0.02", "0", share <= 0.02, share == 0.0, {"share": share})


def _is_changed(clip: ComposedClip, frame_index: int) -> bool:
    """Whether the clip's truth no longer shows who is in this frame: after a cut, or while somebody leaves."""
    return frame_index >= FAULT_ONSET // 2 and bool(clip.ends_at_onset or clip.wrong)


def kept_row(clips: Sequence[ComposedClip], results: Sequence[AnnotatedClip]) -> Row:
    """Share of the segments that are good by the truth of which nine frames in ten are kept."""
    verdicts: list[bool] = []
    for clip, result in zip(clips, results, strict=True):
        good = (true_mask_overlaps(clip, result) >= GOOD_OVERLAP).all(0)
        verdicts += [bool(result.kept(person).mean() >= KEPT_SHARE) for person in np.flatnonzero(good).tolist()]
    share = float(np.mean(verdicts)) if verdicts else 0.0
    people = sum(clip.truth.shape[1] for clip in clips)
    value = f"{share:.3f} of {len(verdicts)} ({people} people)"
    return judged_row("  good segments kept", value, "0.9", "0.95", share >= 0.9, share >= 0.95, {"share": share})


def draw_annotations(clips: Sequence[ComposedClip], results: Sequence[AnnotatedClip]) -> Image.Image:
    """The last frame of each clip whose truth is known, with the masks of the pipeline over it."""
    cells, labels = [], []
    for clip, result in zip(clips, results, strict=True):
        number = int(clip.index[-1])
        masks = result.masks[number]
        people = range(0 if masks is None else len(masks))
        cells.append(downsample(tint_masks(clip.frames[number], masks, {p for p in people if result.kept(p)[number]})))
        labels.append("IoU " + ", ".join(f"{value:.2f}" for value in true_mask_overlaps(clip, result)[-1]))
    return contact_sheet(cells, labels, columns=3)


@dataclass(frozen=True)
class RememberingParts(Parts):
    """Parts that remember what they found in a frame: every fault is judged by the same detections."""

    @classmethod
    def of(cls, parts: Parts) -> RememberingParts:
        memory = _Memory(parts)
        return cls(memory, memory, parts.segmenter, parts.second, parts.embedded)


class _Memory:
    """Detector and pose estimator that look at each frame once."""

    def __init__(self, parts: Parts) -> None:
        self.identity = parts.detector.identity
        self._parts = parts
        self._detections: dict[bytes, list[Detection]] = {}
        self._poses: dict[tuple[bytes, tuple[Box, ...]], list[Pose]] = {}

    def detect(self, frame: Frame) -> list[Detection]:
        key = sha256(frame.tobytes()).digest()
        if key not in self._detections:
            self._detections[key] = self._parts.detector.detect(frame)
        return self._detections[key]

    def estimate(self, frame: Frame, boxes: Sequence[Box]) -> list[Pose]:
        key = (sha256(frame.tobytes()).digest(), tuple(boxes))
        if key not in self._poses:
            self._poses[key] = self._parts.pose.estimate(frame, boxes)
        return self._poses[key]


class GivenBoxes:
    """A detector whose boxes surround prepared masks, frame after frame, and keypoints that know the true boxes."""

    def __init__(self, detector: Detector, pose: PoseEstimator, masks: Sequence[Masks]) -> None:
        self.identity = "given"
        self._detector, self._pose = detector, pose
        self._masks = iter(masks)
        self._true: list[Box] = []

    def detect(self, frame: Frame) -> list[Detection]:
        found = self._detector.detect(frame)
        self._true = [detection.box for detection in found]
        boxes = [bounding_box(mask) for mask in next(self._masks)]
        if len(boxes) != len(found):
            return found
        return [Detection(box or true.box, true.score) for box, true in zip(boxes, found, strict=True)]

    def estimate(self, frame: Frame, boxes: Sequence[Box]) -> list[Pose]:  # noqa: ARG002 - an estimator's signature
        return self._pose.estimate(frame, self._true)


class GivenSegmenter:
    """A segmenter that gives prepared masks."""

    def __init__(self, masks: Sequence[Masks]) -> None:
        self.identity = "given"
        self._masks = masks

    def begin(self, prompts: Sequence[Prompt]) -> Tracking:  # noqa: ARG002 - a segmenter's signature
        return _GivenMasks(self._masks)


class _GivenMasks:
    def __init__(self, masks: Sequence[Masks]) -> None:
        self._next = iter(masks)

    def step(self, frame: Frame) -> Masks:  # noqa: ARG002 - a tracking's signature
        return next(self._next)
