"""Train the network of traits on aligned faces: glasses, a beard, happy, sad.

Glasses and beards are facts of the people that were rendered; expressions are read frame by frame off the controls. A
third of what is learnt from are references, as portraits are: faces at rest, or caught with a smile. The landmarks are
the true ones with errors like those of the perception network, whose own landmarks are used for the figures. Colours,
blur and sharpness vary far beyond what the renderer makes, as for the perception network.

    python -m dramatis_lab.train traits --config recipes/mini/traits.yaml --data DATA/train --test DATA/test \
        --run RUNS/traits --perception RUNS/mini/perception --out RUNS/mini/traits
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import torch.nn.functional as F
import typer
from numpy.typing import NDArray
from pydantic import Field
from scipy.stats import rankdata
from skimage.color import rgb2lab
from torch import Tensor

from dramatis.models.loading import load_model, save_model
from dramatis.models.perception import PerceptionNet, read_faces
from dramatis.models.traits import TRAIT_CROP_SIDE, TRAITS, TraitNet, align_faces, crop_similarities, sample_crops
from dramatis.motion.performance import EMOTION_COLUMNS, SETTLE_FRAMES
from dramatis.story.values import EMOTIONS
from dramatis_lab.data.device import autocast, pick_device
from dramatis_lab.data.shards import ShardDataset
from dramatis_lab.train.config import TrainConfig
from dramatis_lab.train.loop import fit
from dramatis_lab.train.perception import vary_colours
from dramatis_lab.train.run import RunOption, TrainingRun
from dramatis_lab.world.people.person import random_spec
from dramatis_lab.world.people.skin import base_colour

SHOWN_WEIGHT, HIDDEN_WEIGHT = 0.5, 0.1
"""Weights of an emotion from which a face shows it, and up to which it does not; what lies between is neither."""
REPORTED, DENIED = 0.6, 0.2
"""Probabilities from which a trait is reported, and up to which it is denied."""
FAINT_BEARD = 16.0
"""Distance of a beard's colour to the skin's (LAB), times its strength, below which nobody would see it."""
KEPT_FRAMES, EVALUATED_FRAMES = 12, 3
"""Frames of each sample to learn from, and of each held-out one to evaluate; the first is the reference."""
REFERENCE_SHARE = 1 / EVALUATED_FRAMES
"""Share of references in what is learnt from, too: they are portraits as users give them, with lips at rest."""
CROP_SIDE, CROP_ZOOM = 128, 0.75
"""Side of the pictures that are kept, and of one of their pixels in those of a crop."""


class TraitsConfig(TrainConfig):
    """How many crops a batch holds."""

    batch_size: int = Field(ge=1)


def is_single_and_undamaged(row: dict[str, Any]) -> bool:
    """One person, undamaged: what the picture shows is what the ground truth says."""
    return row["people"] == 1 and not row["damage"]


@cache
def glasses_and_beard(identity: int) -> tuple[float, float]:
    """Whether a person has glasses, and a beard or moustache: 1, 0, or NaN for one that hardly differs from skin."""
    spec = random_spec(identity)
    skin = spec.complexion
    strength = max(skin.beard, skin.moustache)
    colours = rgb2lab(np.stack([base_colour(skin), np.asarray(skin.hair_colour, np.float32)])[None])[0]
    faint = strength * float(np.linalg.norm(colours[0] - colours[1])) < FAINT_BEARD
    return float(spec.glasses), 0.0 if strength == 0 else np.nan if faint else 1.0


def trait_labels(
    row: dict[str, Any], controls: NDArray[np.floating], index: NDArray[np.integer]
) -> NDArray[np.float32]:
    """Controls (T, 26) and frame numbers on the timeline (T,) of a sample -> (T, 4) 0, 1 or NaN for TRAITS.

    The first frames leave the expression of the reference picture, which the row tells, if it is not of an old
    dataset: the reference itself has that label, and the others NaN. NaN also where an expression is weak, neither
    clearly there nor clearly not.
    """
    weights = np.asarray(controls, np.float32)[:, EMOTION_COLUMNS]
    shown = weights[:, [EMOTIONS.index(name) for name in TRAITS[2:]]]
    shown[np.asarray(index) < SETTLE_FRAMES] = np.nan
    if "caught" in row:
        name, amount = row["caught"] or ("neutral", 1.0)
        shown[np.asarray(index) == 0] = [amount * (name == trait) for trait in TRAITS[2:]]
    known = np.where(shown >= SHOWN_WEIGHT, 1.0, np.where(shown <= HIDDEN_WEIGHT, 0.0, np.nan))
    return np.concatenate([np.tile(glasses_and_beard(row["identity"]), (len(known), 1)), known], 1).astype(np.float32)


@dataclass(frozen=True)
class FaceCrops:
    """Frames of one sample, the face in the middle.

    Pictures (T, 3, R, R) uint8 with R = CROP_SIDE, their landmarks (T, 68, 2) px, labels (T, 4).
    """

    pictures: Tensor
    landmarks: Tensor
    labels: Tensor


class FaceDataset:
    """The faces of the usable samples of a dataset; the frames of a sample are read once and kept."""

    def __init__(self, data: ShardDataset) -> None:
        self.data = data
        self.rows: list[int] = []
        self._kept: dict[int, FaceCrops] = {}
        self.refresh()

    def __len__(self) -> int:
        return len(self.rows)

    def refresh(self) -> None:
        """Take in shards that appeared since the last refresh."""
        self.data.refresh()
        self.rows = [index for index in range(len(self.data)) if is_single_and_undamaged(self.data.row(index))]

    def read(self, index: int, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Frames of a sample, evenly apart, the reference first.

        Pictures (T, 3, H, W) in [-1, 1], landmarks (T, 68, 2) px, labels (T, 4).
        """
        times = self.data.get(index, "index")
        rows = np.unique(np.linspace(0, len(times) - 1, count).round().astype(int)).tolist()
        frames = torch.from_numpy(self.data.frames(index, rows)).permute(0, 3, 1, 2).float() / 127.5 - 1
        marks = torch.from_numpy(self.data.get(index, "landmarks")[rows].astype(np.float32))
        labels = trait_labels(self.data.row(index), self.data.get(index, "controls")[rows], times[rows])
        return frames, marks, torch.from_numpy(labels)

    def crops(self, index: int) -> FaceCrops:
        """Some frames of a sample, cut out with room for all the errors that landmarks may have."""
        if index not in self._kept:
            frames, marks, labels = self.read(index, KEPT_FRAMES)
            shift = (TRAIT_CROP_SIDE - CROP_ZOOM * CROP_SIDE) / 2
            wide = torch.tensor([[CROP_ZOOM, 0, shift], [0, CROP_ZOOM, shift], [0, 0, 1]])
            similarities = crop_similarities(marks) @ wide
            crops = ((sample_crops(frames, similarities, CROP_SIDE) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
            moved = torch.linalg.solve(similarities[:, :, :2], (marks - similarities[:, None, :, 2]).mT).mT
            self._kept[index] = FaceCrops(crops, moved, labels)
        return self._kept[index]


def sample_trait_crops(faces: FaceDataset, rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
    """Crops (B, 3, S, S) under all the variations of training, and labels (B, 4)."""
    chosen = [faces.crops(int(index)) for index in rng.choice(faces.rows, size)]
    is_reference = rng.random(size) < REFERENCE_SHARE
    frames = [0 if first else int(rng.integers(len(c.labels))) for first, c in zip(is_reference, chosen, strict=True)]
    pictures, marks, labels = (
        torch.stack([getattr(crops, name)[frame] for crops, frame in zip(chosen, frames, strict=True)])
        for name in ("pictures", "landmarks", "labels")
    )
    images = align_faces(pictures.float() / 127.5 - 1, jitter_landmarks(marks, rng))
    mirrored = torch.from_numpy(rng.random(size) < 0.5).view(-1, 1, 1, 1)
    images = torch.where(mirrored, images.flip(3), images)
    return vary_colours(reduce_resolution(images, rng), rng), labels


def jitter_landmarks(landmarks: Tensor, rng: np.random.Generator) -> Tensor:
    """Landmarks (B, 68, 2) with the errors of a network that finds them.

    All are shifted, turned and scaled together, and each by itself.
    """
    size = len(landmarks)
    span = (landmarks[:, 36] - landmarks[:, 45]).norm(dim=-1).view(-1, 1, 1)
    angle, scale = rng.normal(0, 0.06, size), np.exp(rng.normal(0, 0.06, size))
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], -1) * scale[:, None]
    centre = landmarks.mean(1, keepdim=True)
    noise = rng.normal(0, 0.03, (size, 1, 2)) + rng.normal(0, 0.02, (size, landmarks.shape[1], 2))
    turned = torch.einsum("bij,bkj->bki", torch.from_numpy(turn.reshape(-1, 2, 2)).float(), landmarks - centre)
    return centre + turned + span * torch.from_numpy(noise).float()


def reduce_resolution(images: Tensor, rng: np.random.Generator, share: float = 0.3) -> Tensor:
    """Some of the crops (B, 3, S, S) at a lower resolution, as small faces have; the same one for all of these."""
    side = int(rng.integers(TRAIT_CROP_SIDE // 3, TRAIT_CROP_SIDE))
    small = F.interpolate(images, size=(side, side), mode="bilinear", antialias=True)
    back = F.interpolate(small, size=(TRAIT_CROP_SIDE, TRAIT_CROP_SIDE), mode="bilinear")
    chosen = torch.from_numpy(rng.random(len(images)) < share).view(-1, 1, 1, 1)
    return torch.where(chosen, back, images)


def trait_loss(net: TraitNet, images: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of the labels that are known, each trait by itself."""
    with autocast(images.device):
        logits = net(images)
    known = ~labels.isnan()
    return F.binary_cross_entropy_with_logits(logits.float()[known], labels[known])


@dataclass(frozen=True)
class HeldOutFaces:
    """Held-out faces where the perception network found them: crops (N, 3, S, S) and labels (N, 4)."""

    crops: Tensor
    labels: Tensor

    @classmethod
    def find(cls, faces: FaceDataset, perception: PerceptionNet) -> HeldOutFaces:
        """A few frames of every sample, evenly apart; the reference among them."""
        crops, labels = [], []
        for index in faces.rows:
            pictures, _, label = faces.read(index, EVALUATED_FRAMES)
            marks = torch.from_numpy(np.stack([reading.landmarks for reading in read_faces(perception, pictures)]))
            crops.append(align_faces(pictures, marks))
            labels.append(label)
        return cls(torch.cat(crops), torch.cat(labels))


@torch.no_grad()
def evaluate_traits(net: TraitNet, faces: HeldOutFaces, device: torch.device) -> dict[str, float]:
    """For each trait, how right the network is. Unknown labels are left out.

    Accuracy at 0.5, area under the ROC curve, mean gap between the probability and how often it comes true, and the
    share that is right of what is reported and of what is denied.
    """
    logits = torch.cat([net(part.to(device)).float().cpu() for part in faces.crops.split(64)])
    probabilities = logits.sigmoid().numpy()
    figures: dict[str, float] = {}
    for column, trait in enumerate(TRAITS):
        truth = faces.labels[:, column].numpy()
        scores, true = probabilities[~np.isnan(truth), column], truth[~np.isnan(truth)] > 0.5
        if not 0 < true.sum() < len(true):
            continue
        figures[f"{trait}_accuracy"] = float(((scores >= 0.5) == true).mean())
        figures[f"{trait}_auc"] = auc(scores, true)
        figures[f"{trait}_calibration"] = calibration_error(scores, true)
        for name, chosen, right in (("seen", scores >= REPORTED, true), ("unseen", scores <= DENIED, ~true)):
            if chosen.any():
                figures[f"{trait}_{name}_right"] = float(right[chosen].mean())
    return figures


def auc(scores: NDArray[np.floating], true: NDArray[np.bool_]) -> float:
    """Area under the ROC curve: how probably a face with the trait scores higher than one without.

    Both must occur.
    """
    positives, negatives = int(true.sum()), int((~true).sum())
    return float((rankdata(scores)[true].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def calibration_error(scores: NDArray[np.floating], true: NDArray[np.bool_], bins: int = 10) -> float:
    """Mean distance between probabilities and how often they come true, over bins of equal width."""
    places = np.minimum((scores * bins).astype(int), bins - 1)
    gaps = [abs(float((scores[places == k] - true[places == k]).sum())) for k in range(bins)]
    return sum(gaps) / len(scores)


def train_traits(
    config: TraitsConfig,
    data: Annotated[Path, typer.Option(help="training shards")],
    test: Annotated[Path, typer.Option(help="held-out shards")],
    run: RunOption,
    perception: Annotated[Path, typer.Option(help="perception weights, to find the held-out faces")],
    out: Annotated[Path | None, typer.Option(help="write the averaged weights here at the end")] = None,
    init: Annotated[Path | None, typer.Option(help="start from these weights")] = None,
) -> None:
    """Train the network of traits: glasses, a beard, happy, sad."""
    device = pick_device()
    torch.manual_seed(0)
    dataset = FaceDataset(ShardDataset(data))
    held_out = HeldOutFaces.find(FaceDataset(ShardDataset(test)), load_model(PerceptionNet, perception))
    net = (load_model(TraitNet, init) if init else TraitNet()).to(device).train()
    net = net.to(memory_format=torch.channels_last)

    def step_loss(rng: np.random.Generator) -> tuple[str, Tensor]:
        images, labels = sample_trait_crops(dataset, rng, config.batch_size)
        return "loss", trait_loss(net, images.to(device), labels.to(device))

    training = TrainingRun(run, config.minutes, config.steps)
    shipped = fit(net, training, config, step_loss, lambda net: evaluate_traits(net, held_out, device), dataset)
    if out is not None:
        save_model(shipped, out)
