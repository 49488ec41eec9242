"""The library's files: found where they are whole, fetched with pip, refused where they are others."""

from __future__ import annotations

import hashlib
import subprocess
import zipfile
from pathlib import Path

import pytest

from dramatis.errors import UserError
from dramatis.senses.seeing import library_files

NAME = "face_landmark/face_landmark.tflite"


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel with one small network, which is all that is expected, and an empty cache."""
    path = tmp_path / "index" / "mediapipe-0.10.21-cp311-cp311-manylinux_2_28_x86_64.whl"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"mediapipe/modules/{NAME}", b"weights")
        archive.writestr("mediapipe-0.10.21.dist-info/LICENSE", "Apache")
        archive.writestr("mediapipe/__init__.py", "raise ImportError")
    monkeypatch.setattr(library_files, "LIBRARY_FILES", {NAME: hashlib.sha256(b"weights").hexdigest()})
    monkeypatch.setattr(library_files, "_WHEEL", hashlib.sha256(path.read_bytes()).hexdigest())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(library_files.importlib.util, "find_spec", lambda name: None)
    return path


@pytest.fixture
def commands(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """What pip is asked for; it serves the wheel."""
    asked: list[list[str]] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        asked.append(command)
        folder = Path(command[command.index("--dest") + 1])
        (folder / wheel.name).write_bytes(wheel.read_bytes())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    return asked


def test_only_the_networks_and_the_licence_are_unpacked_and_only_once(commands: list[list[str]]) -> None:
    assert library_files.find_library_files() is None
    folder = library_files.install_library_files()
    assert folder == library_files.find_library_files()
    files = [path.relative_to(library_files.library_folder()) for path in library_files.library_folder().rglob("*.*")]
    names = {str(path) for path in files}
    assert f"mediapipe/modules/{NAME}" in names
    assert not any(name.endswith(".py") for name in names)
    assert (library_files.library_folder() / "mediapipe-0.10.21.dist-info" / "LICENSE").read_text() == "Apache"
    assert library_files.install_library_files() == folder
    (command,) = commands
    assert "--no-deps" in command
    assert command[-1] == "mediapipe==0.10.21"


def test_a_damaged_network_counts_as_missing(commands: list[list[str]]) -> None:
    folder = library_files.install_library_files()
    (folder / NAME).write_bytes(b"weight")
    assert library_files.find_library_files() is None
    library_files.install_library_files()
    assert library_files.find_library_files() == folder
    assert len(commands) == 2


def test_another_wheel_is_refused(commands: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_files, "_WHEEL", "0" * 64)
    with pytest.raises(UserError, match=r"another mediapipe 0\.10\.21 than the one that is expected; fetch it"):
        library_files.install_library_files()
    assert library_files.find_library_files() is None


def test_without_an_index_the_reason_is_told(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.CompletedProcess(command, 1, "", "WARNING: slow\nERROR: no route\n")

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(UserError, match=r"could not be fetched with pip \(ERROR: no route\); try again where"):
        library_files.install_library_files()


def test_what_is_missing_is_said_in_words(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = library_files.missing_for_library_eye.__wrapped__
    assert missing() == "the package ai-edge-litert is not installed"
    monkeypatch.setattr(library_files.importlib.util, "find_spec", lambda name: name == "ai_edge_litert" or None)
    monkeypatch.setattr(library_files, "_candidates", list)
    assert missing() == "mediapipe's networks have not been fetched"
