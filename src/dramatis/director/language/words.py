"""Reading the user's direction: emotion, camera and gesture words, how strong, in which order, and what is refused.

No language model: patterns over English and some Mandarin, with adverbs of degree, simple negation ("not angry",
"without nodding", "no smile") and order over time ("first ... then ...", "from sad to happy", "at the end", "after 3
seconds", or one sentence after another). What is not recognised is kept as the scene's own words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from dramatis.director.language.cues import (
    DEFAULT_AMOUNT,
    DIRECTIONS,
    Cue,
    Kind,
    fold,
    manner_of,
    mentioned,
    read_cues,
    repeated,
)
from dramatis.director.language.lexicon import (
    AT_ONCE,
    AT_START,
    BECOMES,
    FIRST,
    HEDGED,
    MAN,
    QUOTED,
    REFUSED,
    REPEATED,
    SPLIT,
    STILL,
    STRONG,
    THEN,
    TIME_ALONE,
    WHOLE,
    WOMAN,
)
from dramatis.director.language.times import ends_with_time, start_time
from dramatis.errors import UserError
from dramatis.story.storyline import MAX_PROMPT_CHARACTERS
from dramatis.story.values import Camera, Emotion, GestureName

WARM = {"happy", "tender"}
"""Emotions that do not contradict each other: "warm and happy" is a smile."""


@dataclass(frozen=True)
class Wish:
    """A gesture asked for: how large, and whether to repeat it all along."""

    name: GestureName
    amount: float = DEFAULT_AMOUNT
    repeated: bool = False


@dataclass(frozen=True)
class Step:
    """One stage of the action; None where the words leave it open.

    `at` is when it begins: seconds if `seconds`, else a share of the video; None lets the timeline choose. `hedged`:
    its words are unsure of themselves ("perhaps a little happy").
    """

    emotion: Emotion | None = None
    camera: Camera | None = None
    gestures: tuple[Wish, ...] = ()
    at: float | None = None
    seconds: bool = False
    hedged: bool = False

    @property
    def empty(self) -> bool:
        """Whether nothing was asked for."""
        return self.emotion is None and self.camera is None and not self.gestures


@dataclass(frozen=True)
class Direction:
    """A prompt as understood. `avoid` holds (kind, name) pairs that were refused, of kind "words" what has no name
    here; `clashes` pairs that cannot both be shown at once, with the one kept first; `scene` the clauses in which
    nothing was recognised.
    """

    steps: tuple[Step, ...]
    avoid: frozenset[tuple[Kind, str]] = frozenset()
    clashes: tuple[tuple[str, str], ...] = ()
    sound: str | None = None
    subject: str = "person"
    still: bool = False
    scene: tuple[str, ...] = ()
    mentions: tuple[tuple[str, str], ...] = ()
    """(topic, words) of what only the picture can answer for, such as ("glasses", "her glasses")."""
    manner: str | None = None
    """How the voice is said to speak: "whisper", "shout" or "ask"."""
    people: int = 1
    """How many are seen; no words are needed to know."""


@dataclass
class _Reading:
    """The prompt as read so far."""

    steps: list[Step] = field(default_factory=lambda: [Step()])
    avoid: set[tuple[Kind, str]] = field(default_factory=set)
    clashes: list[tuple[str, str]] = field(default_factory=list)
    scene: list[str] = field(default_factory=list)
    sound: str | None = None
    lone_cameras: list[Camera] = field(default_factory=list)
    place: int = 0
    """Of the step that is being read."""
    after: bool = False
    """Whether the clause before ended by saying when: what follows may hold for all of the video."""
    last: Cue | None = None
    """The last motion with a direction, which "then to the right" repeats the other way."""

    def put(self, **change: object) -> None:
        """Change the step that is being read."""
        self.steps[self.place] = replace(self.present, **change)  # type: ignore[arg-type]

    @property
    def present(self) -> Step:
        return self.steps[self.place]

    def advance(self) -> None:
        """Begin the next step, unless the last one is still empty."""
        if not self.steps[-1].empty:
            self.steps.append(Step())
        self.place = len(self.steps) - 1


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
    text = _plain(prompt)
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
        mentions=mentioned(text),
        manner=manner_of(text),
    )


def clauses(prompt: str) -> list[tuple[str, bool]]:
    """The clauses of a prompt in plain folded words, in order, and whether each begins a sentence."""
    return _fragments(_plain(prompt))


def _plain(prompt: str) -> str:
    # "#noddingAtTheEnd"
    text = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", re.sub(r"#(?=\w)", ", ", prompt))
    text = _unquoted(fold(text))
    return re.sub(r"[^\S\n]+", " ", "".join(c if c == "\n" or c.isprintable() else " " for c in text))


def _unquoted(text: str) -> str:
    """Without what stands in quotation marks, which is on a mug or in a title; unless nothing else is there."""
    rest = QUOTED.sub(" ", text)
    return rest if re.search(r"\w", rest) else text


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
    return [part for fragment, new in fragments for part in _halves(fragment, new)]


def _halves(fragment: str, new_sentence: bool) -> list[tuple[str, bool]]:
    """Two clauses where one tells of two times: "nods at the start and smiles at the end"."""
    for match in re.finditer(r" (?=and )", fragment):
        before, after = fragment[: match.start()], fragment[match.end() :]
        if start_time(after) is None or not (later := read_cues(after)):
            continue
        told = AT_START.search(before) or start_time(before) is not None
        # "She is sad and nods at the end": moods last, gestures pass.
        earlier = {cue.kind for cue in read_cues(before)}
        passing = bool(earlier) and "gesture" not in earlier and {cue.kind for cue in later} == {"gesture"}
        if told or passing:
            return [(before, new_sentence), (after, False)]
    return [(fragment, new_sentence)]


def _read_fragment(reading: _Reading, fragment: str, new_sentence: bool) -> None:
    """Take in one clause: its place in time first, then its cues in order."""
    cues = read_cues(fragment) or repeated(reading.last, fragment)
    begin = start_time(fragment)
    early = begin is None and AT_START.search(fragment) is not None
    later = begin is not None or (THEN.search(fragment) is not None and not early)
    _find_place(reading, begin, early, later)
    if not cues and not STILL.search(fragment):
        if refused := REFUSED.match(fragment):
            reading.avoid.add(("words", refused["what"] or refused["zh"]))
        elif re.search(r"\w{3}|[^\W_a-z0-9]", fragment) and not TIME_ALONE.match(fragment):
            reading.scene.append(fragment)
        return
    asked = [cue for cue in cues if not cue.negated]
    tied = bool(later or early or FIRST.search(fragment))
    if len({(cue.kind, cue.name) for cue in asked}) == 1 and asked[0].kind == "camera" and not tied:
        reading.lone_cameras.append(_camera(asked[0]))
    stop = 0
    for number, cue in enumerate(cues):
        turn = bool(BECOMES.search(fragment[stop : cue.start]))
        if cue.name == "pause" and (tied or re.search(r"\bafter\b|之后", fragment)):
            continue  # silence for a part of the video: the sound itself tells which
        moves_on = (turn or (new_sentence and number == 0)) and not AT_ONCE.search(fragment) and not early
        if not tied and (reading.after or WHOLE.search(fragment)) and _holds_for_all(reading, cue):
            reading.place = 0
        _take(reading, cue, fragment, moves_on)
        stop = cue.stop
        if cue.name.endswith(DIRECTIONS):
            reading.last = cue
    if tied:
        reading.after = ends_with_time(fragment, stop)
    if HEDGED.search(fragment):
        reading.put(hedged=True)


def _find_place(reading: _Reading, begin: tuple[float, bool] | None, early: bool, later: bool) -> None:
    """Choose the step that a clause belongs to, from when it says that it happens."""
    if early:
        reading.place = 0
    elif later:
        if begin is not None and len(reading.steps) == 1 and reading.steps[0].empty:
            reading.steps.append(Step())
        reading.advance()
        # "At the end, she smiles": the clause that says when may come before the one that says what.
        if begin is not None:
            reading.put(at=begin[0], seconds=begin[1])


def _holds_for_all(reading: _Reading, cue: Cue) -> bool:
    """Whether an emotion that is named after "... at the end, ..." is that of the whole video: nobody else is."""
    return cue.kind == "emotion" and reading.present.emotion is None and reading.steps[0].emotion is None


def _take(reading: _Reading, cue: Cue, fragment: str, moves_on: bool) -> None:
    """Add one cue to the step being read, or begin the next step with it."""
    if cue.negated:
        reading.avoid.add((cue.kind, cue.name))
    elif cue.kind == "sound":
        reading.sound = reading.sound or cue.name
    elif cue.kind == "gesture":
        wish = Wish(cue.name, cue.amount, bool(REPEATED.search(fragment)))  # type: ignore[arg-type]
        reading.put(gestures=(*reading.present.gestures, wish))
    elif cue.kind == "emotion":
        _take_emotion(reading, Emotion(cue.name, cue.amount), moves_on)  # type: ignore[arg-type]
    else:
        _take_camera(reading, _camera(cue), moves_on, bool(AT_ONCE.search(fragment)))


def _take_emotion(reading: _Reading, emotion: Emotion, moves_on: bool) -> None:
    """Two emotions follow one another where the words move on; else the first is kept."""
    current = reading.present.emotion
    if current is None:
        reading.put(emotion=emotion)
    elif current.name == emotion.name:
        # The stronger of two words for one emotion counts: "happy, laughing". Two strong ones ask for all there is:
        # "very happy and smiles broadly".
        both_strong = min(current.intensity, emotion.intensity) >= STRONG
        amount = 1.0 if both_strong else max(current.intensity, emotion.intensity)
        reading.put(emotion=Emotion(emotion.name, amount))
    elif moves_on:
        reading.advance()
        reading.put(emotion=emotion)
    elif {current.name, emotion.name} == WARM:
        reading.put(emotion=Emotion("happy", max(current.intensity, emotion.intensity)))
    else:
        reading.clashes.append((current.name, emotion.name))


def _take_camera(reading: _Reading, camera: Camera, moves_on: bool, at_once: bool) -> None:
    """Two moves follow one another, even where "and" joins them, unless they are asked for `at_once`; a move wins over
    "static" or "hand-held" beside it."""
    current = reading.present.camera
    styles = ("static", "handheld")
    if current is None or current.move == camera.move:
        reading.put(camera=camera)
    elif at_once or (not moves_on and camera.move in styles):
        reading.clashes.append((current.move, camera.move))
    elif not moves_on and current.move in styles:
        reading.clashes.append((camera.move, current.move))
        reading.put(camera=camera)
    else:
        reading.advance()
        reading.put(camera=camera)


def _camera(cue: Cue) -> Camera:
    return Camera(cue.name, cue.amount)  # type: ignore[arg-type]


def _spread_camera(reading: _Reading) -> list[Step]:
    """A camera named once, in a clause of its own, is meant for the whole video: "first sad, then happy, push in"."""
    named = [step.camera for step in reading.steps if step.camera is not None]
    if len(reading.steps) > 1 and len(named) == 1 and named == reading.lone_cameras:
        return [replace(step, camera=named[0]) for step in reading.steps]
    return reading.steps
