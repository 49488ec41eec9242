"""The negative director: looks at the planned shots and says what each kind of them must not become."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dramatis.director.dialogue import PlanningInputs, Transcript
from dramatis.story.dialogue import Claim, Evidence, ExpertName, Turn
from dramatis.story.storyline import Shot

_MAX_KINDS = 12
"""Kinds of shots that are discussed at most; every shot has a negative prompt of its own in any case."""


class Planner(Protocol):
    """Whoever writes the shots."""

    @property
    def shots(self) -> tuple[Shot, ...]:
        """The planned shots."""
        ...


class NegativeDirector:
    """Speaks once, as soon as there is a plan."""

    name: ExpertName = "negative"

    def __init__(self, planner: Planner) -> None:
        self._planner = planner

    def speak(self, inputs: PlanningInputs, transcript: Transcript, round_: int) -> Turn | None:  # noqa: ARG002
        """See `Expert`: only the round matters, since the plan is the planner's."""
        if round_ != 1:
            return None
        kinds = of_each_kind(self._planner.shots)
        claims = tuple(
            Claim(
                about="avoid", value=shot.negative, confidence=0.9, span=shot.span,
                evidence=(Evidence(words=shot.positive),),
            )
            for shot in kinds[:_MAX_KINDS]
        )  # fmt: skip
        more = f"; {len(kinds) - _MAX_KINDS} more kinds likewise" if len(kinds) > _MAX_KINDS else ""
        thought = "what each shot must not show follows from what it shows: contraries first, then its own faults"
        return Turn(expert=self.name, round=round_, thought=thought + more, claims=claims)


def of_each_kind(shots: Sequence[Shot]) -> list[Shot]:
    """The first shot with each negative prompt."""
    return list({shot.negative: shot for shot in reversed(shots)}.values())[::-1]
