"""The values that cross folder borders: what was heard, who is in the play, and the storyline of shots to film.

Everything here is frozen, typed, versioned and serialisable, and knows nothing of models, files or pixels. A
`Storyline` is what the director writes, what a person may edit as YAML, and all that the cascade reads
(report, section 3.2).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Literal, NamedTuple, Self

from pydantic import Field, model_validator

from dramatis.story.dialogue import Conflict, Turn
from dramatis.story.observations import VOICE_KINDS, AudioEvent
from dramatis.story.values import (
    FPS,
    GRID,
    Camera,
    Emotion,
    FrameSpan,
    Gesture,
    UnitBox,
    Value,
    check_tiling,
    is_empty,
)

MAX_PROMPT_CHARACTERS = 20_000


SAME_FACE = 0.5
"""Two boxes that share more than this share of the smaller one mark one face: heads that overlap share less."""


class Character(Value):
    """One person of the play: a name, and whose picture and voice they have where those differ from the job's own.

    face: where several people are in the storyline's picture, the box of this one's 68 face landmarks, as shares of the
    whole picture file.
    image: a picture of this person alone, such as a crop. audio: this person's own track.
    """

    name: str = Field(min_length=1, max_length=80)
    image: str | None = None
    audio: str | None = None
    description: str | None = None
    face: UnitBox | None = Field(default=None, exclude_if=is_empty)

    @model_validator(mode="after")
    def _face_has_a_size(self) -> Self:
        if self.face is not None:
            left, top, right, bottom = self.face
            if right <= left or bottom <= top:
                raise ValueError(
                    f"the face of {self.name!r} is a box without a size; write left, top, right and bottom as shares "
                    "of the picture, right and bottom the larger ones"
                )
        return self


class Acting(Value):
    """How one character acts in a shot where that is not as the shot's own emotion and gestures say."""

    character: str
    emotion: Emotion = Emotion()
    gestures: tuple[Gesture, ...] = ()


class Voice(NamedTuple):
    """Where a character is heard: a sound file, and the frames of it in which the character speaks or sings.

    spans: None is all of the file; none at all, (), is silence throughout.
    """

    path: str
    spans: tuple[FrameSpan, ...] | None


class Moment(Value):
    """A stretch of a shot in words: what is shown and avoided then, besides what the whole shot shows and avoids.

    Sub-clips take the words of the moments that they film into their prompts.
    """

    span: FrameSpan
    positive: str = ""
    negative: str = ""

    def fills(self, span: FrameSpan) -> bool:
        """Whether the two share at least half of the shorter one."""
        return 2 * self.span.shared(span) >= min(len(self.span), len(span))


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
    acting: tuple[Acting, ...] = Field(default=(), exclude_if=is_empty)
    """Who acts otherwise than `Storyline.shots_of` says by default; at most one entry for each character."""
    moments: tuple[Moment, ...] = ()
    keyframes: tuple[int, ...] = ()
    """Frames that the user wants as keyframes; left empty, the cascade chooses representative ones."""
    seed: int = Field(default=0, ge=0, lt=2**63)
    locked: bool = False

    @model_validator(mode="after")
    def _inside(self) -> Self:
        for gesture in [*self.gestures, *(gesture for acting in self.acting for gesture in acting.gestures)]:
            if gesture.span.start < self.span.start or gesture.span.stop > self.span.stop:
                raise ValueError(
                    f"the gesture {gesture.name!r} spans frames {gesture.span.start} to {gesture.span.stop}, "
                    f"outside the shot's {self.span.start} to {self.span.stop}; move it inside or remove it"
                )
        if twice := _repeated([acting.character for acting in self.acting]):
            raise ValueError(f"acting has two entries for {twice!r}; join them into one")
        at = self.span.start
        for moment in self.moments:
            if moment.span.start < at or moment.span.stop > self.span.stop:
                raise ValueError(
                    f"the moment at frames {moment.span.start} to {moment.span.stop} overlaps the one before or "
                    f"leaves the shot's {self.span.start} to {self.span.stop}; move it or remove it"
                )
            at = moment.span.stop
        outside = [frame for frame in self.keyframes if frame not in self.span]
        if outside:
            raise ValueError(
                f"keyframe {outside[0]} lies outside the shot's frames {self.span.start} to {self.span.stop}"
            )
        return self


