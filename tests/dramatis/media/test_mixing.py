"""Voices add up, keep their levels unless they would clip, and last as long as the longest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from dramatis.media.mixing import CEILING, mix_down


def tone(path: Path, seconds: float, level: float, pitch: float, rate: int = 16_000) -> Path:
    samples = level * np.sin(2 * np.pi * pitch * np.arange(int(seconds * rate)) / rate)
    soundfile.write(path, samples.astype(np.float32), rate, subtype="FLOAT")
    return path


def test_quiet_voices_add_up_as_they_are(tmp_path: Path) -> None:
    ann, bob = tone(tmp_path / "a.wav", 1.5, 0.3, 200), tone(tmp_path / "b.wav", 0.5, 0.2, 330)
    mix_down([ann, bob], tmp_path / "out" / "mix.wav", 16_000)
    mixed, rate = soundfile.read(tmp_path / "out" / "mix.wav")
    wanted, _ = soundfile.read(ann)
    wanted[:8000] += soundfile.read(bob)[0]
    assert rate == 16_000
    assert len(mixed) == 24_000
    assert np.abs(mixed - wanted).max() < 1e-3
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mix.wav"]


def test_what_would_clip_is_made_quieter_as_a_whole(tmp_path: Path) -> None:
    tracks = [tone(tmp_path / f"{k}.wav", 0.5, 0.9, 200) for k in range(3)]
    mix_down(tracks, tmp_path / "mix.wav", 16_000)
    mixed, _ = soundfile.read(tmp_path / "mix.wav")
    assert np.abs(mixed).max() == pytest.approx(CEILING, abs=1e-3)
    single, _ = soundfile.read(tracks[0])
    assert np.abs(mixed - single * CEILING / 0.9).max() < 1e-3, "the wave keeps its shape"


def test_tracks_of_other_rates_meet(tmp_path: Path) -> None:
    tracks = [tone(tmp_path / "a.wav", 0.5, 0.2, 200, 44_100), tone(tmp_path / "b.wav", 1.0, 0.2, 300, 8_000)]
    mix_down(tracks, tmp_path / "mix.wav", 44_100)
    info = soundfile.info(tmp_path / "mix.wav")
    assert (info.samplerate, info.frames, info.channels) == (44_100, 44_100, 1)
    mix_down(tracks[1:], tmp_path / "low.wav", 8_000)
    assert soundfile.info(tmp_path / "low.wav").samplerate == 16_000
