"""Reading the user's direction: emotion, camera and gesture words, how strong, in which order, and what is refused.

No language model: patterns over English and some Mandarin, with adverbs of degree, simple negation ("not angry",
"without nodding", "no smile") and order over time ("first ... then ...", "from sad to happy", "at the end", "after 3
seconds", or one sentence after another). What is not recognised is kept as the scene's own words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from dramatis.director.lexicon import (
    AT_END,
    AT_MIDDLE,
    AT_SECOND,
    BECOMES,
    CAMERA_PATTERNS,
    DEGREE_PATTERNS,
    EMOTION_PATTERNS,
    FIRST,
    GESTURE_PATTERNS,
    MAN,
    NEGATED,
    REPEATED,
    SOUND_PATTERNS,
    SPLIT,
    STILL,
    STRONG,
    STRONG_IN_ITSELF,
    THEN,
    WOMAN,
)
from dramatis.story import (
    MAX_PROMPT_CHARACTERS,
    Camera,
    Emotion,
    GestureName,
    UserError,
)

Kind = Literal["emotion", "camera", "gesture", "sound"]

DEFAULT_AMOUNT = 0.6


@dataclass(frozen=True)
class Wish:
    """A gesture asked for: how large, and whether to repeat it all along."""

    name: GestureName
    amount: float = DEFAULT_AMOUNT
    repeated: bool = False


@dataclass(frozen=True)
class Step:
    """One stage of the action; None where the words leave it open.

    `at` is when it begins: seconds if `seconds`, else a share of the video; None lets the timeline choose.
    """

    emotion: Emotion | None = None
    camera: Camera | None = None
    gestures: tuple[Wish, ...] = ()
    at: float | None = None
    seconds: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing was asked for."""
        return self.emotion is None and self.camera is None and not self.gestures


@dataclass(frozen=True)
class Direction:
    """A prompt as understood. `avoid` holds (kind, name) pairs that were refused; `clashes` pairs that cannot both be
    shown at once, with the one kept first; `scene` the clauses in which nothing was recognised.
    """

    steps: tuple[Step, ...]
    avoid: frozenset[tuple[Kind, str]] = frozenset()
    clashes: tuple[tuple[str, str], ...] = ()
    sound: str | None = None
    subject: str = "person"
    still: bool = False
    scene: tuple[str, ...] = ()


def _bounded(pattern: str) -> re.Pattern[str]:
    # Mandarin and emoji have no word borders; for them the look-arounds only ask that no Latin letter adjoins.
    return re.compile(rf"(?<![a-z])(?:{pattern})(?![a-z])")


_PATTERNS: tuple[tuple[Kind, str, re.Pattern[str]], ...] = (
    *(("emotion", name, _bounded(words)) for name, words in EMOTION_PATTERNS.items()),
    *(("camera", name, _bounded(words)) for name, words in CAMERA_PATTERNS.items()),
    *(("gesture", name, _bounded(words)) for name, words in GESTURE_PATTERNS.items()),
    *(("sound", name, _bounded(words)) for name, words in SOUND_PATTERNS.items()),
)  # type: ignore[assignment]


@dataclass(frozen=True)
class _Cue:
    """One recognised word or phrase, at [start, stop) of its fragment."""

    kind: Kind
    name: str
    start: int
    stop: int
    amount: float = DEFAULT_AMOUNT
    negated: bool = False


@dataclass
class _Reading:
    """The prompt as read so far."""

    steps: list[Step] = field(default_factory=lambda: [Step()])
    avoid: set[tuple[Kind, str]] = field(default_factory=set)
    clashes: list[tuple[str, str]] = field(default_factory=list)
    scene: list[str] = field(default_factory=list)
    sound: str | None = None
    lone_cameras: list[Camera] = field(default_factory=list)

    def put(self, **change: object) -> None:
        """Change the step that is being read."""
        self.steps[-1] = replace(self.steps[-1], **change)  # type: ignore[arg-type]

    def advance(self) -> None:
        """Begin the next step, unless the present one is still empty."""
        if not self.steps[-1].empty:
            self.steps.append(Step())


def check_prompt(prompt: str) -> None:
    """Refuse a prompt that is too long to be direction; raises UserError."""
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise UserError(
            f"the prompt has {len(prompt):,} characters and at most {MAX_PROMPT_CHARACTERS:,} are read; "
            f"shorten it to what the video should show"
        )


def read(prompt: str) -> Direction:
    """Understand a prompt; an empty one gives a single empty step. Raises UserError if it is too long."""
    check_prompt(prompt)
    text = unicodedata.normalize("NFKC", prompt).replace("’", "'").casefold()
    text = re.sub(r"[^\S\n]+", " ", "".join(c if c == "\n" or c.isprintable() else " " for c in text))
    reading = _Reading()
    for fragment, new_sentence in _fragments(text):
        _read_fragment(reading, fragment, new_sentence)
    if len(reading.steps) > 1 and reading.steps[-1].empty:
        reading.steps.pop()
    steps = _spread_camera(reading)
    return Direction(
        steps=tuple(steps),
        avoid=frozenset(reading.avoid),
        clashes=tuple(dict.fromkeys(reading.clashes)),
        sound=reading.sound,
        subject="woman" if WOMAN.search(text) else "man" if MAN.search(text) else "person",
        still=bool(STILL.search(text)),
        scene=tuple(dict.fromkeys(reading.scene)),
    )


