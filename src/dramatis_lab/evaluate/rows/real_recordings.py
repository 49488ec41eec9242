"""The row about real pictures that speak with recordings of real people, whose phones nobody has marked.

Lips are held against the loudness of the sound: less exact than phones, but as true of a real voice as of any.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from dramatis.story.values import AUDIO_RATE, FPS
from dramatis_lab.evaluate.measures.mesh_lips import gap_range
from dramatis_lab.evaluate.measures.steadiness import FrameValues
from dramatis_lab.evaluate.measures.sync import correlation, silence_ratio
from dramatis_lab.evaluate.report import Row, unmeasured_row
from dramatis_lab.evaluate.rows.real_films import Filming, RealBench, median, row_name, shared_folder
from dramatis_lab.world.voices.acoustics import HOP_S, loudness

_SECONDS = 4.0
_STEP = 3
"""Every how many portraits one speaks with a recording."""


@dataclass(frozen=True, eq=False)
class Recording:
    """The beginning of a recording, at 16 kHz. level: (F,) loudness 0..1, one value a frame."""

    path: Path
    level: FrameValues


def recording_row(real: RealBench, filming: Filming) -> Row:
    """Every third portrait with a recording in turn: r of gap and loudness, with another recording's, range, pauses."""
    name = row_name(filming, "  with recorded voices: r with loudness; with another's; range; pauses over speech")
    recordings = load_recordings(real.bench.work)
    if not recordings or not real.portraits:
        return unmeasured_row(f"{name} (../shared/voices or portraits absent)")
    found: list[tuple[float, float, float, float]] = []
    for number, picture in enumerate(real.portraits[::_STEP]):
        own, other = (recordings[(number + shift) % len(recordings)] for shift in (0, 1))
        film = real.film(filming, picture, own.path, f"{picture.stem}-{own.path.stem}")
        meshed = None if film is None else real.under_the_mesh(film)
        if meshed is not None:
            found.append(_figures(meshed.gaps, own.level, other.level))
    if not found:
        return unmeasured_row(name)
    r, control, reach, pause = (median(column) for column in zip(*found, strict=True))
    value = f"{r:.2f}; {control:.2f}; {reach:.3f}; {pause:.2f} ({len(found)} films)"
    return Row(name, value, figures={"films": found})


def load_recordings(work: Path) -> list[Recording]:
    """The first seconds of each file in ../shared/voices, written to the work folder; none where they are absent."""
    recordings = []
    for path in sorted((shared_folder() / "voices").glob("*.*")):
        if path.suffix not in (".wav", ".flac"):
            continue
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
        audio = np.asarray(soxr.resample(samples[: round(_SECONDS * rate)].mean(1), rate, AUDIO_RATE), np.float32)
        cut = work / f"recording-{path.stem}.wav"
        soundfile.write(cut, audio, AUDIO_RATE)
        recordings.append(Recording(cut, frame_levels(audio)))
    return recordings


def frame_levels(audio: NDArray[np.float32]) -> FrameValues:
    """(F,) loudness 0..1 of samples (N,) at 16 kHz, the mean of each frame of the video."""
    each = round(1 / FPS / HOP_S)
    values = loudness(audio)
    return values[: len(values) // each * each].reshape(-1, each).mean(1)


def _figures(gaps: FrameValues, own: FrameValues, other: FrameValues) -> tuple[float, float, float, float]:
    count = min(len(gaps), len(own), len(other))
    gaps, own, other = gaps[:count], own[:count], other[:count]
    return correlation(gaps, own), correlation(gaps, other), gap_range(gaps), silence_ratio([gaps], [own])
