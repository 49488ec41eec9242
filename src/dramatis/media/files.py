"""Checks before any work: whether the input exists, the output can be written, and the disk has enough space."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

from dramatis.errors import UserError

BYTES_PER_PIXEL = 2.5
"""Bytes of disk that a job needs for each pixel of each output frame: about 1 for the finished clips, packed without
loss; 0.6 for their inputs (a quarter of the pixels in clips, transitions and blueprint, and keyframes at full size); at
worst 0.5 for the mp4 and its partial copy; the rest is for pictures that pack badly."""


def check_input(path: str | Path, what: str) -> Path:
    """The path of a readable, non-empty file. `what` names it: "image", "audio". Raises UserError."""
    path = Path(path)
    if not path.exists():
        raise UserError(f"The {what} file {path} does not exist; check the path.")
    if not path.is_file():
        raise UserError(f"The {what} {path} is a folder or device, not a file; give the path of one {what} file.")
    try:
        with open(path, "rb") as file:
            empty = not file.read(1)
    except OSError as error:
        raise UserError(f"The {what} file {path} cannot be read ({error.strerror}); check its permissions.") from error
    if empty:
        raise UserError(f"The {what} file {path} is empty; export or download it again.")
    return path


def check_output(path: str | Path, suffixes: tuple[str, ...] = (".mp4",)) -> Path:
    """The path of a file that can be written. Makes no folder and leaves nothing behind. Raises UserError."""
    path = Path(path)
    if path.suffix.lower() not in suffixes:
        raise UserError(f"The output {path} must end in {' or '.join(suffixes)}; rename it.")
    if path.is_dir():
        raise UserError(f"The output {path} is a folder; give the name of a file in it.")
    folder = _nearest_existing(path.absolute().parent)
    if not folder.is_dir():
        raise UserError(f"The output {path} cannot be written because {folder} is not a folder; choose another path.")
    try:
        # Permission bits say nothing about read-only mounts, quotas or the superuser, so try.
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"The output {path} cannot be written in {folder} ({error.strerror}); choose another path."
        ) from error
    return path


def estimate_disk(frames: int, pixels: float, bytes_per_pixel: float = BYTES_PER_PIXEL) -> int:
    """Most bytes of disk that a job of `frames` frames needs, of which each is filmed at `pixels` pixels."""
    return int(frames * pixels * bytes_per_pixel)


def check_disk(folder: str | Path, needed: int) -> None:
    """Raise UserError unless the disk of `folder` (which need not exist yet) has `needed` bytes free."""
    free = shutil.disk_usage(_nearest_existing(Path(folder).absolute())).free
    if free < needed:
        raise UserError(
            f"The job needs about {_readable(needed)} of disk, but {folder} has {_readable(free)} free; "
            "free some space, choose another folder or give a shorter audio."
        )


def _nearest_existing(path: Path) -> Path:
    while not os.path.lexists(path) and path != path.parent:
        path = path.parent
    return path


def _readable(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