def _fragments(text: str) -> list[tuple[str, bool]]:
    """The clauses of a prompt in order, and whether each begins a sentence."""
    fragments, begin, new = [], 0, True
    for match in SPLIT.finditer(text):
        # A full stop between digits ("2.5 seconds") ends nothing.
        if match["stop"] == "." and text[match.end() : match.end() + 1].isdigit():
            continue
        if piece := text[begin : match.start()].strip():
            fragments.append((piece, new))
            new = False
        begin, new = match.end(), new or match["stop"] is not None
    if piece := text[begin:].strip():
        fragments.append((piece, new))
    return fragments


def _read_fragment(reading: _Reading, fragment: str, new_sentence: bool) -> None:
    """Take in one clause: its place in time first, then its cues in order."""
    cues = _cues(fragment)
    begin = _start_time(fragment)
    if THEN.search(fragment) or begin is not None:
        if begin is not None and cues and len(reading.steps) == 1 and reading.steps[0].empty:
            reading.steps.append(Step())
        reading.advance()
        if begin is not None and cues:
            reading.put(at=begin[0], seconds=begin[1])
    if not cues and not STILL.search(fragment):
        if re.search(r"\w{3}|[^\W_a-z0-9]", fragment):
            reading.scene.append(fragment)
        return
    asked = [cue for cue in cues if not cue.negated]
    tied = bool(THEN.search(fragment) or FIRST.search(fragment) or begin)
    if len(asked) == 1 and asked[0].kind == "camera" and not tied:
        reading.lone_cameras.append(_camera(asked[0]))
    stop = 0
    for place, cue in enumerate(cues):
        turn = bool(BECOMES.search(fragment[stop : cue.start]))
        _take(reading, cue, fragment, turn or (new_sentence and place == 0))
        stop = cue.stop


def _take(reading: _Reading, cue: _Cue, fragment: str, moves_on: bool) -> None:
    """Add one cue to the step being read, or begin the next step with it."""
    if cue.negated:
        reading.avoid.add((cue.kind, cue.name))
    elif cue.kind == "sound":
        reading.sound = reading.sound or cue.name
    elif cue.kind == "gesture":
        wish = Wish(cue.name, cue.amount, bool(REPEATED.search(fragment)))  # type: ignore[arg-type]
        reading.put(gestures=(*reading.steps[-1].gestures, wish))
    elif cue.kind == "emotion":
        emotion = Emotion(cue.name, cue.amount)  # type: ignore[arg-type]
        present = reading.steps[-1].emotion
        if present is not None and present.name != emotion.name:
            if not moves_on:
                reading.clashes.append((present.name, emotion.name))
                return
            reading.advance()
            present = None
        # The stronger of two words for one emotion counts: "happy, laughing".
        if present is None or present.intensity < emotion.intensity:
            reading.put(emotion=emotion)
    else:
        _take_camera(reading, _camera(cue), moves_on)


def _take_camera(reading: _Reading, camera: Camera, moves_on: bool) -> None:
    """Two moves follow one another, even where "and" joins them; a move wins over "static" or "hand-held" beside it."""
    current = reading.steps[-1].camera
    styles = ("static", "handheld")
    if current is None or current.move == camera.move:
        reading.put(camera=camera)
    elif not moves_on and camera.move in styles:
        reading.clashes.append((current.move, camera.move))
    elif not moves_on and current.move in styles:
        reading.clashes.append((camera.move, current.move))
        reading.put(camera=camera)
    else:
        reading.advance()
        reading.put(camera=camera)


def _camera(cue: _Cue) -> Camera:
    return Camera(cue.name, cue.amount)  # type: ignore[arg-type]


def _spread_camera(reading: _Reading) -> list[Step]:
    """A camera named once, in a clause of its own, is meant for the whole video: "first sad, then happy, push in"."""
    named = [step.camera for step in reading.steps if step.camera is not None]
    if len(reading.steps) > 1 and len(named) == 1 and named == reading.lone_cameras:
        return [replace(step, camera=named[0]) for step in reading.steps]
    return reading.steps


def _start_time(fragment: str) -> tuple[float, bool] | None:
    """When a clause says that it happens: (seconds, True) or (share of the video, False)."""
    if match := AT_SECOND.search(fragment):
        return float(next(group for group in match.groups() if group)), True
    if AT_END.search(fragment):
        return 0.75, False
    if AT_MIDDLE.search(fragment):
        return 0.5, False
    return None


def _cues(fragment: str) -> list[_Cue]:
    """What is recognised in a clause, in order; of overlapping readings the longest counts."""
    found = [
        _Cue(kind, name, match.start(), match.end())
        for kind, name, pattern in _PATTERNS
        for match in pattern.finditer(fragment)
    ]
    kept: list[_Cue] = []
    taken = bytearray(len(fragment))
    for cue in sorted(found, key=lambda cue: (cue.start - cue.stop, cue.start)):
        if not any(taken[cue.start : cue.stop]):
            taken[cue.start : cue.stop] = b"\1" * (cue.stop - cue.start)
            kept.append(cue)
    kept.sort(key=lambda cue: cue.start)
    return [
        _qualified(fragment, cue, kept[place - 1].stop if place else 0, kept[place + 1 :])
        for place, cue in enumerate(kept)
    ]


def _qualified(fragment: str, cue: _Cue, floor: int, following: Sequence[_Cue]) -> _Cue:
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
    # "neither happy nor sad", "no nods or shakes": a refusal reaches over "or" and "nor" to the next cue.
    whole = fragment[max(0, cue.start - 60) : cue.start]
    refused = bool(NEGATED.search(before)) or bool(re.search(r"\b(?:n?or)\b", before) and NEGATED.search(whole))
    return replace(cue, amount=amount, negated=refused)
