"""Motions are understood by their parts: what moves, by which verb, where to."""

from __future__ import annotations

import pytest

from dramatis.director.language.words import read


def camera(prompt: str) -> list[str | None]:
    return [step.camera.move if step.camera else None for step in read(prompt).steps]


def gestures(prompt: str) -> list[str]:
    return [wish.name for step in read(prompt).steps for wish in step.gestures]


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
    read((words * 20_000)[:20_000])
