"""Train the high-resolution DiT: keyframes and sub-clips from their low-resolution versions, one network for both.

Its input is the enlarged low-resolution clip as sixteen more condition channels; what it may copy detail from is the
reference, moved to the frame's pose (a keyframe), or the high-resolution keyframes at both ends (a sub-clip). Few steps
are enough, since little is left open, so half of the training stands near pure noise, where the first step is made.

It starts from the low-resolution DiT's weights and learns on tiles of the picture. Judge by PSNR over bicubic, by the
strength of fine detail, and by looking; the loss says little.

    python -m dramatis_lab.train.super_resolution --data RUNS/hr_latents/train --test RUNS/hr_latents/test \
        --model RUNS/mini --run RUNS/hr --minutes 60
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from torch import Tensor

from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model, save_model
from dramatis.models.reference import reference_tokens
from dramatis.models.text import TextEncoder
from dramatis.sampling.conditioning import with_low, with_mask
from dramatis.sampling.schedules import shifted_sigmas
from dramatis_lab.train.autoencoder import laplacian
from dramatis_lab.train.common import CompileOption, Run, RunOption, fit_bf16, pick_device, psnr
from dramatis_lab.train.dit import Batch, LatentSet, decoded, film, flow_loss
from dramatis_lab.train.dit import noise_levels as anywhere
from dramatis_lab.train.hr_latents import PIXELS

KEYFRAME_SHARE = 0.35
WINDOW = 16
"""Side of the usual training window in latent cells; now and then it is the whole square."""
NEAR_NOISE = 0.85
JUDGED_STEPS = 2


def widened(dit: AudioDiT, channels: int) -> AudioDiT:
    """A copy of the network that reads `channels` more input channels and, to begin with, ignores them."""
    config = {name: value for name, value in dit.config.items() if not name.startswith("_")}
    wide = AudioDiT(**(config | {"in_channels": dit.config.in_channels + channels}))
    state = dict(dit.state_dict())
    kernel = state["patch_embedding.weight"]
    state["patch_embedding.weight"] = torch.cat([kernel, torch.zeros_like(kernel[:, :channels])], dim=1)
    wide.load_state_dict(state)
    return wide


def clips(data: LatentSet, indices: np.ndarray, frames: int) -> Batch:
    """Sub-clips of `frames` latent frames with both ends given: rows of that length."""
    assert all(data.rows[i]["length"] == frames for i in indices), "clips of another length"
    count = 4 * frames - 3
    flags = torch.zeros(count)
    flags[[0, -1]] = 1
    given = with_mask(data.stack("both", indices)[:, :, :frames], flags)
    return Batch(
        z=data.stack("z", indices)[:, :, :frames],
        condition=with_low(given, data.stack("low", indices)[:, :, :frames]),
        image=reference_tokens(data.stack("reference", indices)),
        audio=data.stack("audio", indices)[:, :count].unsqueeze(1),
        controls=data.stack("controls", indices)[:, :count],
        maps=data.stack("maps", indices)[:, :count],
        weight=data.stack("weight", indices)[:, :frames],
        captions=[data.rows[i]["caption"] for i in indices],
    )


def keyframes(data: LatentSet, indices: np.ndarray) -> Batch:
    """Single frames, all that the rows hold: nothing is given, the reference is moved to their pose."""
    shown = data.stack("key_index", indices).long()
    count = shown.shape[1]

    def flat(name: str) -> Tensor:
        return data.stack(name, indices).flatten(0, 1).unsqueeze(2)

    def picked(name: str) -> Tensor:
        rows = data.stack(name, indices)
        return torch.stack([row[index] for row, index in zip(rows, shown, strict=True)]).flatten(0, 1).unsqueeze(1)

    weight = torch.stack([w[(k + 3) // 4] for w, k in zip(data.stack("weight", indices), shown, strict=True)])
    return Batch(
        z=flat("key_z"),
        condition=with_low(with_mask(flat("key_fill"), torch.zeros(1)), flat("key_low")),
        image=reference_tokens(data.stack("reference", indices)).repeat_interleave(count, 0),
        audio=picked("audio").unsqueeze(1),
        controls=picked("controls"),
        maps=picked("maps"),
        weight=weight.flatten(0, 1).unsqueeze(1),
        captions=[data.rows[i]["caption"] for i in indices for _ in range(count)],
    )


def window(batch: Batch, rng: np.random.Generator) -> Batch:
    """Keep a part of the square, the same in all rows."""
    room = (batch.z.shape[-1] - WINDOW) // 2
    y, x = (2 * int(rng.integers(0, room + 1)) for _ in range(2))
    for name in ("z", "condition", "maps", "weight"):
        setattr(batch, name, getattr(batch, name)[..., y : y + WINDOW, x : x + WINDOW])
    batch.windowed = True
    return batch


def forget(batch: Batch, rng: np.random.Generator) -> Batch:
    """Drop words, sound and reference now and then; spoil given frames and the low-resolution clip a little."""
    size = len(batch.z)

    def per_row(values: Any) -> Tensor:
        return torch.from_numpy(np.asarray(values, np.float32))

    batch.captions = ["" if rng.random() < 0.1 else text for text in batch.captions]
    batch.audio = batch.audio * per_row(rng.random(size) >= 0.05).view(-1, 1, 1, 1)
    batch.image = batch.image * per_row(rng.random(size) >= 0.05).view(-1, 1, 1)
    level = torch.zeros(size, batch.condition.shape[1])
    level[:, 4:20] = per_row(rng.uniform(0, 0.2, size) * (rng.random(size) < 0.6)).view(-1, 1)
    level[:, 20:] = per_row(rng.uniform(0, 0.15, size) * (rng.random(size) < 0.5)).view(-1, 1)
    batch.condition = batch.condition + level.view(size, -1, 1, 1, 1) * torch.randn_like(batch.condition)
    return batch


def draw(data: LatentSet, rng: np.random.Generator, batch_size: int) -> Batch:
    """The next batch: `batch_size` windows of sub-clips, or as much work in keyframes."""
    whole = rng.random() < 0.2
    size = max(1, batch_size // 2) if whole else batch_size
    if rng.random() < KEYFRAME_SHARE:
        batch = keyframes(data, rng.integers(0, len(data), size))
    else:
        lengths = np.array([row["length"] for row in data.rows])
        frames = int(rng.choice(lengths))
        batch = clips(data, rng.choice(np.flatnonzero(lengths == frames), size), frames)
    return forget(batch if whole else window(batch, rng), rng)


def noise_levels(size: int) -> Tensor:
    """(size,) sigmas: half near pure noise, half anywhere."""
    near = torch.empty(size).uniform_(NEAR_NOISE, 1.0)
    return torch.where(torch.rand(size) < 0.5, near, anywhere(size))


class Judge:
    """Films held-out tiles at the high resolution and compares them with bicubic enlargement."""

    def __init__(self, test: LatentSet, autoencoder: Path, device: torch.device) -> None:
        self.test, self.device = test, device
        self.autoencoder = load_model(MiniAutoencoder, autoencoder).to(device, memory_format=torch.channels_last)

    @torch.no_grad()
    def judge(self, dit: AudioDiT, text: TextEncoder, rows: int = 6) -> dict[str, float]:
        """PSNR gained over the enlarged low-resolution frames (dB) and Laplacian variance over the true one, both
        against what the autoencoder can show of the true frames."""
        out: dict[str, list[float]] = {}
        for index in np.linspace(0, len(self.test) - 1, rows).astype(int):
            row = np.array([index])
            for name, batch in (
                ("clip", clips(self.test, row, self.test.rows[index]["length"])),
                ("key", keyframes(self.test, row)),
            ):
                z = film(dit, text, batch, shifted_sigmas(JUDGED_STEPS, 1.0), 0, self.device)
                made, true, low = (
                    decoded(self.autoencoder, x.to(self.device)) for x in (z, batch.z, batch.condition[:, 20:])
                )
                out.setdefault(f"{name}_gain", []).append(psnr(made, true) - psnr(low, true))
                out.setdefault(f"{name}_sharp", []).append(float(laplacian(made).var() / laplacian(true).var()))
                out.setdefault(f"{name}_soft", []).append(float(laplacian(low).var() / laplacian(true).var()))
        return {name: float(np.mean(values)) for name, values in out.items()}


def main(
    data: Annotated[Path, typer.Option(help="precomputed high-resolution latents")],
    test: Annotated[Path, typer.Option(help="the same of held-out people")],
    model: Annotated[Path, typer.Option(help="model folder with the trained low-resolution networks")],
    run: RunOption,
    out: Annotated[Path | None, typer.Option(help="write averaged weights here after every judgement")] = None,
    minutes: float = 60.0,
    rate: float = 6e-4,
    batch_size: int = 6,
    judge_every: float = 10.0,
    compile_blocks: CompileOption = False,
) -> None:
    """Train, resuming from the run folder when it has a checkpoint."""
    device = pick_device()
    train_set = LatentSet(data, without=PIXELS)
    judge = Judge(LatentSet(test, without=PIXELS), model / "autoencoder", device)
    text = load_model(TextEncoder, model / "text_encoder").to(device, torch.bfloat16).eval().requires_grad_(False)
    start = widened(load_model(AudioDiT, model / "transformer"), 16)
    dit = start.to(device, torch.bfloat16).train()
    if compile_blocks:
        for block in dit.blocks:
            block.compile(dynamic=True)

    def loss_of(rng: np.random.Generator) -> tuple[str, Tensor]:
        batch = draw(train_set, rng, batch_size)
        return "loss", flow_loss(dit, text, batch, noise_levels(len(batch.z)).to(device))

    def report(shipped: AudioDiT) -> dict[str, float]:
        if out is not None:
            save_model(shipped, out, packed=True)
        return judge.judge(shipped, text)

    clock = Run(run, minutes)
    fit_bf16(dit, "dit", clock, loss_of, report, rate=rate, log_every=100, judge_every=judge_every, data=train_set)


if __name__ == "__main__":
    typer.run(main)
