"""Train the perception network on rendered frames under heavy geometric and photometric augmentation.

Real portraits are the users' input and none is in the training data, so colours, contrast, blur, noise, scale and
rotation are varied far beyond what the renderer makes. A share of the pictures holds no face: shuffled blocks, plain
colours, soft shapes, noise.

    python -m dramatis_lab.train.perception --data DATA/train --test DATA/test --run RUNS/perception --minutes 15
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
import typer
from torch import Tensor

from dramatis.models.loading import load_model, save_model
from dramatis.models.perception import LANDMARKS, PerceptionNet
from dramatis_lab.data.shards import ShardSet
from dramatis_lab.train.common import Run, RunOption, autocast, fit, pick_device

FLIP = np.array(
    [
        *(*range(16, -1, -1), *range(26, 16, -1)),  # jaw, brows
        *(*range(27, 31), *range(35, 30, -1)),  # nose
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),  # eyes
        *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65),  # lips
    ]
)
"""Landmark order of the mirrored face."""
GAPS = (
    *((61, 67), (62, 66), (63, 65), (37, 41), (38, 40), (43, 47), (44, 46)),  # inner lips and eyelids, upper and lower
    *((48, 51), (48, 57), (54, 51), (54, 57)),  # corners of the mouth and the middles of its lips: a smile
    *((21, 39), (22, 42), (19, 37), (24, 44)),  # brows and the lids under them
)
"""Pairs of landmarks whose distances tell openings and expressions, and count by themselves in the loss."""


def usable(row: dict[str, Any]) -> bool:
    """One person, and pixels that lie where the ground truth says."""
    return row.get("people", 1) == 1 and row.get("damage") != "distorted"


def raw_batch(data: ShardSet, rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Frames (B, 3, H, W) in [-1, 1], landmarks (B, 68, 2) px, masks (B, 2, H, W) of person and face."""
    frames, marks, masks = [], [], []
    for _ in range(size):
        index = int(rng.integers(len(data)))
        while not usable(data.row(index)):
            index = int(rng.integers(len(data)))
        row = int(rng.integers(59))
        frames.append(data.frames(index, slice(row, row + 1))[0])
        marks.append(data.get(index, "landmarks")[row].astype(np.float32))
        person, face = data.get(index, "person")[row], data.get(index, "face")[row]
        masks.append(np.stack([person > 0, face > 0]).astype(np.float32))
    images = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return images, torch.from_numpy(np.stack(marks)), torch.from_numpy(np.stack(masks))


def warp(images: Tensor, marks: Tensor, masks: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Random scale, rotation, shift and mirror of a batch, applied to pictures, landmarks and masks alike."""
    size = len(images)
    side = images.shape[-1]
    angle = rng.normal(0, 0.22, size)
    scale = np.exp(rng.uniform(np.log(0.5), np.log(1.35), size))  # source pixels per output pixel: < 1 zooms in
    centre = marks.mean(1).numpy() + rng.normal(0, 7, (size, 2))
    mirror = np.where(rng.random(size) < 0.5, -1.0, 1.0)
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    linear = np.stack([np.stack([cos * mirror, -sin], -1), np.stack([sin * mirror, cos], -1)], 1)
    shift = centre / side * 2 - 1
    theta = torch.from_numpy(np.concatenate([linear, shift[:, :, None]], 2).astype(np.float32))
    grid = F.affine_grid(theta, [size, 3, PerceptionNet.size, PerceptionNet.size], align_corners=False)
    warped = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    masks = F.grid_sample(masks, grid, padding_mode="border", align_corners=False)
    inverse = np.linalg.inv(linear)
    unit = (marks.numpy() / side * 2 - 1) - shift[:, None]
    moved = (np.einsum("bij,bkj->bki", inverse, unit) + 1) / 2 * PerceptionNet.size
    flipped = np.where((mirror < 0)[:, None, None], moved[:, FLIP], moved)
    return warped, torch.from_numpy(flipped.astype(np.float32)), masks


def recolour(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Gains, gamma, grey, blur, low resolution and noise, each on some of the pictures."""
    size = len(images)

    def some(share: float) -> Tensor:
        return torch.from_numpy((rng.random(size) < share).astype(np.float32)).view(-1, 1, 1, 1)

    def draw(low: float, high: float, channels: int = 1) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, (size, channels, 1, 1)).astype(np.float32))

    x = (images + 1) / 2
    x = x.clamp(0, 1) ** torch.exp(draw(-0.6, 0.6))
    x = x * draw(0.6, 1.3) * draw(0.85, 1.15, 3) + draw(-0.12, 0.12)
    x = torch.lerp(x, x.mean(1, keepdim=True), some(0.2) * draw(0.5, 1.0))
    soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    x = torch.lerp(x, soft, some(0.4) * draw(0.3, 1.0))
    coarse = F.interpolate(F.avg_pool2d(x, 2), scale_factor=2.0, mode="bilinear")
    x = torch.lerp(x, coarse, some(0.2))
    x = x + some(0.4) * draw(0.0, 0.08) * torch.randn_like(x)
    return x.clamp(0, 1) * 2 - 1


