"""Floating-point operations of every way of filming, which are the same on any machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from dramatis.app.pipeline import AvatarPipeline
from dramatis.app.planning import Plan
from dramatis.backbones.base import ClipInputs
from dramatis.cascade.context import JobContext
from dramatis.cascade.keyframes import enlarge_still
from dramatis.cascade.plan import CascadePlan, clips_from_keyframes
from dramatis.cascade.preparation import prepare
from dramatis.media.image import Pictures
from dramatis.runtime.executor import SerialExecutor
from dramatis.runtime.progress import NullReporter
from dramatis.runtime.store import ArtifactStore
from dramatis.senses.hearing.prosody import prosody_of
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.measures.flops import count_flops
from dramatis_lab.evaluate.ways.chains import chain_ends
from dramatis_lab.evaluate.ways.record import FilmingWay

CLIP_FRAMES = 21
"""Frames of the representative clip, as many as clips of a plan have."""


def prepare_job(pipe: AvatarPipeline, plan: Plan, store: Path) -> JobContext:
    """The context of a job of which nothing is rendered yet."""
    prosody = prosody_of(plan.observations)
    return prepare(plan.storyline, [prosody], pipe.backbone, ArtifactStore(store), SerialExecutor(), NullReporter())


def flops_per_frame(bench: Bench) -> dict[str, float]:
    """Operations per frame of each stage, encoding and decoding included, counted on one representative clip."""
    case = bench.cases[0]
    job = prepare_job(bench.pipe, bench.plan(case.portrait, case.voice), bench.work / "flops")
    generate, still = job.backbone.generate_clip, job.inputs.reference
    low, high = still[None], job.inputs.portrait[None]

    def inputs(frames: Sequence[int], head: Pictures, tail: Pictures | None) -> ClipInputs:
        return job.clip_inputs(frames, [0], head, tail, 0)

    def repeated(picture: Pictures, count: int) -> Pictures:
        return np.repeat(picture, count, 0)

    given = job.plan.geometry.seam_given
    window = 2 * given + 1 + 8
    clip = inputs(range(CLIP_FRAMES), low, low)
    chained = inputs(range(CLIP_FRAMES), low, None)
    seam = inputs(range(window), repeated(low, given + 1), repeated(low, given))
    costs = {
        "waypoint": count_flops(lambda: generate(inputs([0, *range(8, 24, 4)], low, None))) / 5,
        "blueprint": count_flops(lambda: generate(inputs(range(0, 4 * 29, 4), low, low))) / 29,
        "sub-clip": count_flops(lambda: generate(clip)) / CLIP_FRAMES,
        "transition": count_flops(lambda: generate(seam)) / window,
        "chained clip": count_flops(lambda: generate(chained)) / CLIP_FRAMES,
        "single-stage clip": count_flops(lambda: generate(job.high_resolution_inputs(chained, high, None)))
        / CLIP_FRAMES,
        "keyframe": 0.0,
        "super-resolution": 0.0,
    }
    if bench.scale > 1:
        enlarged = job.high_resolution_inputs(clip, high, high)
        costs["keyframe"] = count_flops(lambda: enlarge_still(job, still, 0, 4, high[0], 0))
        costs["super-resolution"] = (
            count_flops(lambda: job.backbone.upscale_clip(enlarged, repeated(low, CLIP_FRAMES))) / CLIP_FRAMES
        )
    return costs


def flops_of_plan(way: FilmingWay, plan: CascadePlan, per_frame: Mapping[str, float]) -> float:
    """Operations of a whole video: for each stage, its cost per frame times the frames that the plan gives it."""
    ends = chain_ends(plan)
    frames = sum(last - first + 1 for first, last in pairwise(ends))
    if way is FilmingWay.SINGLE:
        return per_frame["single-stage clip"] * frames
    pictures = len(ends) - 1
    if way is FilmingWay.CHAINED:
        return (per_frame["chained clip"] + per_frame["super-resolution"]) * frames + per_frame["keyframe"] * pictures
    seams = [seam for seam in clips_from_keyframes(plan, ends).seams if seam.gap]
    return (
        sum(per_frame["waypoint" if clip.waypoint else "blueprint"] * len(clip.frames) for clip in plan.blueprint)
        + (per_frame["sub-clip"] + per_frame["super-resolution"]) * frames
        + per_frame["transition"] * sum(len(seam.window) for seam in seams)
        + per_frame["keyframe"] * (pictures + len(seams))
    )
