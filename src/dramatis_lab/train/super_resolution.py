"""Train the high-resolution DiT: keyframes and sub-clips from their low-resolution versions, one network for both.

Its input is the enlarged low-resolution clip as sixteen more condition channels; what it may copy detail from is the
reference, moved to the frame's pose (a keyframe), or the high-resolution keyframes at both ends (a sub-clip). Few steps
are enough, since little is left open, so half of the training stands near pure noise, where the first step is made.

It starts from the low-resolution DiT's weights and learns on tiles of the picture. Judge by PSNR over bicubic, by the
strength of fine detail, and by looking; the loss says little.

    python -m dramatis_lab.train super_resolution --config recipes/mini/super_resolution.yaml \
        --data RUNS/hr_latents/train --test RUNS/hr_latents/test --model RUNS/mini --run RUNS/hr
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import typer
from pydantic import Field
from torch import Tensor

from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model, save_model
from dramatis.models.text import TextEncoder
from dramatis.sampling.schedules import shifted_sigmas
from dramatis_lab.data.device import pick_device
from dramatis_lab.data.latents import LatentDataset
from dramatis_lab.data.precompute_hr import PIXEL_TENSORS
from dramatis_lab.data.tasks import (
    DropShares,
    TaskBatch,
    drop_conditions,
    high_resolution_clips,
    high_resolution_keyframes,
)
from dramatis_lab.train.config import TrainConfig
from dramatis_lab.train.dit import compile_blocks
from dramatis_lab.train.flow import decode_latents, flow_loss, generate_latents, sample_sigmas
from dramatis_lab.train.loop import fit
from dramatis_lab.train.reconstruction import sharpness_ratio, video_psnr
from dramatis_lab.train.run import RunOption, TrainingRun

KEYFRAME_SHARE = 0.35
WHOLE_SHARE = 0.2
TRAINING_TILE = 16
"""Side of the usual training tile in latent cells; now and then it is the whole square."""
HIGH_RESOLUTION_DROP_SHARES = DropShares(text=0.1, audio=0.05, image=0.05)
NEAR_NOISE = 0.85
EVALUATION_STEPS = 2


class SuperResolutionConfig(TrainConfig):
    """The number of tiles in a batch; compile_blocks: a quarter faster after three minutes."""

    batch_size: int = Field(ge=1)
    compile_blocks: bool


def widen_input(dit: AudioDiT, channels: int) -> AudioDiT:
    """A copy of the network that reads `channels` more input channels and, to begin with, ignores them."""
    config = {name: value for name, value in dit.config.items() if not name.startswith("_")}
    wide = AudioDiT(**(config | {"in_channels": dit.config.in_channels + channels}))
    state = dict(dit.state_dict())
    kernel = state["patch_embedding.weight"]
    state["patch_embedding.weight"] = torch.cat([kernel, torch.zeros_like(kernel[:, :channels])], dim=1)
    wide.load_state_dict(state)
    return wide


def sample_high_resolution_batch(data: LatentDataset, rng: np.random.Generator, batch_size: int) -> TaskBatch:
    """The next batch: `batch_size` tiles of sub-clips, or as much work in keyframes."""
    whole = rng.random() < WHOLE_SHARE
    size = max(1, batch_size // 2) if whole else batch_size
    if rng.random() < KEYFRAME_SHARE:
        batch = high_resolution_keyframes(data, rng.integers(0, len(data), size))
    else:
        lengths = np.array([row["length"] for row in data.rows])
        frames = int(rng.choice(lengths))
        batch = high_resolution_clips(data, rng.choice(np.flatnonzero(lengths == frames), size), frames)
    batch = drop_conditions(batch if whole else sample_tile(batch, rng), HIGH_RESOLUTION_DROP_SHARES, rng)
    return perturb_given_and_low(batch, rng)


def sample_tile(batch: TaskBatch, rng: np.random.Generator) -> TaskBatch:
    """Keep a part of the square, the same in all rows."""
    room = (batch.z.shape[-1] - TRAINING_TILE) // 2
    y, x = (2 * int(rng.integers(0, room + 1)) for _ in range(2))
    return batch.windows(np.array([[x, y]] * len(batch.z)), TRAINING_TILE)


def perturb_given_and_low(batch: TaskBatch, rng: np.random.Generator) -> TaskBatch:
    """Add a little noise to some given frames and, apart from them, to some low-resolution clips."""
    size = len(batch.z)
    level = torch.zeros(size, batch.condition.shape[1])
    for channels, most, share in ((slice(4, 20), 0.2, 0.6), (slice(20, None), 0.15, 0.5)):
        drawn = rng.uniform(0, most, size) * (rng.random(size) < share)
        level[:, channels] = torch.from_numpy(drawn.astype(np.float32)).view(-1, 1)
    noise = torch.randn_like(batch.condition)
    return replace(batch, condition=batch.condition + level.view(size, -1, 1, 1, 1) * noise)


def sample_sigmas_near_noise(size: int) -> Tensor:
    """(size,) sigmas: half near pure noise, half anywhere."""
    near = torch.empty(size).uniform_(NEAR_NOISE, 1.0)
    return torch.where(torch.rand(size) < 0.5, near, sample_sigmas(size))


class EnlargementEvaluator:
    """Enlarges held-out tiles and compares them with bicubic enlargement."""

    def __init__(self, test: LatentDataset, autoencoder: Path, device: torch.device) -> None:
        self.test, self.device = test, device
        self.autoencoder = load_model(MiniAutoencoder, autoencoder).to(device, memory_format=torch.channels_last)

    @torch.no_grad()
    def evaluate(self, dit: AudioDiT, text: TextEncoder, rows: int = 6) -> dict[str, float]:
        """PSNR gained over the enlarged low-resolution frames (dB), and Laplacian variance over the true one.

        Both against what the autoencoder can show of the true frames.
        """
        figures: dict[str, list[float]] = {}
        for index in np.linspace(0, len(self.test) - 1, rows).astype(int):
            row = np.array([index])
            for name, batch in (
                ("clip", high_resolution_clips(self.test, row, self.test.rows[index]["length"])),
                ("key", high_resolution_keyframes(self.test, row)),
            ):
                z = generate_latents(dit, text, batch, shifted_sigmas(EVALUATION_STEPS, 1.0), 0, self.device)
                enlarged, true, low = (
                    decode_latents(self.autoencoder, x.to(self.device)) for x in (z, batch.z, batch.condition[:, 20:])
                )
                figures.setdefault(f"{name}_gain", []).append(video_psnr(enlarged, true) - video_psnr(low, true))
                figures.setdefault(f"{name}_sharp", []).append(sharpness_ratio(enlarged, true))
                figures.setdefault(f"{name}_soft", []).append(sharpness_ratio(low, true))
        return {name: float(np.mean(values)) for name, values in figures.items()}


def train_super_resolution(
    config: SuperResolutionConfig,
    data: Annotated[Path, typer.Option(help="precomputed high-resolution latents")],
    test: Annotated[Path, typer.Option(help="the same of held-out people")],
    model: Annotated[Path, typer.Option(help="model folder with the trained low-resolution networks")],
    run: RunOption,
    out: Annotated[Path | None, typer.Option(help="write averaged weights here after every evaluation")] = None,
) -> None:
    """Train the high-resolution DiT."""
    device = pick_device()
    dataset = LatentDataset(data, without=PIXEL_TENSORS)
    evaluator = EnlargementEvaluator(LatentDataset(test, without=PIXEL_TENSORS), model / "autoencoder", device)
    text = (
        load_model(TextEncoder, model / "text_encoder")
        .to(device, torch.bfloat16)
        .eval()
        .requires_grad_(requires_grad=False)
    )
    dit = widen_input(load_model(AudioDiT, model / "transformer"), 16).to(device, torch.bfloat16).train()
    if config.compile_blocks:
        compile_blocks(dit)

    def step_loss(rng: np.random.Generator) -> tuple[str, Tensor]:
        batch = sample_high_resolution_batch(dataset, rng, config.batch_size)
        return "loss", flow_loss(dit, text, batch, sample_sigmas_near_noise(len(batch.z)).to(device))

    def evaluate(shipped: AudioDiT) -> dict[str, float]:
        if out is not None:
            save_model(shipped, out, packed=True)
        return evaluator.evaluate(shipped, text)

    torch.manual_seed(0)
    fit(dit, TrainingRun(run, config.minutes, config.steps), config, step_loss, evaluate, dataset)
