"""What a job will cost, from its geometry alone: nothing is loaded."""

from __future__ import annotations

import math
from dataclasses import dataclass

from dramatis.backbones.gpu_budget import gpu_named, memory_needs, this_gpu
from dramatis.backbones.multitalk_profile import MultiTalkProfile
from dramatis.backbones.profile import Profile
from dramatis.backbones.registry import ModelFolder
from dramatis.cascade.plan import clips_from_keyframes, plan_cascade
from dramatis.errors import UserError
from dramatis.media.files import estimate_disk
from dramatis.models.published.official import empty_network, read_config
from dramatis.runtime.memory import main_memory
from dramatis.story.storyline import Storyline


@dataclass(frozen=True)
class JobCost:
    """seconds: wall time on the profile's reference machine. memory_gb: peak, which does not grow with the length.

    Both are None where nobody has measured the model. low_frames, high_frames: how many frames are generated at the
    low resolution, blueprint included, and at the high one.
    """

    frames: int
    low_frames: int
    high_frames: int
    blueprint_clips: int
    sub_clips: int
    seconds: float | None
    memory_gb: float | None
    disk_mb: float


def estimate_job(storyline: Storyline, profile: Profile, workers: int) -> JobCost:
    """Foretell a storyline's cost; keyframes are taken as planned."""
    plan = plan_cascade(storyline, profile.geometry)
    clips = clips_from_keyframes(plan, [boundary.planned for boundary in plan.boundaries]).clips
    sub_clip_frames = sum(clip.length for clip in clips)
    generated = sum(len(clip.frames) for clip in plan.blueprint) + sub_clip_frames
    seconds = None
    area = profile.filmed_area((storyline.width, storyline.height), len(storyline.cast))
    costs, high = profile.costs, sub_clip_frames if profile.high is not None else 0
    if costs.frame_seconds is not None:
        each = area / profile.low.area * (generated * costs.frame_seconds + high * costs.high_frame_seconds)
        each += storyline.frames * storyline.width * storyline.height / 1e6 * costs.whole_frame_seconds
        # The reference machine has two cores; more workers than cores gain nothing there.
        speed = min(workers, 2) / 2
        seconds = costs.startup_seconds + each / speed
    disk = estimate_disk(storyline.frames, area * profile.scale**2) / 1e6
    return JobCost(plan.frames, generated, high, len(plan.blueprint), len(clips), seconds, costs.memory_gb, disk)


def gpu_lines(model: ModelFolder, cost: JobCost, gpu: str | None) -> list[str]:
    """For people: how a job of that cost lies on a graphics card, and how long it takes.

    Nothing for models that are made for processors. gpu: see `gpu_named`; None for this computer's, or, where it
    has none, what each way asks.

    Raises UserError for a card that is unknown, too small, or that the model has no use for.
    """
    profile = model.profile
    if not isinstance(profile, MultiTalkProfile):
        if gpu is not None:
            raise UserError(f"The model {profile.name!r} films on the processor; leave --gpu out.")
        return []
    card = this_gpu() if gpu is None else gpu_named(gpu)
    needs = memory_needs(profile, empty_network(read_config(model.folder / profile.sources.weights)).config)
    if card is None:
        return [f"work   about {needs.work(cost.low_frames, cost.high_frames) / 1e15:,.0f} PFLOP", *needs.lines()]
    return needs.estimate_lines(card, cost.low_frames, cost.high_frames, main_memory() if gpu is None else math.inf)
