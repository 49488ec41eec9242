"""The values that cross folder borders: what was heard, who is in the play, and the storyline of shots to film.

Everything here is frozen, typed, versioned and serialisable, and knows nothing of models, files or pixels. A
`Storyline` is what the director writes, what a person may edit as YAML, and all that the cascade reads
(report, section 3.2).
"""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.dataclasses import dataclass

FPS = 25
GRID = 4
"""Shots begin on multiples of the autoencoder's time stride, so that a shot boundary can be a keyframe."""

MAX_PROMPT_CHARACTERS = 20_000

EmotionName = Literal["neutral", "happy", "sad", "angry", "surprised", "afraid", "disgusted", "tender"]
CameraMove = Literal[
    "static", "push_in", "pull_out", "pan_left", "pan_right", "tilt_up", "tilt_down",
    "orbit_left", "orbit_right", "handheld",
]  # fmt: skip
GestureName = Literal[
    "nod", "shake", "tilt_left", "tilt_right", "turn_left", "turn_right", "lean_in", "lean_back",
    "look_up", "look_down", "look_left", "look_right", "raise_brows",
]  # fmt: skip
EMOTIONS: tuple[EmotionName, ...] = get_args(EmotionName)
CAMERA_MOVES: tuple[CameraMove, ...] = get_args(CameraMove)
GESTURES: tuple[GestureName, ...] = get_args(GestureName)
EventKind = Literal["speech", "pause", "singing", "noise"]
Unit = Annotated[float, Field(ge=0.0, le=1.0)]
"""A share, an amount or an intensity: 0 is nothing of it, 1 is all of it."""


class UserError(ValueError):
    """A fault that the user can mend: one sentence naming the input, the fault and the remedy. Exit code 2."""


_STRICT = ConfigDict(extra="forbid")


class Value(BaseModel):
    """Base of the larger values: frozen, and unknown fields are errors, so that a typing slip is never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True, order=True, config=_STRICT)
class FrameSpan:
    """Frames start <= t < stop at 25 frames per second."""

    start: Annotated[int, Field(ge=0)]
    stop: Annotated[int, Field(ge=0)]

    def __post_init__(self) -> None:
        if self.stop <= self.start:
            raise ValueError(f"stop ({self.stop}) must be greater than start ({self.start})")

    def __len__(self) -> int:
        return self.stop - self.start

    def __contains__(self, frame: int) -> bool:
        return self.start <= frame < self.stop

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.start, self.stop))

    @property
    def seconds(self) -> float:
        """The span's length in seconds."""
        return len(self) / FPS

    def overlaps(self, other: FrameSpan) -> bool:
        """Whether the two spans share a frame."""
        return self.start < other.stop and other.start < self.stop


@dataclass(frozen=True, config=_STRICT)
class Emotion:
    """What the face shows, from 0 (not at all) to 1 (as strongly as it can)."""

    name: EmotionName = "neutral"
    intensity: Unit = 0.5


@dataclass(frozen=True, config=_STRICT)
class Camera:
    """How the camera moves over a shot; amount 1 is the largest move that is allowed."""

    move: CameraMove = "static"
    amount: Unit = 0.5


@dataclass(frozen=True, config=_STRICT)
class Gesture:
    """One movement of head, eyes or brows within `span` (frames of the whole video)."""

    name: GestureName
    span: FrameSpan
    amount: Unit = 0.5


class Character(Value):
    """One person of the play: a name, and whose picture and voice they have where those differ from the job's own."""

    name: str = Field(min_length=1, max_length=80)
    image: str | None = None
    audio: str | None = None
    description: str | None = None


class AudioEvent(Value):
    """A stretch of the audio of one kind; `energy` is its mean loudness relative to the loudest part
    of the recording."""

    kind: EventKind
    span: FrameSpan
    text: str | None = None
    energy: Unit = 0.0
    speaker: str | None = None


class Observations(Value):
    """What the senses found in the input files: the material that the director plans from (report, section 3.2).

    `energy` (0..1), `pitch` (octaves from the speaker's median, 0 where unvoiced) and `voiced` (0..1) hold
    one number for every video frame; `events` tile [0, frames).
    """

    frames: int = Field(ge=1)
    seconds: float = Field(gt=0)
    events: tuple[AudioEvent, ...]
    energy: tuple[float, ...]
    pitch: tuple[float, ...]
    voiced: tuple[float, ...]

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name in ("energy", "pitch", "voiced"):
            if len(getattr(self, name)) != self.frames:
                raise ValueError(f"{name} must hold one number for each of the {self.frames} frames")
        _check_tiling([event.span for event in self.events], self.frames, "events")
        return self

    def of_kind(self, kind: EventKind) -> tuple[AudioEvent, ...]:
        """The events of one kind, in order."""
        return tuple(event for event in self.events if event.kind == kind)