class Chapter(Value):
    """Several shots of a long video. Its words stand for the whole video's in the prompts of its clips."""

    span: FrameSpan
    positive: str = ""
    negative: str = ""


class Storyline(Value):
    """The plan of a whole video. Shots tile [0, frames) in order; every shot begins on a multiple of four frames."""

    version: Literal[1] = 1
    image: str
    audio: str
    prompt: str = Field(default="", max_length=MAX_PROMPT_CHARACTERS)
    frames: int = Field(ge=1)
    width: int = Field(ge=16, multiple_of=2)
    height: int = Field(ge=16, multiple_of=2)
    seed: int = Field(default=0, ge=0, lt=2**63)
    characters: tuple[Character, ...] = ()
    positive: str = ""
    negative: str = ""
    chapters: tuple[Chapter, ...] = ()
    """Empty, or they tile [0, frames) and begin where shots begin."""
    shots: tuple[Shot, ...] = Field(min_length=1)
    events: tuple[AudioEvent, ...] = ()
    dialogue: tuple[Turn, ...] = ()
    conflicts: tuple[Conflict, ...] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        check_tiling([shot.span for shot in self.shots], self.frames, "shots")
        self._check_characters()
        for position, shot in enumerate(self.shots):
            if shot.index != position:
                raise ValueError(f"shots[{position}].index is {shot.index}; number the shots from 0 in order")
            if shot.span.start % GRID:
                near = round(shot.span.start / GRID) * GRID
                raise ValueError(
                    f"shots[{position}].span.start is {shot.span.start}; a shot begins on a multiple of "
                    f"{GRID} frames, so write {near} here and as the stop of the shot before"
                )
            self._check_known(shot.speakers, f"shots[{position}].speakers")
            self._check_known([acting.character for acting in shot.acting], f"shots[{position}].acting")
        if len(self.cast) > 1:
            for position, event in enumerate(self.events):
                self._check_known(event.speakers, f"events[{position}]")
        self._check_chapters()
        if self.events and self.events[-1].span.stop > self.frames:
            raise ValueError(f"events end at frame {self.events[-1].span.stop}, after the last of {self.frames} frames")
        return self

    def _check_characters(self) -> None:
        if twice := _repeated([character.name for character in self.characters]):
            raise ValueError(f"two characters are called {twice!r}; give one of them another name")
        faces = {character.name: character.face for character in self.characters if character.face}
        if faces and len(faces) < len(self.characters):
            without = next(character.name for character in self.characters if not character.face)
            raise ValueError(
                f"the character {without!r} has no face but others have; give every character one, or none any"
            )
        for (one, first), (other, second) in combinations(faces.items(), 2):
            if first.shared_area(second) > SAME_FACE * min(first.area, second.area):
                raise ValueError(
                    f"the faces of {one!r} and {other!r} are the same part of the picture; "
                    "give each its own person's face, or remove one of the two"
                )

    def _check_known(self, named: Iterable[str], where: str) -> None:
        names = {character.name for character in self.characters}
        for name in named:
            if name not in names:
                raise ValueError(f"{where} names {name!r}; the characters are: {', '.join(sorted(names)) or 'none'}")

    def _check_chapters(self) -> None:
        if not self.chapters:
            return
        check_tiling([chapter.span for chapter in self.chapters], self.frames, "chapters")
        starts = {shot.span.start for shot in self.shots}
        for position, chapter in enumerate(self.chapters):
            if chapter.span.start not in starts:
                raise ValueError(
                    f"chapters[{position}].span.start is {chapter.span.start}, where no shot begins; "
                    "chapters begin with a shot"
                )

    @property
    def seconds(self) -> float:
        """The video's length in seconds."""
        return self.frames / FPS

    @property
    def cast(self) -> tuple[Character, ...]:
        """Who is seen: every character, where they have faces.

        Without faces the picture shows one person, whoever speaks: the first character, or one without a name
        of its own.
        """
        if len(self.characters) > 1 and self.characters[0].face is None:
            return self.characters[:1]
        return self.characters or (Character(name="speaker"),)

    def shots_of(self, name: str) -> tuple[Shot, ...]:
        """The shots as one of the cast acts them; everything but emotion and gestures is the shot's own.

        Where one person is seen these are the shots themselves. Where several are, an `acting` entry for this one
        comes first; else the shot's speakers act its emotion and gestures, and everybody else is neutral and still.
        KeyError for a name that is not in the cast.
        """
        self._one_of_the_cast(name)
        return self.shots if len(self.cast) == 1 else tuple(_acted(shot, name) for shot in self.shots)

    def voice_of(self, name: str) -> Voice:
        """Where one of the cast is heard; KeyError for a name that is not in the cast.

        In a track of their own, or alone in the picture in the whole sound, or in what events of a voice in the
        sound name as this one's.
        """
        character = self._one_of_the_cast(name)
        if character.audio is not None:
            return Voice(character.audio, None)
        if len(self.cast) == 1:
            return Voice(self.audio, None)
        own = (event.span for event in self.events if event.kind in VOICE_KINDS and name in event.speakers)
        return Voice(self.audio, tuple(own))

    def _one_of_the_cast(self, name: str) -> Character:
        return {character.name: character for character in self.cast}[name]

    def words(self, shots: Iterable[int], span: FrameSpan) -> tuple[list[str], list[str]]:
        """What a clip of these frames, which belong to these shots, is to show and to avoid, nearest words first.

        The shots' words, their moments', and the chapters' or, without any, the whole video's.
        """
        chosen = [self.shots[shot] for shot in dict.fromkeys(shots)]
        near: list[Shot | Moment | Chapter] = []
        for shot in chosen:
            near += [shot, *(moment for moment in shot.moments if moment.fills(span))]
        whole: list[Chapter | Storyline] = [chapter for chapter in self.chapters if chapter.span.overlaps(span)]
        parts = [*near, *(whole or [self])]
        positive = [part.positive for part in parts]
        # A clip between a sad shot and a happy one would be told both to show and to avoid happiness.
        others = [" ".join(positive[:index] + positive[index + 1 :]) for index in range(len(parts))]
        return positive, [_without(part.negative, said) for part, said in zip(parts, others, strict=True)]

    def shot_at(self, frame: int) -> Shot:
        """The shot that frame `frame` belongs to; IndexError outside [0, frames)."""
        if not 0 <= frame < self.frames:
            raise IndexError(f"frame {frame} is outside the video's {self.frames} frames")
        low, high = 0, len(self.shots) - 1
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self.shots[middle].span.start <= frame else (low, middle - 1)
        return self.shots[low]


def _repeated(names: Sequence[str]) -> str | None:
    """The first name that stands there twice."""
    return next((name for index, name in enumerate(names) if name in names[:index]), None)


def _acted(shot: Shot, name: str) -> Shot:
    """The shot as one of several people acts it."""
    own = next((acting for acting in shot.acting if acting.character == name), None)
    if own is None and name in shot.speakers:
        return shot
    own = own or Acting(character=name)
    return shot.model_copy(update={"emotion": own.emotion, "gestures": own.gestures})


def _without(negative: str, positive: str) -> str:
    """The terms of a negative prompt that do not stand in a positive one."""
    terms = (term.strip() for term in negative.split(","))
    return ", ".join(term for term in terms if term and _spaced(term) not in _spaced(positive))


def _spaced(text: str) -> str:
    """The words of a text, each between blanks, so that whole words are found in it."""
    words = re.findall(r"[^\W_]+", text.casefold())
    return f" {' '.join(words)} "
