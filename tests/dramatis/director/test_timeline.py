"""When things happen: cuts fall into pauses and between speakers, and times are kept."""

from __future__ import annotations

from itertools import pairwise

import pytest

from dramatis.director import direct
from dramatis.director.language.direction import GestureWish, Step
from dramatis.director.timeline import cut_into_shots, loudest_frame, place_gestures, wanted_seconds
from dramatis.story.storyline import Shot
from dramatis.story.values import FPS, FrameSpan
from tests.dramatis.director.planning import observe, plan, talk


@pytest.mark.parametrize("seed", range(5))
def test_cuts_fall_into_pauses(seed: int) -> None:
    observations = observe(1500, seed)
    story = direct(observations, "", image="a", audio="b")
    starts = [shot.span.start for shot in story.shots[1:]]
    pauses = observations.of_kind("pause")
    hits = sum(any(p.span.start - 3 <= frame <= p.span.stop + 3 for p in pauses) for frame in starts)
    assert len(starts) >= 6
    assert hits >= 0.8 * len(starts)


def test_times_are_kept() -> None:
    story = plan("calm. After 6 seconds she is surprised", 300)
    first: Shot = next(shot for shot in story.shots if shot.emotion.name == "surprised")
    assert abs(first.span.start / FPS - 6.0) <= 1.3


def test_shots_change_with_the_speaker() -> None:
    turns = [("Ann", 101), ("Bob", 87), ("Ann", 118), ("Cleo", 94), ("Bob", 100)]
    story = direct(talk(turns), "", 0, image="her.png", audio="speech.wav")
    cuts = [shot.span.start for shot in story.shots]
    at = 0
    for name, length in turns:
        assert min(abs(cut - at) for cut in cuts) <= 2, f"{name}'s turn begins with a shot"
        at += length
    assert [character.name for character in story.characters] == ["Ann", "Bob", "Cleo"]
    assert {shot.speakers for shot in story.shots} == {("Ann",), ("Bob",), ("Cleo",)}


def test_unnamed_turns_do_not_move_cuts() -> None:
    alone, split = talk([(None, 300)]), talk([(None, 150), (None, 150)])
    assert [shot.span for shot in direct(alone, "", image="a", audio="b").shots] == [
        shot.span for shot in direct(split, "", image="a", audio="b").shots
    ]


def test_steps_without_a_time_share_what_is_left() -> None:
    steps = [Step(), Step(), Step(at=6.0, seconds=True), Step(at=0.75)]
    assert wanted_seconds(steps, 12.0) == [0.0, 3.0, 6.0, 9.0]


def test_steps_tile_the_sound_as_long_as_there_is_room() -> None:
    spans = [span for step in cut_into_shots(observe(200), [Step()] * 3) for span in step]
    assert (spans[0].start, spans[-1].stop) == (0, 200)
    assert all(a.stop == b.start for a, b in pairwise(spans))
    assert len(cut_into_shots(observe(40), [Step()] * 5)) == 1


def test_gestures_stay_in_their_shots_and_postures_last() -> None:
    shots = [FrameSpan(0, 100), FrameSpan(100, 200)]
    nods, leans = place_gestures(observe(200), shots, [GestureWish("nod"), GestureWish("lean_in", 0.9)])
    assert [gesture.name for gesture in nods + leans] == ["nod", "lean_in"]
    for shot, gestures in zip(shots, (nods, leans), strict=True):
        assert all(shot.start <= gesture.span.start < gesture.span.stop <= shot.stop for gesture in gestures)
    assert leans[0].span.stop == 200
    everywhere = place_gestures(observe(200), shots, [GestureWish("nod", repeated=True)])
    assert [len(gestures) for gestures in everywhere] == [1, 1]


def test_the_loudest_frame_is_not_at_an_end() -> None:
    heard = observe(100).model_copy(update={"energy": (1.0,) + (0.0,) * 49 + (0.5,) + (0.0,) * 49})
    assert loudest_frame(heard, FrameSpan(0, 100)) == 50
