"""The planning dialogue as values: what each expert claims, on which evidence, and how disagreements were settled.

Report, section 3.2: experts talk for several rounds with visible reasoning. Everything that was said is kept.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from dramatis.story.values import FrameSpan, Unit, UnitBox, Value

ExpertName = Literal["audio", "visual", "text", "negative", "director"]
Statement = Annotated[str, Field(max_length=2000)]


class Evidence(Value):
    """What a claim rests on: frames of the sound, a region of the picture, or words that were written or said."""

    span: FrameSpan | None = None
    region: UnitBox | None = None
    words: Statement | None = None


class Claim(Value):
    """One thing that an expert believes.

    about: the topic, such as "emotion", "camera" or "glasses". span: when it holds; None is the whole video.
    inferred: nobody asked for it and nothing shows it; it fills in what was left open.
    """

    about: Annotated[str, Field(min_length=1, max_length=40)]
    value: Statement
    confidence: Unit = 1.0
    span: FrameSpan | None = None
    evidence: tuple[Evidence, ...] = ()
    inferred: bool = False


class Question(Value):
    """What one expert asks another, to be answered in the next round."""

    to: ExpertName
    about: Annotated[str, Field(min_length=1, max_length=40)]
    text: Statement


class Objection(Value):
    """What one expert has against another's claim."""

    to: ExpertName
    about: Annotated[str, Field(min_length=1, max_length=40)]
    text: Statement


class Turn(Value):
    """One contribution to the dialogue."""

    expert: ExpertName
    round: int = Field(ge=0, default=0)
    thought: Statement
    claims: tuple[Claim, ...] = ()
    questions: tuple[Question, ...] = ()
    objections: tuple[Objection, ...] = ()


class Position(Value):
    """One side of a conflict: who says what, and how confidently."""

    expert: ExpertName
    says: Statement
    confidence: Unit = 1.0


class Conflict(Value):
    """Two or more sources that disagree about something, and how that was settled.

    The words win over the voice and the voice over the picture, unless the winner is unsure and the other is certain,
    or what is asked for cannot be shown at all.
    """

    about: Annotated[str, Field(min_length=1, max_length=40)]
    sides: Annotated[tuple[Position, ...], Field(min_length=2)]
    settled: Statement
    why: Statement
    span: FrameSpan | None = None

    @model_validator(mode="after")
    def _differ(self) -> Conflict:
        if len({(side.expert, side.says) for side in self.sides}) < 2:
            raise ValueError("the sides of a conflict say the same; let each say something different")
        return self
