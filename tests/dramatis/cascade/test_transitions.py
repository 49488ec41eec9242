from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from dramatis.cascade.context import JobContext, read_frames_of
from dramatis.cascade.plan import ClipPlan, Seam
from dramatis.cascade.transitions import join_clips, plan_transitions
from dramatis.story.values import FrameSpan
from tests.dramatis.cascade.conftest import FILMED, another_take, camera_of, filmed, tail_of, with_louder

MakeSet = Callable[..., JobContext]
HEAD, TAIL = 5, 4
"""Frames that a transition is given on either side, by default."""


def test_a_transition_is_given_both_sides_and_the_sound_of_its_window(make_set: MakeSet) -> None:
    job = make_set(120)
    clips, work = filmed(job)
    made = plan_transitions(job, clips, work)
    assert list(made) == [seam.frame for seam in clips.seams]
    assert list(job.make(list(made.values()))) == [item.key for item in made.values()]
    for seam, inputs in zip(clips.seams, camera_of(job).asked, strict=True):
        before, after = inputs.head[:, 0, 0], tail_of(inputs)[:, 0, 0]
        assert before[:, 0].tolist() == list(seam.window)[:HEAD]
        assert after[:, 0].tolist() == list(seam.window)[-TAIL:]
        assert set(before[:, 1]) == {seam.left}
        assert set(after[:, 1]) == {seam.left + 1}
        assert inputs.audio[0, :, 0].tolist() == list(seam.window)
        assert made[seam.frame].after == (work[seam.left].key, work[seam.left + 1].key)
    for seam, again in zip(clips.seams, camera_of(job).refined_from, strict=True):
        assert again is not None
        assert again[:, 0, 0, 0].tolist() == list(seam.window), "the plain cut is what is filmed once more"
        assert again[:, 0, 0, 1].tolist() == [seam.left + (frame > seam.frame) for frame in seam.window]
    cut = next(seam for seam in clips.seams if seam.frame == job.storyline.shots[1].span.start)
    assert camera_of(job).asked[cut.left].positive == "shot 0. shot 1. all"


def test_the_gap_lies_around_the_seam_between_what_is_given(make_set: MakeSet) -> None:
    clips, _ = filmed(make_set(120))
    for seam in clips.seams:
        assert seam.frame in seam.gap
        assert seam.frame + 1 in seam.gap
        assert len(seam.gap) + HEAD + TAIL == len(seam.window)
        assert seam.gap.start - seam.window.start == HEAD


def test_another_take_of_one_clip_makes_only_its_own_seams_anew(make_set: MakeSet) -> None:
    job = make_set(160)
    clips, work = filmed(job)
    before = plan_transitions(job, clips, work)
    for place, seams in ((0, [0]), (2, [1, 2]), (len(work) - 1, [len(work) - 2])):
        after = plan_transitions(job, clips, another_take(job, work, place))
        changed = [frame for frame in before if before[frame].key != after[frame].key]
        assert changed == [clips.seams[seam].frame for seam in seams]


def test_another_sound_makes_only_the_seams_that_hear_it_anew(make_set: MakeSet) -> None:
    job = make_set(160)
    clips, work = filmed(job)
    other = with_louder(job, clips.seams[1].window.start)
    before, after = (plan_transitions(one, clips, work) for one in (job, other))
    assert [frame for frame in before if before[frame].key != after[frame].key] == [clips.seams[1].frame]


def test_a_cut_makes_nothing(make_set: MakeSet) -> None:
    job = make_set(120, seam="cut")
    assert plan_transitions(job, *filmed(job)) == {}


def test_a_fade_dissolves_and_films_nothing(make_set: MakeSet) -> None:
    job = make_set(120, seam="fade")
    clips, work = filmed(job)
    fades = plan_transitions(job, clips, work)
    list(job.make(list(fades.values())))
    assert camera_of(job).asked == []
    for seam in clips.seams:
        frames = read_frames_of(job, fades[seam.frame].key)[:, 0, 0].astype(int)
        window, count = list(seam.window), len(seam.gap)
        assert frames[:HEAD, 0].tolist() == window[:HEAD]
        assert frames[-TAIL:, 0].tolist() == window[-TAIL:]
        straight = np.linspace(window[HEAD - 1], window[-TAIL], count + 2)
        assert np.abs(frames[HEAD - 1 : HEAD + count + 1, 0] - straight).max() <= 0.5


@pytest.mark.parametrize("seam", ["film", "fade"])
def test_kinds_of_seams_do_not_mix(make_set: MakeSet, seam: str) -> None:
    job = make_set(120, seam=seam)
    other = make_set(120, seam="fade" if seam == "film" else "film")
    keys = [{work.key for work in plan_transitions(one, *filmed(one)).values()} for one in (job, other)]
    assert not keys[0] & keys[1]


def test_a_window_without_room_for_a_gap_is_left_alone(make_set: MakeSet) -> None:
    job = make_set(120)
    clips, work = filmed(job)
    short = Seam(frame=20, left=0, window=FrameSpan(16, 25), tail=TAIL)
    assert plan_transitions(job, ClipPlan(clips=clips.clips, seams=(short,)), work) == {}


def test_joined_clips_hold_the_frames_of_the_gaps_and_else_their_own(make_set: MakeSet) -> None:
    job = make_set(120)
    clips, work = filmed(job)
    made = plan_transitions(job, clips, work)
    list(job.make(list(made.values())))
    seams = {seam.frame: (seam, made[seam.frame].key) for seam in clips.seams}
    whole = [join_clips(job, clip, item.key, seams) for clip, item in zip(clips.clips, work, strict=True)]
    new = {frame for seam in clips.seams for frame in seam.gap}
    for clip, frames in zip(clips.clips, whole, strict=True):
        numbers = range(clip.first, clip.last + 1)
        assert frames[:, 0, 0, 0].tolist() == list(numbers)
        assert frames[:, 0, 0, 1].tolist() == [FILMED if number in new else clip.index for number in numbers]
    for left, right in pairwise(whole):
        assert np.array_equal(left[-1], right[0])
    assert np.array_equal(join_clips(job, clips.clips[1], work[1].key, {}), read_frames_of(job, work[1].key))
