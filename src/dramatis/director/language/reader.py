"""Who reads the words of direction: the rules, or anything else that turns a prompt into a `Direction`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dramatis.director.dialogue import PlanningInputs, Transcript
from dramatis.director.language.direction import Direction
from dramatis.director.language.parser import read_direction


@dataclass(frozen=True)
class ReadingContext:
    """What a reader may look at besides the prompt: what was heard and seen, and what has been said about it."""

    inputs: PlanningInputs
    transcript: Transcript


@dataclass(frozen=True)
class PromptReading:
    """A prompt as understood. note: what the reader has to say about it; "" where there is nothing to add."""

    direction: Direction
    note: str = ""


class PromptReader(Protocol):
    """Understands prompts."""

    def read(self, prompt: str, context: ReadingContext) -> PromptReading:
        """What the prompt asks for. Raises UserError where it is too long."""
        ...


class RuleReader:
    """Reads by the rules and the lexicon of this package; the context makes no difference."""

    def read(self, prompt: str, context: ReadingContext) -> PromptReading:  # noqa: ARG002 - the protocol's
        """See `PromptReader`."""
        return PromptReading(read_direction(prompt))
