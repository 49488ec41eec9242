"""Sheets of real pictures: the right moments, two cells each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from dramatis_lab.evaluate.cases.timed_voices import TimedVoice
from dramatis_lab.evaluate.rows.real_films import Filming, MeshedFilm, RealFilm
from dramatis_lab.evaluate.rows.real_sheets import save_sheets, sheet_row

PHONES = ((0.0, 0.2, "pau"), (0.2, 1.0, "aa"), (1.0, 1.08, "b"), (1.08, 1.4, "aa"), (1.4, 1.8, "pau"), (1.8, 2.0, "aa"))


def test_wide_shut_and_pause_are_shown(tmp_path: Path) -> None:
    film = RealFilm("her", Filming.FILM, tmp_path / "her.png", tmp_path / "her.mp4")
    frames = [np.full((60, 60, 3), 4 * number, np.uint8) for number in range(50)]
    mesh = np.random.default_rng(0).uniform(10, 50, (468, 3))
    meshed = MeshedFilm(film, mesh, np.repeat(mesh[None], 50, 0))
    gaps = np.full(50, 0.02)
    gaps[22], gaps[8] = 0.05, 0.09
    meshed.__dict__["gaps"] = gaps
    film.__dict__.update(frames=frames, portrait=frames[0])
    row = sheet_row(meshed, TimedVoice(tmp_path / "voice.flac", PHONES, np.zeros(50)))
    assert [label for label in row.labels if label] == [
        "her portrait", "her wide 8: 0.090", "her shut 26: 0.020", "her pause 40: 0.020",
    ]  # fmt: skip
    shown = [np.asarray(cell)[128, 128, 0] // 4 for cell in row.cells]
    assert shown == [0, 0, 8, 8, 26, 26, 40, 40]
    paths = save_sheets([row] * 5, tmp_path / "sheets", "film")
    assert [path.name for path in paths] == ["film-00.png", "film-01.png"]
    with Image.open(paths[0]) as sheet:
        assert sheet.width > 8 * 256
