"""Train what the video network learns besides for groups: a LoRA, counted only where several people are filmed.

The network has learnt from portraits. In a group it sees everybody in a window of their own (`sampling.windows`),
with neighbours in it, faces half hidden, small or in shadow, and those with little contrast dissolve: an error that a
bright face bears is larger than all that is to be seen in a dark one. So here it is shown such windows; a face counts
more, and is drawn more often, the less contrast it has.

    python -m dramatis_lab.train.group_adapter --data RUNS/windows/train2 --data RUNS/windows/train3 --model RUNS/mini \
        --held-out RUNS/windows/held2 --held-out RUNS/windows/held3 --run RUNS/adapter --minutes 60 \
        --out RUNS/mini/group_adapter.safetensors
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from peft import LoraConfig, get_peft_model_state_dict
from safetensors.torch import save_file
from torch import Tensor, nn

from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model
from dramatis.models.reference import reference_tokens
from dramatis.models.text import TextEncoder
from dramatis.motion.performance import EMOTION_COLUMNS
from dramatis.sampling.conditioning import with_mask
from dramatis.sampling.parts import in_tokens
from dramatis_lab.train.common import Run, RunOption, fit, pick_device
from dramatis_lab.train.dit import noise_levels
from dramatis_lab.train.group_windows import Clips, caption_of, given_flags, told
from dramatis_lab.train.mask_head import drawn_gates

RANK = 3
TARGETS = (
    r"blocks\.\d+\.(attn1\.(to_[qkv]|to_out\.0)|audio_cross_attn\.(q_linear|kv_linear|proj)|ffn\.net\.(0\.proj|2))"
    r"|control_embedder\.[02]|audio_embedder|map_embedding|proj_out"
)
LEAST_COUNTED, MOST_COUNTED = 0.5, 6.0
"""Bounds of how much more than the median a face counts by its contrast."""
OFTEN, OFTEN_POWER = (0.5, 4.0), 1.5
"""Faces are drawn by how much less than the median their contrast is, within these bounds, to this power."""
NEAR_SHARE = 0.5
NEAR = 10
"""Side of a look at a face alone, cells."""


class FaintFirst(Clips):
    """Clips whose faces of little contrast are drawn more often."""

    def refresh(self) -> None:
        super().refresh()
        self._faces = faces_of(self)
        found = np.array([contrast for *_, contrast in self._faces])
        self.median = float(np.median(found))
        often = (self.median / found).clip(*OFTEN) ** OFTEN_POWER
        self._often = often / often.sum()

    def draw(self, rng: np.random.Generator) -> tuple[dict[str, Any], dict[str, Tensor], int]:
        """Somebody in a clip: its row, its tensors, and who of it."""
        place, person, _ = self._faces[int(rng.choice(len(self._faces), p=self._often))]
        return *self.clips[place], person


def faces_of(clips: Clips) -> list[tuple[int, int, float]]:
    """Every face that is seen: the place of its clip, who of it, and its contrast."""
    return [
        (place, int(person), float(clip["contrast"][person]))
        for place, (_, clip) in enumerate(clips.clips)
        for person in torch.isfinite(clip["contrast"]).nonzero().flatten()
    ]


class Learner(nn.Module):
    """The network with a LoRA beside its layers; nothing else of it learns."""

    def __init__(self, model: Path) -> None:
        super().__init__()
        self.dit = load_model(AudioDiT, model / "transformer").requires_grad_(False)
        self.dit.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=TARGETS))


def loss_of_clip(
    dit: AudioDiT, words: Tensor, clip: dict[str, Tensor], person: int, median: float, rng: np.random.Generator
) -> Tensor:
    """The weighted error of the velocity in one person's window. words: of the prompt, (1, L, D)."""
    down, right = look_of(clip, person, rng)
    device, dtype = words.device, dit.dtype
    z = clip["z"].float()[None, ..., down, right].to(device)
    given = clip["given"].float()[None, ..., down, right]
    # Given frames come from the model itself in a job: never perfect.
    given = given + float(rng.uniform(0, 0.15) * (rng.random() < 0.6)) * torch.randn_like(given)
    gates = drawn_gates(clip["shares"].float(), clip["masks"].float(), rng)
    audio, controls = clip["audio"].float()[None], clip["controls"].float()[None].clone()
    if rng.random() < 0.1:
        audio = torch.zeros_like(audio)
    if rng.random() < 0.2:
        controls[..., EMOTION_COLUMNS] = 0
    sigma = noise_levels(1).to(device)
    noise = torch.randn_like(z)
    velocity = dit(
        torch.lerp(z, noise, sigma.view(-1, 1, 1, 1, 1)).to(dtype),
        with_mask(given, given_flags(clip)).to(device, dtype),
        1000 * sigma,
        words.to(dtype),
        reference_tokens(clip["reference"].float()[None]).to(device, dtype),
        audio.to(device, dtype),
        masks=gates[..., in_tokens(down), in_tokens(right)].to(device, dtype),
        controls=controls.to(device, dtype),
        maps=clip["maps"][person : person + 1, ..., down, right].to(device, dtype),
    )
    faces = 1 + clip["masks"].float()[person, :, down, right] * (clip["weight"].float()[person, :, down, right] - 1)
    counted = min(max(median / float(clip["contrast"][person]), LEAST_COUNTED), MOST_COUNTED)
    # Clothes, hair and backdrop count as ever: they are filmed by this network, too.
    weight = torch.where(faces > 1, counted * faces, 1.0).to(device)
    error = (velocity.float() - (noise - z)).square()
    return (weight * error).mean() / faces.mean().to(device)


