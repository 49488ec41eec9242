"""Train the detail refiner on what the high-resolution DiT and the autoencoder make of training clips.

The frozen upscaler enlarges every sample once, as the cascade would: sub-clips in few steps between true ends,
keyframes from the moved reference. The results are kept in memory, and the refiner learns to bring them nearer to the
true frames with the moved pictures at hand. The loss is the autoencoder's: distances, gradients, and the strength of
fine detail.

    python -m dramatis_lab.train refiner --config recipes/mini/refiner.yaml --data RUNS/hr_latents/train \
        --test RUNS/hr_latents/test --model RUNS/mini --run RUNS/refiner --out RUNS/mini/refiner
"""

from __future__ import annotations

from dataclasses import dataclass
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
from dramatis.models.pictures import to_tensor
from dramatis.models.refiner import DetailRefiner
from dramatis.models.shapes import pixel_frames
from dramatis.models.text import TextEncoder
from dramatis.sampling.schedules import shifted_sigmas
from dramatis_lab.data.device import autocast, pick_device
from dramatis_lab.data.latents import LatentDataset
from dramatis_lab.data.precompute_hr import to_uint8_frames
from dramatis_lab.data.tasks import TaskBatch, high_resolution_clips, high_resolution_keyframes
from dramatis_lab.train.config import TrainConfig
from dramatis_lab.train.flow import decode_latents, generate_latents
from dramatis_lab.train.loop import fit
from dramatis_lab.train.reconstruction import reconstruction_loss, sharpness_ratio, texture_loss, video_psnr
from dramatis_lab.train.run import RunOption, TrainingRun

CLIP_STEPS, KEYFRAME_STEPS = 2, 8
"""As the mini's profile has them."""
CROP_FRAMES = 9
"""Of a training crop of a sub-clip; it begins where a latent frame does."""
EVALUATED_ROWS = 6


class RefinerConfig(TrainConfig):
    """Crops of `side` pixels, the share of batches of keyframes, and the weight of the texture loss."""

    batch_size: int = Field(ge=1)
    side: int = Field(ge=16)
    keyframe_share: float = Field(ge=0, le=1)
    texture: float = Field(ge=0)


@dataclass(frozen=True)
class EnlargedClip:
    """Frames (F, H, W, 3) uint8 of a sub-clip, or of single keyframes.

    True, as the upscaler made them, and the moved picture.
    """

    true: Tensor
    enlarged: Tensor
    moved: Tensor


class FrozenUpscaler:
    """The frozen networks that enlarge."""

    def __init__(self, model: Path, device: torch.device) -> None:
        self.device = device
        self.upscaler = load_model(AudioDiT, model / "upscaler", torch.bfloat16).to(device).eval()
        self.text = load_model(TextEncoder, model / "text_encoder", torch.bfloat16).to(device).eval()
        self.autoencoder = load_model(MiniAutoencoder, model / "autoencoder").to(device).eval()
        self.autoencoder = self.autoencoder.to(memory_format=torch.channels_last)

    @torch.no_grad()
    def enlarge(self, batch: TaskBatch, steps: int, seed: int) -> Tensor:
        """(B, 3, F, H, W) in [-1, 1]."""
        z = generate_latents(self.upscaler, self.text, batch, shifted_sigmas(steps, 1.0), seed, self.device)
        return decode_latents(self.autoencoder, z)


class EnlargedDataset:
    """The rows of a dataset, each enlarged once."""

    def __init__(self, data: LatentDataset, upscaler: FrozenUpscaler) -> None:
        self.data, self.upscaler, self.device = data, upscaler, upscaler.device
        self._clips: dict[int, EnlargedClip] = {}
        self._keyframes: dict[int, EnlargedClip] = {}

    def clip(self, index: int) -> EnlargedClip:
        """A row's sub-clip."""
        if index not in self._clips:
            tensors = self.data.tensors
            batch = high_resolution_clips(self.data, np.array([index]), self.data.rows[index]["length"])
            enlarged = to_uint8_frames(self.upscaler.enlarge(batch, CLIP_STEPS, index))
            true, moved = (tensors[name][index][: len(enlarged)] for name in ("true", "fill"))
            self._clips[index] = EnlargedClip(true, enlarged, moved)
        return self._clips[index]

    def keyframe(self, index: int) -> EnlargedClip:
        """A row's single frames."""
        if index not in self._keyframes:
            tensors = self.data.tensors
            batch = high_resolution_keyframes(self.data, np.array([index]))
            # Each frame was enlarged as a clip of its own; here they stand one after another.
            enlarged = to_uint8_frames(self.upscaler.enlarge(batch, KEYFRAME_STEPS, index).transpose(0, 2))
            true = tensors["true"][index][tensors["key_index"][index].long()]
            self._keyframes[index] = EnlargedClip(true, enlarged, tensors["key_moved"][index])
        return self._keyframes[index]


