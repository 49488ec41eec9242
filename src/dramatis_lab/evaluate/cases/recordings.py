"""Recordings whose truth is known: held-out voices with silences, noise, song, cuts and subtitles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import soundfile
from scipy.linalg import solve_toeplitz
from scipy.signal import lfilter

from dramatis.media.subtitles import Cue
from dramatis.story.values import AUDIO_RATE, FPS, SAMPLES_PER_FRAME
from dramatis_lab.evaluate.cases.held_out import Case
from dramatis_lab.evaluate.cases.written import RecordingRecipe

CLOSED_LIPS = 0.05
"""Mouth opening below which the lips are closed."""
PAUSE_FRAMES = round(0.3 * FPS)
"""Lips that stay closed this long are a pause: no consonant closes them for so long."""
_SINGER = 3
"""Index of the case whose voice is made to sing."""
_NOTES = (220.0, 246.9, 261.6, 293.7, 261.6, 246.9)
"""The tune, in hertz, one note a second."""
_ORDER, _HOP = 18, 160
"""Order of the linear predictions that follow the formants, and samples from one to the next."""


@dataclass(frozen=True)
class KnownRecording:
    """A voice with its truth, F frames.

    samples: (N,) at 16 kHz.  opening: (F,) of the mouth.  spoken: (F,) bool, part of a voice rather than of inserted
    silence.  cues: its subtitles.
    """

    samples: np.ndarray
    opening: np.ndarray
    spoken: np.ndarray
    cues: tuple[Cue, ...] = ()

    @property
    def pauses(self) -> np.ndarray:
        """(F,) bool: frames of a true pause."""
        closed = np.zeros(len(self.opening), bool)
        for start, stop in true_pauses(self.opening):
            closed[start:stop] = True
        return closed

    @property
    def cuttable(self) -> bool:
        """Whether the voice speaks and pauses, so that there is a right place to cut."""
        return bool(self.spoken.any() and self.pauses.any() and not self.pauses.all())


def make_recording(recipe: RecordingRecipe, cases: Sequence[Case]) -> KnownRecording:
    """Make the recording that a recipe describes."""
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
        pieces = [_sung(cases[_SINGER], frames)]
    samples, opening = (np.concatenate([piece[index] for piece in pieces]) for index in (0, 1))
    spoken = np.concatenate([np.full(len(curve), voice) for _, curve, voice in pieces])
    noise = np.random.default_rng(0).normal(0.0, recipe.noise, len(samples))
    end = frames if recipe.cut is None else round(recipe.cut * FPS)
    samples = (recipe.gain * samples + noise).astype(np.float32)[: end * SAMPLES_PER_FRAME]
    return KnownRecording(samples, opening[:end], spoken[:end], tuple(cues))


def _voice(case: Case) -> tuple[np.ndarray, np.ndarray, bool]:
    samples, rate = soundfile.read(case.voice)
    assert rate == AUDIO_RATE
    assert len(samples) == len(case.opening) * SAMPLES_PER_FRAME
    return samples, case.opening, True


def _silence(seconds: float) -> tuple[np.ndarray, np.ndarray, bool]:
    frames = round(seconds * FPS)
    return np.zeros(frames * SAMPLES_PER_FRAME), np.zeros(frames), False


def _sung(case: Case, frames: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """A case's voice at half its pace on held notes: its formants, frame by frame, filter a tune of pulses."""
    voice, curve, _ = _voice(case)
    seconds = np.arange(frames * SAMPLES_PER_FRAME) / AUDIO_RATE
    pitch = np.array(_NOTES)[seconds.astype(int) % len(_NOTES)] * (1.0 + 0.006 * np.sin(2 * np.pi * 5.5 * seconds))
    pulses = np.diff(np.floor(np.cumsum(pitch) / AUDIO_RATE), prepend=0.0)
    source = lfilter([1.0], [1.0, -0.9], pulses - pulses.mean())
    source = source / source.std() + np.random.default_rng(0).normal(0.0, 0.03, len(source))
    samples, state = np.zeros(len(source)), np.zeros(_ORDER)
    for start in range(0, len(source), _HOP):
        source_start = start // 2 % (len(voice) - 3 * _HOP)
        gain, poles = _formants(voice[source_start : source_start + 3 * _HOP])
        samples[start : start + _HOP], state = lfilter([gain], poles, source[start : start + _HOP], zi=state)
    return 0.5 * samples / np.abs(samples).max(), curve[np.arange(frames) // 2 % len(curve)], True


def _formants(samples: np.ndarray) -> tuple[float, np.ndarray]:
    """(gain, poles) of the linear prediction of a short window."""
    window = samples * np.hanning(len(samples))
    autocorrelation = np.correlate(window, window, "full")[len(window) - 1 :][: _ORDER + 1]
    autocorrelation[0] = 1.001 * autocorrelation[0] + 1e-7
    weights = solve_toeplitz(autocorrelation[:-1], autocorrelation[1:])
    power = max(float(autocorrelation[0] - weights @ autocorrelation[1:]), 1e-9)
    return (power / len(samples)) ** 0.5, np.concatenate([[1.0], -weights])


def true_pauses(opening: np.ndarray) -> list[tuple[int, int]]:
    """(start, stop) frames of the true pauses of a curve (F,) of the mouth opening."""
    closed = np.concatenate([[False], opening < CLOSED_LIPS, [False]])
    edges = np.flatnonzero(np.diff(closed.astype(int)))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= PAUSE_FRAMES]
