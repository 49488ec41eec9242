"""Precomputed clips of groups: one safetensors file a sample, with the tensors of its clips and its row.

`precompute_groups` lists the tensors; the mask head and the group adapter learn from them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from dramatis.runtime.files import publish
from dramatis.story.vocabulary import without_company


class GroupClip(NamedTuple):
    """One precomputed clip: the row of its sample, with `strided` besides, and its tensors."""

    row: dict[str, Any]
    tensors: dict[str, Tensor]


class GroupClipDataset:
    """The clips of all precomputed samples, in memory."""

    def __init__(self, folders: Sequence[Path]) -> None:
        self.folders, self.files = folders, set[Path]()
        self.clips: list[GroupClip] = []
        self.refresh()

    def __len__(self) -> int:
        return len(self.clips)

    def refresh(self) -> None:
        """Take in files that appeared since the last look."""
        for path in sorted({path for folder in self.folders for path in folder.glob("*.safetensors")} - self.files):
            with safe_open(path, framework="pt") as file:
                row = json.loads(file.metadata()["row"])
                clips: dict[str, dict[str, Tensor]] = {}
                for number, name in (key.split(".") for key in file.keys()):  # noqa: SIM118
                    clips.setdefault(number, {})[name] = file.get_tensor(f"{number}.{name}")
            self.clips += [GroupClip(row | {"strided": number == "1"}, clip) for number, clip in sorted(clips.items())]
            self.files.add(path)


def write_group_clips(path: Path, row: dict[str, Any], clips: Sequence[dict[str, Tensor]]) -> None:
    """Write the clips of one sample, in half precision."""
    partial = path.with_suffix(".part")
    halves = {f"{number}.{name}": value.half() for number, clip in enumerate(clips) for name, value in clip.items()}
    save_file(halves, partial, metadata={"row": json.dumps(row)})
    publish(partial, path)


def group_caption(row: dict[str, Any]) -> str:
    """The caption of a clip as the network reads it for one person's window."""
    return without_company(row["whole_caption" if row["strided"] else "caption"])


def given_flags(clip: dict[str, Tensor]) -> Tensor:
    """(F,) 1 where a frame of a clip is given, F > 1: the first, and the last where its `tail` is."""
    flags = torch.zeros(4 * clip["z"].shape[1] - 3)
    flags[0], flags[-1] = 1, clip["tail"]
    return flags
