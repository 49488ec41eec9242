"""A storyline from any sound and prompt: shots tile it, wishes land in the right shot, prompts never contradict."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dramatis.cascade.plan import plan_cascade
from dramatis.director import direct
from dramatis.director.negative import without_overlap
from dramatis.story import FPS, AudioEvent, FrameSpan, Observations, Shot, Storyline

PROMPTS = (
    "",
    "😀",
    "warm, leans in, slow push-in",
    "first very sad, then happy, then angry and shakes her head",
    "no smile, not sad, without nodding; static camera",
    "pan left. pan right. nods. looks up at the end, surprised",
    "她很高兴，然后有点难过",
    "keeps nodding throughout, hand-held",
    "stays still, neutral",
    "after 2 seconds she leans back",
)


def observe(frames: int, seed: int = 0, pause: int = 12, speech: int = 60) -> Observations:
    """Speech and pauses of random length over `frames` frames."""
    generator = random.Random(seed)
    events, energy, at = [], [], 0
    while at < frames:
        speaks = len(events) % 2 == 1
        stop = min(frames, at + generator.randint(1, 2 * (speech if speaks else pause)))
        events.append(AudioEvent(kind="speech" if speaks else "pause", span=FrameSpan(at, stop), energy=0.5 * speaks))
        energy += [speaks * (0.4 + 0.6 * generator.random()) for _ in range(at, stop)]
        at = stop
    flat = (0.0,) * frames
    return Observations(
        frames=frames,
        seconds=frames / FPS,
        events=tuple(events),
        energy=tuple(energy),
        pitch=flat,
        voiced=flat,
    )


def plan(prompt: str, frames: int = 300, seed: int = 0) -> Storyline:
    return direct(observe(frames, seed), prompt, seed, image="her.png", audio="speech.wav")


def check(story: Storyline) -> None:
    for shot in story.shots:
        assert without_overlap(shot.negative.split(", "), shot.positive) == shot.negative.split(", ")
        assert shot.positive and shot.negative
        assert all(a.span.start <= b.span.start for a, b in pairwise(shot.gestures))
    assert Storyline.from_yaml(story.to_yaml()) == story


@settings(deadline=None, max_examples=80)
@given(
    frames=st.integers(1, 2000),
    seed=st.integers(0, 10**6),
    prompt=st.sampled_from(PROMPTS) | st.text(max_size=80),
)
def test_any_sound_and_prompt(frames: int, seed: int, prompt: str) -> None:
    story = plan(prompt, frames, seed)
    check(story)
    assert story == plan(prompt, frames, seed)
    assert plan_cascade(story).frames == frames


def test_an_hour() -> None:
    story = plan("happy, then sad. slow push in", 90_000)
    lengths = [shot.span.seconds for shot in story.shots]
    assert 3.0 <= sum(lengths) / len(lengths) <= 6.0
    assert story.shots[-1].emotion.name == "sad" and story.shots[0].emotion.name == "happy"


@pytest.mark.parametrize("seed", range(5))
def test_cuts_fall_into_pauses(seed: int) -> None:
    observations = observe(1500, seed)
    story = direct(observations, "", image="a", audio="b")
    starts = [shot.span.start for shot in story.shots[1:]]
    pauses = observations.of_kind("pause")
    hits = sum(any(p.span.start - 3 <= frame <= p.span.stop + 3 for p in pauses) for frame in starts)
    assert len(starts) >= 6 and hits >= 0.8 * len(starts)


def test_steps_land_in_their_shots() -> None:
    story = plan("first sad, then very happy and nods, pan left", 400)
    emotions = [shot.emotion.name for shot in story.shots]
    assert emotions == sorted(emotions, key=["sad", "happy"].index) and set(emotions) == {"sad", "happy"}
    nodding = [shot for shot in story.shots if any(g.name == "nod" and g.amount > 0.5 for g in shot.gestures)]
    assert [shot.emotion.name for shot in nodding] == ["happy"]
    assert {shot.camera.move for shot in story.shots} == {"pan_left"}
    assert max(shot.emotion.intensity for shot in story.shots) == 0.9


def test_times_are_kept() -> None:
    story = plan("calm. After 6 seconds she is surprised", 300)
    first: Shot = next(shot for shot in story.shots if shot.emotion.name == "surprised")
    assert abs(first.span.start / FPS - 6.0) <= 1.3


def test_what_is_left_open_is_filled_in_and_said() -> None:
    story = plan("", 300)
    assert any(turn.inferred for turn in story.dialogue)
    assert any(shot.gestures for shot in story.shots)
    still = plan("stays still, neutral, static camera", 300)
    assert not any(shot.gestures for shot in still.shots)
    assert not any(turn.inferred for turn in still.dialogue)


def test_conflicts_are_settled_and_said() -> None:
    assert plan("happy and sad").conflicts[0].settled == "happy"
    crowded = plan("happy. sad. angry. afraid. tender.", 30)
    assert len(crowded.shots) == 1 and "too short" in crowded.conflicts[0].why
    assert "follow the audio" in plan("she is silent").conflicts[0].settled
    song = plan("she sings happily")
    assert song.conflicts[0].settled == "singing" and "sings" in song.shots[0].positive


def test_negatives_follow_the_shot() -> None:
    happy, sad = (
        plan("first very happy, then very sad, camera pans left", 300),
        plan("very sad, hand-held", 100),
    )
    assert "sad" in happy.shots[0].negative.split(", ") and "pan right" in happy.shots[0].negative
    assert "happy" in happy.shots[-1].negative.split(", ")
    assert "jittery motion" not in sad.shots[0].negative
    assert "disgusted" in plan("not disgusted").shots[0].negative
    assert len({shot.negative for shot in happy.shots}) > 1
