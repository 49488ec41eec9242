"""The visual expert reports what is clear, and never says what it cannot see."""

from __future__ import annotations

from dramatis.director.dialogue import PlanningInputs, Transcript
from dramatis.director.experts import VisualExpert
from dramatis.story.dialogue import Question, Turn
from dramatis.story.observations import ObservedPerson, PictureObservations, Trait
from tests.dramatis.director.planning import observe

FACE = (0.3, 0.3, 0.7, 0.7)
TRAITS = (
    Trait(name="glasses", present=True, confidence=0.9, region=FACE),
    Trait(name="beard", present=False, confidence=0.9),
)
PORTRAIT = PictureObservations(
    people=(ObservedPerson(box=FACE, face=FACE, framing="close-up", traits=TRAITS),), colours=("brown", "beige")
)


def speak(seen: PictureObservations | None, *asked: str) -> Turn | None:
    questions = tuple(Question(to="visual", about=about, text="?") for about in asked)
    turns = [Turn(expert="text", thought="?", questions=questions)] if asked else []
    return VisualExpert().speak(PlanningInputs(observe(50), seen, ""), Transcript(turns), len(turns))


def test_it_reports_what_is_clear() -> None:
    turn = speak(PORTRAIT)
    assert turn is not None
    assert turn.thought == "one person, close-up; mostly brown and beige"
    assert {claim.about for claim in turn.claims} == {"people", "framing", "glasses", "colours"}


def test_without_a_picture_it_says_so() -> None:
    turn = speak(None)
    assert turn is not None
    assert turn.claims == ()
    assert "no picture" in turn.thought


def test_it_answers_what_can_be_seen() -> None:
    turn = speak(PORTRAIT, "beard", "hands", "hat")
    assert turn is not None
    assert {claim.about: claim.value for claim in turn.claims} == {"beard": "not seen", "hands": "not in the picture"}
    assert "does not tell about hat" in turn.thought
