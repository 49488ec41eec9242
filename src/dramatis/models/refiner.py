"""Detail that the autoencoder cannot keep, taken from pictures of the same person that are available at full size.

An autoencoder that compresses a clip 48 times loses the finest grain of hair and skin. The reference and the keyframes
still show that grain, and the high-resolution stages can warp them to the pose of each frame. This small network sees
both and adds what is missing, where the warped picture fits. It also sees the frames before and after, and evens out
pulsing from one latent frame to the next.

Shape legend: B batch, F pixel frames, H W pixels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from einops import rearrange
from torch import Tensor, nn

from dramatis.models.autoencoder import ResidualBlock, map_in_chunks

FOLD = 2
"""Side in pixels of the squares that are folded into channels."""


class DetailRefiner(ModelMixin, ConfigMixin):
    """Adds a correction to decoded frames; untrained it adds nothing.

    Args:
        width: channels, at half the picture's size.
        dilations: one residual block of two 3x3 convolutions for each; wide ones make up for warped pictures that are
            a few pixels off.
    """

    @register_to_config
    def __init__(self, width: int = 32, dilations: tuple[int, ...] = (1, 2, 1)) -> None:
        super().__init__()
        folded = 3 * FOLD**2
        self.enter = nn.Conv2d(3 * 2 * folded, width, 3, padding=1)
        self.blocks = nn.ModuleList(ResidualBlock(width, dilation) for dilation in dilations)
        self.leave = nn.Conv2d(width, folded, 3, padding=1)
        for parameter in self.leave.parameters():
            nn.init.zeros_(parameter)

    def forward(self, decoded: Tensor, guide: Tensor) -> Tensor:
        """Refined frames of the same shape, not clamped.

        decoded: frames (B, 3, F, H, W) in [-1, 1]. guide: another picture of the person, warped to the pose of each
        frame, of the same shape.
        """
        frames = decoded.shape[2]
        pair = rearrange(torch.cat([decoded, guide], 1), "b c f h w -> (b f) c h w")
        folded = rearrange(F.pixel_unshuffle(pair.to(self.dtype), FOLD), "(b f) c h w -> b f c h w", f=frames)
        before = torch.cat([folded[:, :1], folded[:, :-1]], 1)
        after = torch.cat([folded[:, 1:], folded[:, -1:]], 1)
        correction = map_in_chunks(self._correct, *(part.flatten(0, 1) for part in (before, folded, after)))
        return decoded + rearrange(correction, "(b f) c h w -> b c f h w", f=frames).to(decoded)

    def _correct(self, before: Tensor, folded: Tensor, after: Tensor) -> Tensor:
        """Folded frames (N, c, h, w) with their neighbours -> corrections to add to the frames, (N, 3, H, W)."""
        x = self.enter(torch.cat([before, folded, after], 1).contiguous(memory_format=torch.channels_last))
        for block in self.blocks:
            x = block(x)
        return F.pixel_shuffle(self.leave(F.silu(x)), FOLD)
