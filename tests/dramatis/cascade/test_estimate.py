from __future__ import annotations

import pytest

from dramatis.backbones.profile import MiniProfile
from dramatis.cascade.estimate import Cost, estimate_job
from dramatis.story.storyline import Shot, Storyline
from dramatis.story.values import FrameSpan

PROFILE = MiniProfile(name="p", area=64 * 64, frame_seconds=0.1, startup_seconds=5.0, memory_gb=1.5)


def cost(seconds: float, workers: int = 2, width: int = 64) -> Cost:
    frames = round(seconds * 25)
    shots = (Shot(index=0, span=FrameSpan(0, frames)),)
    storyline = Storyline(image="a.png", audio="a.wav", frames=frames, width=width, height=64, shots=shots)
    return estimate_job(storyline, PROFILE, workers)


def test_a_short_job_is_one_clip_of_each_kind() -> None:
    one = cost(1.0)
    assert (one.frames, one.blueprint_clips, one.sub_clips) == (25, 1, 1)
    # Nine blueprint frames (0, 4 ... 32) and a sub-clip of 25.
    assert one.seconds == pytest.approx(5.0 + 0.1 * (9 + 25))


def test_time_grows_with_length_and_size_and_memory_does_not() -> None:
    minute, hour = cost(60), cost(3600)
    assert 55 < (hour.seconds - 5) / (minute.seconds - 5) < 65
    assert hour.sub_clips > 50 * minute.sub_clips
    assert hour.memory_gb == minute.memory_gb == 1.5
    assert hour.disk_mb > 10 * minute.disk_mb
    assert (cost(60, width=128).seconds - 5) == pytest.approx(2 * (minute.seconds - 5))


def test_workers_beyond_the_cores_gain_nothing() -> None:
    one, two, eight = (cost(60, workers).seconds for workers in (1, 2, 8))
    assert one - 5 == pytest.approx(2 * (two - 5))
    assert eight == two
