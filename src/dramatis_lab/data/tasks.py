"""What the video networks are asked to do, and the batches that they learn it from.

A task is a mask pattern: which frames are given. The low-resolution DiT learns the first five, the high-resolution one
the last two. Frames that are not given show a given one moved as head and camera move
(`sampling.conditioning.warp_fill`): what is left to learn is what moves itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from dramatis.models.reference import reference_tokens
from dramatis.motion.performance import EMOTION_COLUMNS
from dramatis.sampling.conditioning import with_low, with_mask

if TYPE_CHECKING:
    from dramatis_lab.data.latents import LatentDataset


class CascadeTask(Enum):
    """A mask pattern: in which clip of a sample (0 dense, 1 strided) how many pixel frames are given at either end."""

    FIRST = ("first", 0, 1, 0)
    """A dense clip, its first frame given."""
    SUB_CLIP = ("sub_clip", 0, 1, 1)
    """A dense clip between two given frames."""
    GAP = ("gap", 0, 5, 4)
    """A transition: a dense clip between given ends."""
    BLUEPRINT = ("blueprint", 1, 1, 0)
    """A strided clip, its first frame given."""
    BLUEPRINT_LAST = ("blueprint_last", 1, 1, 1)
    """A strided clip between two given frames."""
    HIGH_RESOLUTION_CLIP = ("high_resolution_clip", 0, 1, 1)
    """A sub-clip from its low-resolution version."""
    HIGH_RESOLUTION_KEYFRAME = ("high_resolution_keyframe", 0, 0, 0)
    """A single frame from its low-resolution version."""

    def __init__(self, label: str, clip: int, head: int, tail: int) -> None:
        self.label, self.clip, self.head, self.tail = label, clip, head, tail

    @property
    def strided(self) -> bool:
        """Whether the clip is the strided one."""
        return self.clip == 1

    @property
    def both_ends(self) -> bool:
        """Whether frames at both ends are given."""
        return self.tail > 0

    def flags(self, frames: int) -> Tensor:
        """(F,) 1 where one of `frames` pixel frames is given."""
        flags = torch.zeros(frames)
        flags[: self.head] = 1
        flags[frames - self.tail :] = 1
        return flags


LOW_RESOLUTION_TASKS = (
    CascadeTask.FIRST,
    CascadeTask.SUB_CLIP,
    CascadeTask.GAP,
    CascadeTask.BLUEPRINT,
    CascadeTask.BLUEPRINT_LAST,
)


@dataclass(frozen=True)
class TaskBatch:
    """One training batch; shapes as in `AudioDiT.forward`, `z` (B, 16, T, h, w) clean latents."""

    task: CascadeTask
    z: Tensor
    condition: Tensor
    image: Tensor
    audio: Tensor
    controls: Tensor
    maps: Tensor
    weight: Tensor
    captions: tuple[str, ...]
    windowed: bool = False

    def windows(self, corners: np.ndarray, side: int) -> TaskBatch:
        """Only the square of `side` cells at each row's corner (x, y), corners (B, 2)."""

        def cut(x: Tensor) -> Tensor:
            rows = zip(x, corners, strict=True)
            return torch.stack([row[..., top : top + side, left : left + side] for row, (left, top) in rows])

        return replace(
            self,
            z=cut(self.z),
            condition=cut(self.condition),
            maps=cut(self.maps),
            weight=cut(self.weight),
            windowed=True,
        )


def low_resolution_batch(data: LatentDataset, indices: np.ndarray, task: CascadeTask, frames: int) -> TaskBatch:
    """Clips of `frames` latent frames with the task's mask pattern; for tasks with both ends, rows of that length."""
    clip = task.clip
    if task.both_ends:
        assert all(data.rows[i]["lengths"][clip] == frames for i in indices), "clips of another length"
    pixel_frames = 4 * frames - 3
    latents = data.stack("both" if task.both_ends else "first", indices)[:, clip, :, :frames]
    pick = np.random.default_rng(int(indices[0])).integers(0, 2, len(indices))
    audio = data.stack("audio", indices)[torch.arange(len(indices)), torch.from_numpy(pick), clip]
    return TaskBatch(
        task=task,
        z=data.stack("z", indices)[:, clip, :, :frames],
        condition=with_mask(latents, task.flags(pixel_frames)),
        image=reference_tokens(data.stack("reference", indices)),
        audio=audio[:, :pixel_frames].unsqueeze(1),
        controls=data.stack("controls", indices)[:, clip, :pixel_frames],
        maps=data.stack("maps", indices)[:, clip, :pixel_frames],
        weight=data.stack("weight", indices)[:, clip, :frames],
        captions=tuple(data.rows[i]["whole_caption" if task.strided else "caption"] for i in indices),
    )