class Turn(Value):
    """One contribution to the planning dialogue: who spoke, in which round, why, and what they claim."""

    expert: Literal["audio", "visual", "text", "director"]
    round: int = Field(ge=0, default=0)
    thought: str
    claims: tuple[str, ...] = ()
    inferred: bool = False
    """True where nobody asked for it: the director filled in what was left unsaid."""


class Conflict(Value):
    """Two sources that disagreed and how it was settled; text wins over audio, and audio over the image."""

    parties: tuple[str, ...]
    settled: str
    why: str
    shot: int | None = None


class Shot(Value):
    """One shot: its frames, what to show, what to avoid, and who acts how."""

    index: int = Field(ge=0)
    span: FrameSpan
    positive: str = ""
    negative: str = ""
    emotion: Emotion = Emotion()
    camera: Camera = Camera()
    gestures: tuple[Gesture, ...] = ()
    speakers: tuple[str, ...] = ()
    keyframes: tuple[int, ...] = ()
    """Frames that the user wants as keyframes; left empty, the cascade chooses representative ones."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    locked: bool = False

    @model_validator(mode="after")
    def _inside(self) -> Self:
        for gesture in self.gestures:
            if gesture.span.start < self.span.start or gesture.span.stop > self.span.stop:
                raise ValueError(
                    f"the gesture {gesture.name!r} spans frames {gesture.span.start} to {gesture.span.stop}, "
                    f"outside the shot's {self.span.start} to {self.span.stop}; move it inside or remove it"
                )
        outside = [frame for frame in self.keyframes if frame not in self.span]
        if outside:
            raise ValueError(
                f"keyframe {outside[0]} lies outside the shot's frames {self.span.start} to {self.span.stop}"
            )
        return self


class Storyline(Value):
    """The plan of a whole video. Shots tile [0, frames) in order; every shot begins on a multiple of four frames."""

    version: Literal[1] = 1
    image: str
    audio: str
    prompt: str = Field(default="", max_length=MAX_PROMPT_CHARACTERS)
    frames: int = Field(ge=1)
    width: int = Field(ge=16, multiple_of=16)
    height: int = Field(ge=16, multiple_of=16)
    seed: int = Field(default=0, ge=0, lt=2**63)
    characters: tuple[Character, ...] = ()
    positive: str = ""
    negative: str = ""
    shots: tuple[Shot, ...] = Field(min_length=1)
    events: tuple[AudioEvent, ...] = ()
    dialogue: tuple[Turn, ...] = ()
    conflicts: tuple[Conflict, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        _check_tiling([shot.span for shot in self.shots], self.frames, "shots")
        names = {character.name for character in self.characters}
        for position, shot in enumerate(self.shots):
            if shot.index != position:
                raise ValueError(f"shots[{position}].index is {shot.index}; number the shots from 0 in order")
            if shot.span.start % GRID:
                near = round(shot.span.start / GRID) * GRID
                raise ValueError(
                    f"shots[{position}].span.start is {shot.span.start}; a shot begins on a multiple of "
                    f"{GRID} frames, so write {near} here and as the stop of the shot before"
                )
            unknown = [name for name in shot.speakers if name not in names]
            if unknown:
                known = ", ".join(sorted(names)) or "none"
                raise ValueError(f"shots[{position}].speakers names {unknown[0]!r}; the characters are: {known}")
        if self.events and self.events[-1].span.stop > self.frames:
            raise ValueError(f"events end at frame {self.events[-1].span.stop}, after the last of {self.frames} frames")
        return self

    @property
    def seconds(self) -> float:
        """The video's length in seconds."""
        return self.frames / FPS

    def shot_at(self, frame: int) -> Shot:
        """The shot that frame `frame` belongs to; IndexError outside [0, frames)."""
        if not 0 <= frame < self.frames:
            raise IndexError(f"frame {frame} is outside the video's {self.frames} frames")
        low, high = 0, len(self.shots) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.shots[middle].span.start <= frame else (low, middle - 1)
        return self.shots[low]

    def to_json(self) -> str:
        """The storyline as JSON; `from_json` reads it back equal."""
        return self.model_dump_json(indent=2)

    @classmethod
    def from_json(cls, text: str) -> Storyline:
        """Read JSON; raises UserError naming the field."""
        try:
            data = json.loads(text)
        except json.JSONDecodeError as error:
            raise UserError(
                f"the storyline is not valid JSON at line {error.lineno}: {error.msg}; correct that line"
            ) from error
        return _validated(data, None)

    def to_yaml(self) -> str:
        """The storyline as YAML with a header of comments for the person who edits it."""
        data = self.model_dump(mode="json", exclude_none=True)
        data["events"] = [_Line(event) for event in data["events"]]
        for shot in data["shots"]:
            shot["gestures"] = [_Line(gesture) for gesture in shot["gestures"]]
        body = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110, default_flow_style=None)
        return _HEADER + body

    @classmethod
    def from_yaml(cls, text: str) -> Storyline:
        """Read YAML; raises UserError naming the line, the field and the remedy."""
        try:
            loader = _Loader(text)
            root = loader.get_single_node()
            data = loader.construct_document(root) if root else None
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            where = f" at line {mark.line + 1}" if mark else ""
            what = getattr(error, "problem", None) or "it cannot be parsed"
            raise UserError(
                f"the storyline is not valid YAML{where}: {what}; correct that line or plan again"
            ) from error
        return _validated(data, root)


