from __future__ import annotations

import pytest

from dramatis.backbones.mini_profile import MiniLowResolution, MiniProfile
from dramatis.backbones.profile import Costs, Framing
from dramatis.cascade.estimate import JobCost, estimate_job
from dramatis.story.storyline import Shot, Storyline
from dramatis.story.values import FrameSpan

PROFILE = MiniProfile(
    name="p",
    low=MiniLowResolution(area=64 * 64),
    costs=Costs(frame_seconds=0.1, startup_seconds=5.0, memory_gb=1.5),
)


def cost(seconds: float, workers: int = 2, width: int = 64) -> JobCost:
    frames = round(seconds * 25)
    shots = (Shot(index=0, span=FrameSpan(0, frames)),)
    storyline = Storyline(image="a.png", audio="a.wav", frames=frames, width=width, height=64, shots=shots)
    return estimate_job(storyline, PROFILE, workers)


def seconds_of(seconds: float, workers: int = 2, width: int = 64) -> float:
    """The estimate, without what starting takes."""
    estimated = cost(seconds, workers, width).seconds
    assert estimated is not None
    return estimated - 5.0


def test_a_short_job_is_one_clip_of_each_kind() -> None:
    one = cost(1.0)
    assert (one.frames, one.blueprint_clips, one.sub_clips) == (25, 1, 1)
    # Nine blueprint frames (0, 4 ... 32) and a sub-clip of 25.
    assert one.seconds == pytest.approx(5.0 + 0.1 * (9 + 25))


def test_time_grows_with_length_and_size_and_memory_does_not() -> None:
    minute, hour = cost(60), cost(3600)
    assert 55 < seconds_of(3600) / seconds_of(60) < 65
    assert hour.sub_clips > 50 * minute.sub_clips
    assert hour.memory_gb == minute.memory_gb == 1.5
    assert hour.disk_mb > 10 * minute.disk_mb
    assert seconds_of(60, width=128) == pytest.approx(2 * seconds_of(60))


def test_workers_beyond_the_cores_gain_nothing() -> None:
    one, two, eight = (seconds_of(60, workers) for workers in (1, 2, 8))
    assert one == pytest.approx(2 * two)
    assert eight == two


def test_a_window_costs_the_same_in_any_frame_but_for_setting_it_in() -> None:
    framing, costs = Framing(target_interocular_px=16), Costs(frame_seconds=0.1, whole_frame_seconds=1.0)
    profile = PROFILE.model_copy(update={"framing": framing, "costs": costs})
    shots = (Shot(index=0, span=FrameSpan(0, 50)),)
    small, large = (
        estimate_job(
            Storyline(image="a.png", audio="a.wav", frames=50, width=side, height=side, shots=shots), profile, 2
        )
        for side in (500, 1000)
    )
    assert small.disk_mb == large.disk_mb
    assert small.seconds is not None
    assert large.seconds is not None
    assert large.seconds - small.seconds == pytest.approx(50 * 0.75)
