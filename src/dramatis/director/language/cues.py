"""What is recognised in one clause: emotions, camera moves, gestures and sounds, how strong, and what is refused."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from dramatis.director.language.lexicon import (
    CAMERA_PATTERNS,
    DECOR,
    DEGREE_PATTERNS,
    DEPICTED,
    EMOTION_PATTERNS,
    GESTURE_PATTERNS,
    MANNERS,
    MENTIONS,
    NEGATED,
    OR,
    OTHER_WAY,
    SOUND_PATTERNS,
    STRONG,
    STRONG_IN_ITSELF,
)
from dramatis.director.language.times import without_times
from dramatis.story.values import CAMERA_MOVES, GESTURES

Kind = Literal["emotion", "camera", "gesture", "sound", "words"]

DIRECTIONS = ("_left", "_right", "_up", "_down")
DEFAULT_AMOUNT = 0.6


def _bounded(pattern: str) -> re.Pattern[str]:
    # Mandarin and emoji have no word borders; for them the look-arounds only ask that no Latin letter adjoins.
    return re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])")


_PATTERNS: tuple[tuple[Kind, str, re.Pattern[str]], ...] = (
    *(("emotion", name, _bounded(words)) for name, words in EMOTION_PATTERNS.items()),
    *(("camera", name, _bounded(words)) for name, words in CAMERA_PATTERNS.items()),
    *(("gesture", name, _bounded(words)) for name, words in GESTURE_PATTERNS.items()),
    *(("sound", name, _bounded(words)) for name, words in SOUND_PATTERNS.items()),
)  # type: ignore[assignment]


_TOPICS = tuple((name, _bounded(words)) for name, words in MENTIONS.items())
_WAYS = tuple((name, _bounded(words)) for name, words in MANNERS.items())


@dataclass(frozen=True)
class Cue:
    """One recognised word or phrase, at [start, stop) of its fragment."""

    kind: Kind
    name: str
    start: int
    stop: int
    amount: float = DEFAULT_AMOUNT
    negated: bool = False


def fold(text: str) -> str:
    """The text as the lexicon expects it: one form of every character, no capitals, straight apostrophes."""
    return unicodedata.normalize("NFKC", text).replace("’", "'").casefold()


def emotions_said(text: str) -> tuple[str, int] | None:
    """The emotion that a spoken text names most, and how many of its words do; None where it names none or several
    equally often. What is said under a negation does not count."""
    cues = [cue for cue in read_cues(fold(text)) if cue.kind == "emotion" and not cue.negated]
    names = [cue.name for cue in cues if cue.name != "neutral"]
    counts = sorted(((names.count(name), name) for name in set(names)), reverse=True)
    if not counts or (len(counts) > 1 and counts[0][0] == counts[1][0]):
        return None
    return counts[0][1], counts[0][0]


def mentioned(text: str) -> tuple[tuple[str, str], ...]:
    """What only the picture can answer for, as (topic, the words that name it without refusing it)."""
    return _named(text, _TOPICS)


def manner_of(text: str) -> str | None:
    """How a voice is said to speak: "whisper", "shout" or "ask"; None where nothing is said."""
    return next((name for name, _ in _named(text, _WAYS)), None)


def _named(text: str, topics: Sequence[tuple[str, re.Pattern[str]]]) -> tuple[tuple[str, str], ...]:
    found: dict[str, str] = {}
    for name, pattern in topics:
        for match in pattern.finditer(text):
            if not NEGATED.search(text[max(0, match.start() - 30) : match.start()]):
                found.setdefault(name, match.group())
    return tuple(found.items())


def repeated(last: Cue | None, fragment: str) -> list[Cue]:
    """The motion before once more, where a clause only says another direction."""
    match = OTHER_WAY.search(without_times(fragment))
    if last is None or match is None:
        return []
    stem, way = last.name.rsplit("_", 1)[0], match["way"]
    stem = {"pan": "tilt", "tilt": "pan"}.get(stem, stem) if last.kind == "camera" and way in ("up", "down") else stem
    known = {*CAMERA_MOVES, *GESTURES}
    return [replace(last, name=f"{stem}_{way}", negated=False)] if f"{stem}_{way}" in known else []


def read_cues(fragment: str) -> list[Cue]:
    """What is recognised in a clause, in order; of overlapping readings the longest counts."""
    found = [
        Cue(kind, name, match.start(), match.end())
        for kind, name, pattern in _PATTERNS
        for match in pattern.finditer(fragment)
    ]
    found = [cue for cue in found if cue.kind != "emotion" or not _depicted(fragment, cue)]
    kept: list[Cue] = []
    taken = bytearray(len(fragment))
    for cue in sorted(found, key=lambda cue: (cue.start - cue.stop, cue.start)):
        if not any(taken[cue.start : cue.stop]):
            taken[cue.start : cue.stop] = b"\1" * (cue.stop - cue.start)
            kept.append(cue)
    kept.sort(key=lambda cue: cue.start)
    out: list[Cue] = []
    for place, cue in enumerate(kept):
        before = out[-1] if out else None
        cue_read = _qualified(fragment, cue, before.stop if before else 0, kept[place + 1 :])
        # "neither happy nor sad", "without shaking her head or nodding": a refusal reaches over "or" and "nor".
        chained = before is not None and before.negated and OR.match(fragment[before.stop : cue.start])
        out.append(replace(cue_read, negated=True) if chained else cue_read)
    return out


def _depicted(fragment: str, cue: Cue) -> bool:
    """Whether an emotion is that of a thing: "a sad song", "a painting of a weeping clown"."""
    return bool(DECOR.match(fragment[cue.stop :].lstrip(" -")) or DEPICTED.search(fragment[: cue.start]))


def _qualified(fragment: str, cue: Cue, floor: int, following: Sequence[Cue]) -> Cue:
    """The cue with its amount and whether it is refused, from the words around it but not beyond its neighbours."""
    words = fragment[cue.start : cue.stop]
    reach = max(floor, cue.start - 60)
    before = fragment[reach : cue.start]
    ceiling = following[0].start if following else len(fragment)
    after = fragment[cue.stop : min(ceiling, cue.stop + 40)]
    amount = STRONG if STRONG_IN_ITSELF.search(words) else DEFAULT_AMOUNT
    for level, leading, trailing in DEGREE_PATTERNS:
        # "Soft" and "gentle" are what a tender smile is, not how little of it there is.
        within = cue.name != "tender" and bool(leading.search(words))
        if leading.search(before) or trailing.search(after) or within:
            amount = level
            break
    return replace(cue, amount=amount, negated=bool(NEGATED.search(before)))
