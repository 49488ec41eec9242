"""What was heard and seen in the input files: what the director plans from (report, section 3.2)."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from dramatis.story.values import EmotionName, FrameSpan, Unit, UnitBox, Value, check_tiling, is_empty

EventKind = Literal["speech", "pause", "singing", "noise"]
VOICE_KINDS: tuple[EventKind, ...] = ("speech", "singing")
"""The kinds of events in which somebody is heard."""
Intent = Literal["tell", "ask", "shout", "whisper", "sing"]
FramingName = Literal["close-up", "head and shoulders", "half figure", "full figure"]
Light = Literal["dark", "even", "bright"]
Name = Annotated[str, Field(max_length=40)]


class AudioEvent(Value):
    """A stretch of audio of one kind; `energy` is its mean loudness relative to the loudest part of the recording.

    speaker: whose voice it is, if known; also: who else is heard at the same time. The names differ.
    """

    kind: EventKind
    span: FrameSpan
    text: str | None = None
    energy: Unit = 0.0
    speaker: str | None = None
    also: tuple[str, ...] = Field(default=(), exclude_if=is_empty)

    @model_validator(mode="after")
    def _different_speakers(self) -> Self:
        if self.also and len(set(self.speakers)) < 1 + len(self.also):
            raise ValueError("speaker and also must name different people, and speaker comes first")
        return self

    @property
    def speakers(self) -> tuple[str, ...]:
        """Everybody who is named, beginning with `speaker`."""
        return () if self.speaker is None else (self.speaker, *self.also)


class Word(Value):
    """A word that was recognised, or taken from the user's subtitles."""

    text: Annotated[str, Field(min_length=1, max_length=80)]
    span: FrameSpan
    confidence: Unit = 1.0


class Mood(Value):
    """How a stretch of a voice sounds.

    arousal: 0 limp .. 1 agitated. emotion: a guess, since the tone of a voice alone shows it with little certainty.
    """

    span: FrameSpan
    arousal: Unit
    emotion: EmotionName
    confidence: Unit
    intent: Intent = "tell"


class AudioObservations(Value):
    """What was heard in one recording.

    `energy` (0..1), `pitch` (octaves from the speaker's median, 0 where unvoiced) and `voiced` (0..1) hold
    one number for every video frame; `events` tile [0, frames). words: in order. beats: frames on which the beats of
    music fall. rate: syllables a second while the voice sounds, 0 if there is none.
    """

    frames: int = Field(ge=1)
    seconds: float = Field(gt=0)
    events: tuple[AudioEvent, ...]
    energy: tuple[float, ...]
    pitch: tuple[float, ...]
    voiced: tuple[float, ...]
    words: tuple[Word, ...] = ()
    moods: tuple[Mood, ...] = ()
    beats: tuple[int, ...] = ()
    rate: float = Field(ge=0, default=0.0)
    language: Name | None = None
    """Name of the language of the words; None if it is unknown."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        for name in ("energy", "pitch", "voiced"):
            if len(getattr(self, name)) != self.frames:
                raise ValueError(f"{name} must hold one number for each of the {self.frames} frames")
        check_tiling([event.span for event in self.events], self.frames, "events")
        return self

    def of_kind(self, kind: EventKind) -> tuple[AudioEvent, ...]:
        """The events of one kind, in order."""
        return tuple(event for event in self.events if event.kind == kind)


class Trait(Value):
    """Something seen, or not seen, of a person, and how confidently."""

    name: Name
    present: bool
    confidence: Unit
    region: UnitBox | None = None


class ObservedPerson(Value):
    """Somebody in the picture. Boxes are shares of it; expression: what the face shows in it."""

    box: UnitBox
    face: UnitBox
    framing: FramingName
    expression: EmotionName = "neutral"
    expression_confidence: Unit = 0.0
    traits: tuple[Trait, ...] = ()


class PictureObservations(Value):
    """What was seen in one picture. colours: names of the commonest, the most frequent first."""

    people: tuple[ObservedPerson, ...] = ()
    light: Light = "even"
    light_from: Literal["left", "right", "front"] = "front"
    light_confidence: Unit = 0.0
    colours: tuple[Name, ...] = ()
    background: Literal["plain", "blurred", "detailed"] = "plain"
    background_confidence: Unit = 0.0
