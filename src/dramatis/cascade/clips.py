"""Stage four (report 3.1): every pair of neighbouring keyframes grows into a full-rate sub-clip.

First and last frame are given, the sound and the performance of each frame steer what lies between. Sub-clips depend on
their two keyframes alone, so they can be generated in any order and by any number of workers, with equal results.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from dramatis.cascade.colour import match_colours
from dramatis.cascade.context import ArtifactTask, JobContext, picture_hash
from dramatis.cascade.keyframes import Keyframes
from dramatis.cascade.plan import ClipPlan, SubClip
from dramatis.runtime.seeds import derive_seed


def plan_clips(job: JobContext, clips: ClipPlan, keyframes: Keyframes) -> list[ArtifactTask]:
    """The tasks that generate every sub-clip, in order; an artifact holds `frames`, both keyframes included."""
    return [
        ArtifactTask("sub-clips", _artifact(job, clip, keyframes), partial(_generate, job, clip, keyframes.of(clip)))
        for clip in clips.clips
    ]


def _artifact(job: JobContext, clip: SubClip, keyframes: Keyframes) -> str:
    return job.store.key(
        {
            "stage": "clip",
            "clip": clip.key,
            # Keyframes enter by content: a new blueprint that happens to give the same picture costs nothing.
            "keyframes": [picture_hash(keyframes.low(frame)) for frame in (clip.first, clip.last)],
            "material": job.inputs.digest(job.rows(range(clip.first, clip.last + 1))),
            "prompts": job.prompts(range(clip.first, clip.last + 1), [clip.shot]),
            "seed": _seed(job, clip),
            **job.backbone.low_identity,
        }
    )


def _seed(job: JobContext, clip: SubClip) -> int:
    return derive_seed(job.storyline.seed, job.storyline.shots[clip.shot].seed, clip.key)


def _generate(job: JobContext, clip: SubClip, keyframes: Keyframes) -> dict[str, Any]:
    head, tail = keyframes.low(clip.first), keyframes.low(clip.last)
    inputs = job.clip_inputs(range(clip.first, clip.last + 1), [clip.shot], head[None], tail[None], _seed(job, clip))
    frames = job.backbone.generate_clip(inputs)
    return {"frames": match_colours(frames, head, tail) if job.backbone.profile.low.match_colours else frames}
