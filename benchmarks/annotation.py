"""The annotation pipeline on clips of two and three held-out people with exact masks, and with faults planted.

The cases have one person each, so groups are composed of them: side by side, panned over, and one cut out and laid
over another's shoulder. Faults are planted into the masks that the segmenter gives, as trackers go wrong, and into the
clips. The parts are the embedded ones; the same frames are looked at once for all faults.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256

import numpy as np
from PIL import Image
from scipy import ndimage

from bench import Bench
from dramatis.media.sheet import contact_sheet
from dramatis.runtime.executor import ProcessExecutor, Task
from dramatis_lab.annotate.folder import ready_worker
from dramatis_lab.annotate.overlay import shrink, tinted
from dramatis_lab.annotate.parts import Choice, open_parts
from dramatis_lab.annotate.pipeline import annotate_frames
from dramatis_lab.annotate.records import Segment
from dramatis_lab.annotate.settings import Settings
from dramatis_lab.annotate.units import Box, Detection, Frame, Masks, Parts, Pose, Prompt, Tracking, mask_overlap
from dramatis_lab.evaluate.report import Row, judged
from held_out import Case

WORKERS = 4
"""Clips that are looked at at once."""
FRAMES = 57
ONSET = 28
"""Frame from which a planted fault is there."""
WRONG = 0.6
"""Overlap with the right mask below which a mask is wrong."""
GOOD = 0.75
"""Overlap with the truth that every mask of a good segment has."""
KEPT = 0.9
"""Share of its frames with which a segment counts as kept."""
OVERLAP, PAN, SLIDE, DRIFT = 80, 3, 9, 3
"""Pixels: how far one lies over the other; a frame's step of a camera, of someone who leaves, of a drifting mask."""
Fault = Callable[[int, Masks, Masks], Masks]
"""Of a frame's number, the right masks and those of the onset: the masks of a segmenter that goes wrong."""


@dataclass(frozen=True)
class Clip:
    """A composed clip. frames: (T, H, W, 3).  truth: masks (K, N, H, W) from left to right at the frames `index` (K,).

    kind: the people in it, for the rows.  wrong: frames of each person that must not be kept.  whole: people who must
    not be kept across the onset.
    """

    name: str
    kind: str
    frames: np.ndarray
    index: np.ndarray
    truth: np.ndarray
    wrong: dict[int, range] = field(default_factory=dict)
    whole: tuple[int, ...] = ()


@dataclass(frozen=True)
class Result:
    """What the pipeline made of a clip: the segments, and every frame's masks (None where nobody is followed)."""

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
class Examined:
    """What became of a clip. verdicts: (fault, whether it was rejected) of each person with each fault in it."""

    result: Result
    verdicts: list[tuple[str, bool]]


def annotation(bench: Bench) -> list[Row]:
    """Mask overlap, planted faults rejected, good segments kept."""
    good, bad = good_clips(bench.cases), bad_clips(bench.cases)
    tasks = [Task(f"{place}", examine, (clip,)) for place, clip in enumerate([*good, *bad])]
    with ProcessExecutor(WORKERS, ready_worker) as executor:
        examined = {int(done.key): done.value for done in executor.map(tasks)}
    results = [examined[place].result for place in range(len(good))]
    draw(good, results).save(bench.pictures / "annotation.png")
    planted = [verdict for place in range(len(tasks)) for verdict in examined[place].verdicts]
    return [*overlap_rows(good, results), planted_row(planted), kept_row(good, results)]


def examine(clip: Clip) -> Examined:
    """Annotate a clip; plant faults into its masks if it has none of its own."""
    parts = Remembered.of(open_parts(Choice()))
    result = run(clip, parts)
    own = bool(clip.whole or clip.wrong)
    return Examined(result, judge_clip(clip, result) if own else plant(clip, result, parts))


def good_clips(cases: Sequence[Case]) -> list[Clip]:
    """Two side by side, three side by side, one before another, and a moving camera."""
    pairs = [beside("two people", cases[0], cases[1]), beside("two people", cases[2], cases[3])]
    threes = [beside("three people", *cases[4:7])]
    covered = [before(cases[7], cases[0]), before(cases[3], cases[5])]
    return [*pairs, *threes, *covered, pan(beside("two people", cases[6], cases[7]))]


