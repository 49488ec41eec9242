"""Train the mini autoencoder on crops of rendered clips.

L1 on pixels, on their gradients in space and time, and on a pooled picture; mouth and eyes count more, since they are
what people look at and what a plain mean forgets. Crops are taken half near the mouth, half anywhere, and some clips
are strided ones, as the blueprint compresses frames that lie far apart.

    python -m dramatis_lab.train autoencoder --config recipes/mini/autoencoder.yaml --data DATA/train \
        --test DATA/test --run RUNS/autoencoder --out RUNS/autoencoder/model
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
import typer
from pydantic import Field
from torch import Tensor

from dramatis.models.autoencoder import MiniAutoencoder, bound_latents
from dramatis.models.loading import load_model, save_model
from dramatis_lab.data.device import autocast, pick_device
from dramatis_lab.data.face_regions import MOUTH, detail_boxes
from dramatis_lab.data.shards import DENSE, STRIDED, ShardDataset
from dramatis_lab.train.config import TrainConfig
from dramatis_lab.train.loop import fit
from dramatis_lab.train.reconstruction import reconstruction_loss, sharpness_ratio, texture_loss, video_psnr
from dramatis_lab.train.run import RunOption, TrainingRun

LATENT_PENALTY = 2e-3
"""Keeps latents off their bound: without it a large first step saturated all of them and nothing was learnt."""
DECODER_PREFIXES = ("dec", "up", "ungroup")
"""How the names of the decoder's layers begin."""


class AutoencoderConfig(TrainConfig):
    """Crops of `frames` frames and `side` pixels, how latents are perturbed, and the weights of the loss.

    noise: of single latent cells; pulse: most of a smooth noise that differs between latent frames (both as in
    `perturb_latents`). detail: weight of mouth and eyes. texture: weight of the texture loss; for the decoder, at the
    end. decoder_only: keep the encoder, and with it all latents made so far.
    """

    batch_size: int = Field(ge=1)
    frames: int = Field(ge=1, le=29)
    side: int = Field(ge=16)
    noise: float = Field(ge=0)
    pulse: float = Field(ge=0)
    detail: float = Field(ge=0)
    texture: float = Field(ge=0)
    decoder_only: bool


def sample_crop(data: ShardDataset, rng: np.random.Generator, frames: int, side: int) -> tuple[np.ndarray, np.ndarray]:
    """One training crop: (frames, side, side, 3) uint8 and its detail weights (frames, side, side)."""
    index = int(rng.integers(len(data)))
    strided = len(data.get(index, "index")) >= STRIDED.stop
    span = STRIDED if strided and rng.random() < 0.3 else DENSE
    start = span.start + int(rng.integers(0, 29 - frames + 1))
    clip = data.frames(index, slice(start, start + frames))
    marks = data.get(index, "landmarks")[start : start + frames].astype(np.float32)
    height, width = clip.shape[1:3]
    if rng.random() < 0.5:
        centre = marks[0, list(MOUTH)].mean(0) + rng.normal(0, 8, 2)
    else:
        centre = rng.uniform(0, [width, height])
    x, y = (int(np.clip(c - side / 2, 0, n - side)) for c, n in zip(centre, (width, height), strict=True))
    x, y = x // 2 * 2, y // 2 * 2
    boxes = detail_boxes(marks, (height, width))[:, y : y + side, x : x + side]
    clip = clip[:, y : y + side, x : x + side]
    if rng.random() < 0.5:
        clip, boxes = clip[:, :, ::-1], boxes[:, :, ::-1]
    return clip, boxes


