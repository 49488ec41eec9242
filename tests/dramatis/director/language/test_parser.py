"""Direction is understood: words, degree, refusal, order over time, in English and Mandarin."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dramatis.director.language.parser import read_direction
from dramatis.errors import UserError
from dramatis.story.values import Emotion
from dramatis.story.vocabulary import CAMERA_WORDS, EMOTION_PHRASES, EMOTION_WORDS, GESTURE_WORDS


def steps(prompt: str) -> list[tuple[str | None, str | None, tuple[str, ...]]]:
    return [
        (
            step.emotion.name if step.emotion else None,
            step.camera.move if step.camera else None,
            tuple(wish.name for wish in step.gestures),
        )
        for step in read_direction(prompt).steps
    ]


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("warm, leans in, slow push-in", [("tender", "push_in", ("lean_in",))]),
        ("a happy woman nods", [("happy", None, ("nod",))]),
        ("She speaks with a soft smile.", [("tender", None, ())]),
        (
            "He turns his head to the left and raises his eyebrows",
            [(None, None, ("turn_left", "raise_brows"))],
        ),
        ("The camera tilts up while she looks down", [(None, "tilt_up", ("look_down",))]),
        ("don't move the camera", [(None, "static", ())]),
        ("First sad, then very happy", [("sad", None, ()), ("happy", None, ())]),
        ("from angry to tender", [("angry", None, ()), ("tender", None, ())]),
        ("She smiles. She frowns.", [("happy", None, ()), ("angry", None, ())]),
        ("first sad, then happy, slow push in", [("sad", "push_in", ()), ("happy", "push_in", ())]),
        ("slow zoom in and pan left", [(None, "push_in", ()), (None, "pan_left", ())]),
        ("she looks up at the end", [(None, None, ()), (None, None, ("look_up",))]),
        ("hand-held push in", [(None, "push_in", ())]),
        ("not angry but calm", [("neutral", None, ())]),
        ("她很高兴，然后有点难过，点头", [("happy", None, ()), ("sad", None, ("nod",))]),
        ("镜头缓慢推近", [(None, "push_in", ())]),
        ("😊", [("happy", None, ())]),
        ("soft light, warm light on a kind of blue wall", [(None, None, ())]),
        ("", [(None, None, ())]),
        ("🎉🎈 \u200b\x00", [(None, None, ())]),
    ],
)
def test_directions(prompt: str, expected: list[tuple[str | None, str | None, tuple[str, ...]]]) -> None:
    assert steps(prompt) == expected


@pytest.mark.parametrize(
    ("prompt", "amount"),
    [
        ("slightly sad", 0.3),
        ("sad", 0.6),
        ("very sad", 0.9),
        ("she smiles a little", 0.3),
        ("furious", 0.9),
        ("happy, laughing", 0.9),
        ("very happy, smiling slightly", 0.9),
        ("she is very happy and beams broadly", 1.0),
        ("deeply sad. Really heartbroken.", 1.0),
        ("非常生气", 0.9),
    ],
)
def test_degree(prompt: str, amount: float) -> None:
    emotion = read_direction(prompt).steps[0].emotion
    assert emotion is not None
    assert emotion.intensity == amount


@pytest.mark.parametrize(
    ("prompt", "refused"),
    [
        ("not angry", {("emotion", "angry")}),
        ("speaks without nodding or smiling", {("gesture", "nod"), ("emotion", "happy")}),
        ("neither happy nor sad", {("emotion", "happy"), ("emotion", "sad")}),
        ("she doesn't smile", {("emotion", "happy")}),
        ("never zoom in", {("camera", "push_in")}),
        ("不要笑", {("emotion", "happy")}),
        ("not only happy", set()),
        ("no smirk, without a hat", {("words", "smirk"), ("words", "hat")}),
        ("不要帽子", {("words", "帽子")}),
    ],
)
def test_refusal(prompt: str, refused: set[tuple[str, str]]) -> None:
    direction = read_direction(prompt)
    assert direction.avoid == refused
    if refused:
        assert all(step.empty for step in direction.steps)


def test_times_scene_and_clashes() -> None:
    later = read_direction("She is calm. After 2.5 seconds she laughs").steps[1]
    assert (later.at, later.seconds) == (2.5, True)
    assert read_direction("a man in a red coat, angry").scene == ("a man in a red coat",)
    assert read_direction("a man in a red coat, angry").subject == "man"
    assert read_direction("happy and sad").clashes == (("happy", "sad"),)
    warm = read_direction("warm and very happy")
    assert warm.clashes == ()
    assert warm.steps[0].emotion == Emotion("happy", 0.9)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("emotion", EMOTION_WORDS),
        ("emotion", EMOTION_PHRASES),
        ("camera", CAMERA_WORDS),
        ("gesture", GESTURE_WORDS),
    ],
)
def test_the_vocabulary_is_understood(kind: str, words: dict[str, tuple[str, ...]]) -> None:
    wrong = []
    for name, phrases in words.items():
        for phrase in phrases:
            emotion, camera, gestures = steps(f"a person speaks, {phrase}")[0]
            understood: dict[str, set[Any]] = {"emotion": {emotion}, "camera": {camera}, "gesture": set(gestures)}
            found = understood[kind]
            if name not in found:
                wrong.append((name, phrase, found))
    assert not wrong


def test_long_prompts_are_refused_in_one_sentence() -> None:
    with pytest.raises(UserError, match=r"has 50,000 characters and at most 20,000 are read; shorten it"):
        read_direction("a" * 50_000)
    read_direction("very happy, then sad. " * 900)


@settings(deadline=None, max_examples=100)
@given(prompt=st.text(max_size=300))
def test_any_text(prompt: str) -> None:
    assert read_direction(prompt) == read_direction(prompt)
