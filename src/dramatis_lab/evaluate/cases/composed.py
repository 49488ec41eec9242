"""Clips of two and three people with exact masks, composed of the held-out cases, which have one person each.

People stand side by side, are panned over, or are cut out and laid over another's shoulder. Some clips have a fault of
their own: a hard cut, someone replaced, someone who leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from scipy import ndimage

from dramatis_lab.evaluate.cases.held_out import Case

COMPOSED_FRAMES = 57
FAULT_ONSET = 28
"""First frame with a planted fault."""
OVERLAP, PAN, SLIDE = 80, 3, 9
"""Pixels by which one person covers another; steps per frame of the moving camera, and of someone who leaves."""


@dataclass(frozen=True)
class ComposedClip:
    """T frames of N people.

    kind: the people in it, for the rows.  frames: (T, H, W, 3).  truth: masks (K, N, H, W) from left to right, at the
    frames `index` (K,).  wrong: frames of each person that must not be kept.  ends_at_onset: people whom no segment may
    follow across the onset.
    """

    name: str
    kind: str
    frames: np.ndarray
    index: np.ndarray
    truth: np.ndarray
    wrong: dict[int, range] = field(default_factory=dict)
    ends_at_onset: tuple[int, ...] = ()


def good_clips(cases: Sequence[Case]) -> list[ComposedClip]:
    """Two side by side, three side by side, one before another, and a moving camera."""
    pairs = [side_by_side("two people", cases[0], cases[1]), side_by_side("two people", cases[2], cases[3])]
    threes = [side_by_side("three people", *cases[4:7])]
    covered = [one_before_other(cases[7], cases[0]), one_before_other(cases[3], cases[5])]
    return [*pairs, *threes, *covered, panned(side_by_side("two people", cases[6], cases[7]))]


def bad_clips(cases: Sequence[Case]) -> list[ComposedClip]:
    """A hard cut, someone replaced, someone who leaves."""
    first, second = side_by_side("", cases[0], cases[2]), side_by_side("", cases[4], cases[6])
    replaced = side_by_side("", cases[0], cases[7])
    return [
        spliced("hard cut", first, second, (0, 1)),
        spliced("replaced", first, replaced, (1,)),
        with_one_leaving(cases[1], cases[3]),
    ]


def side_by_side(kind: str, *cases: Case) -> ComposedClip:
    """People side by side, each before their own backdrop."""
    frames = np.concatenate([case.frames[:COMPOSED_FRAMES] for case in cases], 2)
    index = cases[0].index[cases[0].index < COMPOSED_FRAMES]
    truth = np.zeros((len(index), len(cases), *frames.shape[1:3]), bool)
    for person, case in enumerate(cases):
        truth[:, person, :, person * case.side : (person + 1) * case.side] = case.person[: len(index)]
    return ComposedClip("+".join(case.folder.name for case in cases), kind, frames, index, truth)


def one_before_other(back: Case, front: Case) -> ComposedClip:
    """Two people, the right one cut out and laid over the left one's shoulder.

    Masks are exact at every seventh frame; between these the outline of the cut-out moves evenly.
    """
    plain = side_by_side("occluded", back, front)
    side, start = back.side, back.side - OVERLAP
    outline = masks_between(front.person, front.index, COMPOSED_FRAMES)
    frames = np.concatenate([plain.frames[:, :, :side], front.frames[:COMPOSED_FRAMES, :, OVERLAP:]], 2)
    frames[:, :, start:] = np.where(outline[..., None], front.frames[:COMPOSED_FRAMES], frames[:, :, start:])
    truth = np.zeros((*plain.truth.shape[:3], frames.shape[2]), bool)
    truth[:, 0, :, :side] = plain.truth[:, 0, :, :side]
    truth[:, 1, :, start:] = front.person[: len(plain.index)]
    truth[:, 0] &= ~truth[:, 1]
    return replace(plain, frames=frames, truth=truth)


def masks_between(masks: np.ndarray, index: np.ndarray, frames: int) -> np.ndarray:
    """Masks (K, H, W) at the frames `index`, interpolated by signed distance to masks of all frames."""
    distance = np.stack([ndimage.distance_transform_edt(m) - ndimage.distance_transform_edt(~m) for m in masks])
    position = np.clip(np.interp(np.arange(frames), index, np.arange(len(index))), 0, len(index) - 1)
    low = np.minimum(position.astype(int), len(index) - 2)
    share = (position - low)[:, None, None]
    return np.asarray((1 - share) * distance[low] + share * distance[low + 1] > 0)


def panned(clip: ComposedClip) -> ComposedClip:
    """The same clip seen by a camera that moves to the right."""
    width = clip.frames.shape[2] - PAN * (COMPOSED_FRAMES - 1)
    starts = PAN * np.arange(COMPOSED_FRAMES)
    frames = np.stack([frame[:, start : start + width] for frame, start in zip(clip.frames, starts, strict=True)])
    truth = np.stack(
        [masks[..., start : start + width] for masks, start in zip(clip.truth, starts[clip.index], strict=True)]
    )
    return replace(clip, name=f"{clip.name} panned", frames=frames, truth=truth)


def spliced(name: str, first: ComposedClip, second: ComposedClip, ending: tuple[int, ...]) -> ComposedClip:
    """The first clip up to the onset, then the second; the people of `ending` do not go on."""
    frames = np.concatenate([first.frames[:FAULT_ONSET], second.frames[FAULT_ONSET:]])
    return replace(first, name=name, kind="planted", frames=frames, ends_at_onset=ending)


def with_one_leaving(stays: Case, goes: Case) -> ComposedClip:
    """Two people; the one on the right leaves to the right, and the backdrop stays."""
    plain = side_by_side("planted", stays, goes)
    side, outline = stays.side, masks_between(goes.person, goes.index, COMPOSED_FRAMES)
    frames = plain.frames.copy()
    empty = np.broadcast_to(np.median(goes.frames[0][:8], (0, 1)), (side, side, 3)).astype(np.uint8)
    for frame_index in range(COMPOSED_FRAMES):
        step = SLIDE * max(0, frame_index - FAULT_ONSET // 2)
        person = np.zeros((side, side), bool)
        person[:, min(step, side) :] = outline[frame_index][:, : max(0, side - step)]
        moved = np.roll(goes.frames[frame_index], step, 1)
        frames[frame_index, :, side:] = np.where(person[..., None], moved, empty)
    gone = FAULT_ONSET // 2 + side // SLIDE + 1
    return replace(plain, name="leaves", frames=frames, wrong={1: range(gone, COMPOSED_FRAMES)})
