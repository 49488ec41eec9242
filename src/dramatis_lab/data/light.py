"""Clips as other cameras, or brighter and darker light, would have shown them."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

OTHER_CAMERA_SHARE = 0.6
LIGHT_EXPONENTS = (-0.7, 0.2)
"""Logarithms of the smallest and largest exponent of the tone curve: dark faces are brightened before they are
rendered."""


def vary_camera(video: Tensor, rng: np.random.Generator) -> Tensor:
    """A clip (3, F, H, W) in [-1, 1] as another camera would have taken it.

    Tone curve, white balance, saturation and softness, the same in all frames. The renderer's own look is one of
    many, and photographs have others.
    """
    light = (video + 1) / 2
    light = light.clamp_min(0) ** float(np.exp(rng.normal(0, 0.25)))
    light = light * torch.from_numpy(np.exp(rng.normal(0, 0.08, (3, 1, 1, 1))).astype(np.float32)).to(video)
    light = torch.lerp(light.mean(0, keepdim=True).expand_as(light), light, float(rng.uniform(0.3, 1.25)))
    kernel = torch.tensor([0.25, 0.5, 0.25]).to(video)
    padded = F.pad(light.transpose(0, 1), (1, 1, 1, 1), mode="replicate")
    soft = F.conv2d(padded, (kernel[:, None] * kernel).expand(3, 1, 3, 3), groups=3).transpose(0, 1)
    return (2 * torch.lerp(light, soft, float(rng.uniform(0, 1))) - 1).clamp(-1, 1)


def vary_light(video: Tensor, rng: np.random.Generator) -> Tensor:
    """(3, F, H, W) in [-1, 1]: as it is, brighter or darker, or as another camera would have taken it."""
    choice = rng.random()
    if choice < 0.3:
        return video
    if choice < 0.6:
        return 2 * ((video + 1) / 2).clamp_min(0) ** float(np.exp(rng.uniform(*LIGHT_EXPONENTS))) - 1
    return vary_camera(video, rng)
