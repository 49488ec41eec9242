"""The planning dialogue as values: what each expert claims, on which evidence, and how disagreements were settled.

Report, section 3.2: experts talk for several rounds with visible reasoning. Nothing that was said is dropped.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dramatis.story.values import FrameSpan, Unit, Value

ExpertName = Literal["audio", "visual", "text", "negative", "director"]
Box = tuple[Unit, Unit, Unit, Unit]
"""Left, top, right, bottom, as shares of the picture's width and height."""
Words = Annotated[str, Field(max_length=2000)]


class Evidence(Value):
    """Where a claim comes from: frames of the sound, a part of the picture, or words that were written or said."""

    span: FrameSpan | None = None
    region: Box | None = None
    words: Words | None = None


class Claim(Value):
    """One thing that an expert holds to be so.

    about: the topic, such as "emotion", "camera" or "glasses". span: when it holds; None is the whole video.
    inferred: nobody asked for it and nothing shows it; it fills in what was left open.
    """

    about: Annotated[str, Field(min_length=1, max_length=40)]
    value: Words
    confidence: Unit = 1.0
    span: FrameSpan | None = None
    evidence: tuple[Evidence, ...] = ()
    inferred: bool = False


class Question(Value):
    """What one expert asks of another; answered in the next round."""

    to: ExpertName
    about: Annotated[str, Field(min_length=1, max_length=40)]
    text: Words


class Objection(Value):
    """What one expert holds against another's claim."""

    to: ExpertName
    about: Annotated[str, Field(min_length=1, max_length=40)]
    text: Words


class Turn(Value):
    """One contribution to the dialogue."""

    expert: ExpertName
    round: int = Field(ge=0, default=0)
    thought: Words
    claims: tuple[Claim, ...] = ()
    questions: tuple[Question, ...] = ()
    objections: tuple[Objection, ...] = ()


class Side(Value):
    """One party of a conflict: who, saying what, and how sure."""

    expert: ExpertName
    says: Words
    confidence: Unit = 1.0


class Conflict(Value):
    """Two or more sources that disagreed about something, and how it was settled.

    Words win over the voice and the voice over the picture, unless the winner is unsure and the other is certain, or
    what is asked for cannot be shown at all.
    """

    about: Annotated[str, Field(min_length=1, max_length=40)]
    sides: Annotated[tuple[Side, ...], Field(min_length=2)]
    settled: Words
    why: Words
    span: FrameSpan | None = None

    @model_validator(mode="after")
    def _differ(self) -> Conflict:
        if len({(side.expert, side.says) for side in self.sides}) < 2:
            raise ValueError("the sides of a conflict must say different things")
        return self
