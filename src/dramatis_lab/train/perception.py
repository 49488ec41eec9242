"""Train the perception network on rendered frames under heavy geometric and photometric augmentation.

Real portraits are the users' input and none is in the training data, so colours, contrast, blur, noise, scale and
rotation are varied far beyond what the renderer makes. A share of the pictures holds no face: shuffled blocks, plain
colours, soft shapes, noise.

    python -m dramatis_lab.train perception --config recipes/mini/perception.yaml --data DATA/train \
        --test DATA/test --run RUNS/perception --out RUNS/mini/perception
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
import typer
from pydantic import Field
from torch import Tensor

from dramatis.models.loading import load_model, save_model
from dramatis.models.perception import LANDMARKS, PerceptionNet
from dramatis_lab.data.device import autocast, pick_device
from dramatis_lab.data.shards import ShardDataset
from dramatis_lab.train.config import TrainConfig
from dramatis_lab.train.loop import fit
from dramatis_lab.train.run import RunOption, TrainingRun

MIRRORED_LANDMARKS = np.array(
    [
        *(*range(16, -1, -1), *range(26, 16, -1)),  # jaw, brows
        *(*range(27, 31), *range(35, 30, -1)),  # nose
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),  # eyes
        *(54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55, 64, 63, 62, 61, 60, 67, 66, 65),  # lips
    ]
)
"""Landmark order of the mirrored face."""
LANDMARK_GAPS = (
    *((61, 67), (62, 66), (63, 65), (37, 41), (38, 40), (43, 47), (44, 46)),  # inner lips and eyelids, upper and lower
    *((48, 51), (48, 57), (54, 51), (54, 57)),  # corners of the mouth and the middles of its lips: a smile
    *((21, 39), (22, 42), (19, 37), (24, 44)),  # brows and the lids under them
)
"""Pairs of landmarks whose distances tell openings and expressions, and count by themselves in the loss."""


class PerceptionConfig(TrainConfig):
    """presence_only: train only whether there is a face, keep all else."""

    batch_size: int = Field(ge=4)
    presence_only: bool


def has_true_geometry(row: dict[str, Any]) -> bool:
    """One person, and pixels that lie where the ground truth says."""
    return row.get("people", 1) == 1 and row.get("damage") != "distorted"


def sample_frames(data: ShardDataset, rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Frames (B, 3, H, W) in [-1, 1], landmarks (B, 68, 2) px, masks (B, 2, H, W) of person and face."""
    frames, marks, masks = [], [], []
    for _ in range(size):
        index = int(rng.integers(len(data)))
        while not has_true_geometry(data.row(index)):
            index = int(rng.integers(len(data)))
        row = int(rng.integers(59))
        frames.append(data.frames(index, slice(row, row + 1))[0])
        marks.append(data.get(index, "landmarks")[row].astype(np.float32))
        person, face = data.get(index, "person")[row], data.get(index, "face")[row]
        masks.append(np.stack([person > 0, face > 0]).astype(np.float32))
    images = torch.from_numpy(np.stack(frames)).permute(0, 3, 1, 2).float() / 127.5 - 1
    return images, torch.from_numpy(np.stack(marks)), torch.from_numpy(np.stack(masks))


