"""Train what the video network learns besides for groups: a LoRA, merged only where several people are rendered.

The network has learnt from portraits. In a group it sees everybody in a window of their own (`sampling.windows`),
with neighbours in it, faces half hidden, small or in shadow, and those with little contrast dissolve: an error that a
bright face bears is larger than all that is to be seen in a dark one. So here it learns from such windows; a face
counts more, and is drawn more often, the less contrast it has.

    python -m dramatis_lab.train group_adapter --config recipes/mini/group_adapter.yaml --data RUNS/windows/train2 \
        --data RUNS/windows/train3 --held-out RUNS/windows/held2 --held-out RUNS/windows/held3 --model RUNS/mini \
        --run RUNS/adapter --out RUNS/mini/group_adapter.safetensors
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from peft import LoraConfig, get_peft_model_state_dict
from pydantic import Field
from safetensors.torch import save_file
from torch import Tensor, nn

from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model
from dramatis.models.reference import reference_tokens
from dramatis.models.text import TextEncoder
from dramatis.motion.performance import EMOTION_COLUMNS
from dramatis.sampling.conditioning import with_mask
from dramatis.sampling.parts import token_slice
from dramatis_lab.data.device import pick_device
from dramatis_lab.data.group_clips import GroupClip, GroupClipDataset, given_flags, group_caption
from dramatis_lab.train.config import TrainConfig
from dramatis_lab.train.flow import encode_caption, sample_sigmas
from dramatis_lab.train.loop import fit
from dramatis_lab.train.mask_head import sample_gates
from dramatis_lab.train.run import RunOption, TrainingRun

RANK = 3
ADAPTED_LAYERS = (
    r"blocks\.\d+\.(attn1\.(to_[qkv]|to_out\.0)|audio_cross_attn\.(q_linear|kv_linear|proj)|ffn\.net\.(0\.proj|2))"
    r"|control_embedder\.[02]|audio_embedder|map_embedding|proj_out"
)
CONTRAST_WEIGHT_BOUNDS = (0.5, 6.0)
"""Bounds of how much more than the median a face counts by its contrast."""
SAMPLING_BOUNDS, SAMPLING_POWER = (0.5, 4.0), 1.5
"""Faces are drawn by how much less than the median their contrast is, within these bounds, to this power."""
CLOSE_UP_SHARE = 0.5
CLOSE_UP_CELLS = 10
"""Side of a view of a face alone, cells."""


class GroupAdapterConfig(TrainConfig):
    """How many windows a batch holds."""

    batch_size: int = Field(ge=1)


class LowContrastSampler(GroupClipDataset):
    """Clips whose faces of little contrast are drawn more often."""

    def refresh(self) -> None:
        super().refresh()
        self._faces = visible_faces(self)
        contrasts = np.array([contrast for *_, contrast in self._faces])
        self.median = float(np.median(contrasts))
        weights = (self.median / contrasts).clip(*SAMPLING_BOUNDS) ** SAMPLING_POWER
        self._shares = weights / weights.sum()

    def sample(self, rng: np.random.Generator) -> tuple[GroupClip, int]:
        """A clip, and one person in it."""
        clip_index, person, _ = self._faces[int(rng.choice(len(self._faces), p=self._shares))]
        return self.clips[clip_index], person


def visible_faces(clips: GroupClipDataset) -> list[tuple[int, int, float]]:
    """Every face that is visible: the index of its clip, which person it is, and its contrast."""
    return [
        (clip_index, int(person), float(clip.tensors["contrast"][person]))
        for clip_index, clip in enumerate(clips.clips)
        for person in torch.isfinite(clip.tensors["contrast"]).nonzero().flatten()
    ]


class DitWithAdapter(nn.Module):
    """The network with a LoRA beside its layers; nothing else of it learns."""

    def __init__(self, model: Path) -> None:
        super().__init__()
        self.dit = load_model(AudioDiT, model / "transformer").requires_grad_(requires_grad=False)
        self.dit.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=ADAPTED_LAYERS))


def window_loss(
    dit: AudioDiT, text_states: Tensor, clip: dict[str, Tensor], person: int, median: float, rng: np.random.Generator
) -> Tensor:
    """The weighted error of the velocity in one person's window. text_states: (1, L, D)."""
    down, right = sample_view(clip, person, rng)
    device, dtype = text_states.device, dit.dtype
    z = clip["z"].float()[None, ..., down, right].to(device)
    given = clip["given"].float()[None, ..., down, right]
    # Given frames come from the model itself in a job: never perfect.
    given = given + float(rng.uniform(0, 0.15) * (rng.random() < 0.6)) * torch.randn_like(given)
    gates = sample_gates(clip["shares"].float(), clip["masks"].float(), rng)
    audio, controls = clip["audio"].float()[None], clip["controls"].float()[None].clone()
    if rng.random() < 0.1:
        audio = torch.zeros_like(audio)
    if rng.random() < 0.2:
        controls[..., EMOTION_COLUMNS] = 0
    sigma = sample_sigmas(1).to(device)
    noise = torch.randn_like(z)
    velocity = dit(
        torch.lerp(z, noise, sigma.view(-1, 1, 1, 1, 1)).to(dtype),
        with_mask(given, given_flags(clip)).to(device, dtype),
        1000 * sigma,
        text_states.to(dtype),
        reference_tokens(clip["reference"].float()[None]).to(device, dtype),
        audio.to(device, dtype),
        masks=gates[..., token_slice(down), token_slice(right)].to(device, dtype),
        controls=controls.to(device, dtype),
        maps=clip["maps"][person : person + 1, ..., down, right].to(device, dtype),
    )
    faces = 1 + clip["masks"].float()[person, :, down, right] * (clip["weight"].float()[person, :, down, right] - 1)
    least, most = CONTRAST_WEIGHT_BOUNDS
    contrast_weight = min(max(median / float(clip["contrast"][person]), least), most)
    # Clothes, hair and backdrop count as ever: they are rendered by this network, too.
    weight = torch.where(faces > 1, contrast_weight * faces, 1.0).to(device)
    error = (velocity.float() - (noise - z)).square()
    return (weight * error).mean() / faces.mean().to(device)