def bad_clips(cases: Sequence[Case]) -> list[Clip]:
    """A hard cut, someone replaced, someone who leaves."""
    first, other = beside("", cases[0], cases[2]), beside("", cases[4], cases[6])
    replaced = beside("", cases[0], cases[7])
    return [
        splice("hard cut", first, other, (0, 1)),
        splice("replaced", first, replaced, (1,)),
        leave(cases[1], cases[3]),
    ]


def beside(kind: str, *cases: Case) -> Clip:
    """People side by side, each before their own backdrop."""
    frames = np.concatenate([case.frames[:FRAMES] for case in cases], 2)
    index = cases[0].index[cases[0].index < FRAMES]
    truth = np.zeros((len(index), len(cases), *frames.shape[1:3]), bool)
    for place, case in enumerate(cases):
        truth[:, place, :, place * case.side : (place + 1) * case.side] = case.person[: len(index)]
    return Clip("+".join(case.folder.name for case in cases), kind, frames, index, truth)


def before(back: Case, front: Case) -> Clip:
    """Two people, the right one cut out and laid over the left one's shoulder.

    Masks are exact every seventh frame; the outline of the cut-out moves evenly between them.
    """
    plain = beside("occluded", back, front)
    side, start = back.side, back.side - OVERLAP
    outline = outlines(front.person, front.index, FRAMES)
    frames = np.concatenate([plain.frames[:, :, :side], front.frames[:FRAMES, :, OVERLAP:]], 2)
    frames[:, :, start:] = np.where(outline[..., None], front.frames[:FRAMES], frames[:, :, start:])
    truth = np.zeros((*plain.truth.shape[:3], frames.shape[2]), bool)
    truth[:, 0, :, :side] = plain.truth[:, 0, :, :side]
    truth[:, 1, :, start:] = front.person[: len(plain.index)]
    truth[:, 0] &= ~truth[:, 1]
    return replace(plain, frames=frames, truth=truth)


def outlines(masks: np.ndarray, index: np.ndarray, frames: int) -> np.ndarray:
    """Masks (K, H, W) at the frames `index` as masks of all frames, by their signed distances."""
    depth = np.stack([ndimage.distance_transform_edt(m) - ndimage.distance_transform_edt(~m) for m in masks])
    place = np.clip(np.interp(np.arange(frames), index, np.arange(len(index))), 0, len(index) - 1)
    low = np.minimum(place.astype(int), len(index) - 2)
    share = (place - low)[:, None, None]
    return np.asarray((1 - share) * depth[low] + share * depth[low + 1] > 0)


def pan(clip: Clip) -> Clip:
    """The same clip seen by a camera that moves to the right."""
    width = clip.frames.shape[2] - PAN * (FRAMES - 1)
    starts = PAN * np.arange(FRAMES)
    frames = np.stack([frame[:, start : start + width] for frame, start in zip(clip.frames, starts, strict=True)])
    truth = np.stack(
        [masks[..., start : start + width] for masks, start in zip(clip.truth, starts[clip.index], strict=True)]
    )
    return replace(clip, name=f"{clip.name} panned", frames=frames, truth=truth)


def splice(name: str, first: Clip, second: Clip, whole: tuple[int, ...]) -> Clip:
    """The one clip up to the onset, then the other: nobody of `whole` goes on."""
    frames = np.concatenate([first.frames[:ONSET], second.frames[ONSET:]])
    return replace(first, name=name, kind="planted", frames=frames, whole=whole)


