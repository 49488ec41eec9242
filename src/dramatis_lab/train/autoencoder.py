"""Train the mini autoencoder on crops of rendered clips.

L1 on pixels, on their gradients in space and time, and on a pooled picture; mouth and eyes count more, since they are
what people look at and what a plain mean forgets. Crops are taken half near the mouth, half anywhere, and some clips
are strided ones, as the blueprint compresses frames that lie far apart.

    python -m dramatis_lab.train.autoencoder --data DATA/train --test DATA/test --run RUNS/autoencoder --minutes 30
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import torch
import torch.nn.functional as F
import typer
from torch import Tensor

from dramatis.models.autoencoder import MiniAutoencoder, bound
from dramatis.models.loading import load_model, save_model
from dramatis_lab.data.shards import ShardSet
from dramatis_lab.train.common import Run, RunOption, autocast, fit, pick_device, psnr

REFERENCE, DENSE, STRIDED = slice(0, 1), slice(1, 30), slice(30, 59)
LATENT_PENALTY = 2e-3
"""Keeps latents off their bound: without it a large first step saturated all of them and nothing was learnt."""
BORDER_WEIGHT = 4.0
"""How much more a change of the error counts between two latent frames than within one."""
TEXTURE_WINDOW = 16
DECODER = ("dec", "up", "ungroup")
"""How the names of the decoder's layers begin."""
MOUTH = range(48, 68)
EYES = range(36, 48)


