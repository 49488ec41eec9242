"""Measure the director: does what the words ask for land, are disagreements found, do cuts fall where the voice pauses?

    python benchmarks/director.py                                  # both splits: about a minute on one core
    python benchmarks/director.py --split tuning --show-failures   # what was expected and what was planned

Cases are words of direction together with a voice made of held-out ones, a portrait, and what a sensible person expects
(benchmarks/director_cases; the fields are explained in tuning.yaml). Those of held_out.yaml are for measuring only:
whoever looks at their failures and then changes the director has no held-out cases any more.
"""

from __future__ import annotations

import re
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import soundfile
import typer
import yaml
from PIL import Image
from pydantic import BeforeValidator, Field, model_validator
from scipy.linalg import solve_toeplitz
from scipy.signal import lfilter

from dramatis.backbones.registry import open_backbone
from dramatis.cascade.pipeline import find_face, reference_picture
from dramatis.director import direct
from dramatis.media.audio import stream
from dramatis.media.image import fit_picture
from dramatis.media.subtitles import Cue
from dramatis.models.speech import SAMPLE_RATE, SAMPLES_PER_FRAME
from dramatis.models.traits import traits_of
from dramatis.senses.hearing.listening import hear
from dramatis.senses.seeing.sight import see
from dramatis.story.dialogue import Conflict, ExpertName
from dramatis.story.observations import Observations, Sighting
from dramatis.story.storyline import Shot, Storyline
from dramatis.story.values import (
    CAMERA_MOVES,
    EMOTIONS,
    FPS,
    GESTURES,
    CameraMove,
    EmotionName,
    GestureName,
    Unit,
    Value,
)
from dramatis_lab.evaluate import report
from dramatis_lab.evaluate.report import Entry, Row
from filming import Stage
from held_out import Case, load_cases

SCENES = Path(__file__).parent / "director_cases"
CLOSED = 0.05
"""Opening of the lips below which they are closed."""
PAUSE_FRAMES = round(0.3 * FPS)
"""Lips that stay closed this long are a pause: no consonant closes them for so long."""
NEAR = 0.15
"""Seconds that a cut may lie from a pause; those further than `REACH` have no pause to fall on."""
REACH = 1.2
NAMED_FRAMES = round(0.5 * FPS)
"""A shot with this much of a voice must name its speaker."""
LONG_SECONDS = 300
LONG_PROMPT = (
    "First she is happy and nods while the camera slowly pushes in. Then she is sad and looks down. "
    "At the end she is surprised, not angry, and the camera is static."
)
SINGER = 3
"""Whose voice is made to sing."""
NOTES = (220.0, 246.9, 261.6, 293.7, 261.6, 246.9)
"""Hertz, one a second."""
ORDER, HOP = 18, 160
"""Of the prediction that finds the formants, and samples between two of them."""
_SETTLED: tuple[tuple[str, ExpertName], ...] = (
    ("picture", "visual"), ("audio", "audio"), ("as heard", "audio"), ("lips stay closed", "audio"),
    ("are played", "audio"),
)  # fmt: skip
"""Words that tell who was believed where the settlement repeats no side's own words."""


class Split(StrEnum):
    """Which cases."""

    held_out = "held_out"
    tuning = "tuning"

    @property
    def words(self) -> str:
        return self.value.replace("_", " ")


# The cases as values


def _several(value: Any) -> Any:
    """One name, or a list of names of which any will do, as a list."""
    return value if value is None or isinstance(value, (list, tuple)) else [value]


Emotions = Annotated[tuple[EmotionName, ...], BeforeValidator(_several)]
Moves = Annotated[tuple[CameraMove, ...], BeforeValidator(_several)]
Gestures = Annotated[tuple[GestureName | Literal["any"], ...], BeforeValidator(_several)]


class Never(Value):
    """Names that no shot may have."""

    emotion: Emotions = ()
    camera: Moves = ()
    gesture: Gestures = ()