def warp_faces(images: Tensor, marks: Tensor, masks: Tensor, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
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
    flipped = np.where((mirror < 0)[:, None, None], moved[:, MIRRORED_LANDMARKS], moved)
    return warped, torch.from_numpy(flipped.astype(np.float32)), masks


def vary_colours(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Gains, gamma, grey, blur, low resolution and noise, each on some of the pictures."""
    size = len(images)

    def chosen(share: float) -> Tensor:
        return torch.from_numpy((rng.random(size) < share).astype(np.float32)).view(-1, 1, 1, 1)

    def draw(low: float, high: float, channels: int = 1) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, (size, channels, 1, 1)).astype(np.float32))

    x = (images + 1) / 2
    x = x.clamp(0, 1) ** torch.exp(draw(-0.6, 0.6))
    x = x * draw(0.6, 1.3) * draw(0.85, 1.15, 3) + draw(-0.12, 0.12)
    x = torch.lerp(x, x.mean(1, keepdim=True), chosen(0.2) * draw(0.5, 1.0))
    soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    x = torch.lerp(x, soft, chosen(0.4) * draw(0.3, 1.0))
    coarse = F.interpolate(F.avg_pool2d(x, 2), scale_factor=2.0, mode="bilinear")
    x = torch.lerp(x, coarse, chosen(0.2))
    x = x + chosen(0.4) * draw(0.0, 0.08) * torch.randn_like(x)
    return x.clamp(0, 1) * 2 - 1


def shuffle_blocks(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Pictures without a face made from pictures with one: blocks shuffled, so only textures are left."""
    block = 16
    cells = PerceptionNet.size // block
    patches = images.unfold(2, block, block).unfold(3, block, block).flatten(2, 3)
    order = torch.from_numpy(rng.permutation(cells * cells))
    patches = patches[:, :, order].unflatten(2, (cells, cells))
    return patches.permute(0, 1, 2, 4, 3, 5).reshape(images.shape)


def make_faceless(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Pictures without a face, of four kinds: shuffled blocks of the given ones, plain colours, soft shapes, noise."""
    size, side = len(images), images.shape[-1]

    def noise(cells: int) -> Tensor:
        values = torch.from_numpy(rng.uniform(-1, 1, (size, 3, cells, cells)).astype(np.float32))
        return F.interpolate(values, size=(side, side), mode="bicubic", align_corners=False).clamp(-1, 1)

    kinds = torch.stack([shuffle_blocks(images, rng), noise(1), noise(int(rng.integers(2, 9))), noise(side)])
    return kinds[torch.from_numpy(rng.integers(0, 4, size)), torch.arange(size)]


def perception_loss(net: PerceptionNet, images: Tensor, marks: Tensor, masks: Tensor, faceless: Tensor) -> Tensor:
    """Landmark error in interocular distances, cross-entropy of masks and of face presence."""
    everything = torch.cat([images, faceless])
    with autocast(images.device):
        points, logits, face = net(everything)
    faces = len(images)
    inside = ((marks > 0) & (marks < PerceptionNet.size)).all(-1)
    span = (marks[:, 36] - marks[:, 45]).norm(dim=-1).clamp(min=8).view(-1, 1, 1)
    error = F.smooth_l1_loss(points[:faces].float() / span, marks / span, beta=0.02, reduction="none").sum(-1)
    weight = inside.float()
    weight[:, 48:68] *= 2.0
    loss = 10 * (error * weight).sum() / weight.sum()
    # Points that err together still say how far lips, lids and brows stand apart: sync and smiles are read off that.
    upper, lower = (list(side) for side in zip(*LANDMARK_GAPS, strict=True))
    predicted_gap, true_gap = (p[:, upper] - p[:, lower] for p in (points[:faces].float() / span, marks / span))
    gap_error = F.smooth_l1_loss(predicted_gap, true_gap, beta=0.01, reduction="none").sum(-1)
    loss = loss + 10 * (gap_error * weight[:, upper]).sum() / weight[:, upper].sum()
    target = F.avg_pool2d(masks, 2)
    loss = loss + F.binary_cross_entropy_with_logits(logits[:faces].float(), target)
    present = (torch.arange(len(everything), device=images.device) < faces).float()
    return loss + 0.2 * F.binary_cross_entropy_with_logits(face.float(), present)


@torch.no_grad()
def evaluate_perception(net: PerceptionNet, data: ShardDataset, device: torch.device) -> dict[str, float]:
    """Held-out people, unaugmented frames: landmark error in interocular distances, mask IoU, opening correlation."""
    net.eval()
    rng = np.random.default_rng(1)
    errors, ious, faces, pairs, presence = [], [], [], [], []
    for _ in range(8):
        images, marks, masks = sample_frames(data, rng, 32)
        points, logits, face = net(images.to(device))
        points, logits = points.float().cpu(), logits.float().cpu()
        span = (marks[:, 36] - marks[:, 45]).norm(dim=-1)
        errors.append(((points - marks).norm(dim=-1).mean(1) / span).mean())
        target = F.avg_pool2d(masks, 2) > 0.5
        overlap = ((logits > 0) & target).sum((2, 3)) / ((logits > 0) | target).sum((2, 3)).clamp(min=1)
        ious.append(overlap[:, 0].mean())
        faces.append(overlap[:, 1].mean())
        presence.append((face > 0).float().mean().cpu())
        pairs += [(source[:, 62] - source[:, 66]).norm(dim=-1) / span for source in (points, marks)]
    predicted, true = torch.cat(pairs[::2]), torch.cat(pairs[1::2])
    return {
        "landmark_error": float(np.mean(errors)),
        "person_iou": float(np.mean(ious)),
        "face_iou": float(np.mean(faces)),
        "opening_r": float(np.corrcoef(predicted, true)[0, 1]),
        "face_seen": float(np.mean(presence)),
    }


def train_perception(
    config: PerceptionConfig,
    data: Annotated[Path, typer.Option(help="training shards")],
    test: Annotated[Path, typer.Option(help="held-out shards")],
    run: RunOption,
    out: Annotated[Path | None, typer.Option(help="write the averaged weights here at the end")] = None,
    init: Annotated[Path | None, typer.Option(help="start from these weights")] = None,
) -> None:
    """Train the perception network: landmarks, masks, and whether there is a face."""
    device = pick_device()
    torch.manual_seed(0)
    dataset, held_out = ShardDataset(data), ShardDataset(test)
    net = (load_model(PerceptionNet, init) if init else PerceptionNet()).to(device).train()
    net = net.to(memory_format=torch.channels_last)
    if config.presence_only:
        net.eval().requires_grad_(requires_grad=False)  # evaluation mode: the norms' statistics stay as well
        net.face.requires_grad_(requires_grad=True)

    def step_loss(rng: np.random.Generator) -> tuple[str, Tensor]:
        images, marks, masks = warp_faces(*sample_frames(dataset, rng, config.batch_size), rng)
        images = vary_colours(images, rng)
        faceless = make_faceless(images[: config.batch_size // 4], rng)
        return "loss", perception_loss(net, *(x.to(device) for x in (images, marks, masks, faceless)))

    training = TrainingRun(run, config.minutes, config.steps)
    shipped = fit(net, training, config, step_loss, lambda net: evaluate_perception(net, held_out, device), dataset)
    if out is not None:
        save_model(shipped, out)


assert len(MIRRORED_LANDMARKS) == LANDMARKS
