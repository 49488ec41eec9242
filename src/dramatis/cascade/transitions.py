"""Stage five (report 3.1): the frames around every seam are generated again, from both sides and the sound there.

Two sub-clips that share a keyframe agree on one picture, but not on how lips, head and light move through it. A
transition is given five frames before the seam's gap and four after it, motion included, and fills the gap. Every seam
depends on its two sub-clips alone, so seams can be generated in any order. A plain cut and a cross-fade exist for
comparison.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from dramatis.cascade.context import ArtifactTask, JobContext, read_frames_of
from dramatis.cascade.plan import ClipPlan, Seam, SubClip
from dramatis.media.image import Pictures
from dramatis.runtime.seeds import derive_seed


def plan_transitions(job: JobContext, clips: ClipPlan, sub_clips: list[ArtifactTask]) -> dict[int, ArtifactTask]:
    """The task for every transition, by the seam's frame; an artifact holds `frames`, the whole window."""
    kind = job.backbone.profile.seam.kind
    work = {}
    for seam in clips.seams:
        if kind == "cut" or not seam.gap:
            continue
        left, right = clips.clips[seam.left], clips.clips[seam.left + 1]
        sides = (sub_clips[seam.left].key, sub_clips[seam.left + 1].key)
        key = job.store.key(
            {
                "stage": "transition",
                "kind": [kind, job.backbone.profile.seam.strength],
                "window": seam.model_dump(mode="json"),
                "sides": sides,
                "material": job.inputs.digest(job.rows(seam.window)),
                "prompts": job.prompts(range(seam.window.start, seam.window.stop), [left.shot, right.shot]),
                "seed": _seed(job, left, seam),
                **job.backbone.low_identity,
            }
        )
        make = partial(_fade if kind == "fade" else _generate, job, left, right, sides, seam)
        work[seam.frame] = ArtifactTask("transitions", key, make, after=sides)
    return work


def transition_keys(clips: ClipPlan, transitions: dict[int, ArtifactTask]) -> dict[int, tuple[Seam, str]]:
    """By the frame of every seam that has a transition: the seam and its artifact."""
    return {seam.frame: (seam, transitions[seam.frame].key) for seam in clips.seams if seam.frame in transitions}


def join_clips(
    job: JobContext, clip: SubClip, artifact_of_clip: str, transitions: dict[int, tuple[Seam, str]]
) -> Pictures:
    """The frames of a sub-clip with the transitions at its ends in place, keyframes included.

    artifact_of_clip: its key. transitions: by seam frame, the seam and the transition's artifact.
    """
    frames = read_frames_of(job, artifact_of_clip).copy()
    for frame in (clip.first, clip.last):
        if frame not in transitions:
            continue
        seam, artifact = transitions[frame]
        window = read_frames_of(job, artifact)
        for frame_number in seam.gap:
            if clip.first <= frame_number <= clip.last:
                frames[frame_number - clip.first] = window[frame_number - seam.window.start]
    return frames


def _seed(job: JobContext, left: SubClip, seam: Seam) -> int:
    return derive_seed(job.storyline.seed, job.storyline.shots[left.shot].seed, f"seam/{seam.frame}")


def _cut(job: JobContext, left: SubClip, right: SubClip, sides: tuple[str, str], seam: Seam) -> Pictures:
    """The window as the two sub-clips show it, the left one up to the shared frame."""
    before, after = (read_frames_of(job, key) for key in sides)
    return np.concatenate([before[seam.window.start - left.first :], after[1 : seam.window.stop - right.first]])


def _generate(job: JobContext, left: SubClip, right: SubClip, sides: tuple[str, str], seam: Seam) -> dict[str, Any]:
    cut = _cut(job, left, right, sides, seam)
    window = range(seam.window.start, seam.window.stop)
    seed = _seed(job, left, seam)
    inputs = job.clip_inputs(window, [left.shot, right.shot], cut[: seam.head], cut[-seam.tail :], seed)
    return {"frames": job.backbone.generate_clip(inputs, refine_from=cut)}


def _fade(job: JobContext, left: SubClip, right: SubClip, sides: tuple[str, str], seam: Seam) -> dict[str, Any]:
    cut = _cut(job, left, right, sides, seam)
    head, tail = cut[: seam.head], cut[-seam.tail :]
    count = len(seam.gap)
    share = (np.arange(1, count + 1) / (count + 1))[:, None, None, None]
    faded = (1 - share) * head[-1] + share * tail[0]
    return {"frames": np.concatenate([head, faded.round().astype(np.uint8), tail])}
