"""The audio expert reports what is measured and recognised, and answers what it is asked."""

from __future__ import annotations

import pytest

from dramatis.director.dialogue import PlanningInputs, Transcript
from dramatis.director.experts import AudioExpert
from dramatis.story.dialogue import Claim, Question, Turn
from dramatis.story.observations import AudioEvent, AudioObservations, Mood, Word
from dramatis.story.values import FrameSpan
from tests.dramatis.director.planning import observe


def heard(*words: str, rate: float = 4.0) -> AudioObservations:
    """Two seconds of speech, half a second apart from one of silence, said in a sad tone."""
    events = (
        AudioEvent(kind="speech", span=FrameSpan(0, 50)),
        AudioEvent(kind="pause", span=FrameSpan(50, 75)),
    )
    mood = Mood(span=FrameSpan(0, 50), arousal=0.2, emotion="sad", confidence=0.25)
    said = tuple(Word(text=word, span=FrameSpan(k, k + 1), confidence=0.8) for k, word in enumerate(words))
    changes = {"events": events, "moods": (mood,), "words": said, "rate": rate, "language": "English"}
    return observe(75).model_copy(update=changes)


def report(observations: AudioObservations) -> dict[str, Claim]:
    turn = AudioExpert().speak(PlanningInputs(observations, None, ""), Transcript(), 0)
    assert turn is not None
    return {claim.about: claim for claim in turn.claims}


@pytest.mark.parametrize(("rate", "pace"), [(2.0, "slow"), (4.0, "ordinary"), (6.0, "fast")])
def test_it_reports_what_was_heard(rate: float, pace: str) -> None:
    claims = report(heard("hello", "there", rate=rate))
    assert claims["sound"].value == "speech"
    assert claims["pause"].value == "1.0 s of silence"
    assert claims["pace"].value.startswith(pace)
    assert claims["language"].value == "English"
    assert claims["words"].value == "begins: hello there"


@pytest.mark.parametrize(
    ("words", "emotion", "confidence"),
    [
        ((), "sad", 0.25),
        (("happy",), "happy", 0.45),
        (("happy", "joyful"), "happy", 0.6),
        (("not", "happy"), "sad", 0.25),
    ],
)
def test_spoken_words_say_more_than_the_tone(words: tuple[str, ...], emotion: str, confidence: float) -> None:
    claim = report(heard(*words))["emotion"]
    assert (claim.value, claim.confidence) == (emotion, confidence)


def test_it_answers_questions_and_is_silent_otherwise() -> None:
    inputs = PlanningInputs(heard(), None, "")
    questions = tuple(Question(to="audio", about=about, text="?") for about in ("intent", "length"))
    transcript = Transcript([Turn(expert="text", thought="?", questions=questions)])
    turn = AudioExpert().speak(inputs, transcript, 1)
    assert turn is not None
    assert {claim.about: claim.value for claim in turn.claims} == {"intent": "tell", "length": "3.00 s"}
    assert AudioExpert().speak(inputs, Transcript(), 1) is None
