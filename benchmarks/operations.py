"""What every way to film takes in floating-point operations, on any machine."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from dramatis.app.pipeline import AvatarPipeline
from dramatis.backbones.base import ClipInputs
from dramatis.cascade.context import Set
from dramatis.cascade.keyframes import enlarge_still
from dramatis.cascade.pipeline import prepare
from dramatis.cascade.plan import CascadePlan, clips_from_keyframes
from dramatis.media.image import Pictures
from dramatis.runtime.executor import SerialExecutor
from dramatis.runtime.progress import NullReporter
from dramatis.runtime.store import ArtifactStore
from dramatis.senses.hearing.prosody import prosody_of
from dramatis_lab.evaluate.flops import flops
from filming import Stage
from ways import Way, chain_ends

CLIP_FRAMES = 21
"""Of the representative clip: as long as plans have them."""


def prepared(pipe: AvatarPipeline, image: Path, voice: Path, store: Path) -> Set:
    """Everything on the set, nothing filmed."""
    storyline, observations = pipe.plan(image, voice)
    prosody = prosody_of(observations)
    return prepare(storyline, [prosody], pipe.backbone, ArtifactStore(store), SerialExecutor(), NullReporter())


def unit_flops(stage: Stage) -> dict[str, float]:
    """Operations per frame of each stage, encoding and decoding included, counted on one representative clip."""
    case = stage.cases[0]
    ready = prepared(stage.pipe, case.portrait, case.voice, stage.work / "flops")
    film, still = ready.backbone.film, ready.material.reference
    low, high = still[None], ready.material.portrait[None]

    def inputs(frames: Sequence[int], head: Pictures, tail: Pictures | None) -> ClipInputs:
        return ready.inputs(frames, [0], head, tail, 0)

    def repeated(picture: Pictures, count: int) -> Pictures:
        return np.repeat(picture, count, 0)

    given = ready.plan.geometry.seam_given
    window = 2 * given + 1 + 8
    clip = inputs(range(CLIP_FRAMES), low, low)
    chained = inputs(range(CLIP_FRAMES), low, None)
    seam = inputs(range(window), repeated(low, given + 1), repeated(low, given))
    out = {
        "waypoint": flops(lambda: film(inputs([0, *range(8, 24, 4)], low, None))) / 5,
        "blueprint": flops(lambda: film(inputs(range(0, 4 * 29, 4), low, low))) / 29,
        "sub-clip": flops(lambda: film(clip)) / CLIP_FRAMES,
        "transition": flops(lambda: film(seam)) / window,
        "chained clip": flops(lambda: film(chained)) / CLIP_FRAMES,
        "single-stage clip": flops(lambda: film(ready.high(chained, high, None))) / CLIP_FRAMES,
        "keyframe": 0.0,
        "super-resolution": 0.0,
    }
    if stage.scale > 1:
        grown = ready.high(clip, high, high)
        out["keyframe"] = flops(lambda: enlarge_still(ready, still, 0, 4, high[0], 0))
        out["super-resolution"] = flops(lambda: ready.backbone.upscale(grown, repeated(low, CLIP_FRAMES))) / CLIP_FRAMES
    return out


def plan_flops(way: Way, plan: CascadePlan, unit: dict[str, float]) -> float:
    """Operations of a whole video: what each frame costs, times how many frames the plan has of them."""
    ends = chain_ends(plan)
    frames = sum(last - first + 1 for first, last in pairwise(ends))
    if way is Way.SINGLE:
        return unit["single-stage clip"] * frames
    pictures = len(ends) - 1
    if way is Way.CHAINED:
        return (unit["chained clip"] + unit["super-resolution"]) * frames + unit["keyframe"] * pictures
    seams = [seam for seam in clips_from_keyframes(plan, ends).seams if seam.gap]
    return (
        sum(unit["waypoint" if clip.waypoint else "blueprint"] * len(clip.frames) for clip in plan.blueprint)
        + (unit["sub-clip"] + unit["super-resolution"]) * frames
        + unit["transition"] * sum(len(seam.window) for seam in seams)
        + unit["keyframe"] * (pictures + len(seams))
    )
