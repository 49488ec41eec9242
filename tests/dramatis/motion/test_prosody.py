"""Prosody: independent of how the audio is cut, silent in silence, and right about pitch."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.prosody import Prosody, ProsodyMeter, prosody_from_energy

RATE = 16_000


def hum(hertz: np.ndarray | float, seconds: float) -> np.ndarray:
    """A voice-like tone with harmonics."""
    count = int(seconds * RATE)
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hertz, count)) / RATE
    return np.asarray(0.2 * sum(np.sin(k * phase) / k for k in range(1, 8)), np.float32)


def test_blocks_of_any_size_give_the_same() -> None:
    rng = np.random.default_rng(0)
    audio = np.concatenate([hum(140, 1.0), np.zeros(5000, np.float32), hum(180, 0.7), rng.normal(0, 0.01, 777)])
    whole = prosody_from_energy(audio)
    meter = ProsodyMeter()
    rest = audio
    while len(rest):
        size = int(rng.integers(1, 3000))
        meter.update(rest[:size])
        rest = rest[size:]
    cut = meter.finish(len(whole))
    for name in ("energy", "pitch", "voiced"):
        np.testing.assert_allclose(getattr(cut, name), getattr(whole, name), atol=1e-5)


@pytest.mark.parametrize("low", [90.0, 120.0, 220.0])
def test_pitch_is_relative_in_octaves(low: float) -> None:
    prosody = prosody_from_energy(np.concatenate([hum(low, 1.2), hum(1.5 * low, 0.8)]))
    assert prosody.pitch[3:27] == pytest.approx(0.0, abs=0.02)
    assert prosody.pitch[33:47] == pytest.approx(np.log2(1.5), abs=0.03)
    assert prosody.voiced[3:27].min() > 0.9


def test_pauses_and_noise_have_no_voice() -> None:
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.1, RATE).astype(np.float32)
    prosody = prosody_from_energy(np.concatenate([hum(130, 1.0), np.zeros(RATE, np.float32), noise]))
    assert prosody.energy[:24].min() > 0.8
    assert prosody.energy[27:49].max() == 0.0
    assert prosody.voiced[27:49].max() == 0.0
    assert prosody.voiced[52:].mean() < 0.2


@pytest.mark.parametrize("audio", [np.zeros(0), np.zeros(100), np.zeros(RATE), np.full(RATE, np.nan)])
def test_silence_of_any_length_is_silence(audio: np.ndarray) -> None:
    prosody = prosody_from_energy(audio, frames=30)
    assert len(prosody) == 30
    assert not prosody.energy.any()
    assert not prosody.voiced.any()
    assert not prosody.pitch.any()


def test_frames_count_the_audio_and_pad() -> None:
    assert len(prosody_from_energy(hum(120, 1.0))) == 25
    assert len(prosody_from_energy(hum(120, 1.01))) == 26
    padded = prosody_from_energy(hum(120, 1.0), frames=40)
    assert len(padded) == 40
    assert not padded.energy[27:].any()
    assert len(Prosody.silence(7).padded(3)) == 3
