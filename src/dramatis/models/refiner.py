"""Detail that the autoencoder cannot keep, taken from pictures of the same person that are at hand at full size.

An autoencoder that shrinks a clip 48 times loses the finest grain of hair and skin. The high-resolution stages know
where that grain is to be seen: in the reference or the keyframes, moved to the pose of each frame. This small network
sees both and adds what is missing, where the moved picture fits. It also sees the frames before and after, and evens
out what pulses from one latent frame to the next.

Shape legend: B batch, F pixel frames, H W pixels.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from einops import rearrange
from torch import Tensor, nn

from dramatis.models.autoencoder import ResidualBlock, in_pieces

FOLD = 2
"""Side of the squares of pixels that are folded into channels."""


class DetailRefiner(ModelMixin, ConfigMixin):
    """Adds a correction to decoded frames; untrained it adds nothing.

    Args:
        width: channels, at half the picture's size.
        dilations: one residual block of two 3x3 convolutions for each; wide ones bridge moved pictures that lie a few
            pixels off.
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

    def forward(self, made: Tensor, moved: Tensor) -> Tensor:
        """made: decoded frames (B, 3, F, H, W) in [-1, 1]. moved: another picture of the person, moved to the pose of
        each frame, of the same shape. Returns frames of that shape, not clamped."""
        frames = made.shape[2]
        seen = rearrange(torch.cat([made, moved], 1), "b c f h w -> (b f) c h w")
        seen = rearrange(F.pixel_unshuffle(seen.to(self.dtype), FOLD), "(b f) c h w -> b f c h w", f=frames)
        before, after = (torch.cat(part, 1) for part in ((seen[:, :1], seen[:, :-1]), (seen[:, 1:], seen[:, -1:])))
        correction = in_pieces(self._correct, *(part.flatten(0, 1) for part in (before, seen, after)))
        return made + rearrange(correction, "(b f) c h w -> b c f h w", f=frames).to(made)

    def _correct(self, before: Tensor, seen: Tensor, after: Tensor) -> Tensor:
        """Folded frames (N, c, h, w) with their neighbours -> what to add to them, (N, 3, H, W)."""
        x = self.enter(torch.cat([before, seen, after], 1).contiguous(memory_format=torch.channels_last))
        for block in self.blocks:
            x = block(x)
        return F.pixel_shuffle(self.leave(F.silu(x)), FOLD)
