"""The dialogue ends when nobody has anything to add, and remembers who asked and claimed what."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from dramatis.director.dialogue import PlanningInputs, Transcript, converse
from dramatis.story.dialogue import Claim, ExpertName, Objection, Question, Turn
from dramatis.story.values import FrameSpan
from tests.dramatis.director.planning import observe

INPUTS = PlanningInputs(observe(50), None, "")


@dataclass
class Speaker:
    """Speaks for some rounds."""

    name: ExpertName
    rounds: int
    heard: list[int] = field(default_factory=list)

    def speak(self, inputs: PlanningInputs, transcript: Transcript, round_: int) -> Turn | None:
        self.heard.append(len(transcript.turns))
        return Turn(expert=self.name, round=round_, thought="so") if round_ < self.rounds else None


@pytest.mark.parametrize(("audio", "text", "limit", "turns"), [(1, 2, 4, 3), (0, 0, 4, 0), (9, 9, 4, 8), (9, 0, 1, 1)])
def test_it_ends_in_silence_or_after_the_last_round(audio: int, text: int, limit: int, turns: int) -> None:
    transcript = converse([Speaker("audio", audio), Speaker("text", text)], INPUTS, limit)
    assert len(transcript.turns) == turns


def test_experts_hear_those_before_them() -> None:
    second = Speaker("text", 2)
    converse([Speaker("audio", 2), second], INPUTS)
    assert second.heard[:2] == [1, 3]


def test_a_later_claim_replaces_an_earlier_one_about_the_same_frames() -> None:
    early, late = (Claim(about="emotion", value=value, span=FrameSpan(0, 9)) for value in ("sad", "happy"))
    other = Claim(about="emotion", value="angry", span=FrameSpan(9, 20))
    transcript = Transcript(
        [
            Turn(expert="audio", thought="first", claims=(early, other)),
            Turn(expert="audio", round=1, thought="second", claims=(late,)),
            Turn(expert="visual", round=1, thought="third", claims=(Claim(about="light", value="dark"),)),
        ]
    )
    assert transcript.claims("emotion") == [("audio", late), ("audio", other)]
    assert transcript.claims("emotion", "visual") == []
    assert transcript.round == 1


def test_questions_and_objections_wait_for_a_turn() -> None:
    question = Question(to="audio", about="intent", text="how?")
    objection = Objection(to="audio", about="emotion", text="no")
    asking = Turn(expert="text", thought="?", questions=(question,), objections=(objection,))
    transcript = Transcript([asking])
    assert list(transcript.questions_to("audio")) == [("text", question)]
    assert list(transcript.objections_to("audio")) == [("text", objection)]
    transcript.turns.append(Turn(expert="audio", round=1, thought="so"))
    assert list(transcript.questions_to("audio")) == []
    assert list(transcript.objections_to("audio")) == []
