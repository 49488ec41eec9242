"""The rhythm and melody of a voice at video rate, measured in a stream so that memory stays small."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dramatis.motion.signals import smooth_track
from dramatis.story.values import AUDIO_RATE, SAMPLES_PER_FRAME

_WINDOW = 1024
LOWEST_HZ, HIGHEST_HZ = 65.0, 500.0
_BLOCK_FRAMES = 512


@dataclass(frozen=True)
class Prosody:
    """One value per video frame, each (T,) float32.

    energy: loudness relative to the recording, 0 (silence) to 1 (its loud syllables).
    pitch: octaves from the median pitch of the voice (semitones / 12), in [-1, 1]; 0 where there is no voice.
    voiced: confidence that there is a voice with a pitch, 0 to 1.
    """

    energy: NDArray[np.float32]
    pitch: NDArray[np.float32]
    voiced: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.energy)

    @classmethod
    def silence(cls, frames: int) -> Prosody:
        """The prosody of a person who only listens."""
        return cls(*(np.zeros(frames, np.float32) for _ in range(3)))

    def padded(self, frames: int) -> Prosody:
        """Exactly `frames` frames: cut, or followed by silence."""

        def fit(track: NDArray[np.float32]) -> NDArray[np.float32]:
            beginning = np.asarray(track, np.float32)[:frames]
            return np.pad(beginning, (0, frames - len(beginning)))

        return Prosody(fit(self.energy), fit(self.pitch), fit(self.voiced))


class ProsodyMeter:
    """Measures prosody from mono audio at 16 kHz that arrives in blocks of any size.

    It keeps three numbers per frame and a short tail of samples; the result does not depend on the sizes of the blocks.
    """

    def __init__(self) -> None:
        self._decibels: list[NDArray[np.float32]] = []
        self._lags: list[NDArray[np.float32]] = []
        self._clarity: list[NDArray[np.float32]] = []
        # The analysis window is centred on its frame, so the first one begins before the audio.
        self._tail = np.zeros((_WINDOW - SAMPLES_PER_FRAME) // 2, np.float32)

    def update(self, samples: ArrayLike) -> None:
        """Take the next (N,) samples in [-1, 1]."""
        block = np.nan_to_num(np.asarray(samples, np.float32).ravel())
        buffer = np.concatenate([self._tail, block])
        while len(buffer) >= _WINDOW:
            frames = min((len(buffer) - _WINDOW) // SAMPLES_PER_FRAME + 1, _BLOCK_FRAMES)
            self._measure(
                np.lib.stride_tricks.sliding_window_view(buffer, _WINDOW)[
                    : frames * SAMPLES_PER_FRAME : SAMPLES_PER_FRAME
                ]
            )
            buffer = buffer[frames * SAMPLES_PER_FRAME :]
        self._tail = buffer.copy()

    def finish(self, frames: int) -> Prosody:
        """The prosody of the whole recording, cut or padded with silence to `frames`."""
        if len(self._tail) > (_WINDOW - SAMPLES_PER_FRAME) // 2:
            self.update(np.zeros(_WINDOW, np.float32))
        if not self._decibels:
            return Prosody.silence(frames)
        decibels, lags, clarity = (np.concatenate(part) for part in (self._decibels, self._lags, self._clarity))
        energy = _relative_energy(decibels.astype(np.float64))
        voiced = np.clip((clarity - 0.35) / 0.35, 0.0, 1.0) * np.clip(energy / 0.15, 0.0, 1.0)
        pitch = _relative_pitch(AUDIO_RATE / lags.astype(np.float64), voiced > 0.5)
        return Prosody(energy.astype(np.float32), pitch.astype(np.float32), voiced.astype(np.float32)).padded(frames)

    def _measure(self, windows: NDArray[np.float32]) -> None:
        """Loudness, pitch lag and periodicity of (n, WINDOW) windows."""
        margin = (_WINDOW - SAMPLES_PER_FRAME) // 2
        power = np.mean(windows[:, margin : margin + SAMPLES_PER_FRAME].astype(np.float64) ** 2, axis=1)
        self._decibels.append((10 * np.log10(power + 1e-12)).astype(np.float32))
        lag, clarity = _periodicity(windows)
        self._lags.append(lag)
        self._clarity.append(clarity)


def prosody_from_energy(samples: ArrayLike, frames: int | None = None) -> Prosody:
    """Prosody of mono 16 kHz samples (N,) in [-1, 1]. frames: by default their own number, rounded up."""
    audio = np.asarray(samples, np.float32).ravel()
    meter = ProsodyMeter()
    meter.update(audio)
    return meter.finish(-(-len(audio) // SAMPLES_PER_FRAME) if frames is None else frames)


def _periodicity(windows: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Lag in samples and strength 0..1 of the best period of (n, WINDOW) windows, by autocorrelation."""
    taper = np.hanning(_WINDOW).astype(np.float32)
    centred_windows = (windows - windows.mean(1, keepdims=True)) * taper
    spectrum = np.abs(np.fft.rfft(centred_windows, 2 * _WINDOW, axis=1)) ** 2
    lowest, highest = int(AUDIO_RATE / HIGHEST_HZ), int(AUDIO_RATE / LOWEST_HZ)
    correlation = np.fft.irfft(spectrum, axis=1)[:, : highest + 2]
    of_taper = np.fft.irfft(np.abs(np.fft.rfft(taper, 2 * _WINDOW)) ** 2)[: highest + 2]
    normal = correlation / (correlation[:, :1] + 1e-9) / (of_taper / of_taper[0])
    # Twice a period fits as well as the period itself: a slight preference for short lags avoids octave errors.
    search = normal[:, lowest : highest + 1] * (1.0 - 0.15 * np.arange(highest + 1 - lowest) / highest)
    best = search.argmax(1) + lowest
    rows = np.arange(len(best))
    left, peak, right = normal[rows, best - 1], normal[rows, best], normal[rows, best + 1]
    bend = left - 2 * peak + right
    offset = np.where(np.abs(bend) > 1e-9, 0.5 * (left - right) / np.where(bend == 0, 1.0, bend), 0.0)
    lag = best + np.clip(offset, -0.5, 0.5)
    return lag.astype(np.float32), np.clip(peak, 0.0, 1.0).astype(np.float32)


def _relative_energy(decibels: NDArray[np.float64]) -> NDArray[np.float64]:
    """0..1 from the recording's noise floor to its loud syllables; digital silence is 0 however quiet the rest is."""
    loud, floor = np.percentile(decibels, 95), np.percentile(decibels, 10)
    if loud < -70.0:
        return np.zeros_like(decibels)
    low = np.clip(floor + 3.0, loud - 40.0, loud - 18.0)
    return np.clip((decibels - low) / (loud - low), 0.0, 1.0)


def _relative_pitch(hertz: NDArray[np.float64], voiced: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Octaves from the median, smoothed over three frames, 0 where unvoiced."""
    if not voiced.any():
        return np.zeros_like(hertz)
    octaves = np.where(voiced, np.log2(hertz / np.median(hertz[voiced])), 0.0)
    weight = smooth_track(voiced.astype(np.float64), 3)
    smooth = smooth_track(octaves, 3) / np.maximum(weight, 1e-6)
    return np.where(voiced, np.clip(smooth, -1.0, 1.0), 0.0)
