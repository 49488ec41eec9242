"""Files that are either whole or absent: written beside their final path, flushed to the disk, then renamed."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

_BLOCK = 1 << 20
_PIECE, _PIECES = 1 << 16, 17


def publish(partial: Path, final: Path) -> None:
    """Move a finished file to its final path so that a crash leaves the old file, the new one, or none.

    Both paths must be on the same filesystem. The data reach the disk before the name does, and the directory entry is
    flushed last.
    """
    with open(partial, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(partial, final)
    if hasattr(os, "O_DIRECTORY"):  # only POSIX can flush a directory
        directory = os.open(final.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


def write_whole(path: str | Path, data: bytes | str) -> None:
    """Write a small file (a storyline, a manifest) whole or not at all; text is UTF-8. Missing folders are made."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(data.encode("utf-8") if isinstance(data, str) else data)
        publish(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def hash_file(path: str | Path) -> str:
    """SHA-256 (hex) of a file's bytes, read in blocks: what an artifact's key contains of inputs and weights."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def quick_hash_file(path: str | Path) -> str:
    """SHA-256 (hex) of a file's size and of pieces spread evenly over it, the first and last bytes included.

    It distinguishes versions of a file of many gigabytes in milliseconds; a file of up to 1 MB is read whole.
    """
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        digest = hashlib.sha256(str(size).encode())
        last = max(0, size - _PIECE)
        for start in sorted({last * piece // (_PIECES - 1) for piece in range(_PIECES)}):
            file.seek(start)
            digest.update(file.read(_PIECE))
    return digest.hexdigest()