def spoil(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Pictures without a face made from pictures with one: blocks shuffled, so only textures are left."""
    block = 16
    cells = PerceptionNet.size // block
    patches = images.unfold(2, block, block).unfold(3, block, block).flatten(2, 3)
    order = torch.from_numpy(rng.permutation(cells * cells))
    patches = patches[:, :, order].unflatten(2, (cells, cells))
    return patches.permute(0, 1, 2, 4, 3, 5).reshape(images.shape)


def faceless(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Pictures without a face, of four kinds: shuffled blocks of the given ones, plain colours, soft shapes, noise."""
    size, side = len(images), images.shape[-1]

    def noise(cells: int) -> Tensor:
        values = torch.from_numpy(rng.uniform(-1, 1, (size, 3, cells, cells)).astype(np.float32))
        return F.interpolate(values, size=(side, side), mode="bicubic", align_corners=False).clamp(-1, 1)

    kinds = torch.stack([spoil(images, rng), noise(1), noise(int(rng.integers(2, 9))), noise(side)])
    return kinds[torch.from_numpy(rng.integers(0, 4, size)), torch.arange(size)]


def losses(net: PerceptionNet, images: Tensor, marks: Tensor, masks: Tensor, spoiled: Tensor) -> Tensor:
    """Landmark error in interocular distances, cross-entropy of masks and of face presence."""
    everything = torch.cat([images, spoiled])
    with autocast(images.device):
        points, logits, face = net(everything)
    seen = len(images)
    inside = ((marks > 0) & (marks < PerceptionNet.size)).all(-1)
    span = (marks[:, 36] - marks[:, 45]).norm(dim=-1).clamp(min=8).view(-1, 1, 1)
    error = F.smooth_l1_loss(points[:seen].float() / span, marks / span, beta=0.02, reduction="none").sum(-1)
    weight = inside.float()
    weight[:, 48:68] *= 2.0
    loss = 10 * (error * weight).sum() / weight.sum()
    # Points that err together still say how far lips, lids and brows stand apart: sync and smiles are read off that.
    upper, lower = (list(side) for side in zip(*GAPS, strict=True))
    seen_gap, true_gap = (p[:, upper] - p[:, lower] for p in (points[:seen].float() / span, marks / span))
    gap_error = F.smooth_l1_loss(seen_gap, true_gap, beta=0.01, reduction="none").sum(-1)
    loss = loss + 10 * (gap_error * weight[:, upper]).sum() / weight[:, upper].sum()
    target = F.avg_pool2d(masks, 2)
    loss = loss + F.binary_cross_entropy_with_logits(logits[:seen].float(), target)
    present = (torch.arange(len(everything), device=images.device) < seen).float()
    return loss + 0.2 * F.binary_cross_entropy_with_logits(face.float(), present)


@torch.no_grad()
def evaluate(net: PerceptionNet, data: ShardSet, device: torch.device) -> dict[str, float]:
    """Held-out people, unaugmented frames: landmark error in interocular distances, mask IoU, opening correlation."""
    net.eval()
    rng = np.random.default_rng(1)
    errors, ious, faces, pairs, presence = [], [], [], [], []
    for _ in range(8):
        images, marks, masks = raw_batch(data, rng, 32)
        points, logits, face = net(images.to(device))
        points, logits = points.float().cpu(), logits.float().cpu()
        span = (marks[:, 36] - marks[:, 45]).norm(dim=-1)
        errors.append(((points - marks).norm(dim=-1).mean(1) / span).mean())
        target = F.avg_pool2d(masks, 2) > 0.5
        overlap = ((logits > 0) & target).sum((2, 3)) / ((logits > 0) | target).sum((2, 3)).clamp(min=1)
        ious.append(overlap[:, 0].mean())
        faces.append(overlap[:, 1].mean())
        presence.append((face > 0).float().mean().cpu())
        for source in (points, marks):
            pairs.append((source[:, 62] - source[:, 66]).norm(dim=-1) / span)
    seen, true = torch.cat(pairs[::2]), torch.cat(pairs[1::2])
    return {
        "landmark_error": float(np.mean(errors)),
        "person_iou": float(np.mean(ious)),
        "face_iou": float(np.mean(faces)),
        "opening_r": float(np.corrcoef(seen, true)[0, 1]),
        "face_seen": float(np.mean(presence)),
    }


def main(
    data: Annotated[Path, typer.Option(help="training shards")],
    test: Annotated[Path, typer.Option(help="held-out shards")],
    run: RunOption,
    out: Annotated[Path | None, typer.Option(help="write the averaged weights here at the end")] = None,
    init: Annotated[Path | None, typer.Option(help="start from these weights")] = None,
    minutes: float = 15.0,
    batch_size: int = 32,
    rate: float = 2e-3,
    presence_only: Annotated[bool, typer.Option(help="train only whether there is a face, keep all else")] = False,
) -> None:
    """Train, resuming from the run folder when it has a checkpoint."""
    device = pick_device()
    torch.manual_seed(0)
    train_set, test_set = ShardSet(data), ShardSet(test)
    net = (load_model(PerceptionNet, init) if init else PerceptionNet()).to(device).train()
    net = net.to(memory_format=torch.channels_last)
    if presence_only:
        net.eval().requires_grad_(False)  # evaluation mode: the norms' statistics stay as well
        net.face.requires_grad_(True)

    def loss_of(rng: np.random.Generator) -> Tensor:
        images, marks, masks = warp(*raw_batch(train_set, rng, batch_size), rng)
        images = recolour(images, rng)
        spoiled = faceless(images[: batch_size // 4], rng)
        return losses(net, *(x.to(device) for x in (images, marks, masks, spoiled)))

    shipped = fit(
        net,
        Run(run, minutes),
        loss_of,
        lambda net: evaluate(net, test_set, device),
        rate=rate,
        weight_decay=1e-3,
        clip=5.0,
        refresh=train_set.refresh,
    )
    if out is not None:
        save_model(shipped, out)


assert len(FLIP) == LANDMARKS

if __name__ == "__main__":
    typer.run(main)