def _check_tiling(spans: Sequence[FrameSpan], frames: int, name: str) -> None:
    """Raise ValueError unless `spans` cover [0, frames) in order, without gap or overlap."""
    expected = 0
    for position, span in enumerate(spans):
        if span.start != expected:
            fault = "leaves a gap after" if span.start > expected else "overlaps what comes before"
            raise ValueError(
                f"{name}[{position}].span.start is {span.start}, which {fault} frame {expected}; "
                f"write {expected} or change the one before"
            )
        expected = span.stop
    if expected != frames:
        raise ValueError(
            f"{name} end at frame {expected} but the video has {frames} frames; the last must stop at {frames}"
        )


def _choices(label: str, names: Sequence[str]) -> str:
    """The names as a wrapped comment line of the YAML header."""
    return textwrap.fill(", ".join(names), 108, initial_indent=f"#   {label:<14}", subsequent_indent="#" + " " * 17)


_HEADER = f"""\
# A storyline: what the video shows, shot by shot. Edit it, then run `dramatis render` on this file.
# Times are frame numbers at {FPS} frames a second. Shots follow one another without a gap from frame 0
# to `frames`, and each begins on a multiple of {GRID}. Choices:
{_choices("emotion.name", EMOTIONS)}
{_choices("camera.move", CAMERA_MOVES)}
{_choices("gestures.name", GESTURES)}
# `positive` is what to show and `negative` what to avoid. `intensity` and `amount` run from 0 to 1.
# `keyframes: []` lets the renderer choose. Change a shot's `seed` for another take of it.
"""


# The C implementations are ten times as fast, which an hour's storyline needs; wheels carry them, source
# builds may not.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BaseDumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Line(dict[str, Any]):
    """A mapping that is written on one line."""


class _Dumper(_BaseDumper):  # type: ignore[misc, valid-type]
    """Shared values are written out again, since anchors (&id001) confuse people who edit the file."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Dumper.add_representer(
    _Line, lambda dumper, value: dumper.represent_mapping("tag:yaml.org,2002:map", value, flow_style=True)
)


def _validated(data: Any, root: yaml.Node | None) -> Storyline:
    """Validate parsed data; the YAML tree `root`, where given, tells the line of a fault."""
    if not isinstance(data, dict):
        raise UserError("the storyline is not a mapping of fields; write one with `dramatis plan` and edit that")
    try:
        return Storyline.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        field = _field_name(first["loc"])
        line = _line(root, first["loc"])
        where = f"the storyline{f', line {line}' if line else ''}{f', field {field}' if field else ''}"
        raise UserError(f"{where}: {_remedy(first)}") from error


def _field_name(location: Sequence[str | int]) -> str:
    """`("shots", 2, "camera")` as `shots[2].camera`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).lstrip(".")


def _remedy(fault: Any) -> str:
    """A pydantic fault as words a user can act on."""
    kind, message, given = fault["type"], str(fault["msg"]), fault.get("input")
    if kind == "extra_forbidden":
        return "there is no such field; correct its spelling or remove it"
    if kind == "missing":
        return "it is missing; add it"
    if kind == "literal_error":
        return f"{given!r} is not known; choose one of {fault['ctx']['expected'].replace(' or ', ', ')}"
    message = message.removeprefix("Value error, ")
    return (
        message
        if kind == "value_error"
        else f"{message[:1].lower()}{message[1:]}, but it is {str(given)[:60]!r}; correct it"
    )


def _line(node: yaml.Node | None, location: Sequence[str | int]) -> int | None:
    """The line, from 1, of the deepest part of `location` that stands in the YAML tree."""
    if node is None:
        return None
    for part in location:
        if isinstance(node, yaml.MappingNode):
            children = {key.value: value for key, value in node.value}
            found = children.get(part)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            found = node.value[part]
        else:
            found = None
        if found is None:
            break
        node = found
    return int(node.start_mark.line) + 1
