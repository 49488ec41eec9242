"""A prompt as understood: steps of emotion, camera and gestures, and what was refused, mentioned or left over."""

from __future__ import annotations

from dataclasses import dataclass

from dramatis.director.language.lexicon import CueKind
from dramatis.story.values import Camera, Emotion, GestureName

DEFAULT_AMOUNT = 0.6
"""How large or strong something is if nothing is said about it."""


@dataclass(frozen=True)
class GestureWish:
    """A gesture asked for: how large, and whether it is repeated throughout."""

    name: GestureName
    amount: float = DEFAULT_AMOUNT
    repeated: bool = False


@dataclass(frozen=True)
class Step:
    """One stage of the action; None where the words leave it open.

    `at` is when it begins: in seconds if `seconds` is set, else as a share of the video; None lets the timeline choose.
    `hedged`: the words are unsure of themselves ("perhaps a little happy").
    """

    emotion: Emotion | None = None
    camera: Camera | None = None
    gestures: tuple[GestureWish, ...] = ()
    at: float | None = None
    seconds: bool = False
    hedged: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing was asked for."""
        return self.emotion is None and self.camera is None and not self.gestures


@dataclass(frozen=True)
class Direction:
    """A prompt as understood.

    avoid: (kind, name) of everything that was refused; of kind "words" where there is no name for it. clashes: pairs
    that cannot be shown at once, the one that is kept first. scene: the clauses in which nothing was recognised.
    """

    steps: tuple[Step, ...]
    avoid: frozenset[tuple[CueKind, str]] = frozenset()
    clashes: tuple[tuple[str, str], ...] = ()
    sound: str | None = None
    subject: str = "person"
    still: bool = False
    scene: tuple[str, ...] = ()
    mentions: tuple[tuple[str, str], ...] = ()
    """(topic, words) of what only the picture can show, such as ("glasses", "her glasses")."""
    manner: str | None = None
    """How the voice is said to speak: "whisper", "shout" or "ask"."""
    people: int = 1
    """How many people are seen; this does not come from the words."""