def sample_refiner_crops(dataset: EnlargedDataset, rng: np.random.Generator, config: RefinerConfig) -> list[Tensor]:
    """True, enlarged and moved crops (B, 3, F, side, side): of sub-clips, or of as many single frames."""
    crops = []
    if rng.random() < config.keyframe_share:
        for index in rng.integers(0, len(dataset.data), config.batch_size):
            clip, window = dataset.keyframe(int(index)), _sample_window(rng, dataset, config.side)
            crops += [[part[k : k + 1][window] for part in _parts(clip)] for k in range(len(clip.true))]
    else:
        long = [i for i, row in enumerate(dataset.data.rows) if pixel_frames(row["length"]) >= CROP_FRAMES]
        for index in rng.choice(long, config.batch_size):
            clip, window = dataset.clip(int(index)), _sample_window(rng, dataset, config.side)
            start = 4 * int(rng.integers(0, (len(clip.true) - CROP_FRAMES) // 4 + 1))
            crops.append([part[start : start + CROP_FRAMES][window] for part in _parts(clip)])
    stacks = [torch.cat([to_tensor(part.numpy()) for part in parts]) for parts in zip(*crops, strict=True)]
    stacks = [stack.to(dataset.device) for stack in stacks]
    return [stack.flip(-1) for stack in stacks] if rng.random() < 0.5 else stacks


def _parts(clip: EnlargedClip) -> list[Tensor]:
    return [clip.true, clip.enlarged, clip.moved]


def _sample_window(rng: np.random.Generator, dataset: EnlargedDataset, side: int) -> tuple[slice, slice, slice]:
    room = dataset.data.tensors["true"][0].shape[1] - side
    y, x = (2 * int(rng.integers(0, room // 2 + 1)) for _ in range(2))
    return slice(None), slice(y, y + side), slice(x, x + side)


@torch.no_grad()
def evaluate_refiner(refiner: DetailRefiner, dataset: EnlargedDataset) -> dict[str, float]:
    """PSNR gained (dB), and Laplacian variance over the true one without and with the refiner.

    For clips also how much changes from a latent frame to the next over within one, true frames being 1.
    """
    figures: dict[str, list[float]] = {}
    for index in np.linspace(0, len(dataset.data) - 1, EVALUATED_ROWS).astype(int):
        for name, clip in (("clip", dataset.clip(int(index))), ("key", dataset.keyframe(int(index)))):
            single = name == "key"
            videos = (to_tensor(part.numpy()).to(dataset.device) for part in _parts(clip))
            true, enlarged, moved = (video.transpose(0, 2) if single else video for video in videos)
            with autocast(dataset.device):
                refined = refiner(enlarged, moved).float().clamp(-1, 1)
            figures.setdefault(f"{name}_gain", []).append(video_psnr(refined, true) - video_psnr(enlarged, true))
            for kind, frames in (("before", enlarged), ("after", refined)):
                figures.setdefault(f"{name}_sharp_{kind}", []).append(sharpness_ratio(frames, true))
                if not single:
                    figures.setdefault(f"pulse_{kind}", []).append(latent_pulse(frames) / latent_pulse(true))
    return {name: float(np.mean(values)) for name, values in figures.items()}


def latent_pulse(video: Tensor) -> float:
    """Mean change (1, 3, F, H, W) where one latent frame hands over to the next, over the mean of all other changes."""
    change = video.diff(dim=2).abs().mean((0, 1, 3, 4))
    border = torch.arange(len(change), device=change.device) % 4 == 0
    return float(change[border].mean() / change[~border].mean().clamp(min=1e-6))


def train_refiner(
    config: RefinerConfig,
    data: Annotated[Path, typer.Option(help="precomputed high-resolution latents and pixels")],
    test: Annotated[Path, typer.Option(help="the same of held-out people")],
    model: Annotated[Path, typer.Option(help="model folder with the trained upscaler")],
    run: RunOption,
    out: Annotated[Path | None, typer.Option(help="write the averaged weights here at the end")] = None,
) -> None:
    """Train the detail refiner."""
    device = pick_device()
    torch.manual_seed(0)
    upscaler = FrozenUpscaler(model, device)
    dataset, held_out = (EnlargedDataset(LatentDataset(folder), upscaler) for folder in (data, test))
    refiner = DetailRefiner().to(device, memory_format=torch.channels_last).train()

    def step_loss(rng: np.random.Generator) -> tuple[str, Tensor]:
        true, enlarged, moved = sample_refiner_crops(dataset, rng, config)
        with autocast(device):
            refined = refiner(enlarged, moved)
        loss = reconstruction_loss(refined, true, torch.zeros_like(true[:, :1]), 1.0)
        return "loss", loss + config.texture * texture_loss(refined, true)

    training = TrainingRun(run, config.minutes, config.steps)
    shipped = fit(refiner, training, config, step_loss, lambda net: evaluate_refiner(net, held_out))
    if out is not None:
        save_model(shipped, out)
