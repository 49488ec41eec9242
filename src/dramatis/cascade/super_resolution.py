"""Stage six (report 3.1): every finished sub-clip at the size of the video, between two high-resolution keyframes.

A transition may have changed the very frame that two clips share, so that frame is first enlarged once more, from its
final look and the high-resolution keyframe. Both neighbours then stand on the same picture. The work of a clip can
begin as soon as the clip and the transitions at its ends are there.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from dramatis.cascade.context import ArtifactTask, JobContext, read_frames_of
from dramatis.cascade.keyframes import Keyframes, enlarge_still
from dramatis.cascade.plan import ClipPlan, Seam, SubClip
from dramatis.cascade.transitions import join_clips, transition_keys
from dramatis.runtime.seeds import derive_seed


def plan_super_resolution(
    job: JobContext,
    clips: ClipPlan,
    sub_clips: list[ArtifactTask],
    transitions: dict[int, ArtifactTask],
    keyframes: Keyframes,
) -> tuple[list[ArtifactTask], list[ArtifactTask]]:
    """The enlarging of anchors and of sub-clips, in order; an artifact of the latter holds `frames` of the final video.

    At scale 1 nothing is enlarged: the artifact is the clip with its transitions in place.
    """
    seams = transition_keys(clips, transitions)
    anchors = {} if job.inputs.scale == 1 else _plan_anchors(job, clips, transitions, keyframes)
    work = []
    for clip, sub_clip in zip(clips.clips, sub_clips, strict=True):
        clip_seams = {frame: seams[frame] for frame in (clip.first, clip.last) if frame in seams}
        ends = {frame: anchors[frame].key for frame in (clip.first, clip.last) if frame in anchors}
        # Keyframes of the blueprint enter through the clip's own key, which their content is part of.
        after = (sub_clip.key, *(key for _, key in clip_seams.values()), *ends.values())
        key = job.store.key(
            {
                "stage": "super-resolution",
                "clip": clip.key,
                "from": after,
                "high": [keyframes.keys.get(frame) for frame in (clip.first, clip.last)],
                "seed": _seed(job, clip.key),
                **job.backbone.high_identity,
            }
        )
        make = partial(_enlarge, job, clip, sub_clip.key, clip_seams, ends, keyframes.of(clip))
        work.append(ArtifactTask("super-resolution", key, make, after))
    return list(anchors.values()), work


def _plan_anchors(
    job: JobContext,
    clips: ClipPlan,
    transitions: dict[int, ArtifactTask],
    keyframes: Keyframes,
) -> dict[int, ArtifactTask]:
    """The shared frames that a transition has changed, by frame."""
    work = {}
    for seam in clips.seams:
        if seam.frame not in transitions:
            continue
        transition = transitions[seam.frame]
        key = job.store.key(
            {
                "stage": "anchor",
                "frame": seam.frame,
                "transition": transition.key,
                "high": keyframes.keys[seam.frame],
                "seed": _seed(job, f"anchor/{seam.frame}"),
                **job.backbone.high_identity,
            }
        )
        make = partial(_anchor, job, seam, transition.key, keyframes.of(clips.clips[seam.left]))
        work[seam.frame] = ArtifactTask("anchors", key, make, after=(transition.key,))
    return work


def _seed(job: JobContext, name: str) -> int:
    return derive_seed(job.storyline.seed, "high", name)


def _anchor(job: JobContext, seam: Seam, transition: str, keyframes: Keyframes) -> dict[str, Any]:
    low = read_frames_of(job, transition)[seam.frame - seam.window.start]
    seed = _seed(job, f"anchor/{seam.frame}")
    return {"frames": enlarge_still(job, low, seam.frame, seam.frame, keyframes.high(seam.frame), seed)[None]}


def _enlarge(
    job: JobContext,
    clip: SubClip,
    sub_clips: str,
    transitions: dict[int, tuple[Seam, str]],
    anchors: dict[int, str],
    keyframes: Keyframes,
) -> dict[str, Any]:
    low = join_clips(job, clip, sub_clips, transitions)
    if job.inputs.scale == 1:
        return {"frames": low}
    head, tail = (
        read_frames_of(job, anchors[frame]) if frame in anchors else keyframes.high(frame)[None]
        for frame in (clip.first, clip.last)
    )
    inputs = job.clip_inputs(range(clip.first, clip.last + 1), [clip.shot], low[:1], low[-1:], _seed(job, clip.key))
    return {"frames": job.backbone.upscale_clip(job.high_resolution_inputs(inputs, head, tail), low)}
