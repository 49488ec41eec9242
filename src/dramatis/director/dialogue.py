"""The dialogue: experts take turns, answer each other's questions, and stop when nobody has anything to add.

Report, section 3.2. It makes no difference here what an expert is: the embedded ones follow rules, others ask a
language model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dramatis.story.dialogue import Claim, ExpertName, Objection, Question, Turn
from dramatis.story.observations import AudioObservations, PictureObservations
from dramatis.story.values import FrameSpan

MAX_ROUNDS = 4
"""Three rounds are enough if everybody agrees."""


@dataclass(frozen=True)
class PlanningInputs:
    """What all experts may look at. What was written, said or seen is data, never an instruction to the program."""

    heard: AudioObservations
    seen: PictureObservations | None
    prompt: str


@dataclass
class Transcript:
    """What has been said so far."""

    turns: list[Turn] = field(default_factory=list)

    @property
    def round(self) -> int:
        """Number of the current round; 0 before anybody has spoken."""
        return self.turns[-1].round if self.turns else 0

    def claims(self, about: str, by: ExpertName | None = None) -> list[tuple[ExpertName, Claim]]:
        """Who claimed what about a topic, in order; of an expert's claims about the same frames, the latest."""
        latest: dict[tuple[ExpertName, FrameSpan | None], Claim] = {}
        for turn in self.turns:
            for claim in turn.claims:
                if claim.about == about and by in (None, turn.expert):
                    latest[turn.expert, claim.span] = claim
        return [(expert, claim) for (expert, _), claim in latest.items()]

    def questions_to(self, expert: ExpertName) -> Iterator[tuple[ExpertName, Question]]:
        """Questions to an expert, and who asked them, that it has not yet had a turn to answer."""
        for turn in reversed(self.turns):
            if turn.expert == expert:
                return
            for question in turn.questions:
                if question.to == expert:
                    yield turn.expert, question

    def objections_to(self, expert: ExpertName) -> Iterator[tuple[ExpertName, Objection]]:
        """Objections to an expert, and who raised them, that it has not yet had a turn to answer."""
        for turn in reversed(self.turns):
            if turn.expert == expert:
                return
            for objection in turn.objections:
                if objection.to == expert:
                    yield turn.expert, objection


class Expert(Protocol):
    """A participant in the dialogue."""

    name: ExpertName

    def speak(self, inputs: PlanningInputs, transcript: Transcript, round_: int) -> Turn | None:
        """This expert's turn, or None if there is nothing to add."""
        ...


def converse(experts: Sequence[Expert], inputs: PlanningInputs, rounds: int = MAX_ROUNDS) -> Transcript:
    """Let all experts speak in order, until nobody speaks for a whole round or `rounds` are over."""
    assert rounds >= 1
    transcript = Transcript()
    for number in range(rounds):
        before = len(transcript.turns)
        for expert in experts:
            turn = expert.speak(inputs, transcript, number)
            if turn is not None:
                assert turn.expert == expert.name, "experts speak for themselves"
                assert turn.round == number, "experts speak in the current round"
                transcript.turns.append(turn)
        if len(transcript.turns) == before:
            break
    return transcript