def detail_boxes(landmarks: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Landmarks (T, 68, 2) px -> (T, H, W) bool, true in a box around the mouth and around each eye."""
    height, width = size
    out = np.zeros((len(landmarks), height, width), dtype=bool)
    reach = 0.12 * np.linalg.norm(landmarks[:, 36] - landmarks[:, 45], axis=-1)
    for part in (MOUTH, range(36, 42), range(42, 48)):
        points = landmarks[:, list(part)]
        low = np.floor(points.min(1) - reach[:, None]).astype(int)
        high = np.ceil(points.max(1) + reach[:, None]).astype(int)
        for t in range(len(out)):
            x0, y0 = np.maximum(low[t], 0)
            x1, y1 = np.maximum(high[t], 0)
            out[t, y0:y1, x0:x1] = True
    return out


def random_crop(data: ShardSet, rng: np.random.Generator, frames: int, side: int) -> tuple[np.ndarray, np.ndarray]:
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


def batch(
    data: ShardSet, rng: np.random.Generator, size: int, frames: int, side: int, device: torch.device
) -> tuple[Tensor, Tensor]:
    """(B, 3, F, side, side) in [-1, 1] and weights (B, 1, F, side, side); colours and gains are jittered."""
    crops = [random_crop(data, rng, frames, side) for _ in range(size)]
    video = torch.from_numpy(np.stack([clip for clip, _ in crops])).to(device).float().div_(127.5).sub_(1)
    gain = torch.from_numpy(rng.uniform(0.8, 1.15, (size, 1, 1, 1, 3)).astype(np.float32)).to(device)
    video = ((video + 1) * gain - 1).clamp_(-1, 1)
    boxes = torch.from_numpy(np.stack([box for _, box in crops])).to(device)
    return video.permute(0, 4, 1, 2, 3), boxes.float().unsqueeze(1)


def reconstruction_loss(out: Tensor, video: Tensor, boxes: Tensor, detail: float) -> Tensor:
    """Weighted L1 of pixels, of their gradients in space and time, and of 4x pooled pixels.

    The gradient in time keeps what stands still from shimmering: errors may be there, but not change, least of all
    where one latent frame hands over to the next, which would show as a pulse every four frames.
    """
    weight = 1 + (detail - 1) * boxes
    error = out.float() - video
    loss = (weight * error.abs()).mean()
    dx, dy = error.diff(dim=-1), error.diff(dim=-2)
    loss = loss + 0.5 * ((weight[..., 1:] * dx.abs()).mean() + (weight[..., 1:, :] * dy.abs()).mean()) / 2
    if video.shape[2] > 1:
        border = torch.ones(video.shape[2] - 1, device=video.device)
        border[::4] = BORDER_WEIGHT
        change = weight[:, :, 1:] * error.diff(dim=2).abs()
        loss = loss + (border.view(-1, 1, 1) * change).mean() / border.mean()
    return loss + 0.5 * F.avg_pool3d(error, (1, 4, 4)).abs().mean()


def laplacian(video: Tensor) -> Tensor:
    """(B, 3, F, H, W) -> (B, F, H-2, W-2): the Laplacian of grey levels, in float32."""
    grey = video.float().mean(1)
    middle = grey[..., 1:-1, 1:-1]
    around = grey[..., :-2, 1:-1] + grey[..., 2:, 1:-1] + grey[..., 1:-1, :-2] + grey[..., 1:-1, 2:]
    return around - 4 * middle


def texture_loss(out: Tensor, video: Tensor) -> Tensor:
    """How far the strength of fine detail is off, frequency by frequency in windows of 16 pixels: a plain distance
    prefers blur to a risk. One figure for all frequencies would be met by a faint checkerboard (measured)."""

    def strength(clip: Tensor) -> Tensor:
        window = torch.hann_window(TEXTURE_WINDOW, device=clip.device)
        window = window[:, None] * window / window.square().sum()
        tiles = laplacian(clip).unfold(-2, TEXTURE_WINDOW, 8).unfold(-2, TEXTURE_WINDOW, 8)
        return (torch.fft.rfft2(tiles * window).abs().square() + 1e-6).sqrt()

    return (strength(out) - strength(video)).abs().mean()


def spoilt(z: Tensor, noise: float, pulse: float) -> Tensor:
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
def evaluate(model: MiniAutoencoder, data: ShardSet, device: torch.device, clips: int = 24) -> dict[str, float]:
    """PSNR (dB) on held-out people: whole frames, mouth and eye boxes, strided clips if there are any; Laplacian
    variance of whole frames over the true one."""
    model.eval()
    sharp: list[float] = []
    whole: list[float] = []
    detail: list[float] = []
    strided: list[float] = []
    for index in range(min(clips, len(data))):
        marks = data.get(index, "landmarks").astype(np.float32)
        for span, found in ((DENSE, whole), (STRIDED, strided)):
            if len(marks) < span.stop:
                continue
            clip = torch.from_numpy(data.frames(index, span)).to(device).float().div(127.5).sub(1)
            video = clip.permute(3, 0, 1, 2).unsqueeze(0)
            with autocast(device):
                out = model(video)
            found.append(psnr(out, video))
            if span is DENSE:
                sharp.append(float(laplacian(out).var() / laplacian(video).var()))
                height, width = clip.shape[1:3]
                boxes = torch.from_numpy(detail_boxes(marks[span], (height, width))).to(device)
                detail.append(psnr(out, video, boxes.float()))
    scores = {"psnr": whole, "psnr_detail": detail, "psnr_strided": strided, "sharpness": sharp}
    return {name: float(np.mean(values)) for name, values in scores.items() if values}


@torch.no_grad()
def latent_statistics(model: MiniAutoencoder, data: ShardSet, device: torch.device) -> tuple[Tensor, Tensor]:
    """Per-channel mean and standard deviation of the latents of training clips."""
    rng = np.random.default_rng(0)
    latents = []
    for index in rng.integers(0, len(data), 64):
        clip = torch.from_numpy(data.frames(int(index), DENSE)).to(device).float().div(127.5).sub(1)
        with autocast(device):
            latents.append(model.encode(clip.permute(3, 0, 1, 2).unsqueeze(0)).float())
    z = torch.cat(latents)
    return z.mean((0, 2, 3, 4)), z.std((0, 2, 3, 4))


def main(
    data: Annotated[Path, typer.Option(help="training shards")],
    test: Annotated[Path, typer.Option(help="held-out shards")],
    run: RunOption,
    out: Annotated[Path | None, typer.Option(help="write the averaged weights here at the end")] = None,
    init: Annotated[Path | None, typer.Option(help="start from these weights")] = None,
    minutes: float = 30.0,
    batch_size: int = 12,
    frames: int = 9,
    side: int = 80,
    rate: float = 1e-3,
    noise: float = 0.06,
    pulse: Annotated[float, typer.Option(help="most of a smooth noise that differs between latent frames")] = 0.0,
    detail: float = 4.0,
    texture: Annotated[float, typer.Option(help="weight of the texture loss; for the decoder, at the end")] = 0.0,
    decoder_only: Annotated[bool, typer.Option(help="keep the encoder, and with it all latents made so far")] = False,
) -> None:
    """Train, resuming from the run folder when it has a checkpoint."""
    device = pick_device()
    torch.manual_seed(0)
    train_set, test_set = ShardSet(data), ShardSet(test)
    model = load_model(MiniAutoencoder, init) if init else MiniAutoencoder()
    model = model.to(device, memory_format=torch.channels_last).train()
    if decoder_only:
        model.requires_grad_(False)
        for name, part in model.named_children():
            part.requires_grad_(name.startswith(DECODER))

    def loss_of(rng: np.random.Generator) -> Tensor:
        video, boxes = batch(train_set, rng, batch_size, frames, side, device)
        with autocast(device):
            free = model.encode_unbound(video)
            z = bound(free)
            decoded = model.decode(spoilt(z, noise, pulse))
        loss = reconstruction_loss(decoded, video, boxes, detail) + LATENT_PENALTY * free.float().square().mean()
        return loss if texture == 0 else loss + texture * texture_loss(decoded, video)

    shipped = fit(
        model,
        Run(run, minutes),
        loss_of,
        lambda net: evaluate(net, test_set, device),
        rate=rate,
        weight_decay=1e-4,
        report_every=100,
        refresh=train_set.refresh,
    )
    if not decoder_only:
        mean, std = latent_statistics(shipped, train_set, device)
        shipped.register_to_config(latents_mean=tuple(mean.tolist()), latents_std=tuple(std.tolist()))
    if out is not None:
        save_model(shipped, out)


if __name__ == "__main__":
    typer.run(main)
