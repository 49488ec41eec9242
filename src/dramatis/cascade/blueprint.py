"""Stage one (report 3.1): a low-resolution blueprint of the whole video: waypoints first, then what lies between.

Each blueprint clip is an ordinary clip of the video DiT with one frame in four, with the sound and the performance of
just those moments. Waypoints grow from the reference image; the other clips run from one to the next.
"""

from __future__ import annotations

from functools import partial
from itertools import groupby
from typing import Any

from dramatis.cascade.context import Set, stored
from dramatis.cascade.plan import BlueprintClip
from dramatis.media.image import Pictures
from dramatis.runtime.seeds import derive_seed


def make_blueprint(stage: Set) -> dict[str, str]:
    """Film every blueprint clip, waypoints first; returns clip key -> artifact key (an artifact holds `frames`)."""
    made: dict[str, str] = {}
    for waypoints, clips in groupby(stage.plan.blueprint, key=lambda clip: clip.waypoint):
        wanted = {}
        for clip in clips:
            made[clip.key] = _artifact(stage, clip, made)
            wanted[made[clip.key]] = partial(_film, stage, clip, made)
        stage.make_all("waypoints" if waypoints else "blueprint", wanted)
    return made


def blueprint_frame(stage: Set, made: dict[str, str], frame: int) -> Pictures:
    """One finished blueprint frame (H, W, 3) uint8; frame 0 is the reference itself."""
    if frame == 0:
        return stage.material.reference
    clip, position = stage.plan.blueprint_source(frame)
    return stored(stage, made[clip])[position]


def _artifact(stage: Set, clip: BlueprintClip, made: dict[str, str]) -> str:
    rows = stage.rows(clip.frames)
    return stage.store.key(
        {
            "stage": "blueprint",
            "clip": clip.model_dump(mode="json"),
            "given": [made[key] for key in clip.dependencies],
            "material": stage.material.digest(rows),
            "prompts": stage.prompts(clip.frames[clip.waypoint :], clip.shots),
            "seed": _seed(stage, clip),
            **stage.backbone.low_identity,
        }
    )


def _seed(stage: Set, clip: BlueprintClip) -> int:
    # Clips on both sides hang on a waypoint, so a new take of one shot must leave it where it is.
    if clip.waypoint:
        return derive_seed(stage.storyline.seed, clip.key)
    # The seed of the shot where the clip begins: changing one shot's seed leaves the others' clips alone.
    return derive_seed(stage.storyline.seed, stage.storyline.shots[clip.shots[0]].seed, clip.key)


def _film(stage: Set, clip: BlueprintClip, made: dict[str, str]) -> dict[str, Any]:
    given = {
        item.position: stage.material.reference if item.clip is None else stored(stage, made[item.clip])[item.source]
        for item in clip.given
    }
    last = len(clip.frames) - 1
    tail = given[last][None] if last in given else None
    inputs = stage.inputs(clip.frames, clip.shots, given[0][None], tail, _seed(stage, clip), own=int(clip.waypoint))
    return {"frames": stage.backbone.film(inputs)}
