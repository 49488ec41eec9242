"""Stage six (report 3.1): every finished sub-clip at the size of the video, between two high-resolution keyframes.

A transition may have changed the very frame that two clips share, so that frame is first enlarged once more, from its
final look and the high-resolution keyframe. Both neighbours then stand on the same picture. The work of a clip can
begin as soon as the clip and the transitions at its ends are there.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from dramatis.cascade.context import Set, Work, stored
from dramatis.cascade.keyframes import Keyframes, enlarge_still
from dramatis.cascade.plan import ClipPlan, Seam, SubClip
from dramatis.cascade.transitions import joined, transition_keys
from dramatis.runtime.seeds import derive_seed


def plan_super_resolution(
    stage: Set, clips: ClipPlan, filmed: list[Work], transitions: dict[int, Work], keyframes: Keyframes
) -> tuple[list[Work], list[Work]]:
    """The enlarging of anchors and of sub-clips, in order; an artifact of the latter holds `frames` of the final video.

    At scale 1 nothing is enlarged: the artifact is the clip with its transitions in place.
    """
    seams = transition_keys(clips, transitions)
    anchors = {} if stage.material.scale == 1 else _plan_anchors(stage, clips, filmed, transitions, keyframes)
    work = []
    for clip, film in zip(clips.clips, filmed, strict=True):
        own = {frame: seams[frame] for frame in (clip.first, clip.last) if frame in seams}
        ends = {frame: anchors[frame].key for frame in (clip.first, clip.last) if frame in anchors}
        # Keyframes of the blueprint enter through the clip's own key, which their content is part of.
        after = (film.key, *(key for _, key in own.values()), *ends.values())
        key = stage.store.key(
            {
                "stage": "super-resolution",
                "clip": clip.key,
                "from": after,
                "high": [keyframes.keys.get(frame) for frame in (clip.first, clip.last)],
                "seed": _seed(stage, clip.key),
                **stage.backbone.high_identity,
            }
        )
        make = partial(_enlarge, stage, clip, film.key, own, ends, keyframes.of(clip))
        work.append(Work("super-resolution", key, make, after))
    return list(anchors.values()), work


def _plan_anchors(
    stage: Set, clips: ClipPlan, filmed: list[Work], transitions: dict[int, Work], keyframes: Keyframes
) -> dict[int, Work]:
    """The shared frames that a transition has changed, by frame."""
    work = {}
    for seam in clips.seams:
        if seam.frame not in transitions:
            continue
        transition = transitions[seam.frame]
        key = stage.store.key(
            {
                "stage": "anchor",
                "frame": seam.frame,
                "transition": transition.key,
                "high": keyframes.keys[seam.frame],
                "seed": _seed(stage, f"anchor/{seam.frame}"),
                **stage.backbone.high_identity,
            }
        )
        make = partial(_anchor, stage, seam, transition.key, keyframes.of(clips.clips[seam.left]))
        work[seam.frame] = Work("anchors", key, make, after=(transition.key,))
    return work


def _seed(stage: Set, name: str) -> int:
    return derive_seed(stage.storyline.seed, "high", name)


def _anchor(stage: Set, seam: Seam, transition: str, keyframes: Keyframes) -> dict[str, Any]:
    low = stored(stage, transition)[seam.frame - seam.window.start]
    seed = _seed(stage, f"anchor/{seam.frame}")
    return {"frames": enlarge_still(stage, low, seam.frame, seam.frame, keyframes.high(seam.frame), seed)[None]}


def _enlarge(
    stage: Set,
    clip: SubClip,
    filmed: str,
    transitions: dict[int, tuple[Seam, str]],
    anchors: dict[int, str],
    keyframes: Keyframes,
) -> dict[str, Any]:
    low = joined(stage, clip, filmed, transitions)
    if stage.material.scale == 1:
        return {"frames": low}
    head, tail = (
        stored(stage, anchors[frame]) if frame in anchors else keyframes.high(frame)[None]
        for frame in (clip.first, clip.last)
    )
    inputs = stage.inputs(range(clip.first, clip.last + 1), [clip.shot], low[:1], low[-1:], _seed(stage, clip.key))
    return {"frames": stage.backbone.upscale(stage.high(inputs, head, tail), low)}
