"""Hearing finds the pauses, tells voice from noise, and does not care how the audio is cut into blocks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dramatis.senses.hearing.prosody import listen, prosody_of
from dramatis.story.values import AUDIO_RATE

Samples = NDArray[np.float32]


def voice(seconds: float, seed: int = 0) -> Samples:
    """Something like speech: a gliding buzz in syllables, with formant-like harmonics and a little noise."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * AUDIO_RATE)) / AUDIO_RATE
    pitch = 130 * 2 ** (0.35 * np.sin(2 * np.pi * 1.3 * time + seed))
    phase = 2 * np.pi * np.cumsum(pitch) / AUDIO_RATE
    buzz = sum(np.sin(k * phase) / k for k in range(1, 9))
    syllables = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * time)
    return (0.2 * buzz * syllables + 0.002 * rng.standard_normal(len(time))).astype(np.float32)


def hush(seconds: float) -> Samples:
    return (0.0005 * np.random.default_rng(1).standard_normal(round(seconds * AUDIO_RATE))).astype(np.float32)


def test_pauses_are_found_within_three_frames() -> None:
    audio = np.concatenate([hush(0.6), voice(2.0), hush(0.5), voice(1.5, 2), hush(0.4)])
    heard = listen([audio])
    assert [event.kind for event in heard.events] == ["pause", "speech", "pause", "speech", "pause"]
    borders = [event.span.start for event in heard.events[1:]]
    assert np.abs(np.array(borders) - 25 * np.cumsum([0.6, 2.0, 0.5, 1.5])).max() <= 3
    assert heard.frames == 125
    assert heard.seconds == pytest.approx(5.0)


def test_silence_is_one_pause_and_noise_is_no_voice() -> None:
    assert [event.kind for event in listen([np.zeros(48_000)]).events] == ["pause"]
    noise = 0.2 * np.random.default_rng(0).standard_normal(32_000)
    kinds = {event.kind for event in listen([np.concatenate([np.zeros(16_000), noise])]).events}
    assert kinds == {"pause", "noise"}


def test_held_notes_are_singing() -> None:
    time = np.arange(AUDIO_RATE) / AUDIO_RATE
    notes = [sum(np.sin(2 * np.pi * k * hertz * time) / k for k in range(1, 6)) for hertz in (220, 262, 330)]
    heard = listen([np.concatenate([np.zeros(8000), *notes, np.zeros(8000)]) * 0.2])
    assert [event.kind for event in heard.events] == ["pause", "singing", "pause"]


@settings(deadline=None, max_examples=15)
@given(cuts=st.lists(st.integers(0, 32_000), max_size=6))
def test_blocks_do_not_matter(cuts: list[int]) -> None:
    audio = np.concatenate([hush(0.4), voice(1.2), hush(0.4)])
    assert listen(np.split(audio, sorted(cuts))) == listen([audio])


@settings(deadline=None, max_examples=30)
@given(samples=st.integers(1, 40_000))
def test_any_length(samples: int) -> None:
    heard = listen([voice(3.0)[:samples]])
    assert heard.frames == max(1, round(samples * 25 / AUDIO_RATE))
    assert len(prosody_of(heard)) == heard.frames


def test_bad_samples_and_no_samples() -> None:
    audio = voice(1.0)
    audio[1000:1100] = np.nan
    assert all(np.isfinite(listen([audio]).energy))
    with pytest.raises(ValueError, match="no audio"):
        listen([])
