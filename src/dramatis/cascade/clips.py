"""Stage four (report 3.1): every pair of neighbouring keyframes grows into a full-rate sub-clip.

First and last frame are given, the sound and the performance of each frame steer what lies between. Sub-clips depend on
their two keyframes alone, so they are filmed in any order, on any number of workers, with equal results.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from dramatis.cascade.colour import match_colours
from dramatis.cascade.context import Set, Work, content
from dramatis.cascade.keyframes import Keyframes
from dramatis.cascade.plan import ClipPlan, SubClip
from dramatis.runtime.seeds import derive_seed


def plan_clips(stage: Set, clips: ClipPlan, keyframes: Keyframes) -> list[Work]:
    """The filming of every sub-clip, in order; an artifact holds `frames`, both keyframes included."""
    return [
        Work("sub-clips", _artifact(stage, clip, keyframes), partial(_film, stage, clip, keyframes.of(clip)))
        for clip in clips.clips
    ]


def _artifact(stage: Set, clip: SubClip, keyframes: Keyframes) -> str:
    return stage.store.key(
        {
            "stage": "clip",
            "clip": clip.key,
            # Keyframes enter by content: a new blueprint that happens to give the same picture costs nothing.
            "keyframes": [content(keyframes.low(frame)) for frame in (clip.first, clip.last)],
            "material": stage.material.digest(stage.rows(range(clip.first, clip.last + 1))),
            "prompts": stage.prompts(range(clip.first, clip.last + 1), [clip.shot]),
            "seed": _seed(stage, clip),
            **stage.backbone.low_identity,
        }
    )


def _seed(stage: Set, clip: SubClip) -> int:
    return derive_seed(stage.storyline.seed, stage.storyline.shots[clip.shot].seed, clip.key)


def _film(stage: Set, clip: SubClip, keyframes: Keyframes) -> dict[str, Any]:
    head, tail = keyframes.low(clip.first), keyframes.low(clip.last)
    inputs = stage.inputs(range(clip.first, clip.last + 1), [clip.shot], head[None], tail[None], _seed(stage, clip))
    frames = stage.backbone.film(inputs)
    return {"frames": match_colours(frames, head, tail) if stage.backbone.profile.match_colours else frames}