def sample_clips(
    data: ShardDataset, rng: np.random.Generator, size: int, frames: int, side: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """(B, 3, F, side, side) in [-1, 1] and weights (B, 1, F, side, side); colours and gains are jittered."""
    crops = [sample_crop(data, rng, frames, side) for _ in range(size)]
    video = torch.from_numpy(np.stack([clip for clip, _ in crops])).to(device).float().div_(127.5).sub_(1)
    gain = torch.from_numpy(rng.uniform(0.8, 1.15, (size, 1, 1, 1, 3)).astype(np.float32)).to(device)
    video = ((video + 1) * gain - 1).clamp_(-1, 1)
    boxes = torch.from_numpy(np.stack([box for _, box in crops])).to(device)
    return video.permute(0, 4, 1, 2, 3), boxes.float().unsqueeze(1)


def perturb_latents(z: Tensor, noise: float, pulse: float) -> Tensor:
    """Latents (B, C, T, h, w) with the errors of a DiT, in units of their spread: so that nearby latents decode alike.

    noise: of single cells. pulse: at most so much of a smooth error that is another one in every latent frame; the
    decoder, which sees the frames before and after, learns to even it out instead of showing it as a pulse.
    """
    spread = z.detach().float().std()
    batch, channels, frames, height, width = z.shape
    coarse = torch.randn(batch, channels * frames, 2 + height // 8, 2 + width // 8, device=z.device)
    smooth = F.interpolate(coarse, (height, width), mode="bilinear", align_corners=True).view(z.shape)
    level = pulse * torch.rand(batch, 1, 1, 1, 1, device=z.device)
    return z + (spread * (noise * torch.randn_like(z) + level * smooth)).to(z.dtype)


@torch.no_grad()
def evaluate_autoencoder(
    model: MiniAutoencoder, data: ShardDataset, device: torch.device, clips: int = 24
) -> dict[str, float]:
    """PSNR (dB) on held-out people, and Laplacian variance of whole frames over the true one.

    Whole frames, mouth and eye boxes, strided clips if there are any.
    """
    model.eval()
    sharp: list[float] = []
    whole: list[float] = []
    detail: list[float] = []
    strided: list[float] = []
    for index in range(min(clips, len(data))):
        marks = data.get(index, "landmarks").astype(np.float32)
        for span, figures in ((DENSE, whole), (STRIDED, strided)):
            if len(marks) < span.stop:
                continue
            clip = torch.from_numpy(data.frames(index, span)).to(device).float().div(127.5).sub(1)
            video = clip.permute(3, 0, 1, 2).unsqueeze(0)
            with autocast(device):
                out = model(video)
            figures.append(video_psnr(out, video))
            if span is DENSE:
                sharp.append(sharpness_ratio(out, video))
                height, width = clip.shape[1:3]
                boxes = torch.from_numpy(detail_boxes(marks[span], (height, width))).to(device)
                detail.append(video_psnr(out, video, boxes.float()))
    scores = {"psnr": whole, "psnr_detail": detail, "psnr_strided": strided, "sharpness": sharp}
    return {name: float(np.mean(values)) for name, values in scores.items() if values}


@torch.no_grad()
def latent_statistics(model: MiniAutoencoder, data: ShardDataset, device: torch.device) -> tuple[Tensor, Tensor]:
    """Per-channel mean and standard deviation of the latents of training clips."""
    rng = np.random.default_rng(0)
    latents = []
    for index in rng.integers(0, len(data), 64):
        clip = torch.from_numpy(data.frames(int(index), DENSE)).to(device).float().div(127.5).sub(1)
        with autocast(device):
            latents.append(model.encode(clip.permute(3, 0, 1, 2).unsqueeze(0)).float())
    z = torch.cat(latents)
    return z.mean((0, 2, 3, 4)), z.std((0, 2, 3, 4))


def train_autoencoder(
    config: AutoencoderConfig,
    data: Annotated[Path, typer.Option(help="training shards")],
    test: Annotated[Path, typer.Option(help="held-out shards")],
    run: RunOption,
    out: Annotated[Path | None, typer.Option(help="write the averaged weights here at the end")] = None,
    init: Annotated[Path | None, typer.Option(help="start from these weights")] = None,
) -> None:
    """Train the video autoencoder, or its decoder alone."""
    device = pick_device()
    torch.manual_seed(0)
    dataset, held_out = ShardDataset(data), ShardDataset(test)
    model = load_model(MiniAutoencoder, init) if init else MiniAutoencoder()
    model = model.to(device, memory_format=torch.channels_last).train()
    if config.decoder_only:
        model.requires_grad_(requires_grad=False)
        for name, part in model.named_children():
            part.requires_grad_(name.startswith(DECODER_PREFIXES))

    def step_loss(rng: np.random.Generator) -> tuple[str, Tensor]:
        video, boxes = sample_clips(dataset, rng, config.batch_size, config.frames, config.side, device)
        with autocast(device):
            unbound = model.encode_unbound(video)
            z = bound_latents(unbound)
            decoded = model.decode(perturb_latents(z, config.noise, config.pulse))
        loss = reconstruction_loss(decoded, video, boxes, config.detail)
        loss = loss + LATENT_PENALTY * unbound.float().square().mean()
        return "loss", loss if config.texture == 0 else loss + config.texture * texture_loss(decoded, video)

    training = TrainingRun(run, config.minutes, config.steps)
    shipped = fit(model, training, config, step_loss, lambda net: evaluate_autoencoder(net, held_out, device), dataset)
    if not config.decoder_only:
        mean, std = latent_statistics(shipped, dataset, device)
        shipped.register_to_config(latents_mean=tuple(mean.tolist()), latents_std=tuple(std.tolist()))
    if out is not None:
        save_model(shipped, out)
