"""Recordings: their loudness, one value a frame, and which pictures speak with them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.report import NOT_RUN
from dramatis_lab.evaluate.rows import real_recordings
from dramatis_lab.evaluate.rows.real_films import Filming, RealBench
from dramatis_lab.evaluate.rows.real_recordings import frame_levels, load_recordings, recording_row
from tests.dramatis.senses.seeing.conftest import skip_without_library
from tests.dramatis_lab.evaluate.rows.real_inputs import film_stills
from tests.inputs import voice


def test_levels_have_one_value_a_frame() -> None:
    loud = np.random.default_rng(0).normal(0, 0.2, 16_000).astype(np.float32)
    loud[8_000:] *= 0.001
    levels = frame_levels(loud)
    assert levels.shape == (25,)
    assert levels[:12].min() > 0.8
    assert levels[13:].max() < 0.1


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder beside the checkout with two recordings, longer than what is used of them."""
    folder = tmp_path / "shared"
    (folder / "voices").mkdir(parents=True)
    for name, rate in (("a.wav", 8_000), ("b.flac", 48_000)):
        soundfile.write(folder / "voices" / name, voice(5.0, rate), rate)
    (folder / "voices" / "README.md").write_text("two voices")
    monkeypatch.setattr(real_recordings, "shared_folder", lambda: folder)
    return folder


def test_recordings_are_cut_and_resampled(shared: Path, tmp_path: Path) -> None:
    recordings = load_recordings(tmp_path)
    assert [soundfile.info(recording.path).samplerate for recording in recordings] == [16_000, 16_000]
    assert [len(recording.level) for recording in recordings] == [100, 100]


def test_films_are_held_against_loudness(shared: Path, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    skip_without_library()
    film_stills(monkeypatch)
    real = RealBench(bench, most=0)
    assert recording_row(real, Filming.FILM).value == NOT_RUN
    real.portraits = [real.photograph]
    row = recording_row(real, Filming.FILM)
    assert "1 films" in row.value
    assert row.passed is None
