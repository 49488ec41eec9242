"""Loudness against the values that BS.1770 and EBU Tech 3341 state for known signals."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dramatis.media.loudness import LoudnessMeter, integrated_loudness, loudness_gain


def tone(rate: int, seconds: float, amplitude: float = 1.0, frequency: float = 997.0) -> np.ndarray:
    return amplitude * np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate)


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000, 96_000])
def test_full_scale_sine_is_minus_three_lufs(rate: int) -> None:
    assert integrated_loudness(tone(rate, 3.0), rate) == pytest.approx(-3.01, abs=0.1)


def test_relative_gate_leaves_pauses_out() -> None:
    speech, pause = tone(16_000, 2.0, 0.1), tone(16_000, 6.0, 0.001)
    alone = integrated_loudness(speech, 16_000)
    assert integrated_loudness(np.concatenate([speech, pause]), 16_000) == pytest.approx(alone, abs=0.6)


def test_blocks_of_any_size_measure_alike() -> None:
    samples = tone(16_000, 2.3, 0.3)
    meter = LoudnessMeter(16_000)
    for part in np.array_split(samples, 37):
        meter.add(part)
    assert meter.integrated() == pytest.approx(integrated_loudness(samples, 16_000), abs=1e-9)


def test_the_gain_brings_audio_to_the_target() -> None:
    quiet = tone(16_000, 2.0, 0.02)
    gain = loudness_gain(integrated_loudness(quiet, 16_000))
    assert integrated_loudness(gain * quiet, 16_000) == pytest.approx(-23.0, abs=0.01)


def test_silence_and_very_short_audio() -> None:
    assert integrated_loudness(np.zeros(16_000), 16_000) == -math.inf
    assert loudness_gain(-math.inf) == 1.0
    assert integrated_loudness(tone(16_000, 0.2), 16_000) == pytest.approx(-3.0, abs=0.3)
    assert integrated_loudness(np.zeros(0), 16_000) == -math.inf
