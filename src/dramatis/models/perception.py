"""The face perception network: 68 landmarks, masks of person and face, and whether there is a face at all.

The visual expert, the reference crop, the choice of keyframes, the annotation and the lip-sync measure all use it. It
was trained on the synthetic world's exact ground truth.

Shape legend: B batch, H W pixels (the network sees 128x128), K landmarks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn

LANDMARKS = 68
OUTER_EYES = (36, 45)
INNER_LIPS = (62, 66)


class ConvNormBlock(nn.Module):
    """Two 3x3 convolutions with batch norm around a skip."""

    def __init__(self, channels_in: int, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.skip = nn.Identity() if channels_in == channels else nn.Conv2d(channels_in, channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        h = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.skip(x) + self.norm2(self.conv2(h)))


class PerceptionNet(ModelMixin, ConfigMixin):
    """U-shaped network: a heat map for each landmark, two masks, one face logit.

    Args:
        widths: channels at 1/2, 1/4, 1/8 and 1/16 of 128 px.
    """

    size = 128

    @register_to_config
    def __init__(self, widths: tuple[int, int, int, int] = (32, 64, 128, 192)) -> None:
        super().__init__()
        w1, w2, w3, w4 = widths
        self.stem = nn.Conv2d(3, w1, 5, stride=2, padding=2)
        self.down1 = ConvNormBlock(w1, w1)
        self.down2 = ConvNormBlock(w1, w2)
        self.down3 = ConvNormBlock(w2, w3)
        self.down4 = nn.Sequential(ConvNormBlock(w3, w4), ConvNormBlock(w4, w4))
        self.up3 = ConvNormBlock(w4 + w3, w3)
        self.up2 = ConvNormBlock(w3 + w2, w2)
        self.up1 = ConvNormBlock(w2 + w1, w2)
        self.heat = nn.Conv2d(w2, LANDMARKS, 1)
        self.masks = nn.Conv2d(w2, 2, 1)
        self.face = nn.Linear(w4, 1)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Landmarks (B, 68, 2) px, mask logits (B, 2, 64, 64) of person and face, and face logit (B,).

        images: (B, 3, 128, 128) in [-1, 1].
        """
        x1 = self.down1(F.relu(self.stem(images)))
        x2 = self.down2(F.avg_pool2d(x1, 2))
        x3 = self.down3(F.avg_pool2d(x2, 2))
        x4 = self.down4(F.avg_pool2d(x3, 2))
        x = self.up3(torch.cat([F.interpolate(x4, scale_factor=2.0), x3], 1))
        x = self.up2(torch.cat([F.interpolate(x, scale_factor=2.0), x2], 1))
        x = self.up1(torch.cat([F.interpolate(x, scale_factor=2.0), x1], 1))
        return expected_position(self.heat(x)) * 2.0, self.masks(x), self.face(x4.mean((2, 3))).squeeze(1)


def expected_position(heat: Tensor) -> Tensor:
    """(B, K, h, w) logits -> (B, K, 2) soft-argmax x, y in cells, 0.5 = centre of the first cell."""
    height, width = heat.shape[2:]
    weight = heat.float().flatten(2).softmax(-1).unflatten(2, (height, width))
    xs = torch.arange(width, device=heat.device) + 0.5
    ys = torch.arange(height, device=heat.device) + 0.5
    return torch.stack([(weight.sum(2) * xs).sum(-1), (weight.sum(3) * ys).sum(-1)], dim=-1)


@dataclass(frozen=True)
class FaceReading:
    """What the network finds in one picture.

    landmarks: (68, 2) px of that picture. person, face_mask: (H/2, W/2) in 0..1. face: in 0..1, whether there is one.
    """

    landmarks: np.ndarray
    person: np.ndarray
    face_mask: np.ndarray
    face: float

    @property
    def interocular(self) -> float:
        """Distance of the outer eye corners, px."""
        return interocular(self.landmarks)

    @property
    def mouth_opening(self) -> float:
        """Gap of the inner lips over the interocular distance."""
        return mouth_opening(self.landmarks)


def interocular(landmarks: np.ndarray) -> float:
    """Distance of the outer eye corners of (68, 2) landmarks, px."""
    return float(np.linalg.norm(landmarks[OUTER_EYES[0]] - landmarks[OUTER_EYES[1]]))


def mouth_opening(landmarks: np.ndarray) -> float:
    """Gap of the inner lips of (68, 2) landmarks over the interocular distance."""
    gap = np.linalg.norm(landmarks[INNER_LIPS[0]] - landmarks[INNER_LIPS[1]])
    return float(gap / max(interocular(landmarks), 1e-3))


@torch.no_grad()
def read_faces(net: PerceptionNet, images: Tensor) -> list[FaceReading]:
    """(B, 3, H, W) in [-1, 1], any size -> one `FaceReading` for each picture, in its own pixels."""
    height, width = images.shape[2:]
    side = max(height, width)
    left, top = (side - width) // 2, (side - height) // 2
    square = F.pad(images.float(), (left, side - width - left, top, side - height - top), mode="replicate")
    if side != net.size:
        square = F.interpolate(square, size=(net.size, net.size), mode="bilinear", antialias=True)
    landmarks, masks, face = net(square.to(dtype=next(net.parameters()).dtype))
    scale = side / net.size
    offset = torch.tensor([left, top], device=images.device)
    landmarks = landmarks.float() * scale - offset
    probabilities = F.interpolate(masks.float().sigmoid(), size=(side, side), mode="bilinear")
    probabilities = probabilities[:, :, top : top + height : 2, left : left + width : 2]
    return [
        FaceReading(
            landmarks[i].cpu().numpy(),
            probabilities[i, 0].cpu().numpy(),
            probabilities[i, 1].cpu().numpy(),
            float(face[i].float().sigmoid()),
        )
        for i in range(len(images))
    ]
