"""The cascade's geometry for any duration: no gap, no overlap, lengths on the 4n+1 grid, dependencies in order."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from dramatis.backbones.geometry import Geometry
from dramatis.cascade.plan import CascadePlan, ClipPlan, clips_from_keyframes, plan_cascade, plan_frames
from dramatis.story.storyline import Shot, Storyline
from dramatis.story.values import FPS, FrameSpan

HOUR = 3600 * FPS
LONG = Geometry(clip_steps=76, seam_reach=16, seam_given=8)
"""About what 14B weights film at once."""


def sizes(plan: CascadePlan) -> set[int]:
    """Lengths that a clip may have."""
    return set(range(5, plan.geometry.clip_steps + 2, 4))


def shots_of(frames: int, seed: int) -> list[FrameSpan]:
    """Some valid shots over `frames`, from four frames to ten seconds long."""
    generator = random.Random(seed)
    cuts = [0]
    while (cut := cuts[-1] + 4 * generator.randint(1, 62)) < frames:
        cuts.append(cut)
    return [FrameSpan(a, b) for a, b in pairwise([*cuts, frames])]


def check_blueprint(plan: CascadePlan) -> None:
    made: dict[str, tuple[int, ...]] = {}
    for clip in plan.blueprint:
        assert len(clip.frames) in sizes(plan)
        assert len(clip.shots) == len(clip.frames)
        assert all(b > a and (b - a) % 4 == 0 for a, b in pairwise(clip.frames))
        assert clip.given[0].position == 0
        for known in clip.given:
            wanted = clip.frames[known.position]
            assert wanted == (0 if known.clip is None else made[known.clip][known.source])
        if clip.waypoint:
            assert not clip.dependencies
            assert clip.frames[1:] == tuple(range(clip.frames[1], clip.frames[1] + 16, 4))
            assert len(set(clip.shots[:2])) == 1, "the reference must not bring words of the first shot along"
        elif len(plan.blueprint) > 1:
            assert clip.given[-1].position == len(clip.frames) - 1
            assert all(key in made for key in clip.dependencies)
        made[clip.key] = clip.frames
    clips = [clip for clip in plan.blueprint if not clip.waypoint]
    assert clips[0].start == 0
    assert all(a.frames[-1] == b.start for a, b in pairwise(clips))
    assert plan.padded - 1 <= clips[-1].frames[-1] < plan.padded + 15
    assert all(clip.frames == tuple(range(clip.start, clip.frames[-1] + 1, 4)) for clip in clips)


def check_clips(plan: CascadePlan, result: ClipPlan) -> None:
    clips = result.clips
    assert clips[0].first == 0
    assert clips[-1].last == plan.padded - 1
    assert all(clip.length in sizes(plan) for clip in clips)
    assert all(a.last == b.first for a, b in pairwise(clips))
    emitted = [frame for clip in clips for frame in clip.emit]
    assert emitted == list(range(plan.frames))
    for clip in clips:
        assert clip.first in plan.shots[clip.shot]
        assert clip.last <= plan.shots[clip.shot].stop or clip is clips[-1]
    assert len(result.seams) == len(clips) - 1
    for seam in result.seams:
        left, right = clips[seam.left], clips[seam.left + 1]
        assert seam.frame == left.last
        assert left.first <= seam.window.start <= seam.frame <= seam.window.stop - 1 <= right.last
        assert len(seam.window) % 4 == 1
        assert not seam.gap or seam.frame in seam.gap
    # What one transition makes anew is, but for a frame in the shortest clips, not what the next one is given.
    for one, other in pairwise(result.seams):
        if one.gap and other.gap:
            assert len(set(one.gap) & set(range(other.window.start, other.gap.start))) <= 1
            assert not set(other.gap) & set(one.window)


@settings(deadline=None, max_examples=60)
@example(frames=1, seed=0, geometry=Geometry())
@example(frames=5, seed=0, geometry=Geometry())
@example(frames=113, seed=0, geometry=Geometry())
@example(frames=114, seed=0, geometry=Geometry())
@example(frames=HOUR, seed=1, geometry=Geometry())
@example(frames=HOUR, seed=2, geometry=LONG)
@given(
    frames=st.integers(1, 6000) | st.integers(1, HOUR + 250),
    seed=st.integers(0, 2**32),
    geometry=st.sampled_from([Geometry(), LONG, Geometry(clip_steps=24)]),
)
def test_any_duration_any_choice(frames: int, seed: int, geometry: Geometry) -> None:
    plan = plan_frames(frames, shots_of(frames, seed), geometry=geometry)
    assert plan.padded % 4 == 1
    assert 0 <= plan.padded - max(frames, 2) < 4
    check_blueprint(plan)
    generator = random.Random(seed)
    check_clips(plan, clips_from_keyframes(plan, [generator.choice(b.candidates) for b in plan.boundaries]))
    for pick in (0, -1):
        check_clips(plan, clips_from_keyframes(plan, [b.candidates[pick] for b in plan.boundaries]))


@pytest.mark.parametrize("frames", range(1, 130))
def test_every_short_duration(frames: int) -> None:
    plan = plan_frames(frames)
    check_blueprint(plan)
    check_clips(plan, clips_from_keyframes(plan, [b.planned for b in plan.boundaries]))
    assert (len(plan.blueprint) == 1) == (frames <= 113)


def test_every_candidate_is_in_the_blueprint() -> None:
    plan = plan_frames(1000)
    clips = {clip.key: clip for clip in plan.blueprint}
    for boundary in plan.boundaries:
        for frame in boundary.candidates:
            key, position = plan.blueprint_source(frame)
            assert clips[key].frames[position] == frame
    with pytest.raises(ValueError, match="no frame 7"):
        plan.blueprint_source(7)


def test_shot_boundaries_and_wanted_keyframes_become_keyframes() -> None:
    shots = [
        Shot(index=0, span=FrameSpan(0, 100), keyframes=(50,)),
        Shot(index=1, span=FrameSpan(100, 203)),
    ]
    story = Storyline(image="a", audio="b", frames=203, width=128, height=128, shots=tuple(shots))
    plan = plan_cascade(story)
    fixed = {b.candidates[0] for b in plan.boundaries if len(b.candidates) == 1}
    assert fixed >= {0, 48, 100, 204}
    assert CascadePlan.model_validate_json(plan.model_dump_json()) == plan


def test_past_the_end_the_last_frame_is_held() -> None:
    plan = plan_frames(102)
    assert plan.padded == 105
    assert [plan.clamp(frame) for frame in (0, 101, 104)] == [0, 101, 101]


def test_a_keyframe_must_be_a_candidate() -> None:
    plan = plan_frames(100)
    chosen = [b.planned for b in plan.boundaries]
    with pytest.raises(ValueError, match="not a candidate"):
        clips_from_keyframes(plan, [chosen[0], 1, *chosen[2:]])
    with pytest.raises(ValueError, match="boundaries need as many"):
        clips_from_keyframes(plan, chosen[:-1])


def test_a_geometry_off_the_grid_or_without_room_is_refused() -> None:
    for wrong in ({"seam_given": 8}, {"seam_given": 5}, {"clip_steps": 20}, {"clip_steps": 30}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            Geometry(**wrong)