def leave(stays: Case, goes: Case) -> Clip:
    """Two people of whom the right one leaves to the right, before a backdrop that stays behind."""
    plain = beside("planted", stays, goes)
    side, outline = stays.side, outlines(goes.person, goes.index, FRAMES)
    frames = plain.frames.copy()
    empty = np.broadcast_to(np.median(goes.frames[0][:8], (0, 1)), (side, side, 3)).astype(np.uint8)
    for number in range(FRAMES):
        step = SLIDE * max(0, number - ONSET // 2)
        person = np.zeros((side, side), bool)
        person[:, min(step, side) :] = outline[number][:, : max(0, side - step)]
        moved = np.roll(goes.frames[number], step, 1)
        frames[number, :, side:] = np.where(person[..., None], moved, empty)
    gone = ONSET // 2 + side // SLIDE + 1
    return replace(plain, name="leaves", frames=frames, wrong={1: range(gone, FRAMES)})


LATE: dict[str, Fault] = {
    "frozen": lambda number, masks, held: held,
    "drift": lambda number, masks, held: np.roll(masks, DRIFT * (number - ONSET), 2),
    "swapped": lambda number, masks, held: np.roll(masks, 1, 0),
    "half from the onset": lambda number, masks, held: halved(masks),
}
"""Faults from the onset on."""
EARLY: dict[str, Fault] = {
    "half": lambda number, masks, held: halved(masks),
    "both": lambda number, masks, held: np.broadcast_to(masks.any(0), masks.shape).copy(),
    "nothing": lambda number, masks, held: np.broadcast_to(ground(held), masks.shape).copy(),
}
"""Faults from the first frame on."""


def halved(masks: Masks) -> Masks:
    """The left half of each person."""
    middles = [np.flatnonzero(mask.any(0)).mean() if mask.any() else 0.0 for mask in masks]
    return masks & (np.arange(masks.shape[2]) < np.array(middles)[:, None])[:, None]


def ground(masks: Masks) -> np.ndarray:
    """A disc on the backdrop, as far from everybody as it can be."""
    depth = ndimage.distance_transform_edt(~masks.any(0))
    row, column = np.unravel_index(depth.argmax(), depth.shape)
    ys, xs = np.mgrid[: masks.shape[1], : masks.shape[2]]
    return np.asarray(np.hypot(ys - row, xs - column) < 40)


def plant(clip: Clip, result: Result, parts: Remembered) -> list[tuple[str, bool]]:
    """(fault, whether it was rejected) of each person with each fault whose masks are then wrong.

    Only of people who are kept without the fault: a track that is rejected anyway proves nothing.
    """
    right = [masks for masks in result.masks if masks is not None]
    if len(right) < FRAMES:
        return []
    verdicts = []
    starts = dict.fromkeys(LATE, ONSET) | dict.fromkeys(EARLY, 0)
    for name, fault in (LATE | EARLY).items():
        start = starts[name]
        masks = [fault(n, seen, right[start]) if n >= start else seen for n, seen in enumerate(right)]
        spoilt = run(clip, replace(parts, segmenter=Given(masks)))
        for person in np.flatnonzero([result.kept(person).mean() >= KEPT for person in range(len(right[0]))]):
            wrong = np.array([mask_overlap(a[person], b[person]) < WRONG for a, b in zip(masks, right, strict=True)])
            if wrong.any():
                verdicts.append((f"{clip.name}: {name}", not (wrong & spoilt.kept(person)).any()))
    return verdicts


def judge_clip(clip: Clip, result: Result) -> list[tuple[str, bool]]:
    """(fault, whether it was rejected) of the people whom a clip with a fault of its own must not keep."""
    verdicts = [(clip.name, not result.crosses(person, ONSET)) for person in clip.whole]
    return verdicts + [(clip.name, not result.kept(person)[frames].any()) for person, frames in clip.wrong.items()]


def run(clip: Clip, parts: Parts) -> Result:
    """The pipeline over a clip."""
    masks: list[Masks | None] = []
    _, segments = annotate_frames(clip.frames, parts, Settings(), lambda _, __, seen: masks.append(seen))
    return Result(segments, masks)


def overlaps(clip: Clip, result: Result) -> np.ndarray:
    """(K, N) overlap of each true mask with that of the person at the same place from the left; 0 for one not found."""
    found = np.zeros(clip.truth.shape[:2])
    for place, (number, true) in enumerate(zip(clip.index, clip.truth, strict=True)):
        masks = result.masks[number]
        for person, mask in enumerate(true if masks is not None else ()):
            found[place, person] = max(mask_overlap(mask, seen) for seen in masks)
    return found


def overlap_rows(clips: Sequence[Clip], results: Sequence[Result]) -> list[Row]:
    """Mean overlap over all people and true masks, before validation, and by kind."""
    found = {clip.name: overlaps(clip, result) for clip, result in zip(clips, results, strict=True)}
    kinds = list(dict.fromkeys(clip.kind for clip in clips))
    means = {
        kind: float(np.mean(np.concatenate([found[clip.name].ravel() for clip in clips if clip.kind == kind])))
        for kind in kinds
    }
    whole = float(np.mean(np.concatenate([values.ravel() for values in found.values()])))
    name = "annotation, embedded parts: mask IoU on rendered clips"
    row = judged(name, f"{whole:.3f}", "0.75", "0.9", whole >= 0.75, whole >= 0.9, whole=whole, **means)
    return [row, Row(f"  {' / '.join(kinds)}", " / ".join(f"{means[kind]:.3f}" for kind in kinds))]


def planted_row(verdicts: Sequence[tuple[str, bool]]) -> Row:
    """Share of planted faults of which no wrong frame was kept."""
    share = float(np.mean([rejected for _, rejected in verdicts]))
    for name, rejected in verdicts:
        if not rejected:
            print(f"kept although bad: {name}")
    value = f"{share:.3f} of {len(verdicts)}"
    name = "  planted bad segments rejected"
    return judged(name, value, "0.9", "0.99", share >= 0.9, share >= 0.99, share=share)


def kept_row(clips: Sequence[Clip], results: Sequence[Result]) -> Row:
    """Share of good segments of which nine frames in ten were kept, good by the truth."""
    kept = []
    for clip, result in zip(clips, results, strict=True):
        good = (overlaps(clip, result) >= GOOD).all(0)
        kept += [bool(result.kept(person).mean() >= KEPT) for person in np.flatnonzero(good)]
    share = float(np.mean(kept)) if kept else 0.0
    people = sum(clip.truth.shape[1] for clip in clips)
    value = f"{share:.3f} of {len(kept)} ({people} people)"
    return judged("  good segments kept", value, "0.9", "0.95", share >= 0.9, share >= 0.95, share=share)


def draw(clips: Sequence[Clip], results: Sequence[Result]) -> Image.Image:
    """The last true frame of each clip with the pipeline's masks over it."""
    cells, labels = [], []
    for clip, result in zip(clips, results, strict=True):
        number = int(clip.index[-1])
        masks = result.masks[number]
        people = range(0 if masks is None else len(masks))
        cells.append(shrink(tinted(clip.frames[number], masks, {p for p in people if result.kept(p)[number]})))
        labels.append("IoU " + ", ".join(f"{value:.2f}" for value in overlaps(clip, result)[-1]))
    return contact_sheet(cells, labels, columns=3)


@dataclass(frozen=True)
class Remembered(Parts):
    """Parts whose looks at a frame are kept: every fault is judged by the same looks."""

    @classmethod
    def of(cls, parts: Parts) -> Remembered:
        looks = _Looks(parts)
        return cls(looks, looks, parts.segmenter)


class _Looks:
    """Detector and pose estimator that look at every frame once."""

    def __init__(self, parts: Parts) -> None:
        self.identity = parts.detector.identity
        self._parts = parts
        self._found: dict[bytes, list[Detection]] = {}
        self._poses: dict[tuple[bytes, tuple[Box, ...]], list[Pose]] = {}

    def detect(self, frame: Frame) -> list[Detection]:
        key = sha256(frame.tobytes()).digest()
        if key not in self._found:
            self._found[key] = self._parts.detector.detect(frame)
        return self._found[key]

    def estimate(self, frame: Frame, boxes: Sequence[Box]) -> list[Pose]:
        key = (sha256(frame.tobytes()).digest(), tuple(boxes))
        if key not in self._poses:
            self._poses[key] = self._parts.pose.estimate(frame, boxes)
        return self._poses[key]


class Given:
    """A segmenter that gives masks that are there already."""

    def __init__(self, masks: Sequence[Masks]) -> None:
        self.identity = "given"
        self._masks = masks

    def begin(self, prompts: Sequence[Prompt]) -> Tracking:
        return _GivenMasks(self._masks)


class _GivenMasks:
    def __init__(self, masks: Sequence[Masks]) -> None:
        self._next = iter(masks)

    def step(self, frame: Frame) -> Masks:
        return next(self._next)