class Item(Value):
    """One thing that must land: an emotion or a camera move at a share of the video, a gesture that begins between two
    shares of it, or what must never be seen. least, most: bounds of intensity or amount."""

    at: Unit | None = None
    emotion: Emotions = ()
    camera: Moves = ()
    gesture: Gestures = ()
    begin: Unit = Field(alias="from", default=0.0)
    end: Unit = Field(alias="to", default=1.0)
    least: Unit = 0.0
    most: Unit = 1.0
    never: Never | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        asked = [self.emotion, self.camera, self.gesture, self.never]
        if sum(bool(part) for part in asked) != 1 or (self.at is None) == bool(self.emotion or self.camera):
            raise ValueError("an item is an emotion or a camera move with `at`, a gesture, or `never`")
        return self

    @property
    def kind(self) -> str:
        """What it is about."""
        if self.never is not None:
            return "never"
        return "emotion" if self.emotion else "camera" if self.camera else "gesture"


class Planted(Value):
    """A disagreement that must be found: any of these topics, and who is believed."""

    about: Annotated[tuple[str, ...], BeforeValidator(_several)]
    winner: ExpertName


class Recipe(Value):
    """How a recording is made; the header of tuning.yaml says what each field does."""

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
            raise ValueError("subtitles need one text for each spoken part")
        return self


class Scene(Value):
    """One case of this benchmark."""

    id: str
    prompt: str
    voice: Recipe
    picture: int | tuple[int, int] | None = None
    expect: tuple[Item, ...] = ()
    conflicts: tuple[Planted, ...] = ()


def load_scenes(split: Split) -> list[Scene]:
    """All of a split, in order. Raises ValueError for a field that is not known, or an id that stands twice."""
    scenes = [Scene.model_validate(value) for value in yaml.safe_load((SCENES / f"{split}.yaml").read_text())]
    twice = [name for name, count in Counter(scene.id for scene in scenes).items() if count > 1]
    if twice:
        raise ValueError(f"{split}.yaml has several cases named {twice[0]!r}")
    return scenes


# Recordings whose truth is known


@dataclass(frozen=True)
class Recording:
    """A voice with its truth, F frames. samples: (N,) at 16 kHz. opening: (F,) of the lips. spoken: (F,) bool, part of
    a voice rather than of inserted silence. cues: its subtitles."""

    samples: np.ndarray
    opening: np.ndarray
    spoken: np.ndarray
    cues: tuple[Cue, ...] = ()

    @property
    def pauses(self) -> np.ndarray:
        """(F,) bool: frames of a true pause."""
        closed = np.zeros(len(self.opening), bool)
        for start, stop in pauses_of(self.opening):
            closed[start:stop] = True
        return closed

    @property
    def cuttable(self) -> bool:
        """Whether the voice speaks and pauses, so that there is a right place to cut."""
        return bool(self.spoken.any() and self.pauses.any() and not self.pauses.all())


def record(recipe: Recipe, cases: Sequence[Case]) -> Recording:
    """Make a recording."""
    pieces = [_voice(cases[part]) if isinstance(part, int) else _silence(part) for part in recipe.voices]
    stops = np.cumsum([len(curve) for _, curve, _ in pieces]).tolist()
    lines = iter(recipe.subtitles)
    cues = [
        Cue((stop - len(curve)) / FPS, stop / FPS, next(lines))
        for (_, curve, voice), stop in zip(pieces, stops, strict=True)
        if voice and recipe.subtitles
    ]
    frames = stops[-1]
    if recipe.tone:
        pieces = [_sung(cases[SINGER], frames)]
    samples, opening = (np.concatenate([piece[place] for piece in pieces]) for place in (0, 1))
    spoken = np.concatenate([np.full(len(curve), voice) for _, curve, voice in pieces])
    noise = np.random.default_rng(0).normal(0.0, recipe.noise, len(samples))
    kept = frames if recipe.cut is None else round(recipe.cut * FPS)
    samples = (recipe.gain * samples + noise).astype(np.float32)[: kept * SAMPLES_PER_FRAME]
    return Recording(samples, opening[:kept], spoken[:kept], tuple(cues))


