"""Paths and disk: refused before any work, nothing left behind."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from dramatis.errors import UserError
from dramatis.media import files
from dramatis.media.audio import probe
from dramatis.media.video import VideoWriter, probe_video
from tests.inputs import MakeAudio


def test_output_in_a_new_folder_is_fine_and_nothing_is_made(tmp_path: Path) -> None:
    assert files.check_output(tmp_path / "a" / "b" / "out.mp4").name == "out.mp4"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("name", "word"),
    [("out.avi", "must end in"), ("folder.mp4", "is a folder"), ("file.txt/out.mp4", "not a folder")],
)
def test_unwritable_output_is_refused(tmp_path: Path, name: str, word: str) -> None:
    (tmp_path / "folder.mp4").mkdir()
    (tmp_path / "file.txt").write_text("here")
    with pytest.raises(UserError, match=word):
        files.check_output(tmp_path / name)


def test_read_only_place_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(files.tempfile, "TemporaryFile", refuse)
    with pytest.raises(UserError, match="Read-only file system"):
        files.check_output(tmp_path / "out.mp4")


def test_two_hours_without_space_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needed = files.estimate_disk(2 * 3600 * 25, 128 * 128)
    assert 1e9 < needed < 1e10
    files.check_disk(tmp_path, 1)
    full = SimpleNamespace(total=10**12, used=10**12 - 10**8, free=10**8)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: full)
    with pytest.raises(UserError, match=r"needs about 7\.4 GB .* has 100 MB free"):
        files.check_disk(tmp_path / "not" / "yet", needed)


@pytest.mark.parametrize("name", ["her voice.wav", "a:b.wav", "%d #1 é 声.wav", "-o.wav"])
def test_any_file_name_will_do(
    make_audio: MakeAudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frames: NDArray[np.uint8], name: str
) -> None:
    source = make_audio()
    (tmp_path / name).write_bytes(source.read_bytes())
    monkeypatch.chdir(tmp_path)
    assert probe(name).duration == 1.0
    with VideoWriter(name.replace(".wav", ".mp4"), (96, 64), audio=name) as writer:
        writer.write(frames[0])
    assert probe_video(name.replace(".wav", ".mp4")).frames == 1
