"""Prompts use the words of the captions in training."""

from __future__ import annotations

from dramatis.director.language.direction import Direction, Step
from dramatis.director.wording import global_positive, pronoun_of, shot_positive, subject_of
from dramatis.story.observations import AudioEvent
from dramatis.story.values import Camera, Emotion, FrameSpan, Gesture
from tests.dramatis.director.planning import plan

SPEECH = AudioEvent(kind="speech", span=FrameSpan(0, 50))


def direction(subject: str = "woman", people: int = 1, sound: str | None = None) -> Direction:
    return Direction(steps=(Step(),), subject=subject, people=people, sound=sound)


def test_a_shot_says_who_does_what_and_how() -> None:
    nod = Gesture("nod", FrameSpan(0, 28))
    words = shot_positive(direction(), Emotion("happy", 0.9), Camera("push_in", 0.3), [nod, nod], SPEECH)
    assert words == "A woman speaks, very happy. She nods. Slow push in."
    assert (
        shot_positive(direction("man"), Emotion(), Camera(), [], None) == "A man keeps quiet, neutral. Static camera."
    )


def test_the_words_decide_between_speech_and_song() -> None:
    assert "sings" in shot_positive(direction(sound="singing"), Emotion(), Camera(), [], SPEECH)


def test_company_is_counted() -> None:
    assert subject_of(direction(people=2)) == "a woman beside one other person"
    assert subject_of(direction(people=9)) == "a woman beside other people"
    assert pronoun_of(direction("person")) == "the person"


def test_the_whole_video_names_its_emotions_in_order_and_the_scene() -> None:
    shots = plan("first sad, then happy", 400).shots
    scene = Direction(steps=(Step(),), scene=("in a red coat",))
    assert global_positive(scene, shots) == "a person speaks, sad then happy, in a red coat"
