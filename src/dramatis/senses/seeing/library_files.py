"""The files of the library's eye: mediapipe's networks (Apache-2.0), taken out of its wheel and checked by SHA-256.

The package itself is not wanted: it would bring jax and an older numpy. Its wheel is fetched by pip, seven networks are
unpacked into the user's cache, and nothing of the package is ever imported. An installed mediapipe serves as well.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
from functools import cache
from pathlib import Path

from dramatis.errors import UserError
from dramatis.runtime.files import hash_file, write_whole

MEDIAPIPE_VERSION = "0.10.21"
_WHEEL = "05dc4a9e593655a79558d05d6227d31018c2537a4bd3362b51e230cf22aecfe3"
"""SHA-256 of the wheel for Python 3.11 on x86-64 Linux. The networks in it serve every machine."""
_WHEEL_OPTIONS = (
    "--only-binary=:all:", "--platform", "manylinux_2_28_x86_64", "--python-version", "3.11", "--implementation", "cp",
    "--abi", "cp311",
)  # fmt: skip
_FOLDER = "mediapipe/modules"
_LICENCE = f"mediapipe-{MEDIAPIPE_VERSION}.dist-info/LICENSE"
LIBRARY_FILES = {
    "face_detection/face_detection_full_range_sparse.tflite":
        "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
    "face_detection/face_detection_short_range.tflite":
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
    "face_landmark/face_landmark.tflite":
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
    "iris_landmark/iris_landmark.tflite":
        "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
    "pose_detection/pose_detection.tflite":
        "9ba9dd3d42efaaba86b4ff0122b06f29c4122e756b329d89dca1e297fd8f866c",
    "pose_landmark/pose_landmark_full.tflite":
        "e9a5c5cb17f736fafd4c2ec1da3b3d331d6edbe8a0d32395855aeb2cdfd64b9f",
    "selfie_segmentation/selfie_segmentation.tflite":
        "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
}  # fmt: skip
"""The networks in use, under `mediapipe/modules`, and their SHA-256."""


def library_folder() -> Path:
    """Where the networks are unpacked: the user's cache folder (XDG base directories)."""
    cache_folder = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache_folder / "dramatis" / f"mediapipe-{MEDIAPIPE_VERSION}"


@cache
def missing_for_library_eye() -> str | None:
    """Why the library's eye cannot be used here, in words; None where it can."""
    if importlib.util.find_spec("ai_edge_litert") is None:
        return "the package ai-edge-litert is not installed"
    return None if find_library_files() else "mediapipe's networks have not been fetched"


def find_library_files() -> Path | None:
    """The folder with all networks as published, `mediapipe/modules` of some copy; None where there is none."""
    return next((folder for folder in _candidates() if _is_whole(folder)), None)


def _candidates() -> list[Path]:
    folders = [library_folder() / _FOLDER]
    installed = importlib.util.find_spec("mediapipe")  # looks for the package without importing it
    if installed is not None:
        folders += [Path(place) / "modules" for place in installed.submodule_search_locations or ()]
    return folders


def _is_whole(folder: Path) -> bool:
    return all(
        (folder / name).is_file() and hash_file(folder / name) == sha256 for name, sha256 in LIBRARY_FILES.items()
    )


def install_library_files() -> Path:
    """Fetch the wheel with pip and unpack its networks and licence; returns their folder.

    Files that are there already are kept. Raises UserError where the wheel cannot be fetched or is another one.
    """
    if (found := find_library_files()) is not None:
        return found
    with tempfile.TemporaryDirectory() as scratch:
        wheel = _fetched_wheel(Path(scratch))
        with zipfile.ZipFile(wheel) as archive:
            for name in (_LICENCE, *(f"{_FOLDER}/{name}" for name in LIBRARY_FILES)):
                write_whole(library_folder() / name, archive.read(name))
    missing_for_library_eye.cache_clear()
    folder = library_folder() / _FOLDER
    assert _is_whole(folder), "the wheel has the right checksum but other networks"
    return folder


def _fetched_wheel(scratch: Path) -> Path:
    """The wheel, downloaded into a folder."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += [*_WHEEL_OPTIONS, "--dest", str(scratch), f"mediapipe=={MEDIAPIPE_VERSION}"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    wheel = next(scratch.glob("*.whl"), None)
    if result.returncode or wheel is None:
        reason = (result.stderr.strip().splitlines() or ["no reason was given"])[-1]
        raise UserError(
            f"The networks of mediapipe {MEDIAPIPE_VERSION} could not be fetched with pip ({reason}); try again where "
            "the package index can be reached."
        )
    if hash_file(wheel) != _WHEEL:
        raise UserError(
            f"The package index served another mediapipe {MEDIAPIPE_VERSION} than the one that is expected; fetch it "
            "from another index."
        )
    return wheel