def _voice(case: Case) -> tuple[np.ndarray, np.ndarray, bool]:
    samples, rate = soundfile.read(case.voice)
    assert rate == SAMPLE_RATE and len(samples) == len(case.opening) * SAMPLES_PER_FRAME
    return samples, case.opening, True


def _silence(seconds: float) -> tuple[np.ndarray, np.ndarray, bool]:
    frames = round(seconds * FPS)
    return np.zeros(frames * SAMPLES_PER_FRAME), np.zeros(frames), False


def _sung(case: Case, frames: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """A case's voice at half its pace on held notes: its formants, frame by frame, filter a tune of pulses."""
    voice, curve, _ = _voice(case)
    seconds = np.arange(frames * SAMPLES_PER_FRAME) / SAMPLE_RATE
    pitch = np.array(NOTES)[seconds.astype(int) % len(NOTES)] * (1.0 + 0.006 * np.sin(2 * np.pi * 5.5 * seconds))
    pulses = np.diff(np.floor(np.cumsum(pitch) / SAMPLE_RATE), prepend=0.0)
    source = lfilter([1.0], [1.0, -0.9], pulses - pulses.mean())
    source = source / source.std() + np.random.default_rng(0).normal(0.0, 0.03, len(source))
    samples, state = np.zeros(len(source)), np.zeros(ORDER)
    for start in range(0, len(source), HOP):
        at = start // 2 % (len(voice) - 3 * HOP)
        gain, poles = _formants(voice[at : at + 3 * HOP])
        samples[start : start + HOP], state = lfilter([gain], poles, source[start : start + HOP], zi=state)
    return 0.5 * samples / np.abs(samples).max(), curve[np.arange(frames) // 2 % len(curve)], True


def _formants(samples: np.ndarray) -> tuple[float, np.ndarray]:
    """(gain, poles) of the linear prediction of a short window."""
    window = samples * np.hanning(len(samples))
    likeness = np.correlate(window, window, "full")[len(window) - 1 :][: ORDER + 1]
    likeness[0] = 1.001 * likeness[0] + 1e-7
    weights = solve_toeplitz(likeness[:-1], likeness[1:])
    power = max(float(likeness[0] - weights @ likeness[1:]), 1e-9)
    return (power / len(samples)) ** 0.5, np.concatenate([[1.0], -weights])


def pauses_of(opening: np.ndarray) -> list[tuple[int, int]]:
    """(start, stop) in frames of the true pauses under a curve (F,) of the lips' opening."""
    closed = np.concatenate([[False], opening < CLOSED, [False]])
    edges = np.flatnonzero(np.diff(closed.astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= PAUSE_FRAMES]


# Planning


@dataclass
class Planner:
    """Plans scenes as `AvatarPipeline.plan` does; what is heard and seen is kept, each recipe and picture once."""

    stage: Stage
    recordings: dict[Recipe, Recording] = field(default_factory=dict)
    heard: dict[Recipe, Observations] = field(default_factory=dict)
    seen: dict[int | tuple[int, int], Sighting] = field(default_factory=dict)

    def recording(self, recipe: Recipe) -> Recording:
        if recipe not in self.recordings:
            self.recordings[recipe] = record(recipe, self.stage.cases)
        return self.recordings[recipe]

    def hear(self, recipe: Recipe) -> Observations:
        if recipe not in self.heard:
            made = self.recording(recipe)
            # Words come from subtitles only: recognising all these voices takes minutes, and finds no English in them.
            frames, cues = len(made.opening), made.cues
            self.heard[recipe] = hear(lambda: [made.samples], frames, cues=cues, transcribe="never")
        return self.heard[recipe]

    def look(self, picture: int | tuple[int, int]) -> Sighting:
        if picture not in self.seen:
            case, frame = (picture, None) if isinstance(picture, int) else picture
            self.seen[picture] = look(self.stage, self.stage.cases[case], frame)
        return self.seen[picture]

    def plan(self, scene: Scene) -> Storyline:
        seen = None if scene.picture is None else self.look(scene.picture)
        return planned(self.stage, self.hear(scene.voice), scene.prompt, seen)


def look(stage: Stage, case: Case, frame: int | None = None) -> Sighting:
    """What is seen in a portrait, or in a frame of the true video."""
    side = stage.low_side
    if frame is None:
        picture = reference_picture(case.portrait, side, side)
    else:
        picture = fit_picture(Image.fromarray(case.frames[frame]), (side, side))
    sight = find_face(stage.backbone, picture, str(case.portrait))
    return see(picture, sight, traits_of(stage.backbone.traits, picture, sight))


def planned(stage: Stage, heard: Observations, prompt: str, seen: Sighting | None) -> Storyline:
    """The storyline of a square video."""
    names = {"image": "portrait.png", "audio": "voice.wav"}
    return direct(heard, prompt, 0, **names, width=stage.side, height=stage.side, seen=seen)


def plan_long(stage: Stage) -> tuple[Storyline, Recording, float]:
    """A plan for five minutes of the held-out voices, the truth, and the seconds that hearing, seeing and directing
    took."""
    path, opening = stage.voice(LONG_SECONDS)
    started = time.monotonic()
    heard = hear(lambda: stream(path, SAMPLE_RATE), len(opening))
    storyline = planned(stage, heard, LONG_PROMPT, look(stage, stage.cases[0]))
    seconds = time.monotonic() - started
    return storyline, Recording(np.zeros(0, np.float32), opening, np.ones(len(opening), bool)), seconds


# Judging one storyline


def instead(item: Item, storyline: Storyline) -> str:
    """What is planned in place of an item; nothing where it has landed."""
    if item.never is not None:
        return ", ".join(_refused(item.never, storyline))
    if item.kind == "gesture":
        return _no_gesture(item, storyline)
    assert item.at is not None
    shot = storyline.shot_at(min(storyline.frames - 1, int(item.at * storyline.frames)))
    name, amount = (shot.emotion.name, shot.emotion.intensity)
    if item.kind == "camera":
        name, amount = (shot.camera.move, shot.camera.amount)
    landed = name in (*item.emotion, *item.camera) and item.least <= amount <= item.most
    return "" if landed else f"{name} {amount:.2f}"


def _no_gesture(item: Item, storyline: Storyline) -> str:
    made = [(gesture, gesture.span.start / storyline.frames) for shot in storyline.shots for gesture in shot.gestures]
    for gesture, begin in made:
        named = gesture.name in item.gesture or "any" in item.gesture
        if named and item.begin <= begin <= item.end and item.least <= gesture.amount <= item.most:
            return ""
    return ", ".join(f"{gesture.name} {gesture.amount:.2f} at {begin:.2f}" for gesture, begin in made) or "no gesture"


def _refused(never: Never, storyline: Storyline) -> Iterator[str]:
    """What is there although it must not be."""
    for shot in storyline.shots:
        if shot.emotion.name in never.emotion:
            yield f"{shot.emotion.name} in shot {shot.index}"
        if shot.camera.move in never.camera:
            yield f"{shot.camera.move} in shot {shot.index}"
        for gesture in shot.gestures:
            if gesture.name in never.gesture or "any" in never.gesture:
                yield f"{gesture.name} in shot {shot.index}"


def believed(conflict: Conflict) -> ExpertName | None:
    """Whose say a conflict was settled on; None where its words do not tell."""
    for side in conflict.sides:
        if conflict.settled == side.says:
            return side.expert
    return next((expert for words, expert in _SETTLED if words in conflict.settled), None)


def shared_terms(positive: str, negative: str) -> list[str]:
    """Terms of a negative prompt, between commas, that stand in the positive one as whole words."""
    terms = dict.fromkeys(" ".join(term.lower().split()) for term in negative.split(","))
    held = " ".join(positive.lower().split())
    return [term for term in terms if term and re.search(rf"(?<!\w){re.escape(term)}(?!\w)", held)]


def speaker_faults(storyline: Storyline, recording: Recording) -> tuple[int, list[str]]:
    """(shots that can be judged, what is wrong with some). A shot that holds little of a voice is not judged."""
    sounding = recording.spoken & ~recording.pauses
    judged, faults = 0, []
    for shot in storyline.shots:
        voice = int(sounding[shot.span.start : shot.span.stop].sum())
        if 0 < voice < NAMED_FRAMES:
            continue
        judged += 1
        if bool(shot.speakers) != bool(voice):
            faults.append(f"shot {shot.index}: {'nobody speaks' if voice else 'a speaker in silence'}")
    return judged, faults


def cut_distances(storyline: Storyline, recording: Recording) -> list[float]:
    """Seconds from every interior shot boundary to the nearest true pause; 0 within one."""
    pauses = pauses_of(recording.opening)
    cuts = [shot.span.start for shot in storyline.shots[1:]]
    return [min(max(start - cut, cut - stop, 0) for start, stop in pauses) / FPS for cut in cuts]


# Judging many


@dataclass(frozen=True)
class Finding:
    """How one scene went.

    missed: items, and what is planned instead. settled: of each planted conflict, whether it went as planted, None
    where it was not found. alarms: conflicts that nobody planted. shared: shots with terms in both prompts. judged:
    shots whose speakers were, with `voiceless` saying what is wrong. cuts: seconds from boundaries to pauses.
    same: whether a second plan was equal.
    """

    scene: Scene
    storyline: Storyline
    missed: tuple[tuple[Item, str], ...]
    settled: tuple[bool | None, ...]
    alarms: tuple[Conflict, ...]
    shared: tuple[tuple[Shot, list[str]], ...]
    judged: int
    voiceless: tuple[str, ...]
    cuts: tuple[float, ...]
    same: bool


def examine(planner: Planner, other: Planner, scene: Scene) -> Finding:
    """Plan a scene twice, by planners that share nothing that was heard or seen, and judge it."""
    storyline, again = planner.plan(scene), other.plan(scene)
    recording = planner.recording(scene.voice)
    answers = [(item, instead(item, storyline)) for item in scene.expect]
    topics = set(chain.from_iterable(planted.about for planted in scene.conflicts))
    judged, voiceless = speaker_faults(storyline, recording)
    shared = [(shot, shared_terms(shot.positive, shot.negative)) for shot in storyline.shots]
    return Finding(
        scene=scene,
        storyline=storyline,
        missed=tuple((item, other) for item, other in answers if other),
        settled=tuple(_settled(planted, storyline.conflicts) for planted in scene.conflicts),
        alarms=tuple(conflict for conflict in storyline.conflicts if conflict.about not in topics),
        shared=tuple((shot, terms) for shot, terms in shared if terms),
        judged=judged,
        voiceless=tuple(voiceless),
        cuts=tuple(cut_distances(storyline, recording)) if recording.cuttable else (),
        same=storyline == again,
    )


def _settled(planted: Planted, conflicts: Sequence[Conflict]) -> bool | None:
    found = [conflict for conflict in conflicts if conflict.about in planted.about]
    return all(believed(conflict) == planted.winner for conflict in found) if found else None


def items_row(findings: Sequence[Finding], split: Split, least: str) -> Row:
    """Of all expected items, how many have landed; by kind in the figures."""
    asked = Counter(item.kind for finding in findings for item in finding.scene.expect)
    missed = Counter(item.kind for finding in findings for item, _ in finding.missed)
    share = 1.0 - missed.total() / max(asked.total(), 1)
    value = f"{100 * share:.1f} % ({', '.join(f'{k} {n - missed[k]}/{n}' for k, n in sorted(asked.items()))})"
    name = f"emotion, camera and action in the right shot, {split.words} ({asked.total()} items)"
    figures = {"asked": dict(asked), "missed": dict(missed)}
    return Row(name, value, least, "", share >= 0.95 if least else None, figures=figures)


def conflicts_row(findings: Sequence[Finding], split: Split, least: str) -> Row:
    """Of all planted conflicts, how many were found, and of these, how many went to the side that the rule names."""
    settled = list(chain.from_iterable(finding.settled for finding in findings))
    found = [right for right in settled if right is not None]
    alarms = Counter(conflict.about for finding in findings for conflict in finding.alarms)
    share, right = len(found) / max(len(settled), 1), sum(found) / max(len(found), 1)
    value = f"{100 * share:.0f} %; {100 * right:.0f} %; {alarms.total()} false alarms"
    name = f"planted conflicts found; settled by the rule, {split.words} ({len(settled)} planted)"
    figures = {"planted": len(settled), "found": len(found), "right": sum(found), "alarms": dict(alarms)}
    return Row(name, value, least, "", share >= 0.9 and right == 1.0 if least else None, figures=figures)


def cuts_row(name: str, cuts: Sequence[float]) -> Row:
    """How near interior shot boundaries lie to true pauses."""
    near, reached = (sum(cut <= most for cut in cuts) for most in (NEAR, REACH))
    share = near / max(len(cuts), 1)
    value = f"{100 * share:.0f} % of {len(cuts)}, {100 * near / max(reached, 1):.0f} % where one is within {REACH} s"
    figures = {"cuts": len(cuts), "near": near, "reached": reached}
    return Row(
        f"interior shot boundaries within 0.15 s of a true pause, {name}",
        value,
        "90 %",
        "",
        share >= 0.9,
        figures=figures,
    )


def speakers_row(findings: Sequence[Finding], split: Split) -> Row:
    """Whether shots with a voice name a speaker and those without name nobody."""
    judged, faults = sum(finding.judged for finding in findings), sum(len(finding.voiceless) for finding in findings)
    name = f"speaker named where there is a voice, nobody in silence, {split.words} ({judged} shots)"
    return Row(name, f"{100 * (1 - faults / max(judged, 1)):.1f} %", "100 %", "", not faults)


def terms_row(findings: Sequence[Finding], split: Split) -> Row:
    """Shots whose prompt asks for what their negative prompt refuses; joined: with the whole video's prompts added."""
    shots = sum(len(finding.storyline.shots) for finding in findings)
    count = sum(len(finding.shared) for finding in findings)
    whole = sum(bool(shared_terms(f.storyline.positive, f.storyline.negative)) for f in findings)
    joined = sum(len(list(_joined_terms(finding.storyline))) for finding in findings)
    value = f"{count} of {shots} shots, {whole} whole videos ({joined} shots joined with the whole video's)"
    name = f"no term in both prompts, {split.words}"
    return Row(name, value, "0", "", count + whole == 0, figures={"shots": count, "videos": whole, "joined": joined})


def _joined_terms(storyline: Storyline) -> Iterator[list[str]]:
    for shot in storyline.shots:
        texts = (f"{shot.positive} {storyline.positive}", f"{shot.negative}, {storyline.negative}")
        if terms := shared_terms(*texts):
            yield terms


def same_row(findings: Sequence[Finding], split: Split) -> Row:
    """Whether a second plan of every scene is the first again."""
    same = sum(finding.same for finding in findings)
    name = f"same storyline for the same input, {split.words}"
    return Row(name, f"{same} of {len(findings)}", "all", "", same == len(findings))


def rows_of(findings: Sequence[Finding], split: Split) -> list[Row]:
    """All rows of one split; tuning cases have no bar on what they were tuned to."""
    held_out = split == Split.held_out
    return [
        items_row(findings, split, "95 %" if held_out else ""),
        conflicts_row(findings, split, "90 %; all" if held_out else ""),
        cuts_row(split.words, [cut for finding in findings for cut in finding.cuts]),
        speakers_row(findings, split),
        terms_row(findings, split),
        same_row(findings, split),
    ]


def long_rows(stage: Stage) -> list[Row]:
    """Cuts and time of a five-minute plan."""
    storyline, recording, seconds = plan_long(stage)
    name = "time to plan a 5-minute recording (hearing, seeing and directing)"
    return [
        cuts_row("5 minutes", cut_distances(storyline, recording)),
        Row(name, f"{seconds:.1f} s", "10 s", "", seconds <= 10.0, figures={"seconds": seconds}),
    ]


def measure(stage: Stage, splits: Sequence[Split]) -> tuple[list[Row], dict[Split, list[Finding]]]:
    """Every row, and the findings that they were made from."""
    # First of all, so that nothing is warm.
    last = long_rows(stage)
    planners = Planner(stage), Planner(stage)
    findings = {split: [examine(*planners, scene) for scene in load_scenes(split)] for split in splits}
    return [*chain.from_iterable(rows_of(found, split) for split, found in findings.items()), *last], findings


def director_rows(stage: Stage) -> list[Row]:
    """Every row of both splits."""
    return measure(stage, list(Split))[0]


def failures(finding: Finding) -> list[str]:
    """What went wrong with a scene, one line each."""
    lines = [f"expected {_said(item)}; planned {other}" for item, other in finding.missed]
    for planted, right in zip(finding.scene.conflicts, finding.settled, strict=True):
        if not right:
            found = "not found" if right is None else "settled otherwise"
            lines.append(f"conflict about {' or '.join(planted.about)} for {planted.winner}: {found}")
    for conflict in finding.alarms:
        sides = " / ".join(f"{side.expert} {side.says!r} {side.confidence:g}" for side in conflict.sides)
        lines.append(f"false alarm about {conflict.about}: {sides}")
    lines += [f"shot {shot.index}: {', '.join(terms)} in both prompts" for shot, terms in finding.shared]
    lines += finding.voiceless
    return [f"{finding.scene.id}: {line}" for line in lines]


def _said(part: Value) -> str:
    """An item in the words of its file."""
    given = {key: getattr(part, key) for key in part.model_fields_set}
    return ", ".join(f"{key} {_worded(given[key])}" for key in type(part).model_fields if key in given)


def _worded(value: Any) -> str:
    if isinstance(value, Value):
        return _said(value)
    return " or ".join(value) if isinstance(value, tuple) else str(value)


def covered(scenes: Sequence[Scene]) -> list[str]:
    """Emotions, camera moves and gestures that no item of these scenes asks for."""
    items = [item for scene in scenes for item in scene.expect]
    named = set(chain.from_iterable((*item.emotion, *item.camera, *item.gesture) for item in items))
    return [name for name in (*EMOTIONS, *CAMERA_MOVES, *GESTURES) if name not in named]


def main(
    split: Annotated[Split | None, typer.Option(help="only these cases; default both")] = None,
    show_failures: Annotated[
        bool, typer.Option(help="list them; of held-out cases only with --split held_out")
    ] = False,
    model: str = "mini",
) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(open_backbone(model), load_cases(), Path(folder))
        rows, findings = measure(stage, [split] if split else list(Split))
    if show_failures:
        for finding in findings[split or Split.tuning]:
            print(*failures(finding), sep="\n", end="\n" if failures(finding) else "")
    print(report.markdown([Entry("director", row, None) for row in rows], []))


if __name__ == "__main__":
    typer.run(main)
