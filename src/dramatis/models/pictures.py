"""Pictures to tensors and back: bytes on one side, numbers in [-1, 1] on the other."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from dramatis.media.image import Pictures


def to_tensor(pictures: Pictures) -> Tensor:
    """(F, H, W, 3) uint8 -> (1, 3, F, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(np.array(pictures)).float().div(127.5).sub(1).permute(3, 0, 1, 2).unsqueeze(0)


def to_pictures(video: Tensor) -> Pictures:
    """(1, 3, F, H, W) in [-1, 1] -> (F, H, W, 3) uint8."""
    bytes_ = video[0].float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return bytes_.permute(1, 2, 3, 0).contiguous().cpu().numpy()
