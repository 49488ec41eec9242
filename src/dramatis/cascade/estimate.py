"""What a job will cost, from its geometry alone: nothing is loaded."""

from __future__ import annotations

from dataclasses import dataclass

from dramatis.cascade.plan import clips_from_keyframes, plan_cascade
from dramatis.cascade.profile import Profile
from dramatis.media.files import estimate_disk
from dramatis.story import Storyline


@dataclass(frozen=True)
class Cost:
    """seconds: wall time on the profile's reference machine. memory_gb: peak, which does not grow with the length.

    None: nobody has measured what it is foretold from. low_frames, high_frames: filmed at the low size, blueprint
    included, and at the high one.
    """

    frames: int
    low_frames: int
    high_frames: int
    blueprint_clips: int
    sub_clips: int
    seconds: float | None
    memory_gb: float | None
    disk_mb: float


def estimate_job(storyline: Storyline, profile: Profile, workers: int) -> Cost:
    """Foretell a storyline's cost; keyframes are taken as planned."""
    plan = plan_cascade(storyline, profile.geometry)
    clips = clips_from_keyframes(plan, [boundary.planned for boundary in plan.boundaries]).clips
    filmed = sum(clip.length for clip in clips)
    generated = sum(len(clip.frames) for clip in plan.blueprint) + filmed
    seconds = None
    if profile.frame_seconds is not None:
        area = storyline.width * storyline.height / profile.scale**2 / profile.area
        each = area * (generated * profile.frame_seconds + (profile.scale > 1) * filmed * profile.high_frame_seconds)
        # The reference machine has two cores; more workers than cores gain nothing there.
        speed = min(workers, 2) / 2
        seconds = profile.startup_seconds + each / speed
    disk = estimate_disk(storyline.frames, (storyline.width, storyline.height)) / 1e6
    high = filmed if profile.scale > 1 else 0
    return Cost(plan.frames, generated, high, len(plan.blueprint), len(clips), seconds, profile.memory_gb, disk)
