"""How well the times of an utterance's phones agree with its sound."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dramatis_lab.world.arrays import F32
from dramatis_lab.world.voices import acoustics
from dramatis_lab.world.voices.phones import PAUSE, VOWELS, TimedPhone
from dramatis_lab.world.voices.speech import Utterance

_SONORANTS = ("m", "n", "ng", "l", "r", "w", "y")


@dataclass(frozen=True)
class Alignment:
    """Mean loudness 0..1 of the vowels, of the voiceless stops and of the pauses longer than 80 ms; nan where none.

    `shift_s` is how late the phones are by the correlation of sonorous sounds with loudness; good labels have
    it within a few hundredths of a second.
    """

    vowels: float
    stops: float
    pauses: float
    shift_s: float

    def __str__(self) -> str:
        return (
            f"loudness of vowels {self.vowels:.2f}, voiceless stops {self.stops:.2f}, "
            f"pauses {self.pauses:.2f}; phones late by {1000 * self.shift_s:+.0f} ms"
        )


def measure_alignment(utterance: Utterance) -> Alignment:
    """How well phone times and sound agree; print it to read it."""
    level = utterance.loudness
    vowel = _indicator(utterance.phonemes, len(level), lambda s: s[2] in VOWELS)
    sonorous = _indicator(utterance.phonemes, len(level), lambda s: s[2] in (*VOWELS, *_SONORANTS)).astype(float)
    stop = _indicator(utterance.phonemes, len(level), lambda s: s[2] in ("p", "t", "k"))
    pause = _indicator(utterance.phonemes, len(level), lambda s: s[2] == PAUSE and s[1] - s[0] > 0.08)
    shifts = np.arange(-10, 11)
    fit = [_correlation(np.roll(sonorous, -shift), level) for shift in shifts]
    means = (float(level[mask].mean()) if mask.any() else float("nan") for mask in (vowel, stop, pause))
    vowels, stops, pauses = means
    return Alignment(vowels, stops, pauses, shift_s=float(shifts[int(np.argmax(fit))] * acoustics.HOP_S))


def _indicator(segments: Sequence[TimedPhone], count: int, wanted: Callable[[TimedPhone], bool]) -> NDArray[np.bool_]:
    mask = np.zeros(count, bool)
    for segment in segments:
        if wanted(segment):
            mask[round(segment[0] / acoustics.HOP_S) : round(segment[1] / acoustics.HOP_S)] = True
    return mask


def _correlation(a: NDArray[np.float64], b: F32) -> float:
    a, c = a - a.mean(), b - b.mean()
    return float((a * c).sum() / max(np.sqrt((a**2).sum() * (c**2).sum()), 1e-9))
