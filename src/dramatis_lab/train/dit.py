"""Train the audio-driven DiT on precomputed latents: all tasks of the low-resolution cascade in one network.

The tasks are those of `data.tasks`; lengths vary, as the plan's do. Most steps keep only a window of tokens around the
mouth: lip sync is learnt several times faster than from whole frames. Judge by the correlation r of mouth opening,
shuffled r and late-frame PSNR; the flow loss says little.

    python -m dramatis_lab.train dit --config recipes/mini/dit.yaml --data RUNS/latents/train \
        --test RUNS/latents/test --run RUNS/dit --autoencoder RUNS/mini/autoencoder --perception RUNS/mini/perception
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from pydantic import Field
from torch import Tensor, nn

from dramatis.models.autoencoder import MiniAutoencoder
from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model, save_model
from dramatis.models.perception import PerceptionNet, read_faces
from dramatis.models.text import TextEncoder
from dramatis.sampling.schedules import shifted_sigmas
from dramatis_lab.data.device import pick_device
from dramatis_lab.data.latents import LatentDataset
from dramatis_lab.data.precompute_latents import CLIP_LENGTH_SHARES, CLIP_LENGTHS
from dramatis_lab.data.tasks import (
    LOW_RESOLUTION_TASKS,
    CascadeTask,
    DropShares,
    TaskBatch,
    drop_conditions,
    low_resolution_batch,
)
from dramatis_lab.train.config import TrainConfig
from dramatis_lab.train.flow import decode_latents, flow_loss, generate_latents, sample_sigmas
from dramatis_lab.train.loop import fit
from dramatis_lab.train.reconstruction import video_psnr
from dramatis_lab.train.run import RunOption, TrainingRun

MINI_DIT: dict[str, Any] = {
    "num_attention_heads": 4,
    "attention_head_dim": 64,
    "text_dim": 128,
    "text_len": 48,
    "freq_dim": 128,
    "ffn_dim": 1024,
    "num_layers": 8,
    "image_dim": 96,
    "rope_max_seq_len": 128,
    "audio_projection": "frame",
    "audio_channels": 160,
    "audio_output_dim": 128,
    "control_dim": 26,
    "control_channels": 6,
}
MOUTH_WINDOW = 8
"""Side of the mouth window in latent cells (four tokens)."""
TASK_SHARES = (0.1, 0.36, 0.06, 0.38, 0.1)
"""Of `LOW_RESOLUTION_TASKS`."""
DROP_SHARES = DropShares(text=0.1, audio=0.08, image=0.05, emotion=0.2)


class DitConfig(TrainConfig):
    """Batches of whole frames and of mouth windows: their sizes, and the share of whole frames, early and late.

    compile_blocks: a quarter faster after three minutes.
    """

    batch_full: int = Field(ge=1)
    batch_window: int = Field(ge=1)
    full_share: float = Field(ge=0, le=1)
    late_share: float = Field(ge=0, le=1)
    compile_blocks: bool


def sample_task_batch(data: LatentDataset, rng: np.random.Generator, full_share: float, config: DitConfig) -> TaskBatch:
    """The next batch: a task, a length, whole frames or mouth windows."""
    task = LOW_RESOLUTION_TASKS[rng.choice(len(LOW_RESOLUTION_TASKS), p=TASK_SHARES)]
    whole = rng.random() < full_share
    size = config.batch_full if whole else config.batch_window
    rows_by_length = data.rows_by_length(task)
    if rows_by_length is None:
        frames, indices = int(rng.choice(CLIP_LENGTHS, p=CLIP_LENGTH_SHARES)), rng.integers(0, len(data), size)
    else:
        counts = {frames: len(rows) for frames, rows in rows_by_length.items()}
        shares = np.array(list(counts.values())) / sum(counts.values())
        frames = int(rng.choice(list(counts), p=shares))
        indices = rng.choice(rows_by_length[frames], size)
    batch = low_resolution_batch(data, indices, task, frames)
    if not whole:
        batch = sample_mouth_windows(batch, data.stack("mouth", indices)[:, task.clip], rng)
    return perturb_given(drop_conditions(batch, DROP_SHARES, rng), rng)


def sample_mouth_windows(batch: TaskBatch, mouths: Tensor, rng: np.random.Generator) -> TaskBatch:
    """Keep a jittered window around the mouth; the coordinate maps still say where in the picture it lies."""
    height, width = batch.z.shape[-2:]
    corners = mouths.numpy() - MOUTH_WINDOW / 2 + rng.uniform(-2, 2, (len(mouths), 2))
    corners = (np.round(corners / 2) * 2).clip(0, [width - MOUTH_WINDOW, height - MOUTH_WINDOW]).astype(int)
    return batch.windows(corners, MOUTH_WINDOW)


def perturb_given(batch: TaskBatch, rng: np.random.Generator) -> TaskBatch:
    """Add a little noise to some given frames: in a job they come from the model itself and are never perfect."""
    size = len(batch.z)
    level = torch.from_numpy(rng.uniform(0, 0.15, size) * (rng.random(size) < 0.6)).float().view(-1, 1, 1, 1, 1)
    noisy = batch.condition[:, 4:] + level * torch.randn_like(batch.condition[:, 4:])
    return replace(batch, condition=torch.cat([batch.condition[:, :4], noisy], dim=1))


class LipSyncEvaluator:
    """Generates held-out clips and measures them: correlation of mouth opening, shuffled control, PSNR far into it."""

    def __init__(self, test: LatentDataset, autoencoder: Path, perception: Path, device: torch.device) -> None:
        self.test, self.device = test, device
        self.autoencoder = load_model(MiniAutoencoder, autoencoder).to(device, memory_format=torch.channels_last)
        self.perception = load_model(PerceptionNet, perception).to(device)

    @torch.no_grad()
    def clip(
        self, dit: AudioDiT, text: TextEncoder, index: int, task: CascadeTask, audio_of: int, seed: int
    ) -> tuple[Tensor, Tensor]:
        """Generated and true (3, 29, H, W) for one held-out sample, with the audio of sample `audio_of`."""
        batch = low_resolution_batch(self.test, np.array([index]), task, 8)
        audio = self.test.stack("audio", np.array([audio_of]))[:, 0, task.clip]
        batch = replace(batch, audio=audio.unsqueeze(1))
        z = generate_latents(dit, text, batch, shifted_sigmas(6, 2.0), seed, self.device)
        return decode_latents(self.autoencoder, z)[0], decode_latents(self.autoencoder, batch.z.to(self.device))[0]

    def openings(self, video: Tensor) -> np.ndarray:
        """(F,) mouth opening measured in (3, F, H, W)."""
        return np.array([reading.mouth_opening for reading in read_faces(self.perception, video.transpose(0, 1))])

    def evaluate(self, dit: AudioDiT, text: TextEncoder, clips: int = 8) -> dict[str, float]:
        """Figures over the first `clips` undamaged single-person samples."""
        rows = enumerate(self.test.rows)
        indices = [i for i, row in rows if row["people"] == 1 and row["damage"] in (None, "none")][:clips]
        openings: dict[str, list[np.ndarray]] = {"generated": [], "shuffled": [], "true": []}
        early, late, blueprint = [], [], []
        for seed, index in enumerate(indices):
            other = indices[(seed + 3) % len(indices)]
            video, true = self.clip(dit, text, index, CascadeTask.SUB_CLIP, index, seed)
            openings["generated"].append(self.openings(video))
            openings["true"].append(self.openings(true))
            shuffled, _ = self.clip(dit, text, index, CascadeTask.SUB_CLIP, other, seed)
            openings["shuffled"].append(self.openings(shuffled))
            early.append(video_psnr(video[:, 1:5], true[:, 1:5]))
            late.append(video_psnr(video[:, 13:17], true[:, 13:17]))
            video, true = self.clip(dit, text, index, CascadeTask.BLUEPRINT, index, seed)
            blueprint.append(video_psnr(video[:, 13:], true[:, 13:]))
        joined = {name: np.concatenate(curves) for name, curves in openings.items()}
        return {
            "r": np.corrcoef(joined["generated"], joined["true"])[0, 1],
            "r_shuffled": np.corrcoef(joined["shuffled"], joined["true"])[0, 1],
            "psnr_early": np.mean(early),
            "psnr_middle": np.mean(late),
            "psnr_blueprint": np.mean(blueprint),
        }


class DitWithText(nn.Module):
    """The two networks that learn together."""

    def __init__(self, init: Path | None = None) -> None:
        super().__init__()
        if init:
            self.dit = load_model(AudioDiT, init / "transformer")
        else:
            self.dit = AudioDiT(**MINI_DIT)
            # Start from "no velocity": the first steps then learn instead of undoing noise.
            nn.init.zeros_(self.dit.proj_out.weight)
            nn.init.zeros_(self.dit.proj_out.bias)
        self.text = load_model(TextEncoder, init / "text_encoder") if init else TextEncoder()


def train_dit(
    config: DitConfig,
    data: Annotated[Path, typer.Option(help="precomputed training latents")],
    test: Annotated[Path, typer.Option(help="precomputed held-out latents")],
    run: RunOption,
    autoencoder: Annotated[Path, typer.Option(help="autoencoder weights, to evaluate pictures")],
    perception: Annotated[Path, typer.Option(help="perception weights, to evaluate lips")],
    out: Annotated[Path | None, typer.Option(help="write averaged weights here after every evaluation")] = None,
    init: Annotated[Path | None, typer.Option(help="start from this model folder")] = None,
) -> None:
    """Train the video DiT and its text encoder."""
    device = pick_device()
    torch.manual_seed(0)
    dataset = LatentDataset(data)
    evaluator = LipSyncEvaluator(LatentDataset(test), autoencoder, perception, device)
    net = DitWithText(init).to(device, torch.bfloat16).train()
    if config.compile_blocks:
        compile_blocks(net.dit)
    training = TrainingRun(run, config.minutes, config.steps)

    def step_loss(rng: np.random.Generator) -> tuple[str, Tensor]:
        # Whole frames count for more at the end, when lips are there and pictures have to settle.
        late = training.progress() >= 0.66
        share = max(config.full_share, config.late_share) if late else config.full_share
        batch = sample_task_batch(dataset, rng, share, config)
        loss = flow_loss(net.dit, net.text, batch, sample_sigmas(len(batch.z)).to(device))
        return f"loss_{'window' if batch.windowed else 'full'}", loss

    def evaluate(shipped: DitWithText) -> dict[str, float]:
        if out is not None:
            save_model(shipped.dit, out / "transformer")
            save_model(shipped.text, out / "text_encoder")
        return evaluator.evaluate(shipped.dit, shipped.text)

    torch.manual_seed(0)  # training draws the same noise whether the networks are new or loaded
    fit(net, training, config, step_loss, evaluate, dataset)


def compile_blocks(dit: AudioDiT) -> None:
    """Compile every block of the network, for clips of any length and size."""
    for block in dit.blocks:
        block.compile(dynamic=True)
