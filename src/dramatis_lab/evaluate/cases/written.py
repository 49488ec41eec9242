"""The written cases of the director (benchmarks/director_cases) as values.

A case is words of direction together with a voice made of held-out ones, a portrait, and what a sensible person
expects; tuning.yaml explains the fields. Those of held_out.yaml are for measuring only: whoever looks at their failures
and then changes the director has no held-out cases any more.
"""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BeforeValidator, Field, model_validator

from dramatis.story.dialogue import ExpertName
from dramatis.story.values import CameraMove, EmotionName, GestureName, Unit, Value
from dramatis_lab.evaluate.checkout import checkout_path


class Split(StrEnum):
    """Which file of cases."""

    held_out = "held_out"
    tuning = "tuning"

    @property
    def words(self) -> str:
        """The name in words, for rows."""
        return self.value.replace("_", " ")


def _several(value: Any) -> Any:
    """A list of names of which any will do; one name becomes a list."""
    return value if value is None or isinstance(value, (list, tuple)) else [value]


_Emotions = Annotated[tuple[EmotionName, ...], BeforeValidator(_several)]
_Moves = Annotated[tuple[CameraMove, ...], BeforeValidator(_several)]
_Gestures = Annotated[tuple[GestureName | Literal["any"], ...], BeforeValidator(_several)]


class Forbidden(Value):
    """Names that no shot may have."""

    emotion: _Emotions = ()
    camera: _Moves = ()
    gesture: _Gestures = ()


class Expectation(Value):
    """One item that must be in the storyline.

    An emotion or a camera move at a share of the video, a gesture that begins between two shares of it, or what must
    never be seen. least, most: bounds of intensity or amount.
    """

    at: Unit | None = None
    emotion: _Emotions = ()
    camera: _Moves = ()
    gesture: _Gestures = ()
    begin: Unit = Field(alias="from", default=0.0)
    end: Unit = Field(alias="to", default=1.0)
    least: Unit = 0.0
    most: Unit = 1.0
    never: Forbidden | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        asked = [self.emotion, self.camera, self.gesture, self.never]
        if sum(bool(part) for part in asked) != 1 or (self.at is None) == bool(self.emotion or self.camera):
            raise ValueError("An item is an emotion or a camera move with `at`, a gesture, or `never`.")
        return self

    @property
    def kind(self) -> str:
        """What the item is about, for counting."""
        if self.never is not None:
            return "never"
        return "emotion" if self.emotion else "camera" if self.camera else "gesture"


class PlantedConflict(Value):
    """A conflict that must be found: about any of these topics, settled in favour of `winner`."""

    about: Annotated[tuple[str, ...], BeforeValidator(_several)]
    winner: ExpertName


class RecordingRecipe(Value):
    """How a recording is made of held-out voices; the header of tuning.yaml explains each field."""

    voices: tuple[int | float, ...]
    subtitles: tuple[str, ...] = ()
    gain: float = 1.0
    noise: float = 0.0
    tone: bool = False
    cut: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"voices": value} if isinstance(value, list) else value

    @model_validator(mode="after")
    def _titled(self) -> Self:
        if self.subtitles and len(self.subtitles) != sum(isinstance(part, int) for part in self.voices):
            raise ValueError("The number of subtitles must be that of the spoken parts.")
        return self


class WrittenCase(Value):
    """Words of direction, a voice and a portrait, and what is expected of the storyline."""

    id: str
    prompt: str
    voice: RecordingRecipe
    picture: int | tuple[int, int] | None = None
    expect: tuple[Expectation, ...] = ()
    conflicts: tuple[PlantedConflict, ...] = ()


def load_written_cases(split: Split) -> list[WrittenCase]:
    """All cases of a split, in order. Raises ValueError for an unknown field, and for an id that two cases have."""
    text = checkout_path("benchmarks", "director_cases", f"{split}.yaml").read_text()
    cases = [WrittenCase.model_validate(value) for value in yaml.safe_load(text)]
    repeated = [name for name, count in Counter(case.id for case in cases).items() if count > 1]
    if repeated:
        raise ValueError(f"{split}.yaml: Several cases have the id {repeated[0]!r}; rename all but one.")
    return cases
