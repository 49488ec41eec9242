"""Reading the shards of the synthetic world: a growing folder of safetensors files, each with a JSON manifest.

The first frame of a sample is the reference; `DENSE` and `STRIDED` are the frames of its two clips.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from safetensors import safe_open

DENSE, STRIDED = slice(1, 30), slice(30, 59)


class GrowingDataset(Protocol):
    """Samples of which more may be written while they are learnt from."""

    def __len__(self) -> int: ...
    def refresh(self) -> None:
        """Take in files that appeared since the last look."""


class ShardDataset:
    """Random access to the samples of a folder; arrays are read one by one, so memory stays small.

    Shards may still be written by another process: `refresh` finds the new ones.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._handles: dict[Path, Any] = {}
        self.rows: list[tuple[Path, dict[str, Any]]] = []
        self.refresh()

    def refresh(self) -> None:
        """Take in shards that appeared since the last look."""
        known = {path for path, _ in self.rows}
        for manifest in sorted(self.folder.glob("shard-*.json")):
            path = manifest.with_suffix(".safetensors")
            if path in known or not path.exists():
                continue
            rows = json.loads(manifest.read_text())
            self.rows.extend((path, {**row, "slot": slot}) for slot, row in enumerate(rows))

    def __len__(self) -> int:
        return len(self.rows)

    def row(self, index: int) -> dict[str, Any]:
        """The manifest row of a sample."""
        return self.rows[index][1]

    def has(self, index: int, key: str) -> bool:
        """Whether a sample has an array."""
        path, row = self.rows[index]
        return f"{row['slot']}/{key}" in self._open(path).keys()  # noqa: SIM118

    def get(self, index: int, key: str) -> np.ndarray:
        """One array of a sample."""
        path, row = self.rows[index]
        return self._open(path).get_tensor(f"{row['slot']}/{key}")

    def frames(self, index: int, rows: slice | list[int]) -> np.ndarray:
        """Some frames of a sample, (n, H, W, 3) uint8, without reading the rest when they are consecutive."""
        view = self._view(index, "frames")
        if isinstance(rows, slice):
            return view[rows]
        return np.concatenate([view[i : i + 1] for i in rows])

    def frame_count(self, index: int) -> int:
        """How many frames a sample has."""
        return int(self._view(index, "frames").get_shape()[0])

    def get_row(self, index: int, key: str, row: int) -> np.ndarray:
        """One row of an array of a sample, without reading the rest."""
        return self._view(index, key)[row : row + 1][0]

    def _view(self, index: int, key: str) -> Any:
        path, row = self.rows[index]
        return self._open(path).get_slice(f"{row['slot']}/{key}")

    def _open(self, path: Path) -> Any:
        if path not in self._handles:
            self._handles[path] = safe_open(path, framework="np")
        return self._handles[path]