def sample_view(clip: dict[str, Tensor], person: int, rng: np.random.Generator) -> tuple[slice, slice]:
    """Rows and columns of the cells to learn from: a person's window, or the part of it around the face."""
    height, width = clip["z"].shape[-2:]
    start, stop = (int(value) for value in clip["spans"][person])
    if rng.random() >= CLOSE_UP_SHARE:
        return slice(0, height), slice(start, stop)
    faces = (clip["weight"][person].float() > 1).any(0).nonzero().float()
    middle = faces.mean(0).numpy() if len(faces) else np.array([height / 2, (start + stop) / 2])
    corner = middle - CLOSE_UP_CELLS / 2 + rng.uniform(-1.5, 1.5, 2)
    last = [height - CLOSE_UP_CELLS, max(start, stop - CLOSE_UP_CELLS)]
    y, x = (int(value) for value in (np.round(corner / 2) * 2).clip([0, start], last))
    return slice(y, y + CLOSE_UP_CELLS), slice(x, min(x + CLOSE_UP_CELLS, width))


def lora_state(dit: AudioDiT) -> dict[str, Tensor]:
    """The matrices, named as `models.published.lora` reads them."""
    return {key: value.detach().half().cpu().contiguous() for key, value in get_peft_model_state_dict(dit).items()}


@torch.no_grad()
def evaluate_adapter(
    dit: AudioDiT, text: TextEncoder, held_out: GroupClipDataset, device: torch.device
) -> dict[str, float]:
    """Losses of everybody in clips that are not learnt from.

    Of the half with less contrast (`low`) and the others (`high`).
    """
    faces = visible_faces(held_out)
    median = float(np.median([contrast for *_, contrast in faces]))
    losses: dict[str, list[float]] = {"low": [], "high": []}
    for clip_index, person, contrast in faces:
        row, clip = held_out.clips[clip_index]
        rng = np.random.default_rng([clip_index, person])
        torch.manual_seed(clip_index)
        text_states = encode_caption(text, group_caption(row), device)
        loss = window_loss(dit, text_states, clip, person, median, rng)
        losses["low" if contrast < median else "high"].append(float(loss))
    return {f"held_{name}": float(np.mean(values)) for name, values in losses.items()}


def train_group_adapter(
    config: GroupAdapterConfig,
    data: Annotated[list[Path], typer.Option(help="precomputed training clips, a folder for each number of people")],
    model: Annotated[Path, typer.Option(help="model folder")],
    run: RunOption,
    held_out: Annotated[list[Path], typer.Option(help="precomputed clips to evaluate by")],
    out: Annotated[Path, typer.Option(help="write the averaged LoRA here")],
) -> None:
    """Train the LoRA for groups on the frozen video DiT."""
    device = pick_device()
    torch.manual_seed(0)
    dataset, held_out_clips = LowContrastSampler(data), GroupClipDataset(held_out)
    net = DitWithAdapter(model).to(device).train()
    text = load_model(TextEncoder, model / "text_encoder").to(device).requires_grad_(requires_grad=False)

    def sampled_loss(rng: np.random.Generator) -> Tensor:
        (row, clip), person = dataset.sample(rng)
        text_states = encode_caption(text, "" if rng.random() < 0.1 else group_caption(row), device)
        return window_loss(net.dit, text_states, clip, person, dataset.median, rng)

    def step_loss(rng: np.random.Generator) -> tuple[str, Tensor]:
        return "loss", torch.stack([sampled_loss(rng) for _ in range(config.batch_size)]).mean()

    def evaluate(shipped: DitWithAdapter) -> dict[str, float]:
        save_file(lora_state(shipped.dit), out)
        return evaluate_adapter(shipped.dit, text, held_out_clips, device)

    fit(net, TrainingRun(run, config.minutes, config.steps), config, step_loss, evaluate, dataset)
