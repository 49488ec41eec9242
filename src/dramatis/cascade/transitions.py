"""Stage five (report 3.1): the frames around every seam are filmed anew, from both sides and the sound of that moment.

Two sub-clips that share a keyframe agree on one picture, but not on how lips, head and light move through it. A
transition is given five frames before the seam's gap and four after it, motion included, and fills the gap. Every seam
is filmed from the two sub-clips alone, in any order. A plain cut and a cross-fade exist to compare with.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from dramatis.cascade.context import Set, Work, stored
from dramatis.cascade.plan import ClipPlan, Seam, SubClip
from dramatis.media.image import Pictures
from dramatis.runtime.seeds import derive_seed


def plan_transitions(stage: Set, clips: ClipPlan, filmed: list[Work]) -> dict[int, Work]:
    """The filming of every transition, by the seam's frame; an artifact holds `frames`, the whole window."""
    seam_is = stage.backbone.profile.seam
    work = {}
    for seam in clips.seams:
        if seam_is == "cut" or not seam.gap:
            continue
        left, right = clips.clips[seam.left], clips.clips[seam.left + 1]
        sides = (filmed[seam.left].key, filmed[seam.left + 1].key)
        key = stage.store.key(
            {
                "stage": "transition",
                "kind": [seam_is, stage.backbone.profile.seam_strength],
                "window": seam.model_dump(mode="json"),
                "sides": sides,
                "material": stage.material.digest(stage.rows(seam.window)),
                "prompts": stage.prompts(range(seam.window.start, seam.window.stop), [left.shot, right.shot]),
                "seed": _seed(stage, left, seam),
                **stage.backbone.low_identity,
            }
        )
        make = partial(_fade if seam_is == "fade" else _film, stage, left, right, sides, seam)
        work[seam.frame] = Work("transitions", key, make, after=sides)
    return work


def transition_keys(clips: ClipPlan, transitions: dict[int, Work]) -> dict[int, tuple[Seam, str]]:
    """By the frame of every seam that is filmed: the seam and its artifact."""
    return {seam.frame: (seam, transitions[seam.frame].key) for seam in clips.seams if seam.frame in transitions}


def joined(stage: Set, clip: SubClip, filmed: str, transitions: dict[int, tuple[Seam, str]]) -> Pictures:
    """The frames of a sub-clip with the transitions at its ends in place, keyframes included.

    filmed: artifact of the clip. transitions: by seam frame, the seam and the transition's artifact.
    """
    frames = stored(stage, filmed).copy()
    for frame in (clip.first, clip.last):
        if frame not in transitions:
            continue
        seam, artifact = transitions[frame]
        window = stored(stage, artifact)
        for number in seam.gap:
            if clip.first <= number <= clip.last:
                frames[number - clip.first] = window[number - seam.window.start]
    return frames


def _seed(stage: Set, left: SubClip, seam: Seam) -> int:
    return derive_seed(stage.storyline.seed, stage.storyline.shots[left.shot].seed, f"seam/{seam.frame}")


def _cut(stage: Set, left: SubClip, right: SubClip, sides: tuple[str, str], seam: Seam) -> Pictures:
    """The window as the two sub-clips show it, the left one up to the shared frame."""
    before, after = (stored(stage, key) for key in sides)
    return np.concatenate([before[seam.window.start - left.first :], after[1 : seam.window.stop - right.first]])


def _film(stage: Set, left: SubClip, right: SubClip, sides: tuple[str, str], seam: Seam) -> dict[str, Any]:
    cut = _cut(stage, left, right, sides, seam)
    window = range(seam.window.start, seam.window.stop)
    seed = _seed(stage, left, seam)
    inputs = stage.inputs(window, [left.shot, right.shot], cut[: seam.head], cut[-seam.tail :], seed)
    return {"frames": stage.backbone.film(inputs, again=cut)}


def _fade(stage: Set, left: SubClip, right: SubClip, sides: tuple[str, str], seam: Seam) -> dict[str, Any]:
    cut = _cut(stage, left, right, sides, seam)
    head, tail = cut[: seam.head], cut[-seam.tail :]
    count = len(seam.gap)
    share = (np.arange(1, count + 1) / (count + 1))[:, None, None, None]
    faded = (1 - share) * head[-1] + share * tail[0]
    return {"frames": np.concatenate([head, faded.round().astype(np.uint8), tail])}
