"""Train the network of traits on aligned faces: glasses, a beard, happy, sad.

Glasses and beards are facts of the people that were rendered; expressions are read frame by frame off the controls. A
third of what is learnt from are references, as portraits are: faces at rest, or caught with a smile. The landmarks are
the true ones with errors like those of the perception network, whose own landmarks are used for the figures. Colours,
blur and sharpness vary far beyond what the renderer makes, as for the perception network.

    python -m dramatis_lab.train.traits --data DATA/train --test DATA/test --run RUNS/traits --minutes 15 \
        --perception RUNS/mini/perception
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
from scipy.stats import rankdata
from skimage.color import rgb2lab
from torch import Tensor

from dramatis.models.loading import load_model, save_model
from dramatis.models.perception import PerceptionNet, look
from dramatis.models.traits import SIDE, TRAITS, TraitNet, aligned, cut, placement
from dramatis.motion.performance import EMOTION_COLUMNS, SETTLE_FRAMES
from dramatis.story.values import EMOTIONS
from dramatis_lab.data.shards import ShardSet
from dramatis_lab.train.common import Run, RunOption, autocast, fit, pick_device
from dramatis_lab.train.perception import recolour
from dramatis_lab.world.people.person import random_spec
from dramatis_lab.world.people.skin import base_colour

CLEARLY, HARDLY = 0.5, 0.1
"""Weights of an emotion from which a face shows it, and up to which it does not; what lies between is neither."""
SEEN, UNSEEN = 0.6, 0.2
"""Probabilities from which a trait is reported, and up to which it is denied."""
FAINT = 16.0
"""Distance of a beard's colour to the skin's (LAB), times its strength, below which nobody would see it."""
FRAMES, LOOKS = 12, 3
"""Frames of each sample that are learnt from, and of each held-out one that are judged; the first is the reference."""
REFERENCES = 1 / LOOKS
"""Share of references in what is learnt from, too: they are portraits as users give them, with lips at rest."""
ROOM, ZOOM = 128, 0.75
"""Side of the pictures that are kept, and of one of their pixels in those of a crop."""


def usable(row: dict[str, Any]) -> bool:
    """One person, undamaged: what the picture shows is what the ground truth says."""
    return row["people"] == 1 and not row["damage"]


@cache
def worn(identity: int) -> tuple[float, float]:
    """Whether a person has glasses, and a beard or moustache: 1, 0, or NaN for one that hardly differs from skin."""
    spec = random_spec(identity)
    skin = spec.complexion
    strength = max(skin.beard, skin.moustache)
    colours = rgb2lab(np.stack([base_colour(skin), np.asarray(skin.hair_colour, np.float32)])[None])[0]
    faint = strength * float(np.linalg.norm(colours[0] - colours[1])) < FAINT
    return float(spec.glasses), 0.0 if strength == 0 else np.nan if faint else 1.0


def labels(row: dict[str, Any], controls: NDArray[np.floating], index: NDArray[np.int32]) -> NDArray[np.float32]:
    """Controls (T, 26) and places on the timeline (T,) of a sample -> (T, 4) 0, 1 or NaN for TRAITS.

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
    known = np.where(shown >= CLEARLY, 1.0, np.where(shown <= HARDLY, 0.0, np.nan))
    return np.concatenate([np.tile(worn(row["identity"]), (len(known), 1)), known], 1).astype(np.float32)


@dataclass(frozen=True)
class Portraits:
    """Frames of one sample, the face in the middle: pictures (T, 3, R, R) uint8 with R = ROOM, landmarks (T, 68, 2) px
    of them, labels (T, 4)."""

    pictures: Tensor
    landmarks: Tensor
    known: Tensor


