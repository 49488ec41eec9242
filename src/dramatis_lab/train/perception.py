"""Train the perception network on rendered frames and stills under heavy geometric and photometric augmentation.

Real portraits are the users' input and none is in the training data, so colours, contrast, blur, noise, scale and
rotation are varied far beyond what the renderer makes. A share of the pictures holds no face: backdrops, hands and ears
of stills, shuffled blocks, plain colours, soft shapes, noise.

    python -m dramatis_lab.train perception --config recipes/mini/perception.yaml --data DATA/train \
        --test DATA/test --stills DATA/stills/train --stills-test DATA/stills/test --run RUNS/perception \
        --out RUNS/mini/perception
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

from dramatis.models.loading import load_model, save_model
from dramatis.models.perception import PerceptionNet
from dramatis_lab.data.device import autocast, pick_device
from dramatis_lab.data.face_views import (
    FaceViews,
    sample_detail_views,
    sample_frames,
    sample_still_views,
    warp_faces,
)
from dramatis_lab.data.shards import ShardDataset
from dramatis_lab.train.config import TrainConfig
from dramatis_lab.train.loop import fit
from dramatis_lab.train.run import RunOption, TrainingRun

LANDMARK_GAPS = (
    *((61, 67), (62, 66), (63, 65), (37, 41), (38, 40), (43, 47), (44, 46)),  # inner lips and eyelids, upper and lower
    *((48, 51), (48, 57), (54, 51), (54, 57)),  # corners of the mouth and the middles of its lips: a smile
    *((21, 39), (22, 42), (19, 37), (24, 44)),  # brows and the lids under them
)
"""Pairs of landmarks whose distances tell openings and expressions, and count by themselves in the loss."""


class PerceptionConfig(TrainConfig):
    """How the perception network is trained.

    stills_share, details_share: of every batch, where stills are given: views of stills, views of their hands and ears.
    faceless_share: of made-up pictures without a face beside every batch.  presence_only: train only whether there is a
    face, keep all else.
    """

    batch_size: int = Field(ge=4)
    stills_share: float = Field(ge=0, le=0.9)
    details_share: float = Field(ge=0, le=0.1)
    faceless_share: float = Field(ge=0, le=1)
    presence_only: bool


MASK_WEIGHT = 2.0
"""Weight of the masks in the loss; a landmark that is one interocular distance off weighs ten."""


def vary_colours(images: Tensor, rng: np.random.Generator) -> Tensor:
    """Gains, gamma, light from one side, grey, blur, sharpening, low resolution and noise, each on some pictures."""
    size = len(images)

    def chosen(share: float) -> Tensor:
        return torch.from_numpy((rng.random(size) < share).astype(np.float32)).view(-1, 1, 1, 1)

    def draw(low: float, high: float, channels: int = 1) -> Tensor:
        return torch.from_numpy(rng.uniform(low, high, (size, channels, 1, 1)).astype(np.float32))

    x = (images + 1) / 2
    x = x.clamp(0, 1) ** torch.exp(draw(-0.6, 0.6))
    x = x * draw(0.6, 1.3) * draw(0.85, 1.15, 3) + draw(-0.12, 0.12)
    ramp = torch.linspace(-1, 1, x.shape[-1])
    slope = chosen(0.3) * (draw(-1, 1) * ramp + draw(-0.6, 0.6) * ramp[:, None])
    x = x * torch.exp(slope * draw(0.2, 1.0))
    x = torch.lerp(x, x.mean(1, keepdim=True), chosen(0.2) * draw(0.5, 1.0))
    soft = F.avg_pool2d(F.pad(x, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    # A negative share of the blurred picture sharpens.
    x = torch.lerp(x, soft, chosen(0.4) * draw(0.3, 1.0) - chosen(0.3) * draw(0.3, 1.0))
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


def perception_loss(net: PerceptionNet, views: FaceViews, faceless: Tensor) -> Tensor:
    """Landmark error in interocular distances, cross-entropy of masks and of face presence.

    faceless: (N, 3, 128, 128) further pictures without a face. Landmarks weigh as much as there is a face to see.
    """
    images, marks, masks, presence = views
    with autocast(images.device):
        points, logits, face = net(torch.cat([images, faceless]))
    size = len(images)
    inside = ((marks > 0) & (marks < PerceptionNet.size)).all(-1)
    span = (marks[:, 36] - marks[:, 45]).norm(dim=-1).clamp(min=8).view(-1, 1, 1)
    error = F.smooth_l1_loss(points[:size].float() / span, marks / span, beta=0.02, reduction="none").sum(-1)
    weight = inside.float() * presence.clamp(min=0)[:, None]
    weight[:, 48:68] *= 2.0
    loss = 10 * (error * weight).sum() / weight.sum().clamp(min=1)
    # Points that err together still say how far lips, lids and brows stand apart: sync and smiles are read off that.
    upper, lower = (list(side) for side in zip(*LANDMARK_GAPS, strict=True))
    predicted_gap, true_gap = (p[:, upper] - p[:, lower] for p in (points[:size].float() / span, marks / span))
    gap_error = F.smooth_l1_loss(predicted_gap, true_gap, beta=0.01, reduction="none").sum(-1)
    loss = loss + 10 * (gap_error * weight[:, upper]).sum() / weight[:, upper].sum().clamp(min=1)
    target = F.avg_pool2d(masks, 2)
    loss = loss + MASK_WEIGHT * F.binary_cross_entropy_with_logits(logits[:size].float(), target)
    present = torch.cat([presence, torch.zeros(len(faceless), device=images.device)])
    told = (present >= 0).float()
    unsure = F.binary_cross_entropy_with_logits(face.float(), (present > 0).float(), reduction="none")
    return loss + 0.2 * (unsure * told).sum() / told.sum().clamp(min=1)


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


@torch.no_grad()
def evaluate_stills(net: PerceptionNet, data: ShardDataset, device: torch.device) -> dict[str, float]:
    """Held-out stills: errors of landmarks in interocular distances, mask IoU over all views, and presence.

    still_error, still_lips: of all landmarks and of the lips, where a face is large enough. still_seen, still_false:
    how often a face is seen where there is one, and where there is none.
    """
    net.eval()
    rng = np.random.default_rng(2)
    parts: dict[str, list[Tensor]] = {}
    for _ in range(12):
        views = sample_still_views(data, rng, 32)
        marks, presence = views.landmarks, views.presence
        points, logits, face = (values.float().cpu() for values in net(views.images.to(device)))
        error = (points - marks).norm(dim=-1) / (marks[:, 36] - marks[:, 45]).norm(dim=-1)[:, None]
        target = F.avg_pool2d(views.masks, 2) > 0.5
        large = presence == 1
        figures = {
            "error": error[large].mean(1),
            "lips": error[large, 48:68].mean(1),
            "intersection": ((logits > 0) & target).sum((2, 3)),
            "union": ((logits > 0) | target).sum((2, 3)),
            "seen": (face[presence > 0] > 0).float(),
            "false": (face[presence == 0] > 0).float(),
        }
        for name, values in figures.items():
            parts.setdefault(name, []).append(values)
    joined = {name: torch.cat(values) for name, values in parts.items()}
    overlap = joined["intersection"].sum(0) / joined["union"].sum(0)
    means = {f"still_{name}": float(joined[name].mean()) for name in ("error", "lips", "seen", "false")}
    return means | {"still_person_iou": float(overlap[0]), "still_face_iou": float(overlap[1])}


class _Batches:
    """Batches of takes and, where stills are given, of stills."""

    def __init__(self, config: PerceptionConfig, takes: ShardDataset, stills: ShardDataset | None) -> None:
        self._takes, self._stills = takes, stills
        size = config.batch_size
        self._still_count = 0 if stills is None else round(size * config.stills_share)
        self._detail_count = 0 if stills is None else round(size * config.details_share)
        self._take_count = size - self._still_count - self._detail_count
        self._faceless_count = round(size * config.faceless_share)

    def __len__(self) -> int:
        return len(self._takes) + (0 if self._stills is None else len(self._stills))

    def refresh(self) -> None:
        """Take in shards that appeared since the last look."""
        self._takes.refresh()
        if self._stills is not None:
            self._stills.refresh()

    def draw(self, rng: np.random.Generator) -> tuple[FaceViews, Tensor]:
        """Views with varied colours, and as many pictures without a face as the recipe says."""
        takes = warp_faces(*sample_frames(self._takes, rng, self._take_count), rng)
        groups = [FaceViews(*takes, torch.ones(self._take_count))]
        if self._stills is not None and self._still_count:
            groups.append(sample_still_views(self._stills, rng, self._still_count))
        if self._stills is not None and self._detail_count:
            groups.append(sample_detail_views(self._stills, rng, self._detail_count))
        views = FaceViews(*(torch.cat(column) for column in zip(*groups, strict=True)))
        views = views._replace(images=vary_colours(views.images, rng))
        return views, make_faceless(views.images[: self._faceless_count], rng)


def train_perception(
    config: PerceptionConfig,
    data: Annotated[Path, typer.Option(help="training shards")],
    test: Annotated[Path, typer.Option(help="held-out shards")],
    run: RunOption,
    stills: Annotated[Path | None, typer.Option(help="training shards of stills")] = None,
    stills_test: Annotated[Path | None, typer.Option(help="held-out shards of stills")] = None,
    out: Annotated[Path | None, typer.Option(help="write the averaged weights here at the end")] = None,
    init: Annotated[Path | None, typer.Option(help="start from these weights")] = None,
) -> None:
    """Train the perception network: landmarks, masks, and whether there is a face."""
    device = pick_device()
    torch.manual_seed(0)
    batches = _Batches(config, ShardDataset(data), None if stills is None else ShardDataset(stills))
    held_out, held_out_stills = ShardDataset(test), None if stills_test is None else ShardDataset(stills_test)
    net = (load_model(PerceptionNet, init) if init else PerceptionNet()).to(device).train()
    net = net.to(memory_format=torch.channels_last)
    if config.presence_only:
        net.eval().requires_grad_(requires_grad=False)  # evaluation mode: the norms' statistics stay as well
        net.face.requires_grad_(requires_grad=True)

    def step_loss(rng: np.random.Generator) -> tuple[str, Tensor]:
        views, faceless = batches.draw(rng)
        return "loss", perception_loss(net, FaceViews(*(x.to(device) for x in views)), faceless.to(device))

    def evaluate(net: PerceptionNet) -> dict[str, float]:
        figures = evaluate_perception(net, held_out, device)
        return figures if held_out_stills is None else figures | evaluate_stills(net, held_out_stills, device)

    training = TrainingRun(run, config.minutes, config.steps)
    shipped = fit(net, training, config, step_loss, evaluate, batches)
    if out is not None:
        save_model(shipped, out)
