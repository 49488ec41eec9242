"""Refuse files that do not belong in the repository: large ones, raw assets, other makers' weights, archives.

`python .ci/check_files.py [FILE ...]`; without arguments it looks at everything that git tracks or would add.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]
MIB = 1 << 20
WEIGHTS = "src/dramatis/weights/"
LARGEST_SHARD = 16 * MIB
ALL_WEIGHTS = 64 * MIB
LARGEST_FILE = 3 * MIB

ARRAYS = ("truth.npz", "articulation.npz")
"""The array files that belong here: what a benchmark's clip was rendered from, and the tables that move mouths, derived
from ICT-FaceKit (MIT), whose notice lies beside them."""

REFUSED = {
    "a raw asset": {".npz", ".npy", ".obj", ".fbx", ".blend", ".mhclo", ".mhmat", ".hdr", ".exr"},
    "a network in another format than safetensors": {
        ".pt",
        ".pth",
        ".ckpt",
        ".bin",
        ".pkl",
        ".pickle",
        ".onnx",
        ".gguf",
    },
    "an archive": {".zip", ".tar", ".gz", ".7z", ".whl"},
}


def check_suffix(name: str) -> Iterable[str]:
    """A sentence if a file of this kind does not belong in the repository."""
    path = PurePosixPath(name)
    for kind, suffixes in REFUSED.items():
        if path.suffix.lower() in suffixes and path.name not in ARRAYS:
            yield f"{name} is {kind}; keep it out of the repository."


def check_size(name: str, size: int) -> Iterable[str]:
    """A sentence if a file is too large."""
    limit = LARGEST_SHARD if name.startswith(WEIGHTS) else LARGEST_FILE
    if size > limit:
        yield f"{name} has {size / MIB:.1f} MiB, more than {limit / MIB:.0f} MiB; make it smaller."


def check(names: Iterable[str]) -> list[str]:
    """A sentence for each fault of these files; names of files that are gone are passed over."""
    sizes = {name: (ROOT / name).stat().st_size for name in names if (ROOT / name).is_file()}
    sentences = [text for name, size in sizes.items() for text in (*check_suffix(name), *check_size(name, size))]
    weights = sum(size for name, size in sizes.items() if name.startswith(WEIGHTS))
    if weights > ALL_WEIGHTS:
        sentences.append(f"{WEIGHTS} has {weights / MIB:.1f} MiB, more than {ALL_WEIGHTS / MIB:.0f} MiB; store less.")
    return sentences


def tracked_files() -> list[str]:
    """Every file that git tracks or would add."""
    listing = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    return subprocess.run(listing, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")[:-1]


def main(names: list[str]) -> int:
    """Print every fault; return 1 if there is one."""
    sentences = check(names or tracked_files())
    for sentence in sentences:
        print(sentence, file=sys.stderr)
    return int(bool(sentences))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
