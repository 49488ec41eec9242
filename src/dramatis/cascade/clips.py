"""Stage three (report 3.1): every pair of neighbouring keyframes grows into a full-rate sub-clip.

First and last frame are given, the sound and the performance of each frame steer what lies between. Sub-clips depend on
their two keyframes alone, so they are filmed in any order, on any number of workers, with equal results.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

from dramatis.cascade.backbone import ClipInputs
from dramatis.cascade.blueprint import blueprint_frame
from dramatis.cascade.context import Set
from dramatis.cascade.plan import ClipPlan, SubClip
from dramatis.runtime.seeds import derive_seed


def make_clips(stage: Set, clips: ClipPlan, blueprint: dict[str, str]) -> list[str]:
    """Film every sub-clip; returns artifact keys in order (an artifact holds `frames`, both keyframes included)."""
    keys, wanted = [], {}
    for clip in clips.clips:
        key = _artifact(stage, clip, blueprint)
        keys.append(key)
        wanted[key] = partial(_film, stage, clip, blueprint)
    stage.make_all("sub-clips", wanted)
    return keys


def _artifact(stage: Set, clip: SubClip, blueprint: dict[str, str]) -> str:
    # Keyframes enter by content: a new blueprint that happens to give the same picture costs nothing.
    pictures = [blueprint_frame(stage, blueprint, frame) for frame in (clip.first, clip.last)]
    return stage.store.key(
        {
            "stage": "clip",
            "clip": clip.key,
            "keyframes": [hashlib.sha256(picture.tobytes()).hexdigest() for picture in pictures],
            "material": stage.material.digest(stage.rows(range(clip.first, clip.last + 1))),
            "prompts": stage.prompts([clip.shot]),
            "seed": _seed(stage, clip),
            "profile": stage.backbone.profile.model_dump(mode="json"),
            **stage.backbone.identity,
        }
    )


def _seed(stage: Set, clip: SubClip) -> int:
    return derive_seed(stage.storyline.seed, stage.storyline.shots[clip.shot].seed, clip.key)


def _film(stage: Set, clip: SubClip, blueprint: dict[str, str]) -> dict[str, Any]:
    rows = stage.rows(range(clip.first, clip.last + 1))
    positive, negative = stage.prompts([clip.shot])
    inputs = ClipInputs(
        head=blueprint_frame(stage, blueprint, clip.first)[None],
        tail=blueprint_frame(stage, blueprint, clip.last)[None],
        reference=stage.material.reference,
        audio=stage.material.audio(rows),
        controls=stage.material.controls(rows),
        anchors=stage.material.anchors(rows),
        positive=positive,
        negative=negative,
        seed=_seed(stage, clip),
    )
    return {"frames": stage.backbone.film(inputs)}
