"""A storyline from any sound and prompt: shots tile it, wishes land in the right shot, prompts never contradict."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dramatis.cascade.plan import plan_cascade
from dramatis.director import direct
from dramatis.director.chapters import LONG_SECONDS
from dramatis.director.moments import SHORTEST
from dramatis.director.negative import without_overlap
from dramatis.story.dialogue import Claim
from dramatis.story.observations import AudioEvent, Observations, Person, Sighting, Trait
from dramatis.story.storyline import Shot, Storyline
from dramatis.story.values import EMOTIONS, FPS, FrameSpan

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


def talk(turns: list[tuple[str | None, int]]) -> Observations:
    """People who speak one after the other without a pause: (name, frames)."""
    frames = sum(length for _, length in turns)
    events, at = [], 0
    for name, length in turns:
        events.append(AudioEvent(kind="speech", span=FrameSpan(at, at + length), energy=0.5, speaker=name))
        at += length
    return observe(frames).model_copy(update={"events": tuple(events), "energy": (0.5,) * frames})


def plan(prompt: str, frames: int = 300, seed: int = 0) -> Storyline:
    return direct(observe(frames, seed), prompt, seed, image="her.png", audio="speech.wav")


def check(story: Storyline) -> None:
    for shot in story.shots:
        assert without_overlap(shot.negative.split(", "), shot.positive) == shot.negative.split(", ")
        assert shot.positive
        assert shot.negative
        for moment in shot.moments:
            positive, negative = (
                getattr(shot, name) + ", " + getattr(moment, name) for name in ("positive", "negative")
            )
            terms = [term for term in negative.split(", ") if term]
            assert without_overlap(terms, positive) == terms
            assert len(moment.span) >= SHORTEST or moment.span == shot.span
        assert all(a.span.start <= b.span.start for a, b in pairwise(shot.gestures))
    assert bool(story.chapters) == (story.seconds >= LONG_SECONDS)
    assert all(chapter.span.seconds >= 20 for chapter in story.chapters)
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
    assert story.shots[-1].emotion.name == "sad"
    assert story.shots[0].emotion.name == "happy"


@pytest.mark.parametrize("seed", range(5))
def test_cuts_fall_into_pauses(seed: int) -> None:
    observations = observe(1500, seed)
    story = direct(observations, "", image="a", audio="b")
    starts = [shot.span.start for shot in story.shots[1:]]
    pauses = observations.of_kind("pause")
    hits = sum(any(p.span.start - 3 <= frame <= p.span.stop + 3 for p in pauses) for frame in starts)
    assert len(starts) >= 6
    assert hits >= 0.8 * len(starts)


def test_steps_land_in_their_shots() -> None:
    story = plan("first sad, then very happy and nods, pan left", 400)
    emotions = [shot.emotion.name for shot in story.shots]
    assert emotions == sorted(emotions, key=["sad", "happy"].index)
    assert set(emotions) == {"sad", "happy"}
    nodding = [shot for shot in story.shots if any(g.name == "nod" and g.amount > 0.5 for g in shot.gestures)]
    assert [shot.emotion.name for shot in nodding] == ["happy"]
    assert {shot.camera.move for shot in story.shots} == {"pan_left"}
    assert max(shot.emotion.intensity for shot in story.shots) == 0.9


def test_a_gesture_is_said_where_it_happens() -> None:
    story = plan("calm, static camera, she nods", 220)
    nodding = [moment for shot in story.shots for moment in shot.moments if "nods" in moment.positive]
    assert len(nodding) == 1
    assert "nods" not in "".join(shot.positive for shot in story.shots)
    gesture = next(g for shot in story.shots for g in shot.gestures if g.name == "nod" and g.amount > 0.5)
    assert nodding[0].fills(gesture.span)
    shot = story.shot_at(gesture.span.start)
    during, _ = story.words([shot.index], gesture.span)
    assert any("nods" in words for words in during)
    clear = [
        FrameSpan(f, f + 12) for f in range(shot.span.start, shot.span.stop - 12) if f + 12 <= nodding[0].span.start
    ]
    assert clear
    assert not any("nods" in words for words in story.words([shot.index], clear[0])[0])


def test_long_videos_have_chapters() -> None:
    story = plan("first sad, then happy", 25 * 200)
    assert 3 <= len(story.chapters) <= 7
    assert "happy" not in story.chapters[0].positive
    assert "sad" not in story.chapters[-1].positive
    first, _ = story.words([0], story.shots[0].span)
    assert story.chapters[0].positive in first
    assert story.positive not in first


def test_times_are_kept() -> None:
    story = plan("calm. After 6 seconds she is surprised", 300)
    first: Shot = next(shot for shot in story.shots if shot.emotion.name == "surprised")
    assert abs(first.span.start / FPS - 6.0) <= 1.3


def inferred(story: Storyline) -> list[Claim]:
    return [claim for turn in story.dialogue for claim in turn.claims if claim.inferred]


def test_what_is_left_open_is_filled_in_and_said() -> None:
    story = plan("", 300)
    assert inferred(story)
    assert any(shot.gestures for shot in story.shots)
    still = plan("stays still, neutral, static camera", 300)
    assert not any(shot.gestures for shot in still.shots)
    assert not inferred(still)


def gestures(prompt: str) -> set[str]:
    """Names of the gestures of ten plans."""
    return {g.name for seed in range(10) for shot in plan(prompt, 150, seed).shots for g in shot.gestures}


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_what_nobody_asked_for_fits_the_mood(emotion: str) -> None:
    found = gestures(emotion)
    assert found
    assert ("raise_brows" in found) == (emotion in ("neutral", "happy", "surprised", "afraid"))
    assert "nod" not in found or emotion in ("neutral", "happy", "angry", "tender")
    assert not found & {"shake", "turn_left", "turn_right", "look_up", "look_left", "look_right"}


def test_beside_a_strong_camera_move_heads_stay_in_place() -> None:
    assert gestures("tender, strong push-in") == {"nod"}
    assert gestures("disgusted, strong pan left") == set()
    assert {"tilt_left", "tilt_right"} <= gestures("tender, slow push-in")
    assert {"tilt_left", "tilt_right"} <= gestures("tender, strongly hand-held")


def test_conflicts_are_settled_and_said() -> None:
    assert plan("happy and sad").conflicts[0].settled == "happy"
    crowded = plan("happy. sad. angry. afraid. tender.", 30)
    assert len(crowded.shots) == 1
    assert "too short" in crowded.conflicts[0].why
    assert "follow the audio" in plan("she is silent").conflicts[0].settled
    song = plan("she sings happily")
    assert song.conflicts[0].settled == "singing"
    assert "sings" in song.shots[0].positive


def test_negatives_follow_the_shot() -> None:
    happy, sad = (
        plan("first very happy, then very sad, camera pans left", 300),
        plan("very sad, hand-held", 100),
    )
    assert "sad" in happy.shots[0].negative.split(", ")
    assert "pan right" in happy.shots[0].negative
    assert "happy" in happy.shots[-1].negative.split(", ")
    assert "jittery motion" not in sad.shots[0].negative
    assert "disgusted" in plan("not disgusted").shots[0].negative
    assert len({shot.negative for shot in happy.shots}) > 1


def test_what_the_picture_denies_is_not_asked_of_the_video() -> None:
    face = (0.3, 0.3, 0.7, 0.7)
    bare = Trait(name="glasses", present=False, confidence=0.98, region=face)
    seen = Sighting(people=(Person(box=face, face=face, framing="close-up", traits=(bare,)),))
    storyline = direct(
        observe(100), "happy, with her glasses on, in a red coat, no smirk", image="a.png", audio="b.wav", seen=seen
    )
    assert [conflict.about for conflict in storyline.conflicts] == ["glasses"]
    assert "glasses" not in storyline.positive
    assert "in a red coat" in storyline.positive
    assert "smirk" in storyline.negative
    assert all("smirk" in shot.negative for shot in storyline.shots)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.one_of(st.none(), st.sampled_from(["Ann", "Bob", "李", "D"])), st.integers(1, 200)),
        min_size=1,
        max_size=20,
    ),
    st.sampled_from(PROMPTS),
)
def test_any_number_of_people_speak_in_shots_that_tile(turns: list[tuple[str | None, int]], prompt: str) -> None:
    story = direct(talk(turns), prompt, 0, image="her.png", audio="speech.wav")
    assert story.shots[0].span.start == 0
    assert story.shots[-1].span.stop == story.frames
    assert all(a.span.stop == b.span.start for a, b in pairwise(story.shots))
    plan_cascade(story)
    said = {name or "speaker" for name, _ in turns}
    named = [character.name for character in story.characters]
    assert len(set(named)) == len(named)
    assert set(named) <= said
    assert (story.characters[0].image, story.characters[0].audio) == ("her.png", "speech.wav")
    assert all(shot.speakers and set(shot.speakers) <= set(named) for shot in story.shots)
    for name, length in turns:
        assert length < 3 * 25 or (name or "speaker") in named, "who speaks for three seconds is in the play"


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
    alone, split = (talk(turns) for turns in ([(None, 300)], [(None, 150), (None, 150)]))
    assert [shot.span for shot in direct(alone, "", image="a", audio="b").shots] == [
        shot.span for shot in direct(split, "", image="a", audio="b").shots
    ]
