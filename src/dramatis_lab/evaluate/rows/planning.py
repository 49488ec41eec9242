"""How every written case is planned and judged; the rows of the director are counted from these findings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from typing import Any

import numpy as np
from PIL import Image

from dramatis.director import direct
from dramatis.media.audio import stream
from dramatis.senses.hearing.listening import observe_audio
from dramatis.senses.seeing.finder import PersonFinder
from dramatis.senses.seeing.picture_file import PictureFile, open_picture
from dramatis.story.dialogue import Conflict
from dramatis.story.observations import AudioObservations, PictureObservations
from dramatis.story.storyline import Shot, Storyline
from dramatis.story.values import AUDIO_RATE, Value
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.cases.held_out import Case
from dramatis_lab.evaluate.cases.recordings import KnownRecording, make_recording
from dramatis_lab.evaluate.cases.written import Expectation, PlantedConflict, RecordingRecipe, WrittenCase
from dramatis_lab.evaluate.measures.storylines import (
    believed_expert,
    cut_distances,
    planned_instead,
    shared_terms,
    speaker_faults,
)

LONG_PLAN_SECONDS = 300
LONG_PLAN_PROMPT = (
    "First she is happy and nods while the camera slowly pushes in. Then she is sad and looks down. "
    "At the end she is surprised, not angry, and the camera is static."
)


@dataclass
class CasePlanner:
    """Plans cases as `AvatarPipeline.plan` does; every recording and every picture is observed once."""

    bench: Bench
    finder: PersonFinder = field(default_factory=PersonFinder)
    recordings: dict[RecordingRecipe, KnownRecording] = field(default_factory=dict)
    audio: dict[RecordingRecipe, AudioObservations] = field(default_factory=dict)
    pictures: dict[int | tuple[int, int], PictureObservations] = field(default_factory=dict)

    def recording(self, recipe: RecordingRecipe) -> KnownRecording:
        """The recording that a recipe describes."""
        if recipe not in self.recordings:
            self.recordings[recipe] = make_recording(recipe, self.bench.cases)
        return self.recordings[recipe]

    def observe_audio(self, recipe: RecordingRecipe) -> AudioObservations:
        """What is heard in a recording."""
        if recipe not in self.audio:
            recording = self.recording(recipe)
            # Words come from subtitles only: recognising all these voices takes minutes, and finds no English in them.
            frames, cues = len(recording.opening), recording.cues
            self.audio[recipe] = observe_audio(lambda: [recording.samples], frames, cues=cues, transcribe="never")
        return self.audio[recipe]

    def observe_picture(self, picture: int | tuple[int, int]) -> PictureObservations:
        """What is seen in a portrait, or in (case, frame) of a true video."""
        if picture not in self.pictures:
            index, frame = (picture, None) if isinstance(picture, int) else picture
            self.pictures[picture] = observe_portrait(self.finder, self.bench, self.bench.cases[index], frame)
        return self.pictures[picture]

    def plan(self, case: WrittenCase) -> Storyline:
        """The storyline of a case."""
        picture = None if case.picture is None else self.observe_picture(case.picture)
        return plan_square_video(self.bench, self.observe_audio(case.voice), case.prompt, picture)


def observe_portrait(finder: PersonFinder, bench: Bench, case: Case, frame: int | None = None) -> PictureObservations:
    """What is seen in the portrait of a case, or in a frame of its true video."""
    if frame is None:
        picture = open_picture(case.portrait)
    else:
        pixels = case.frames[frame]
        name = case.folder / f"frame {frame}"
        picture = PictureFile(name, sha256(pixels.tobytes()).hexdigest(), Image.fromarray(pixels))
    return finder.describe_portrait(picture, (bench.low_side, bench.low_side))


def plan_square_video(
    bench: Bench, audio: AudioObservations, prompt: str, picture: PictureObservations | None
) -> Storyline:
    """The storyline of a square video."""
    return direct(
        audio, prompt, 0, image="portrait.png", audio="voice.wav", width=bench.side, height=bench.side, seen=picture
    )


def plan_long(bench: Bench) -> tuple[Storyline, KnownRecording, float]:
    """(storyline, recording, seconds) of five minutes of held-out voices: hearing, seeing and directing are timed."""
    path, opening = bench.long_voice(LONG_PLAN_SECONDS)
    started = time.monotonic()
    audio = observe_audio(lambda: stream(path, AUDIO_RATE), len(opening))
    storyline = plan_square_video(
        bench, audio, LONG_PLAN_PROMPT, observe_portrait(PersonFinder(), bench, bench.cases[0])
    )
    seconds = time.monotonic() - started
    return storyline, KnownRecording(np.zeros(0, np.float32), opening, np.ones(len(opening), bool)), seconds


@dataclass(frozen=True)
class CaseFinding:
    """How the plan of one case did.

    missed: expected items that did not land, and what is planned instead.  settled: for each planted conflict, whether
    the right side was believed; None where it was not found.  alarms: conflicts that nobody planted.  shared: shots
    with terms in both prompts.  shots_judged: how many shots' speakers were judged.  speaker_faults: what is wrong with
    them.  cuts: seconds from shot boundaries to pauses.  same: whether a second plan was equal.
    """

    case: WrittenCase
    storyline: Storyline
    missed: tuple[tuple[Expectation, str], ...]
    settled: tuple[bool | None, ...]
    alarms: tuple[Conflict, ...]
    shared: tuple[tuple[Shot, list[str]], ...]
    shots_judged: int
    speaker_faults: tuple[str, ...]
    cuts: tuple[float, ...]
    same: bool


def examine_case(planner: CasePlanner, other: CasePlanner, case: WrittenCase) -> CaseFinding:
    """Plan a case twice, by planners that share no observations, and judge the plan."""
    storyline, second = planner.plan(case), other.plan(case)
    recording = planner.recording(case.voice)
    instead = [(item, planned_instead(item, storyline)) for item in case.expect]
    topics = set(chain.from_iterable(planted.about for planted in case.conflicts))
    shots_judged, faults = speaker_faults(storyline, recording)
    shared = [(shot, shared_terms(shot.positive, shot.negative)) for shot in storyline.shots]
    return CaseFinding(
        case=case,
        storyline=storyline,
        missed=tuple((item, text) for item, text in instead if text),
        settled=tuple(_settled(planted, storyline.conflicts) for planted in case.conflicts),
        alarms=tuple(conflict for conflict in storyline.conflicts if conflict.about not in topics),
        shared=tuple((shot, terms) for shot, terms in shared if terms),
        shots_judged=shots_judged,
        speaker_faults=tuple(faults),
        cuts=tuple(cut_distances(storyline, recording)) if recording.cuttable else (),
        same=storyline == second,
    )


def _settled(planted: PlantedConflict, conflicts: Sequence[Conflict]) -> bool | None:
    matching = [conflict for conflict in conflicts if conflict.about in planted.about]
    return all(believed_expert(conflict) == planted.winner for conflict in matching) if matching else None


def failures(finding: CaseFinding) -> list[str]:
    """What went wrong with a case, a line for each fault."""
    lines = [f"expected {_describe(item)}; planned {instead}" for item, instead in finding.missed]
    for planted, right in zip(finding.case.conflicts, finding.settled, strict=True):
        if not right:
            fault = "not found" if right is None else "settled otherwise"
            lines.append(f"conflict about {' or '.join(planted.about)} for {planted.winner}: {fault}")
    for conflict in finding.alarms:
        sides = " / ".join(f"{side.expert} {side.says!r} {side.confidence:g}" for side in conflict.sides)
        lines.append(f"false alarm about {conflict.about}: {sides}")
    lines += [f"shot {shot.index}: {', '.join(terms)} in both prompts" for shot, terms in finding.shared]
    lines += finding.speaker_faults
    return [f"{finding.case.id}: {line}" for line in lines]


def _describe(part: Value) -> str:
    """An expected item in the words of its file."""
    keys = [key for key in type(part).model_fields if key in part.model_fields_set]
    return ", ".join(f"{key} {_worded(getattr(part, key))}" for key in keys)


def _worded(value: Any) -> str:
    if isinstance(value, Value):
        return _describe(value)
    return " or ".join(value) if isinstance(value, tuple) else str(value)
