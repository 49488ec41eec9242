"""The negative director: looks at the planned shots and says what each kind of them must not become."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from dramatis.director.dialogue import Material, Minutes
from dramatis.story.dialogue import Claim, Evidence, ExpertName, Turn
from dramatis.story.storyline import Shot

KINDS = 12
"""Kinds of shots that are spoken about at most; every shot has its own negative prompt all the same."""


class Planner(Protocol):
    """Whoever writes the shots."""

    shots: tuple[Shot, ...]


class NegativeDirector:
    """Speaks once, when there is a plan."""

    name: ExpertName = "negative"

    def __init__(self, planner: Planner) -> None:
        self._planner = planner

    def speak(self, material: Material, minutes: Minutes, round_: int) -> Turn | None:
        if round_ != 1:
            return None
        kinds = of_each_kind(self._planner.shots)
        claims = tuple(
            Claim(
                about="avoid", value=shot.negative, confidence=0.9, span=shot.span,
                evidence=(Evidence(words=shot.positive),),
            )
            for shot in kinds[:KINDS]
        )  # fmt: skip
        more = f"; {len(kinds) - KINDS} more kinds likewise" if len(kinds) > KINDS else ""
        thought = "what each shot must not show follows from what it shows: contraries first, then its own faults"
        return Turn(expert=self.name, round=round_, thought=thought + more, claims=claims)


def of_each_kind(shots: Sequence[Shot]) -> list[Shot]:
    """The first shot of every negative prompt."""
    return list({shot.negative: shot for shot in reversed(shots)}.values())[::-1]