def high_resolution_clips(data: LatentDataset, indices: np.ndarray, frames: int) -> TaskBatch:
    """Sub-clips of `frames` latent frames with both ends given: rows of that length."""
    assert all(data.rows[i]["length"] == frames for i in indices), "clips of another length"
    task, pixel_frames = CascadeTask.HIGH_RESOLUTION_CLIP, 4 * frames - 3
    given = with_mask(data.stack("both", indices)[:, :, :frames], task.flags(pixel_frames))
    return TaskBatch(
        task=task,
        z=data.stack("z", indices)[:, :, :frames],
        condition=with_low(given, data.stack("low", indices)[:, :, :frames]),
        image=reference_tokens(data.stack("reference", indices)),
        audio=data.stack("audio", indices)[:, :pixel_frames].unsqueeze(1),
        controls=data.stack("controls", indices)[:, :pixel_frames],
        maps=data.stack("maps", indices)[:, :pixel_frames],
        weight=data.stack("weight", indices)[:, :frames],
        captions=tuple(data.rows[i]["caption"] for i in indices),
    )


def high_resolution_keyframes(data: LatentDataset, indices: np.ndarray) -> TaskBatch:
    """Single frames, all that the rows hold: nothing is given, the reference is moved to their pose."""
    task = CascadeTask.HIGH_RESOLUTION_KEYFRAME
    key_index = data.stack("key_index", indices).long()
    count = key_index.shape[1]

    def flat(name: str) -> Tensor:
        return data.stack(name, indices).flatten(0, 1).unsqueeze(2)

    def at_keys(name: str) -> Tensor:
        rows = data.stack(name, indices)
        return torch.stack([row[index] for row, index in zip(rows, key_index, strict=True)]).flatten(0, 1).unsqueeze(1)

    weight = torch.stack([w[(k + 3) // 4] for w, k in zip(data.stack("weight", indices), key_index, strict=True)])
    return TaskBatch(
        task=task,
        z=flat("key_z"),
        condition=with_low(with_mask(flat("key_fill"), task.flags(1)), flat("key_low")),
        image=reference_tokens(data.stack("reference", indices)).repeat_interleave(count, 0),
        audio=at_keys("audio").unsqueeze(1),
        controls=at_keys("controls"),
        maps=at_keys("maps"),
        weight=weight.flatten(0, 1).unsqueeze(1),
        captions=tuple(data.rows[i]["caption"] for i in indices for _ in range(count)),
    )


@dataclass(frozen=True)
class DropShares:
    """Shares of the rows from which a condition is withheld, so that guidance has something to compare with.

    emotion: from the controls, so that the words must tell it.
    """

    text: float
    audio: float
    image: float
    emotion: float = 0.0


def drop_conditions(batch: TaskBatch, shares: DropShares, rng: np.random.Generator) -> TaskBatch:
    """Withhold each condition from some rows."""
    size = len(batch.z)

    def keep(share: float) -> Tensor:
        return torch.from_numpy((rng.random(size) >= share).astype(np.float32))

    captions = tuple("" if rng.random() < shares.text else text for text in batch.captions)
    audio = batch.audio * keep(shares.audio).view(-1, 1, 1, 1)
    controls = batch.controls
    if shares.emotion > 0:
        controls = controls.clone()
        controls[:, :, EMOTION_COLUMNS] *= keep(shares.emotion).view(-1, 1, 1)
    image = batch.image * keep(shares.image).view(-1, 1, 1)
    return replace(batch, captions=captions, audio=audio, controls=controls, image=image)
