"""Stage one (report 3.1): a low-resolution blueprint of the whole video, waypoints first and then the clips between.

A blueprint clip is an ordinary clip of the video DiT that holds one frame in four, with the sound and the performance
of those moments. Waypoints start from the reference image; the other clips connect one waypoint to the next.
"""

from __future__ import annotations

from functools import partial
from itertools import groupby
from typing import Any

from dramatis.cascade.context import JobContext, read_frames_of
from dramatis.cascade.plan import BlueprintClip
from dramatis.media.image import Pictures
from dramatis.runtime.seeds import derive_seed


def make_blueprint(job: JobContext) -> dict[str, str]:
    """Film every blueprint clip, waypoints first; returns clip key -> artifact key (an artifact holds `frames`)."""
    artifacts: dict[str, str] = {}
    for waypoints, clips in groupby(job.plan.blueprint, key=lambda clip: clip.waypoint):
        makers = {}
        for clip in clips:
            artifacts[clip.key] = _artifact(job, clip, artifacts)
            makers[artifacts[clip.key]] = partial(_generate, job, clip, artifacts)
        job.make_all("waypoints" if waypoints else "blueprint", makers)
    return artifacts


def blueprint_frame(job: JobContext, artifacts: dict[str, str], frame: int) -> Pictures:
    """One finished blueprint frame (H, W, 3) uint8; frame 0 is the reference itself."""
    if frame == 0:
        return job.inputs.reference
    clip, position = job.plan.blueprint_source(frame)
    return read_frames_of(job, artifacts[clip])[position]


def _artifact(job: JobContext, clip: BlueprintClip, artifacts: dict[str, str]) -> str:
    rows = job.rows(clip.frames)
    return job.store.key(
        {
            "stage": "blueprint",
            "clip": clip.model_dump(mode="json"),
            "given": [artifacts[key] for key in clip.dependencies],
            "material": job.inputs.digest(rows),
            "prompts": job.prompts(clip.frames[clip.waypoint :], clip.shots),
            "seed": _seed(job, clip),
            **job.backbone.low_identity,
        }
    )


def _seed(job: JobContext, clip: BlueprintClip) -> int:
    # Clips on both sides depend on a waypoint, so a new take of one shot must not change it.
    if clip.waypoint:
        return derive_seed(job.storyline.seed, clip.key)
    # The seed of the shot where the clip begins: a new seed for one shot leaves the clips of the others alone.
    return derive_seed(job.storyline.seed, job.storyline.shots[clip.shots[0]].seed, clip.key)


def _generate(job: JobContext, clip: BlueprintClip, artifacts: dict[str, str]) -> dict[str, Any]:
    given = {
        item.position: job.inputs.reference
        if item.clip is None
        else read_frames_of(job, artifacts[item.clip])[item.source]
        for item in clip.given
    }
    last = len(clip.frames) - 1
    tail = given[last][None] if last in given else None
    inputs = job.clip_inputs(
        clip.frames, clip.shots, given[0][None], tail, _seed(job, clip), lead_frames=int(clip.waypoint)
    )
    return {"frames": job.backbone.generate_clip(inputs)}
