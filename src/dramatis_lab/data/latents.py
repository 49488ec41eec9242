"""Precomputed latents on disk: one safetensors file for each shard, with the rows of its samples in the metadata."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from dramatis.runtime.files import publish
from dramatis_lab.data.shards import ShardDataset
from dramatis_lab.data.tasks import CascadeTask

LatentSample = tuple[dict[str, Tensor], dict[str, Any]]
"""The tensors of one sample, and what its row says besides the shard's."""


class LatentDataset:
    """All precomputed samples in memory, one tensor per name; without those that are not needed."""

    def __init__(self, folder: Path, without: Collection[str] = ()) -> None:
        self.folder = folder
        self.without = without
        self.files: list[Path] = []
        self.rows: list[dict[str, Any]] = []
        self.tensors: dict[str, list[Tensor]] = {}
        self._rows_by_length: dict[CascadeTask, dict[int, list[int]]] = {}
        self.refresh()

    def refresh(self) -> None:
        """Take in files that appeared since the last look."""
        for path in sorted(self.folder.glob("*.safetensors")):
            if path in self.files:
                continue
            self._rows_by_length.clear()
            with safe_open(path, framework="pt") as file:
                self.rows += json.loads(file.metadata()["rows"])
                for name in set(file.keys()) - set(self.without):
                    self.tensors.setdefault(name, []).extend(file.get_tensor(name))
            self.files.append(path)

    def __len__(self) -> int:
        return len(self.rows)

    def rows_by_length(self, task: CascadeTask) -> dict[int, list[int]] | None:
        """Rows by the latent frames of their clip, for a task with both ends given; None: any row and length do."""
        if not task.both_ends:
            return None
        if task not in self._rows_by_length:
            groups = self._rows_by_length.setdefault(task, {})
            for index, row in enumerate(self.rows):
                if task.strided or row["gap"] == (task is CascadeTask.GAP):
                    groups.setdefault(row["lengths"][task.clip], []).append(index)
        return self._rows_by_length[task]

    def stack(self, name: str, indices: np.ndarray) -> Tensor:
        """(B, ...) float32."""
        return torch.stack([self.tensors[name][i] for i in indices]).float()


def write_latents(
    shards: ShardDataset,
    indices: Iterable[int],
    out: Path,
    sample: Callable[[int], LatentSample],
    part: int = 0,
    parts: int = 1,
) -> None:
    """Write the samples `indices`, shard by shard, where a shard is not there yet.

    sample: makes the sample of an index. part, parts: of so many processes that share the work, the number of this one.
    """
    out.mkdir(parents=True, exist_ok=True)
    by_shard: dict[Path, list[int]] = {}
    for index in indices:
        by_shard.setdefault(shards.rows[index][0], []).append(index)
    for number, (path, members) in enumerate(by_shard.items()):
        target = out / path.name
        if target.exists() or number % parts != part:
            continue
        torch.manual_seed(number)
        samples = [sample(index) for index in members]
        stacked = {name: torch.stack([tensors[name] for tensors, _ in samples]) for name in samples[0][0]}
        rows = [shards.row(index) | about for index, (_, about) in zip(members, samples, strict=True)]
        partial = target.with_suffix(".part")
        save_file(stacked, partial, metadata={"rows": json.dumps(rows)})
        publish(partial, target)
        print(f"{number + 1}/{len(by_shard)} {target.name}", flush=True)
