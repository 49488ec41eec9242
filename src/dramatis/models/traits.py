"""What a face shows beside its shape: glasses, a beard, and whether it looks happy or sad.

A small network that sees the face alone, upright and of one size, aligned by the landmarks of the perception network.
It predicts probabilities: the visual expert reports what is certain and says nothing about the rest.

Shape legend: B batch, H W pixels of a picture, S = 64 pixels of a crop.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from numpy.typing import NDArray
from torch import Tensor, nn

from dramatis.models.perception import ConvNormBlock, FaceReading

TRAITS = ("glasses", "beard", "happy", "sad")
"""What the network predicts, in the order of its logits; a moustache counts as a beard."""
TRAIT_CROP_SIDE = 64
_MOST_SAMPLES = 8
"""Most samples along each side of a pixel of the crop, however large the picture is."""

_POINTS = ((36, 39), (42, 45), (48, 54), (8, 8))
"""Pairs of landmarks whose middles are aligned: both eyes, mouth and chin."""
_TARGETS = ((21.5, 21.0), (42.5, 21.0), (32.0, 43.5), (32.0, 58.0))
"""Where these middles lie in the crop, px: with room for brows and rims above, and for a beard at the chin's edge."""


class TraitNet(ModelMixin, ConfigMixin):
    """Convolutions over an aligned face, followed by a linear layer that knows positions in the face.

    Args:
        widths: channels at 32, 16, 8 and 4 pixels a side.
    """

    size = TRAIT_CROP_SIDE

    @register_to_config
    def __init__(self, widths: tuple[int, int, int, int] = (12, 20, 32, 40)) -> None:
        super().__init__()
        w1, w2, w3, w4 = widths
        self.stem = nn.Conv2d(3, w1, 5, stride=2, padding=2)
        self.stages = nn.ModuleList(ConvNormBlock(a, b) for a, b in ((w1, w2), (w2, w3)))
        self.enter = nn.Conv2d(w3, w4, 3, padding=1)
        self.norm = nn.BatchNorm2d(w4)
        self.drop = nn.Dropout(0.2)
        self.leave = nn.Linear(w4 * 16, len(TRAITS))

    def forward(self, faces: Tensor) -> Tensor:
        """(B, 3, S, S) in [-1, 1], as `align_faces` returns them -> logits (B, 4) in the order of TRAITS."""
        x = F.relu(self.stem(faces))
        for stage in self.stages:
            x = stage(F.avg_pool2d(x, 2))
        x = F.relu(self.norm(self.enter(F.avg_pool2d(x, 2))))
        return self.leave(self.drop(x.flatten(1)))


def align_faces(pictures: Tensor, landmarks: Tensor) -> Tensor:
    """Upright faces of one size, by the similarity that brings eyes, mouth and chin nearest to their targets.

    pictures (B, 3, H, W) in [-1, 1], landmarks (B, 68, 2) px of them -> crops (B, 3, S, S). Beyond the picture its edge
    is repeated.
    """
    return sample_crops(pictures, crop_similarities(landmarks), TRAIT_CROP_SIDE)


def sample_crops(pictures: Tensor, similarities: Tensor, side: int) -> Tensor:
    """Crops (B, 3, side, side) of pictures (B, 3, H, W).

    similarities: (B, 2, 3) from pixels of a crop to pixels of its picture.
    """
    # Several samples a pixel where the picture is larger than the crop, or else fine rims would come and go.
    scale = float(similarities[:, :, 0].norm(dim=1).max())
    samples = min(_MOST_SAMPLES, max(1, int(np.ceil(scale))))
    centres = (torch.arange(side * samples, device=pictures.device) + 0.5) / samples
    x, y = torch.meshgrid(centres, centres, indexing="xy")
    grid = torch.einsum("bij,hwj->bhwi", similarities, torch.stack([x, y, torch.ones_like(x)], -1))
    extent = torch.tensor([pictures.shape[3], pictures.shape[2]], device=pictures.device)
    crops = F.grid_sample(pictures, grid / extent * 2 - 1, padding_mode="border", align_corners=False)
    return F.avg_pool2d(crops, samples)


def crop_similarities(landmarks: Tensor) -> Tensor:
    """Landmarks (B, 68, 2) px -> (B, 2, 3) similarities from pixels of the crop to pixels of the picture."""
    first, second = (list(side) for side in zip(*_POINTS, strict=True))
    points = (landmarks[:, first] + landmarks[:, second]).float() / 2
    targets = torch.tensor(_TARGETS, device=points.device)
    middle, centre = targets.mean(0), points.mean(1)
    a, b = targets - middle, points - centre[:, None]
    # Least squares over rotation and scale, in closed form: together they are the quotient of two complex sums.
    square = a.square().sum()
    along = (a * b).sum((1, 2)) / square
    across = (a[:, 0] * b[..., 1] - a[:, 1] * b[..., 0]).sum(1) / square
    linear = torch.stack([torch.stack([along, -across], 1), torch.stack([across, along], 1)], 1)
    return torch.cat([linear, (centre - linear @ middle)[..., None]], 2)


@torch.no_grad()
def traits_of(net: TraitNet, picture: NDArray[np.uint8], reading: FaceReading) -> dict[str, float]:
    """Probability 0..1 of each of TRAITS for the face of `reading` in a picture (H, W, 3) uint8."""
    parameter = next(net.parameters())
    frame = torch.from_numpy(picture).to(parameter.device).permute(2, 0, 1)[None].float() / 127.5 - 1
    landmarks = torch.from_numpy(reading.landmarks)[None].to(parameter.device)
    logits = net(align_faces(frame, landmarks).to(parameter.dtype))[0].float()
    return dict(zip(TRAITS, logits.sigmoid().tolist(), strict=True))
