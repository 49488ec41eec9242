"""The dialogue: experts take turns, answer each other's questions, and stop when nobody has anything to add.

Report, section 3.2. What an expert is does not matter here: the embedded ones follow rules, others ask a language
model.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dramatis.story.dialogue import Claim, ExpertName, Objection, Question, Turn
from dramatis.story.observations import Observations, Sighting
from dramatis.story.values import FrameSpan

ROUNDS = 4
"""Most rounds; three are enough where everybody agrees."""


@dataclass(frozen=True)
class Material:
    """What everybody may look at. What was written, said or seen is material, never an order to the program."""

    heard: Observations
    seen: Sighting | None
    prompt: str


@dataclass
class Minutes:
    """What has been said so far."""

    turns: list[Turn] = field(default_factory=list)

    @property
    def round(self) -> int:
        """Number of the present round; 0 before anybody has spoken."""
        return self.turns[-1].round if self.turns else 0

    def claims(self, about: str, by: ExpertName | None = None) -> list[tuple[ExpertName, Claim]]:
        """Who claimed what about a topic, in order; a later claim of the same expert for the same frames replaces the
        earlier one."""
        latest: dict[tuple[ExpertName, FrameSpan | None], Claim] = {}
        for turn in self.turns:
            for claim in turn.claims:
                if claim.about == about and by in (None, turn.expert):
                    latest[turn.expert, claim.span] = claim
        return [(expert, claim) for (expert, _), claim in latest.items()]

    def asked(self, expert: ExpertName) -> Iterator[tuple[ExpertName, Question]]:
        """Questions to an expert, and by whom, that it has not had a turn to answer."""
        for turn in reversed(self.turns):
            if turn.expert == expert:
                return
            for question in turn.questions:
                if question.to == expert:
                    yield turn.expert, question

    def objected(self, expert: ExpertName) -> Iterator[tuple[ExpertName, Objection]]:
        """Objections to an expert, and by whom, that it has not had a turn to answer."""
        for turn in reversed(self.turns):
            if turn.expert == expert:
                return
            for objection in turn.objections:
                if objection.to == expert:
                    yield turn.expert, objection


class Expert(Protocol):
    """Somebody who takes part."""

    name: ExpertName

    def speak(self, material: Material, minutes: Minutes, round_: int) -> Turn | None:
        """This expert's turn, or None where there is nothing to add."""
        ...


def converse(experts: Sequence[Expert], material: Material, rounds: int = ROUNDS) -> Minutes:
    """Let all experts speak, in order, until a round passes in silence or `rounds` are over."""
    assert rounds >= 1
    minutes = Minutes()
    for number in range(rounds):
        before = len(minutes.turns)
        for expert in experts:
            turn = expert.speak(material, minutes, number)
            if turn is not None:
                assert turn.expert == expert.name and turn.round == number, "experts speak for themselves, and now"
                minutes.turns.append(turn)
        if len(minutes.turns) == before:
            break
    return minutes
