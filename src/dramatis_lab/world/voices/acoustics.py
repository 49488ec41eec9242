"""Changes a voice as its throat, a room, noise, a telephone or the distance to the microphone would.

The times of the phones stay known: only `scale_throat` moves them, by a given factor.
Randomness comes from the generator that is passed in.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr
from scipy import signal

from dramatis.story.values import AUDIO_RATE
from dramatis_lab.world.arrays import F32
from dramatis_lab.world.voices.phones import PAUSE, TimedPhone

HOP_S = 0.01
_WINDOW_S = 0.03
_LOUD_RANGE_DB = 40.0
NOISES = ("white", "pink", "brown", "hum", "babble")


@dataclass(frozen=True)
class RecordingConditions:
    """How a voice was recorded.

    `noise_db` is the signal-to-noise ratio (None: none), `room_s` the reverberation time (0: none) and `wet` its
    share, `level_db` the final level in dB below full scale (RMS of the loud parts).
    """

    level_db: float = -23.0
    room_s: float = 0.0
    wet: float = 0.0
    noise: str = "pink"
    noise_db: float | None = None
    telephone: bool = False
    tilt_db: float = 0.0


def draw_conditions(rng: np.random.Generator) -> RecordingConditions:
    """Random conditions: a third clean, half in a room, some noisy, a few over the telephone."""
    clean = rng.random() < 0.35
    return RecordingConditions(
        level_db=float(rng.uniform(-32.0, -14.0)),
        room_s=0.0 if clean or rng.random() < 0.25 else float(rng.uniform(0.12, 0.7)),
        wet=float(rng.uniform(0.05, 0.45)),
        noise=str(rng.choice(NOISES)),
        noise_db=float(rng.uniform(40.0, 55.0) if clean else rng.uniform(10.0, 38.0)),
        telephone=bool(not clean and rng.random() < 0.1),
        tilt_db=float(rng.uniform(-6.0, 6.0)),
    )


def scale_throat(audio: F32, segments: list[TimedPhone], factor: float) -> tuple[F32, list[TimedPhone]]:
    """The voice of a smaller (factor > 1) or larger throat: pitch and formants times `factor`, time divided by it."""
    if abs(factor - 1.0) < 1e-3 or not len(audio):
        return audio, segments
    changed = np.asarray(soxr.resample(audio, AUDIO_RATE * factor, AUDIO_RATE, quality="MQ"), np.float32)
    scale = len(changed) / len(audio)
    return changed, [(start * scale, end * scale, phone) for start, end, phone in segments]


def simulate_recording(
    audio: F32, recording: RecordingConditions, rng: np.random.Generator, rate: int = AUDIO_RATE
) -> F32:
    """The voice under these recording conditions; same length, at most 0.99 in absolute value."""
    voice_rms = _loud_rms(audio)
    heard = _tilted(audio, recording.tilt_db)
    if recording.room_s > 0:
        heard = _in_room(heard, recording.room_s, recording.wet, rng, rate)
    heard = heard * _gain(_loud_rms(heard), recording.level_db)
    if recording.noise_db is not None:
        target = 10 ** ((recording.level_db - recording.noise_db) / 20)
        noise = _noise(recording.noise, len(audio), rng, rate, babble_of=audio if voice_rms > 1e-5 else None)
        heard = heard + noise * target / max(float(np.sqrt(np.mean(noise**2))), 1e-6)
    if recording.telephone:
        heard = _telephone(heard, rate)
    peak = float(np.abs(heard).max(initial=0.0))
    return (heard * (0.99 / peak if peak > 0.99 else 1.0)).astype(np.float32)


def loudness(audio: F32, rate: int = AUDIO_RATE) -> F32:
    """(N,) loudness 0..1 every 10 ms: decibels within 40 dB below the loudest parts. Silence gives zeros."""
    hop, window = int(HOP_S * rate), int(_WINDOW_S * rate)
    count = max(1, round(len(audio) / hop))
    power = np.concatenate([np.zeros(1), np.cumsum(audio.astype(np.float64) ** 2)])
    centre = (np.arange(count) + 0.5) * hop
    start = np.clip(centre - window / 2, 0, len(audio)).astype(int)
    stop = np.clip(centre + window / 2, 0, len(audio)).astype(int)
    level = 10 * np.log10((power[stop] - power[start]) / np.maximum(stop - start, 1) + 1e-10)
    active = level[level > level.max() - _LOUD_RANGE_DB]
    top = max(float(np.percentile(active, 95)), -60.0)
    return np.clip((level - top) / _LOUD_RANGE_DB + 1.0, 0.0, 1.0).astype(np.float32)


def trim_silence(audio: F32, segments: list[TimedPhone], rate: int = AUDIO_RATE) -> tuple[F32, list[TimedPhone]]:
    """The voice without the silence before its first and after its last phone."""
    spoken = [segment for segment in segments if segment[2] != PAUSE]
    if not spoken:
        return audio[:0], []
    start, stop = spoken[0][0], spoken[-1][1]
    kept = [(max(a, start) - start, min(b, stop) - start, phone) for a, b, phone in segments if a < stop and b > start]
    first = round(start * rate)
    return audio[first : max(first, round(stop * rate))], kept


def _gain(rms: float, level_db: float) -> float:
    return 10 ** (level_db / 20) / rms if rms > 1e-5 else 1.0


def _loud_rms(audio: F32) -> float:
    if not len(audio):
        return 0.0
    power = audio.astype(np.float64) ** 2
    return float(np.sqrt(power[power > 0.01 * power.mean()].mean())) if power.mean() > 1e-12 else 0.0


def _tilted(audio: F32, tilt_db: float) -> F32:
    """A brighter (+) or duller (-) microphone: a first-order shelf of `tilt_db` above about 2 kHz."""
    shelf = 10 ** (tilt_db / 20)
    low = signal.lfilter([0.4], [1.0, -0.6], audio)
    return (low + shelf * (audio - low)).astype(np.float32)


def _in_room(audio: F32, seconds: float, wet: float, rng: np.random.Generator, rate: int) -> F32:
    length = int(seconds * rate)
    decay = np.exp(-6.9 * np.arange(length) / length)
    tail = rng.standard_normal(length) * decay
    # The first reflections come a few milliseconds after the direct sound, which keeps its place in time.
    tail[: int(rng.uniform(0.002, 0.012) * rate)] = 0.0
    tail = signal.lfilter([0.5], [1.0, -0.5], tail)
    tail *= wet / max(float(np.sqrt(np.sum(tail**2))), 1e-6)
    response = tail.astype(np.float32)
    response[0] = 1.0
    return signal.oaconvolve(audio, response)[: len(audio)].astype(np.float32)


def _noise(kind: str, count: int, rng: np.random.Generator, rate: int, babble_of: F32 | None) -> F32:
    white = rng.standard_normal(count).astype(np.float32)
    if kind == "babble" and babble_of is not None:
        return _babble(babble_of, rng)
    if kind == "hum":
        time = np.arange(count) / rate
        base = rng.choice([50.0, 60.0])
        tones = sum(rng.uniform(0.1, 1.0) * np.sin(2 * np.pi * base * k * time) for k in range(1, 6))
        return np.asarray(tones + 0.3 * white, np.float32)
    if kind == "brown":
        return signal.lfilter([1.0], [1.0, -0.99], white).astype(np.float32)
    if kind == "white":
        return white
    # Kellet's economy filter: -3 dB an octave within half a decibel.
    bands = ([0.0990460], [1, -0.99765]), ([0.2965164], [1, -0.96300]), ([1.0526913], [1, -0.57000])
    return np.asarray(sum(signal.lfilter(b, a, white) for b, a in bands) + 0.1848 * white, np.float32)


def _babble(audio: F32, rng: np.random.Generator) -> F32:
    """Six other talkers, unintelligible: the voice itself backwards, shifted by chance."""
    backwards = audio[::-1]
    return sum((np.roll(backwards, int(rng.integers(len(audio)))) for _ in range(6)), np.zeros_like(audio))


def _telephone(audio: F32, rate: int) -> F32:
    band = signal.butter(4, (300.0, 3400.0), "bandpass", fs=rate, output="sos")
    heard = signal.sosfilt(band, audio)
    # G.711's mu law with its 8 bits.
    companded = np.sign(heard) * np.log1p(255 * np.minimum(np.abs(heard), 1.0)) / np.log(256)
    companded = np.round(companded * 127) / 127
    return (np.sign(companded) * np.expm1(np.abs(companded) * np.log(256)) / 255).astype(np.float32)
