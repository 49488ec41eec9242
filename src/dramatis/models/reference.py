"""The reference picture as context tokens: the mini's counterpart of the 14B family's CLIP features, not downloaded.

Latents of the reference image, one token for each 2x2 cells, with its position in the picture, so that cross-attention
can look up hair, skin and background by position in any clip, however far from the first frame.
"""

from __future__ import annotations

import math

import torch
from einops import rearrange
from torch import Tensor

POSITION_CHANNELS = 32


def reference_tokens(latents: Tensor) -> Tensor:
    """Normalised image latents (B, 16, h, w), even sides -> tokens (B, h/2 * w/2, 96)."""
    tokens = rearrange(latents, "b c (h p) (w q) -> b h w (p q c)", p=2, q=2)
    rows, columns = tokens.shape[1:3]
    position = torch.cat(
        [
            _waves(torch.arange(rows, device=latents.device)).view(rows, 1, -1).expand(-1, columns, -1),
            _waves(torch.arange(columns, device=latents.device)).view(1, columns, -1).expand(rows, -1, -1),
        ],
        dim=-1,
    )
    position = position.to(tokens.dtype).unsqueeze(0).expand(len(tokens), -1, -1, -1)
    return torch.cat([tokens, position], dim=-1).flatten(1, 2)


def _waves(index: Tensor) -> Tensor:
    """(n,) token index -> (n, 16) sines and cosines of periods from 4 to 64 tokens."""
    periods = 4.0 * 2.0 ** torch.linspace(0, 4, POSITION_CHANNELS // 4, device=index.device)
    angle = 2 * math.pi * index.unsqueeze(1) / periods
    return torch.cat([angle.sin(), angle.cos()], dim=1)
