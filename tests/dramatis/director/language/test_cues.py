"""Motions are understood by their parts: what moves, by which verb, where to."""

from __future__ import annotations

import pytest

from dramatis.director.language.cues import emotions_said, read_cues
from dramatis.director.language.parser import read_direction


def camera(prompt: str) -> list[str | None]:
    return [step.camera.move if step.camera else None for step in read_direction(prompt).steps]


def gestures(prompt: str) -> list[str]:
    return [wish.name for step in read_direction(prompt).steps for wish in step.gestures]


@pytest.mark.parametrize(
    ("prompt", "move"),
    [
        ("the camera drifts off to the left", "pan_left"),
        ("swivel the lens slowly to the right", "pan_right"),
        ("a leftward sweep of the camera", "pan_left"),
        ("the view creeps upwards", "tilt_up"),
        ("angle the camera down a little", "tilt_down"),
        ("a gentle upward tilt", "tilt_up"),
        ("the camera travels around him to the left", "orbit_left"),
        ("circle around her towards the right", "orbit_right"),
        ("revolve the camera leftwards about the speaker", "orbit_left"),
        ("the camera circles him counterclockwise", "orbit_right"),
        ("edging closer to her face", "push_in"),
        ("slow zoom", "push_in"),
        ("slow zoom out", "pull_out"),
        ("the frame gets wider and wider", "pull_out"),
        ("the camera is on the operator's shoulder", "handheld"),
        ("shaky phone footage", "handheld"),
        ("a locked frame", "static"),
    ],
)
def test_cameras(prompt: str, move: str) -> None:
    assert camera(prompt) == [move]
    assert gestures(prompt) == []


@pytest.mark.parametrize(
    ("prompt", "names"),
    [
        ("her head lolls towards the left shoulder", ["tilt_left"]),
        ("a rightward head tilt", ["tilt_right"]),
        ("he whips his head round to the right", ["turn_right"]),
        ("her face swings left", ["turn_left"]),
        ("his eyes flick to the right", ["look_right"]),
        ("she casts a glance off to the left", ["look_left"]),
        ("eyes on the floor", ["look_down"]),
        ("gazes at the stars", ["look_up"]),
        ("says no with her head", ["shake"]),
        ("dips his chin in agreement", ["nod"]),
        ("hunches forward", ["lean_in"]),
        ("she recoils", ["lean_back"]),
        ("one eyebrow climbs", ["raise_brows"]),
        ("he looks left, then right", ["look_left", "look_right"]),
        ("turns her head to the right and then back to the left", ["turn_right", "turn_left"]),
    ],
)
def test_gestures(prompt: str, names: list[str]) -> None:
    assert gestures(prompt) == names
    assert set(camera(prompt)) == {None}


def test_a_direction_alone_says_nothing() -> None:
    assert camera("to the left") == [None]
    assert gestures("to the left, then up") == []


@pytest.mark.timeout(60)
@pytest.mark.parametrize("words", ["camera ", "head turn eyes look ", "turns her head ", "left the "])
def test_the_longest_prompts_are_read(words: str) -> None:
    """Nested repeats would take for ever."""
    read_direction((words * 20_000)[:20_000])


def test_another_direction_repeats_the_motion_where_there_is_such_a_motion() -> None:
    assert camera("pan left, then up") == ["pan_left", "tilt_up"]
    # There is no gesture or move for these; the words are kept as the scene.
    assert camera("the camera tilts up, then to the right") == ["tilt_up"]
    assert gestures("tilts the head to the left, then up") == ["tilt_left"]


def test_amounts_and_refusals_end_at_the_neighbours() -> None:
    cues = [(cue.name, cue.amount, cue.negated) for cue in read_cues("very sad, not angry or happy, nods slightly")]
    assert cues == [("sad", 0.9, False), ("angry", 0.6, True), ("happy", 0.6, True), ("nod", 0.3, False)]


@pytest.mark.parametrize("text", ["a sad movie poster", "a painting of a weeping clown", "beside her a happy dog"])
def test_moods_of_things_are_nobodys(text: str) -> None:
    assert not [cue for cue in read_cues(text) if cue.kind == "emotion"]


@pytest.mark.parametrize(
    ("text", "named"),
    [("I am happy, so happy, not sad", ("happy", 2)), ("happy and sad", None), ("", None)],
)
def test_emotions_that_are_said(text: str, named: tuple[str, int] | None) -> None:
    assert emotions_said(text) == named