class Faces:
    """The usable samples of a set; what is drawn of a sample is read once and kept."""

    def __init__(self, data: ShardSet) -> None:
        self.data = data
        self.rows: list[int] = []
        self._kept: dict[int, Portraits] = {}
        self.refresh()

    def refresh(self) -> None:
        """Take in shards that appeared since the last look."""
        self.data.refresh()
        self.rows = [index for index in range(len(self.data)) if usable(self.data.row(index))]

    def read(self, index: int, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Frames of a sample, evenly apart, the reference first: pictures (T, 3, H, W) in [-1, 1], landmarks
        (T, 68, 2) px, labels (T, 4)."""
        times = self.data.get(index, "index")
        places = np.unique(np.linspace(0, len(times) - 1, count).round().astype(int)).tolist()
        frames = torch.from_numpy(self.data.frames(index, places)).permute(0, 3, 1, 2).float() / 127.5 - 1
        marks = torch.from_numpy(self.data.get(index, "landmarks")[places].astype(np.float32))
        known = labels(self.data.row(index), self.data.get(index, "controls")[places], times[places])
        return frames, marks, torch.from_numpy(known)

    def portraits(self, index: int) -> Portraits:
        """Some frames of a sample, cut out with room for all the errors that landmarks may have."""
        if index not in self._kept:
            frames, marks, known = self.read(index, FRAMES)
            wide = torch.tensor([[ZOOM, 0, (SIDE - ZOOM * ROOM) / 2], [0, ZOOM, (SIDE - ZOOM * ROOM) / 2], [0, 0, 1]])
            places = placement(marks) @ wide
            cuts = ((cut(frames, places, ROOM) + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
            moved = torch.linalg.solve(places[:, :, :2], (marks - places[:, None, :, 2]).mT).mT
            self._kept[index] = Portraits(cuts, moved, known)
        return self._kept[index]


def draw(faces: Faces, rng: np.random.Generator, size: int) -> tuple[Tensor, Tensor]:
    """Crops (B, 3, S, S) under all the variations of training, and labels (B, 4)."""
    chosen = [faces.portraits(int(index)) for index in rng.choice(faces.rows, size)]
    still = rng.random(size) < REFERENCES
    places = [0 if s else int(rng.integers(len(c.known))) for s, c in zip(still, chosen, strict=True)]
    pictures, marks, known = (
        torch.stack([getattr(portraits, name)[place] for portraits, place in zip(chosen, places, strict=True)])
        for name in ("pictures", "landmarks", "known")
    )
    images = aligned(pictures.float() / 127.5 - 1, misplaced(marks, rng))
    mirrored = torch.from_numpy(rng.random(size) < 0.5).view(-1, 1, 1, 1)
    images = torch.where(mirrored, images.flip(3), images)
    return recolour(coarse(images, rng), rng), known


def misplaced(landmarks: Tensor, rng: np.random.Generator) -> Tensor:
    """Landmarks (B, 68, 2) as an eye errs that finds them: all together shifted, turned and scaled, and each alone."""
    size = len(landmarks)
    span = (landmarks[:, 36] - landmarks[:, 45]).norm(dim=-1).view(-1, 1, 1)
    angle, scale = rng.normal(0, 0.06, size), np.exp(rng.normal(0, 0.06, size))
    turn = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], -1) * scale[:, None]
    centre = landmarks.mean(1, keepdim=True)
    noise = rng.normal(0, 0.03, (size, 1, 2)) + rng.normal(0, 0.02, (size, landmarks.shape[1], 2))
    turned = torch.einsum("bij,bkj->bki", torch.from_numpy(turn.reshape(-1, 2, 2)).float(), landmarks - centre)
    return centre + turned + span * torch.from_numpy(noise).float()


def coarse(images: Tensor, rng: np.random.Generator, share: float = 0.3) -> Tensor:
    """Some of the crops (B, 3, S, S) at a lower resolution, as of small faces, all these at the same."""
    side = int(rng.integers(SIDE // 3, SIDE))
    small = F.interpolate(images, size=(side, side), mode="bilinear", antialias=True)
    back = F.interpolate(small, size=(SIDE, SIDE), mode="bilinear")
    chosen = torch.from_numpy(rng.random(len(images)) < share).view(-1, 1, 1, 1)
    return torch.where(chosen, back, images)


def loss_of(net: TraitNet, images: Tensor, known: Tensor) -> Tensor:
    """Cross-entropy of what is known, each trait by itself."""
    with autocast(images.device):
        logits = net(images)
    there = ~known.isnan()
    return F.binary_cross_entropy_with_logits(logits.float()[there], known[there])


@dataclass(frozen=True)
class Gallery:
    """Held-out faces where the eye found them: crops (N, 3, S, S) and labels (N, 4)."""

    crops: Tensor
    known: Tensor

    @classmethod
    def of(cls, faces: Faces, eye: PerceptionNet) -> Gallery:
        """A few frames of every sample, evenly apart; the reference among them."""
        crops, known = [], []
        for index in faces.rows:
            pictures, _, label = faces.read(index, LOOKS)
            marks = torch.from_numpy(np.stack([sight.landmarks for sight in look(eye, pictures)]))
            crops.append(aligned(pictures, marks))
            known.append(label)
        return cls(torch.cat(crops), torch.cat(known))


@torch.no_grad()
def evaluate(net: TraitNet, gallery: Gallery, device: torch.device) -> dict[str, float]:
    """For each trait: accuracy at 0.5, area under the ROC curve, mean gap between what is said and how often it is
    true, and the share that is right of what is reported and of what is denied. What cannot be told is left out."""
    logits = torch.cat([net(part.to(device)).float().cpu() for part in gallery.crops.split(64)])
    probabilities = logits.sigmoid().numpy()
    figures: dict[str, float] = {}
    for column, trait in enumerate(TRAITS):
        truth = gallery.known[:, column].numpy()
        said, true = probabilities[~np.isnan(truth), column], truth[~np.isnan(truth)] > 0.5
        if not 0 < true.sum() < len(true):
            continue
        figures[f"{trait}_accuracy"] = float(((said >= 0.5) == true).mean())
        figures[f"{trait}_auc"] = auc(said, true)
        figures[f"{trait}_calibration"] = calibration_error(said, true)
        for name, chosen, right in (("seen", said >= SEEN, true), ("unseen", said <= UNSEEN, ~true)):
            if chosen.any():
                figures[f"{trait}_{name}_right"] = float(right[chosen].mean())
    return figures


def auc(said: NDArray[np.floating], true: NDArray[np.bool_]) -> float:
    """Probability that a face with the trait is given more than one without; both must occur."""
    positives, negatives = int(true.sum()), int((~true).sum())
    return float((rankdata(said)[true].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def calibration_error(said: NDArray[np.floating], true: NDArray[np.bool_], bins: int = 10) -> float:
    """Mean distance between probabilities and how often they come true, over bins of equal width."""
    places = np.minimum((said * bins).astype(int), bins - 1)
    gaps = [abs(float((said[places == k] - true[places == k]).sum())) for k in range(bins)]
    return sum(gaps) / len(said)


def main(
    data: Annotated[Path, typer.Option(help="training shards")],
    test: Annotated[Path, typer.Option(help="held-out shards")],
    run: RunOption,
    perception: Annotated[Path, typer.Option(help="perception weights, to find the held-out faces")],
    out: Annotated[Path | None, typer.Option(help="write the averaged weights here at the end")] = None,
    init: Annotated[Path | None, typer.Option(help="start from these weights")] = None,
    minutes: float = 15.0,
    batch_size: int = 64,
    rate: float = 2e-3,
) -> None:
    """Train, resuming from the run folder when it has a checkpoint."""
    device = pick_device()
    torch.manual_seed(0)
    faces = Faces(ShardSet(data))
    gallery = Gallery.of(Faces(ShardSet(test)), load_model(PerceptionNet, perception))
    net = (load_model(TraitNet, init) if init else TraitNet()).to(device).train()
    net = net.to(memory_format=torch.channels_last)
    shipped = fit(
        net,
        Run(run, minutes),
        lambda rng: loss_of(net, *(x.to(device) for x in draw(faces, rng, batch_size))),
        lambda net: evaluate(net, gallery, device),
        rate=rate,
        weight_decay=1e-2,
        clip=5.0,
        refresh=faces.refresh,
    )
    if out is not None:
        save_model(shipped, out)


if __name__ == "__main__":
    typer.run(main)
