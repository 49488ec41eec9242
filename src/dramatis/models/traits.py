"""What a face shows beside its shape: glasses, a beard, and whether it looks happy or sad.

A small network that sees the face alone, upright and of one size, as the landmarks of the perception network place it.
What it says are probabilities: the visual expert reports what is sure and keeps silent about the rest.

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

from dramatis.models.perception import Sight, Stage

TRAITS = ("glasses", "beard", "happy", "sad")
"""What the network tells, in the order of its logits; a moustache counts as a beard."""
SIDE = 64
FINEST = 8
"""Most samples along a side of a pixel of the crop, however large the picture is."""

_POINTS = ((36, 39), (42, 45), (48, 54), (8, 8))
"""Pairs of landmarks whose middles are aligned: both eyes, mouth and chin."""
_PLACES = ((21.5, 21.0), (42.5, 21.0), (32.0, 43.5), (32.0, 58.0))
"""Where they lie in the crop, px: with room for brows and rims above, and for a beard at the chin's edge."""


class TraitNet(ModelMixin, ConfigMixin):
    """Convolutions over an aligned face; each trait looks at where in the face it lies.

    Args:
        widths: channels at 32, 16, 8 and 4 pixels a side.
    """

    size = SIDE

    @register_to_config
    def __init__(self, widths: tuple[int, int, int, int] = (12, 20, 32, 40)) -> None:
        super().__init__()
        w1, w2, w3, w4 = widths
        self.stem = nn.Conv2d(3, w1, 5, stride=2, padding=2)
        self.stages = nn.ModuleList(Stage(a, b) for a, b in ((w1, w2), (w2, w3)))
        self.enter = nn.Conv2d(w3, w4, 3, padding=1)
        self.norm = nn.BatchNorm2d(w4)
        self.drop = nn.Dropout(0.2)
        self.leave = nn.Linear(w4 * 16, len(TRAITS))

    def forward(self, faces: Tensor) -> Tensor:
        """(B, 3, S, S) in [-1, 1], as `aligned` makes them -> logits (B, 4) in the order of TRAITS."""
        x = F.relu(self.stem(faces))
        for stage in self.stages:
            x = stage(F.avg_pool2d(x, 2))
        x = F.relu(self.norm(self.enter(F.avg_pool2d(x, 2))))
        return self.leave(self.drop(x.flatten(1)))


def aligned(pictures: Tensor, landmarks: Tensor) -> Tensor:
    """Upright faces of one size, moved by the similarity that brings eyes, mouth and chin nearest to their places.

    pictures (B, 3, H, W) in [-1, 1], landmarks (B, 68, 2) px of them -> crops (B, 3, S, S); beyond the picture its edge
    goes on.
    """
    return cut(pictures, placement(landmarks), SIDE)


def cut(pictures: Tensor, places: Tensor, side: int) -> Tensor:
    """pictures (B, 3, H, W), places (B, 2, 3) similarities from pixels of a crop to theirs -> (B, 3, side, side)."""
    # Several samples a pixel where the picture is larger than the crop: fine rims would else come and go.
    finest = float(places[:, :, 0].norm(dim=1).max())
    samples = min(FINEST, max(1, int(np.ceil(finest))))
    centres = (torch.arange(side * samples, device=pictures.device) + 0.5) / samples
    x, y = torch.meshgrid(centres, centres, indexing="xy")
    grid = torch.einsum("bij,hwj->bhwi", places, torch.stack([x, y, torch.ones_like(x)], -1))
    extent = torch.tensor([pictures.shape[3], pictures.shape[2]], device=pictures.device)
    crops = F.grid_sample(pictures, grid / extent * 2 - 1, padding_mode="border", align_corners=False)
    return F.avg_pool2d(crops, samples)


def placement(landmarks: Tensor) -> Tensor:
    """Landmarks (B, 68, 2) px -> (B, 2, 3) similarities from pixels of the crop to pixels of the picture."""
    first, second = (list(side) for side in zip(*_POINTS, strict=True))
    points = (landmarks[:, first] + landmarks[:, second]).float() / 2
    places = torch.tensor(_PLACES, device=points.device)
    middle, centre = places.mean(0), points.mean(1)
    a, b = places - middle, points - centre[:, None]
    # Least squares over turns and one scale, in closed form: both are the quotient of two complex sums.
    square = a.square().sum()
    along = (a * b).sum((1, 2)) / square
    across = (a[:, 0] * b[..., 1] - a[:, 1] * b[..., 0]).sum(1) / square
    linear = torch.stack([torch.stack([along, -across], 1), torch.stack([across, along], 1)], 1)
    return torch.cat([linear, (centre - linear @ middle)[..., None]], 2)


@torch.no_grad()
def traits_of(net: TraitNet, picture: NDArray[np.uint8], sight: Sight) -> dict[str, float]:
    """Probability 0..1 of each of TRAITS in a picture (H, W, 3) uint8 in which the eye saw `sight`, in its pixels."""
    parameter = next(net.parameters())
    frame = torch.from_numpy(picture).to(parameter.device).permute(2, 0, 1)[None].float() / 127.5 - 1
    landmarks = torch.from_numpy(sight.landmarks)[None].to(parameter.device)
    logits = net(aligned(frame, landmarks).to(parameter.dtype))[0].float()
    return dict(zip(TRAITS, logits.sigmoid().tolist(), strict=True))
