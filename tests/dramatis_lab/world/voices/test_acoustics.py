"""Changes of a voice between mouth and recording, and what they do to the times of its phones."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis.story.values import AUDIO_RATE
from dramatis_lab.world.voices.acoustics import (
    NOISES,
    RecordingConditions,
    draw_conditions,
    scale_throat,
    simulate_recording,
    trim_silence,
)
from dramatis_lab.world.voices.phones import PAUSE, TimedPhone

VOICE = (0.2 * np.sin(np.arange(AUDIO_RATE) * 0.05)).astype(np.float32)
PHONES: list[TimedPhone] = [(0.0, 0.25, PAUSE), (0.25, 0.5, "aa"), (0.5, 0.75, "m"), (0.75, 1.0, PAUSE)]


def test_another_throat_moves_the_phones_with_the_sound() -> None:
    audio, phones = scale_throat(VOICE, PHONES, 1.25)
    assert len(audio) == pytest.approx(len(VOICE) / 1.25, abs=2)
    assert [end for _, end, _ in phones] == pytest.approx([0.2, 0.4, 0.6, 0.8], abs=1e-3)
    unchanged, same = scale_throat(VOICE, PHONES, 1.0)
    assert np.array_equal(unchanged, VOICE)
    assert same == PHONES


def test_silence_is_trimmed_at_both_ends() -> None:
    audio, phones = trim_silence(VOICE, PHONES)
    assert len(audio) == AUDIO_RATE // 2
    assert phones == [(0.0, 0.25, "aa"), (0.25, 0.5, "m")]
    nothing, none = trim_silence(VOICE, [(0.0, 1.0, PAUSE)])
    assert len(nothing) == 0
    assert none == []


@pytest.mark.parametrize("noise", NOISES)
def test_a_recording_has_its_level_and_length(noise: str) -> None:
    conditions = RecordingConditions(level_db=-20.0, noise=noise, noise_db=30.0)
    audio = simulate_recording(VOICE, conditions, np.random.default_rng(0))
    assert audio.shape == VOICE.shape
    assert audio.dtype == np.float32
    assert 20 * np.log10(np.sqrt(np.mean(audio**2))) == pytest.approx(-20.0, abs=1.0)


def test_the_telephone_takes_the_bass() -> None:
    bass = np.sin(np.arange(AUDIO_RATE) * 2 * np.pi * 80 / AUDIO_RATE).astype(np.float32)
    rng = np.random.default_rng(0)
    levels = [
        float(np.abs(simulate_recording(bass, RecordingConditions(telephone=telephone), rng)[4000:]).max())
        for telephone in (False, True)
    ]
    assert levels[1] < 0.1 * levels[0]


def test_conditions_are_drawn_from_the_generator() -> None:
    drawn = [draw_conditions(np.random.default_rng(seed)) for seed in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]
