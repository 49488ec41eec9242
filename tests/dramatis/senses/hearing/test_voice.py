"""A voice is told from other sounds, at any length of blocks."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from dramatis.senses.hearing.voice import voice_probability, with_voices
from dramatis.story.observations import AudioEvent
from dramatis.story.values import FrameSpan
from tests import ROOT

RATE = 16_000
SPEECH = ROOT / "examples" / "speech.wav"


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    samples, rate = soundfile.read(SPEECH, dtype="float32", frames=5 * RATE)
    assert rate == RATE
    return samples


def test_a_voice_is_heard_in_noise_and_noise_is_none(speech: np.ndarray) -> None:
    noise = 0.02 * np.random.default_rng(0).standard_normal(len(speech)).astype(np.float32)
    frames = 25 * len(speech) // RATE
    alone, both = (voice_probability([sound], frames) for sound in (noise, speech + noise))
    assert alone.shape == both.shape == (frames,)
    assert alone.max() < 0.3
    assert both.mean() > 0.6
    tone = 0.3 * np.sin(2 * np.pi * 220 * np.arange(4 * RATE) / RATE)
    assert voice_probability([tone], 100).mean() < 0.3


def test_blocks_do_not_matter_and_nothing_is_silence(speech: np.ndarray) -> None:
    whole = voice_probability([speech], 100)
    np.testing.assert_allclose(voice_probability(np.array_split(speech, 37), 100), whole, atol=1e-5)
    assert voice_probability([], 10).tolist() == [0.0] * 10


def test_long_sound_is_heard_as_its_parts_are(speech: np.ndarray) -> None:
    long = np.tile(speech, 9)
    found = voice_probability([long], 25 * len(long) // RATE)
    once = voice_probability([speech], 25 * len(speech) // RATE)
    # Pieces are heard with a lead, so what came long before leaves little behind.
    assert np.abs(found[: len(once)] - once).max() < 0.2
    assert np.abs(found.reshape(9, -1).mean(1) - once.mean()).max() < 0.1


def event(kind: str, start: int, stop: int) -> AudioEvent:
    return AudioEvent(kind=kind, span=FrameSpan(start, stop), energy=0.5)


def test_events_are_split_where_the_voice_ends() -> None:
    probability = np.zeros(200, np.float32)
    probability[20:60] = 0.9
    probability[64:100] = 0.9
    probability[150:200] = 0.9
    found = with_voices((event("pause", 0, 20), event("speech", 20, 140), event("noise", 140, 200)), probability)
    kinds = [(item.kind, item.span.start, item.span.stop) for item in found]
    # A dip of four frames is part of the speech; ten frames before a whisper are part of it.
    assert kinds == [("pause", 0, 20), ("speech", 20, 100), ("noise", 100, 140), ("speech", 140, 200)]


def test_song_with_a_voice_stays_song_and_a_whistle_does_not() -> None:
    probability = np.zeros(100, np.float32)
    probability[:30] = 0.9
    found = with_voices((event("singing", 0, 60), event("singing", 60, 100)), probability)
    assert [item.kind for item in found] == ["singing", "noise"]
