"""Endurance: a render that is killed loses nothing that it had finished, and does not make it again."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dramatis.runtime.store import ArtifactStore


@dataclass(frozen=True)
class Run:
    """How a watched command ended: by a kill or by itself, how many seconds after its first line of output.

    lost: keys of finished artifacts that are gone, damaged, or were written again.
    """

    killed: bool
    seconds: float
    lost: frozenset[str]


def watch(command: Sequence[str], store: Path, limit: float | None = None) -> Run:
    """Run a command that fills the artifact store at `store`; kill it `limit` seconds after its first line of output.

    Raises RuntimeError when the command ends by itself with an error.
    """
    finished = _written(store)
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        started = time.monotonic()
        try:
            status = process.wait(limit)
        except subprocess.TimeoutExpired:
            status = None
            finished = _written(store) | finished
            process.kill()
    if status:
        raise RuntimeError(f"the watched command failed with status {status}: {' '.join(command)}")
    return Run(status is None, time.monotonic() - started, _lost(store, finished))


def _written(store: Path) -> dict[str, int]:
    """Key -> when its artifact was written, in nanoseconds."""
    return {path.stem: path.stat().st_mtime_ns for path in store.glob("??/*.safetensors")}


def _lost(root: Path, finished: dict[str, int]) -> frozenset[str]:
    now, store = _written(root), ArtifactStore(root)
    return frozenset(key for key, written in finished.items() if now.get(key) != written or not store.has(key))
