"""The mini video autoencoder: a small causal network that honours the contract of diffusers' `AutoencoderKLWan`.

Frames come in groups: the first latent frame holds one pixel frame, every later one holds four, so a clip has
4n+1 frames and n+1 latent frames (8x smaller in space, 16 channels). Nothing in a latent depends on later frames, so
that the mask channels of the DiT can mark single given frames (section 3.1's first-last-frame clips). Decoding is not
causal: a latent frame is decoded together with the next one.

Shape legend: B batch, C channels, F pixel frames, T latent frames, H W pixels, h w latent cells.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin
from einops import rearrange
from torch import Tensor, nn

from dramatis.models.shapes import WAN_STRIDES, PixelShape, Strides, pixel_frames

LATENT_BOUND = 3.0
FRAMES_PER_CALL = 8
"""Frames that `map_in_chunks` passes on at a time."""


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a skip; no norms, because they make brightness depend on the crop."""

    def __init__(self, channels: int, dilation: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=dilation, dilation=dilation)
        for parameter in self.conv2.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.silu(self.conv1(F.silu(x))))


class TemporalMix(nn.Module):
    """Let every latent frame see the one before it, or the one `ahead`: a 3x3 convolution over both, added to it."""

    def __init__(self, channels: int, *, ahead: bool = False) -> None:
        super().__init__()
        self.ahead = ahead
        self.conv1 = nn.Conv2d(2 * channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        for parameter in self.conv2.parameters():
            nn.init.zeros_(parameter)

    def forward(self, x: Tensor, frames: int) -> Tensor:
        """x: (B*T, C, h, w) with T = frames."""
        clip = rearrange(x, "(b t) c h w -> b t c h w", t=frames)
        parts = [clip[:, 1:], clip[:, -1:]] if self.ahead else [clip[:, :1], clip[:, :-1]]
        pair = rearrange(torch.cat([clip, torch.cat(parts, dim=1)], dim=2), "b t c h w -> (b t) c h w")
        return x + self.conv2(F.silu(self.conv1(F.silu(pair))))


def map_in_chunks(function: Callable[..., Tensor], *parts: Tensor) -> Tensor:
    """`function` of tensors (N, ...), a few frames at a time: equal bits, and its large inner values stay in the cache.

    Training passes everything on at once, since the gradient needs all inner values anyway.
    """
    if torch.is_grad_enabled():
        return function(*parts)
    chunks = zip(*(part.split(FRAMES_PER_CALL) for part in parts), strict=True)
    return torch.cat([function(*chunk) for chunk in chunks])


def bound_latents(latents: Tensor) -> Tensor:
    """Raw latents, bent smoothly into the range of +-3."""
    return LATENT_BOUND * torch.tanh(latents / LATENT_BOUND)


class LatentSpace:
    """The latents of an autoencoder as its config describes them: strides, and statistics of each channel."""

    config: Any

    @property
    def strides(self) -> Strides:
        """How many frames and pixels a latent cell stands for."""
        return Strides(self.config["scale_factor_temporal"], self.config["scale_factor_spatial"])

    def normalise(self, latents: Tensor) -> Tensor:
        """Raw latents -> the unit-variance latents that the DiT sees; same shape (B, C, T, h, w)."""
        return (latents - self._stat("latents_mean", latents)) / self._stat("latents_std", latents)

    def denormalise(self, latents: Tensor) -> Tensor:
        """The inverse of `normalise`."""
        return latents * self._stat("latents_std", latents) + self._stat("latents_mean", latents)

    def _stat(self, name: str, like: Tensor) -> Tensor:
        return torch.tensor(self.config[name], device=like.device, dtype=like.dtype).view(1, -1, 1, 1, 1)


class MiniAutoencoder(LatentSpace, ModelMixin, ConfigMixin):
    """Causal video autoencoder, f8 t4 c16.

    Args:
        z_dim: latent channels.
        channels: widths at 1/2, 1/4 and 1/8 of the picture's size.
        latent_width: width of the temporal part, at 1/8.
        latents_mean: per-channel mean of the latents; the DiT sees (z - mean) / std, exactly as with
            `AutoencoderKLWan`.
        latents_std: per-channel standard deviation of the latents.
        scale_factor_spatial: pixels along each side of a latent cell, fixed by the layers.
        scale_factor_temporal: frames of a latent frame, fixed by the layers.
    """

    @register_to_config
    def __init__(
        self,
        z_dim: int = 16,
        channels: tuple[int, int, int] = (48, 96, 128),
        latent_width: int = 224,
        # `LatentSpace` reads both from the config.
        latents_mean: tuple[float, ...] = (0.0,) * 16,  # noqa: ARG002
        latents_std: tuple[float, ...] = (1.0,) * 16,  # noqa: ARG002
        scale_factor_spatial: int = 8,
        scale_factor_temporal: int = 4,
    ) -> None:
        super().__init__()
        assert (scale_factor_temporal, scale_factor_spatial) == WAN_STRIDES, "the layers below have these strides"
        c1, c2, c3 = channels
        self.enc_in = nn.Conv2d(12, c1, 3, padding=1)
        self.enc1 = ResidualBlock(c1)
        self.down1 = nn.Conv2d(c1, c2, 4, stride=2, padding=1)
        self.enc2 = nn.ModuleList([ResidualBlock(c2), ResidualBlock(c2)])
        self.down2 = nn.Conv2d(c2, c3, 4, stride=2, padding=1)
        self.group = nn.Conv2d(4 * c3, latent_width, 1)
        self.enc_mix = TemporalMix(latent_width)
        self.enc3 = ResidualBlock(latent_width)
        self.enc_out = nn.Conv2d(latent_width, z_dim, 3, padding=1)

        self.dec_in = nn.Conv2d(z_dim, latent_width, 3, padding=1)
        self.dec3 = ResidualBlock(latent_width)
        # The last one looks ahead: without it pictures step wherever one latent frame hands over to the next.
        self.dec_mix = nn.ModuleList([TemporalMix(latent_width, ahead=ahead) for ahead in (False, False, True)])
        self.ungroup = nn.Conv2d(latent_width, 4 * c3, 1)
        self.dec2a = ResidualBlock(c3)
        self.up2 = nn.Conv2d(c3, 4 * c2, 3, padding=1)
        self.dec2 = nn.ModuleList([ResidualBlock(c2), ResidualBlock(c2)])
        self.up1 = nn.Conv2d(c2, 4 * c1, 3, padding=1)
        self.dec1 = nn.ModuleList([ResidualBlock(c1), ResidualBlock(c1)])
        self.dec_out = nn.Conv2d(c1, 12, 3, padding=1)
        self._initialise()

    def _initialise(self) -> None:
        """Start with unit variance through every layer.

        With PyTorch's default, latents start near zero, shoot to their bound in the first hundred steps and saturate
        there (measured: 10 dB after 800 steps).
        """
        for name, module in self.named_modules():
            if isinstance(module, nn.Conv2d):
                assert module.bias is not None
                nn.init.zeros_(module.bias)
                if name.endswith("conv2"):
                    nn.init.zeros_(module.weight)
                else:
                    nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        for layer in (self.enc_in, self.enc_out):
            layer.weight.data *= 0.6
        self.dec_out.weight.data *= 0.3

    def encode(self, video: Tensor) -> Tensor:
        """(B, 3, F, H, W) in [-1, 1], F = 4n+1 -> raw latents (B, z_dim, n+1, H/8, W/8) within +-3."""
        return bound_latents(self.encode_unbound(video))

    def encode_unbound(self, video: Tensor) -> Tensor:
        """`encode` before the bound: training keeps these values small, because a saturated bound passes no gradient.

        Raises ValueError as `PixelShape.latent`.
        """
        groups = PixelShape(*video.shape[2:]).latent(self.strides).frames
        # The first pixel frame fills its whole group, so that one network serves all groups.
        padded = torch.cat([video[:, :, :1].expand(-1, -1, 3, -1, -1), video], dim=2)
        x = rearrange(padded, "b c f h w -> (b f) c h w").contiguous(memory_format=torch.channels_last)
        x = map_in_chunks(self._shrink, x)
        x = self.group(rearrange(x, "(b t k) c h w -> (b t) (k c) h w", t=groups, k=4))
        x = self.enc3(self.enc_mix(x, groups))
        z = self.enc_out(F.silu(x))
        return rearrange(z, "(b t) c h w -> b c t h w", t=groups)

    def decode(self, latents: Tensor) -> Tensor:
        """Raw latents (B, z_dim, T, h, w) -> video (B, 3, 4T-3, 8h, 8w), about [-1, 1]."""
        groups = latents.shape[2]
        z = rearrange(latents, "b c t h w -> (b t) c h w").contiguous(memory_format=torch.channels_last)
        x = self.dec3(self.dec_in(z))
        for mix in self.dec_mix:
            x = mix(x, groups)
        x = rearrange(self.ungroup(F.silu(x)), "bt (k c) h w -> (bt k) c h w", k=4)
        # Three of the first group's four frames are padding; they are dropped before the costly part.
        x = rearrange(x, "(b f) c h w -> b f c h w", f=4 * groups)[:, 3:]
        x = rearrange(x, "b f c h w -> (b f) c h w").contiguous(memory_format=torch.channels_last)
        x = map_in_chunks(self._enlarge, x)
        return rearrange(x, "(b f) c h w -> b c f h w", f=pixel_frames(groups))

    def _shrink(self, x: Tensor) -> Tensor:
        """Frames (N, 3, H, W), each by itself -> (N, c3, H/8, W/8)."""
        x = self.enc1(self.enc_in(F.pixel_unshuffle(x, 2)))
        x = self.down1(x)
        for block in self.enc2:
            x = block(x)
        return self.down2(F.silu(x))

    def _enlarge(self, x: Tensor) -> Tensor:
        """The inverse: (N, c3, h, w) -> (N, 3, 8h, 8w)."""
        x = F.pixel_shuffle(self.up2(F.silu(self.dec2a(x))), 2)
        for block in self.dec2:
            x = block(x)
        x = F.pixel_shuffle(self.up1(F.silu(x)), 2)
        for block in self.dec1:
            x = block(x)
        return F.pixel_shuffle(self.dec_out(F.silu(x)), 2)

    def forward(self, video: Tensor) -> Tensor:
        """Encode and decode: (B, 3, F, H, W) -> the same shape."""
        return self.decode(self.encode(video))
