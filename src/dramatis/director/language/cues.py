"""What is recognised in one clause: emotions, camera moves, gestures and sounds, how strong they are, and refusals."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dramatis.director.language.direction import DEFAULT_AMOUNT
from dramatis.director.language.lexicon import STRONG, CueKind, Pattern, lexicon
from dramatis.director.language.times import without_times
from dramatis.story.values import CAMERA_MOVES, GESTURES

DIRECTIONS = ("_left", "_right", "_up", "_down")


@dataclass(frozen=True)
class DirectionCue:
    """One recognised word or phrase, at [start, stop) of its fragment."""

    kind: CueKind
    name: str
    start: int
    stop: int
    amount: float = DEFAULT_AMOUNT
    negated: bool = False


def fold(text: str) -> str:
    """The text as the lexicon expects it: one form of every character, no capitals, straight apostrophes."""
    return unicodedata.normalize("NFKC", text).replace("’", "'").casefold()


def emotions_said(text: str) -> tuple[str, int] | None:
    """The emotion that a spoken text names most often, and how many of its words do so.

    None if it names none, or several equally often. Negated words do not count.
    """
    cues = [cue for cue in read_cues(fold(text)) if cue.kind == "emotion" and not cue.negated]
    names = [cue.name for cue in cues if cue.name != "neutral"]
    counts = sorted(((names.count(name), name) for name in set(names)), reverse=True)
    if not counts or (len(counts) > 1 and counts[0][0] == counts[1][0]):
        return None
    return counts[0][1], counts[0][0]


def mentioned(text: str) -> tuple[tuple[str, str], ...]:
    """What only the picture can show, as (topic, the words that name it without refusing it)."""
    return _named(text, lexicon().topics)


def manner_of(text: str) -> str | None:
    """How a voice is said to speak: "whisper", "shout" or "ask"; None if nothing is said about it."""
    return next((name for name, _ in _named(text, lexicon().manners)), None)


def _named(text: str, topics: Sequence[tuple[str, Pattern]]) -> tuple[tuple[str, str], ...]:
    named: dict[str, str] = {}
    for name, pattern in topics:
        for match in pattern.finditer(text):
            if not lexicon().negated.search(text[max(0, match.start() - 30) : match.start()]):
                named.setdefault(name, match.group())
    return tuple(named.items())


def repeated(last: DirectionCue | None, fragment: str) -> list[DirectionCue]:
    """The last motion once more, if a clause only names another direction: "then to the right"."""
    match = lexicon().other_way.search(without_times(fragment))
    if last is None or match is None:
        return []
    stem, way = last.name.rsplit("_", 1)[0], match["way"]
    stem = {"pan": "tilt", "tilt": "pan"}.get(stem, stem) if last.kind == "camera" and way in ("up", "down") else stem
    known: tuple[str, ...] = CAMERA_MOVES if last.kind == "camera" else GESTURES
    return [replace(last, name=f"{stem}_{way}", negated=False)] if f"{stem}_{way}" in known else []


def read_cues(fragment: str) -> list[DirectionCue]:
    """What is recognised in a clause, in order; of overlapping readings the longest counts."""
    words = lexicon()
    matches = [
        DirectionCue(kind, name, match.start(), match.end())
        for kind, name, pattern in words.cues
        for match in pattern.finditer(fragment)
    ]
    of_people = [cue for cue in matches if cue.kind != "emotion" or not _depicted(fragment, cue)]
    longest = _without_overlaps(of_people, len(fragment))
    cues: list[DirectionCue] = []
    for index, cue in enumerate(longest):
        before = cues[-1] if cues else None
        qualified = _qualified(fragment, cue, before.stop if before else 0, longest[index + 1 :])
        # "neither happy nor sad", "without shaking her head or nodding": a refusal reaches over "or" and "nor".
        chained = before is not None and before.negated and words.refused_too.match(fragment[before.stop : cue.start])
        cues.append(replace(qualified, negated=True) if chained else qualified)
    return cues


def _without_overlaps(cues: Sequence[DirectionCue], length: int) -> list[DirectionCue]:
    """The longest cues of a clause of `length` characters that do not overlap, in order."""
    chosen: list[DirectionCue] = []
    taken = bytearray(length)
    for cue in sorted(cues, key=lambda cue: (cue.start - cue.stop, cue.start)):
        if not any(taken[cue.start : cue.stop]):
            taken[cue.start : cue.stop] = b"\1" * (cue.stop - cue.start)
            chosen.append(cue)
    return sorted(chosen, key=lambda cue: cue.start)


def _depicted(fragment: str, cue: DirectionCue) -> bool:
    """Whether an emotion is that of a thing: "a sad song", "a painting of a weeping clown"."""
    words = lexicon()
    return bool(words.decor.match(fragment[cue.stop :].lstrip(" -")) or words.depicted.search(fragment[: cue.start]))


def _qualified(fragment: str, cue: DirectionCue, floor: int, following: Sequence[DirectionCue]) -> DirectionCue:
    """The cue with its amount and whether it is refused, judged by the words around it, up to the neighbouring cues."""
    words = lexicon()
    text = fragment[cue.start : cue.stop]
    reach = max(floor, cue.start - 60)
    before = fragment[reach : cue.start]
    ceiling = following[0].start if following else len(fragment)
    after = fragment[cue.stop : min(ceiling, cue.stop + 40)]
    amount = STRONG if words.strong_in_itself.search(text) else DEFAULT_AMOUNT
    for level, leading, trailing in words.degrees:
        # "Soft" and "gentle" are what a tender smile is, not how little of it there is.
        within = cue.name != "tender" and bool(leading.search(text))
        if leading.search(before) or trailing.search(after) or within:
            amount = level
            break
    return replace(cue, amount=amount, negated=bool(words.negated.search(before)))
