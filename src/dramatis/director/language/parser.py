"""Reads a prompt by rules: its clauses, their order over time, and the cues in each.

No language model: phrases in English and some Mandarin, with adverbs of degree, simple negation ("not angry", "without
nodding", "no smile") and order over time ("first ... then ...", "from sad to happy", "at the end", "after 3 seconds",
or one sentence after another). What is not recognised is kept as the scene, in its own words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace

from dramatis.director.language.cues import (
    DIRECTIONS,
    DirectionCue,
    fold,
    manner_of,
    mentioned,
    read_cues,
    repeated,
)
from dramatis.director.language.direction import Direction, GestureWish, Step
from dramatis.director.language.lexicon import STRONG, CueKind, lexicon
from dramatis.director.language.times import ends_with_time, start_time
from dramatis.errors import UserError
from dramatis.story.storyline import MAX_PROMPT_CHARACTERS
from dramatis.story.values import Camera, Emotion

_SMILING = {"happy", "tender"}
"""Emotions that do not contradict each other: "warm and happy" is a smile."""
_QUOTED = re.compile('"[^"\\n]{1,200}"|“[^”\\n]{1,200}”|„[^“\\n]{1,200}“|«[^»\\n]{1,200}»|「[^」\\n]{1,200}」')


@dataclass
class _Reading:
    """The prompt as read so far."""

    steps: list[Step] = field(default_factory=lambda: [Step()])
    avoid: set[tuple[CueKind, str]] = field(default_factory=set)
    clashes: list[tuple[str, str]] = field(default_factory=list)
    scene: list[str] = field(default_factory=list)
    sound: str | None = None
    lone_cameras: list[Camera] = field(default_factory=list)
    step_index: int = 0
    """Which step is being read."""
    ended_with_time: bool = False
    """Whether the last clause ended by saying when: what follows may hold for the whole video."""
    last: DirectionCue | None = None
    """The last motion with a direction, which "then to the right" repeats the other way."""

    def put(self, **change: object) -> None:
        """Change the step that is being read."""
        self.steps[self.step_index] = replace(self.present, **change)  # type: ignore[arg-type]

    @property
    def present(self) -> Step:
        """The step that is being read."""
        return self.steps[self.step_index]

    def advance(self) -> None:
        """Begin the next step, unless the last one is still empty."""
        if not self.steps[-1].empty:
            self.steps.append(Step())
        self.step_index = len(self.steps) - 1


def check_prompt(prompt: str) -> None:
    """Raise UserError for a prompt that is too long to be direction."""
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise UserError(
            f"The prompt has {len(prompt):,} characters and at most {MAX_PROMPT_CHARACTERS:,} are read; "
            f"shorten it to what the video should show."
        )


def read_direction(prompt: str) -> Direction:
    """Understand a prompt; an empty one gives a single empty step. Raises UserError if it is too long."""
    check_prompt(prompt)
    words, text = lexicon(), _plain(prompt)
    reading = _Reading()
    for fragment, new_sentence in _fragments(text):
        _read_fragment(reading, fragment, new_sentence=new_sentence)
    if len(reading.steps) > 1 and reading.steps[-1].empty:
        reading.steps.pop()
    return Direction(
        steps=tuple(_spread_camera(reading)),
        avoid=frozenset(reading.avoid),
        clashes=tuple(dict.fromkeys(reading.clashes)),
        sound=reading.sound,
        subject="woman" if words.woman.search(text) else "man" if words.man.search(text) else "person",
        still=bool(words.still.search(text)),
        scene=tuple(dict.fromkeys(reading.scene)),
        mentions=mentioned(text),
        manner=manner_of(text),
    )


def clauses(prompt: str) -> list[tuple[str, bool]]:
    """The clauses of a prompt, in order and folded, and whether each begins a sentence."""
    return _fragments(_plain(prompt))


def _plain(prompt: str) -> str:
    # Hashtags are clauses, and their words run together: "#noddingAtTheEnd".
    text = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", re.sub(r"#(?=\w)", ", ", prompt))
    text = _unquoted(fold(text))
    return re.sub(r"[^\S\n]+", " ", "".join(c if c == "\n" or c.isprintable() else " " for c in text))


def _unquoted(text: str) -> str:
    """The text without quotations, which are on a mug or in a title; the whole text if nothing else is left."""
    rest = _QUOTED.sub(" ", text)
    return rest if re.search(r"\w", rest) else text


def _fragments(text: str) -> list[tuple[str, bool]]:
    """The clauses of a prompt in order, and whether each begins a sentence."""
    fragments, begin, new = [], 0, True
    for match in lexicon().split.finditer(text):
        # A full stop between digits ("2.5 seconds") ends nothing.
        if match["stop"] == "." and text[match.end() : match.end() + 1].isdigit():
            continue
        if piece := text[begin : match.start()].strip():
            fragments.append((piece, new))
            new = False
        begin, new = match.end(), new or match["stop"] is not None
    if piece := text[begin:].strip():
        fragments.append((piece, new))
    return [part for fragment, new in fragments for part in _halves(fragment, new_sentence=new)]


def _halves(fragment: str, *, new_sentence: bool) -> list[tuple[str, bool]]:
    """A clause cut in two if it tells of two times: "nods at the start and smiles at the end"."""
    for match in lexicon().joint.finditer(fragment):
        before, after = fragment[: match.start()], fragment[match.end() :]
        if start_time(after) is None or not (later := read_cues(after)):
            continue
        has_time = lexicon().at_start.search(before) or start_time(before) is not None
        # "She is sad and nods at the end": moods last, gestures pass.
        earlier = {cue.kind for cue in read_cues(before)}
        passing = bool(earlier) and "gesture" not in earlier and {cue.kind for cue in later} == {"gesture"}
        if has_time or passing:
            return [(before, new_sentence), (after, False)]
    return [(fragment, new_sentence)]


def _read_fragment(reading: _Reading, fragment: str, *, new_sentence: bool) -> None:
    """Take in one clause: first when it happens, then its cues in order."""
    words = lexicon()
    cues = read_cues(fragment) or repeated(reading.last, fragment)
    begin = start_time(fragment)
    early = begin is None and words.at_start.search(fragment) is not None
    later = begin is not None or (words.then.search(fragment) is not None and not early)
    _find_step(reading, begin, early=early, later=later)
    if not cues and not words.still.search(fragment):
        if refused := words.refused_clause.match(fragment):
            reading.avoid.add(("words", refused["words"] or refused["signs"]))
        elif re.search(r"\w{3}|[^\W_a-z0-9]", fragment) and not words.only_a_time.match(fragment):
            reading.scene.append(fragment)
        return
    asked = [cue for cue in cues if not cue.negated]
    tied = bool(later or early or words.first.search(fragment))
    if len({(cue.kind, cue.name) for cue in asked}) == 1 and asked[0].kind == "camera" and not tied:
        reading.lone_cameras.append(_camera(asked[0]))
    stop = 0
    for number, cue in enumerate(cues):
        turn = bool(words.becomes.search(fragment[stop : cue.start]))
        if cue.name == "pause" and (tied or words.after.search(fragment)):
            continue  # silence for a part of the video: the sound itself shows which
        moves_on = (turn or (new_sentence and number == 0)) and not words.at_once.search(fragment) and not early
        if not tied and (reading.ended_with_time or words.whole.search(fragment)) and _holds_for_all(reading, cue):
            reading.step_index = 0
        _take(reading, cue, fragment, moves_on=moves_on)
        stop = cue.stop
        if cue.name.endswith(DIRECTIONS):
            reading.last = cue
    if tied:
        reading.ended_with_time = ends_with_time(fragment, stop)
    if words.hedged.search(fragment):
        reading.put(hedged=True)


def _find_step(reading: _Reading, begin: tuple[float, bool] | None, *, early: bool, later: bool) -> None:
    """Choose the step that a clause belongs to, by when it says that something happens."""
    if early:
        reading.step_index = 0
    elif later:
        if begin is not None and len(reading.steps) == 1 and reading.steps[0].empty:
            reading.steps.append(Step())
        reading.advance()
        # "At the end, she smiles": the clause that says when may precede the one that says what.
        if begin is not None:
            reading.put(at=begin[0], seconds=begin[1])


def _holds_for_all(reading: _Reading, cue: DirectionCue) -> bool:
    """Whether an emotion named after "... at the end, ..." is that of the whole video: if it has no other."""
    return cue.kind == "emotion" and reading.present.emotion is None and reading.steps[0].emotion is None


def _take(reading: _Reading, cue: DirectionCue, fragment: str, *, moves_on: bool) -> None:
    """Add one cue to the step being read, or begin the next step with it."""
    if cue.negated:
        reading.avoid.add((cue.kind, cue.name))
    elif cue.kind == "sound":
        reading.sound = reading.sound or cue.name
    elif cue.kind == "gesture":
        wish = GestureWish(cue.name, cue.amount, bool(lexicon().repeated.search(fragment)))  # type: ignore[arg-type]
        reading.put(gestures=(*reading.present.gestures, wish))
    elif cue.kind == "emotion":
        _take_emotion(reading, Emotion(cue.name, cue.amount), moves_on=moves_on)  # type: ignore[arg-type]
    else:
        _take_camera(reading, _camera(cue), moves_on=moves_on, at_once=bool(lexicon().at_once.search(fragment)))


def _take_emotion(reading: _Reading, emotion: Emotion, *, moves_on: bool) -> None:
    """Two emotions follow one another if the words move on; otherwise the first is kept."""
    current = reading.present.emotion
    if current is None:
        reading.put(emotion=emotion)
    elif current.name == emotion.name:
        # Of two words for one emotion the stronger counts: "happy, laughing". Two strong ones ask for the utmost:
        # "very happy and smiles broadly".
        both_strong = min(current.intensity, emotion.intensity) >= STRONG
        amount = 1.0 if both_strong else max(current.intensity, emotion.intensity)
        reading.put(emotion=Emotion(emotion.name, amount))
    elif moves_on:
        reading.advance()
        reading.put(emotion=emotion)
    elif {current.name, emotion.name} == _SMILING:
        reading.put(emotion=Emotion("happy", max(current.intensity, emotion.intensity)))
    else:
        reading.clashes.append((current.name, emotion.name))


def _take_camera(reading: _Reading, camera: Camera, *, moves_on: bool, at_once: bool) -> None:
    """Two moves follow one another, even if "and" joins them, unless they are asked for `at_once`.

    A move wins over "static" or "hand-held" beside it.
    """
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


def _camera(cue: DirectionCue) -> Camera:
    return Camera(cue.name, cue.amount)  # type: ignore[arg-type]


def _spread_camera(reading: _Reading) -> list[Step]:
    """A camera move named once, in a clause of its own, is meant for the whole video: "sad, then happy, push in"."""
    named = [step.camera for step in reading.steps if step.camera is not None]
    if len(reading.steps) > 1 and len(named) == 1 and named == reading.lone_cameras:
        return [replace(step, camera=named[0]) for step in reading.steps]
    return reading.steps