def look_of(clip: dict[str, Tensor], person: int, rng: np.random.Generator) -> tuple[slice, slice]:
    """Rows and columns of cells that are looked at: a person's window, or what is near the face in it."""
    height, width = clip["z"].shape[-2:]
    start, stop = (int(value) for value in clip["spans"][person])
    if rng.random() >= NEAR_SHARE:
        return slice(0, height), slice(start, stop)
    faces = (clip["weight"][person].float() > 1).any(0).nonzero().float()
    middle = faces.mean(0).numpy() if len(faces) else np.array([height / 2, (start + stop) / 2])
    corner = middle - NEAR / 2 + rng.uniform(-1.5, 1.5, 2)
    y, x = (int(v) for v in (np.round(corner / 2) * 2).clip([0, start], [height - NEAR, max(start, stop - NEAR)]))
    return slice(y, y + NEAR), slice(x, min(x + NEAR, width))


def lora_of(dit: AudioDiT) -> dict[str, Tensor]:
    """The matrices, named as `models.lora` reads them."""
    return {key: value.detach().half().cpu().contiguous() for key, value in get_peft_model_state_dict(dit).items()}


@torch.no_grad()
def judged(dit: AudioDiT, text: TextEncoder, held: Clips, device: torch.device) -> dict[str, float]:
    """Losses of everybody in clips that are not learnt from, of the half with less contrast (`low`) and the others
    (`high`)."""
    faces = faces_of(held)
    median = float(np.median([contrast for *_, contrast in faces]))
    losses: dict[str, list[float]] = {"low": [], "high": []}
    for place, person, contrast in faces:
        row, clip = held.clips[place]
        rng = np.random.default_rng([place, person])
        torch.manual_seed(place)
        loss = loss_of_clip(dit, told(text, caption_of(row), device), clip, person, median, rng)
        losses["low" if contrast < median else "high"].append(float(loss))
    return {f"held_{name}": float(np.mean(values)) for name, values in losses.items()}


def main(
    data: Annotated[list[Path], typer.Option(help="precomputed training clips, a folder for each number of people")],
    model: Annotated[Path, typer.Option(help="model folder")],
    run: RunOption,
    held_out: Annotated[list[Path], typer.Option(help="precomputed clips to judge by")],
    out: Annotated[Path, typer.Option(help="write the averaged LoRA here")],
    minutes: float = 60.0,
    rate: float = 1e-3,
    batch: int = 4,
) -> None:
    """Train, resuming from the run folder when it has a checkpoint."""
    device = pick_device()
    torch.manual_seed(0)
    clips, held = FaintFirst(data), Clips(held_out)
    learner = Learner(model).to(device).train()
    text = load_model(TextEncoder, model / "text_encoder").to(device).requires_grad_(False)

    def drawn(rng: np.random.Generator) -> Tensor:
        row, clip, person = clips.draw(rng)
        words = told(text, "" if rng.random() < 0.1 else caption_of(row), device)
        return loss_of_clip(learner.dit, words, clip, person, clips.median, rng)

    def loss_of(rng: np.random.Generator) -> Tensor:
        return torch.stack([drawn(rng) for _ in range(batch)]).mean()

    def evaluate(shipped: Learner) -> dict[str, float]:
        save_file(lora_of(shipped.dit), out)
        return judged(shipped.dit, text, held, device)

    fit(
        learner,
        Run(run, minutes),
        loss_of,
        evaluate,
        rate=rate,
        weight_decay=0.0,
        report_every=50,
        judge_every=250,
        refresh=clips.refresh,
    )


if __name__ == "__main__":
    typer.run(main)
