"""Given frames as condition channels: the mask pattern is the task (report 3.1).

First frame given = continue a picture; first and last = a sub-clip between keyframes; both sides of a seam = a
transition. The layout of the mask is Wan's: four channels per latent frame, one for each of its pixel frames, the
first pixel frame standing four times.

Shape legend: B batch, F pixel frames (4T-3), T latent frames, H W pixels, h w latent cells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from einops import rearrange
from torch import Tensor


class Autoencoder(Protocol):
    """The part of AutoencoderKLWan's contract that conditioning needs, as `MiniAutoencoder` spells it."""

    def encode(self, video: Tensor) -> Tensor: ...
    def normalise(self, latents: Tensor) -> Tensor: ...


@dataclass(frozen=True)
class Given:
    """Pixel frames that stand fixed at both ends of a clip.

    head: (B, 3, a, H, W), a = 4n+1, at least the first frame. tail: (B, 3, b, H, W), b in {1, 4}, or None.
    """

    head: Tensor
    tail: Tensor | None = None

    def flags(self, frames: int) -> Tensor:
        """(F,) 1 where a frame is given."""
        flags = torch.zeros(frames)
        flags[: self.head.shape[2]] = 1
        if self.tail is not None:
            flags[frames - self.tail.shape[2] :] = 1
        return flags


def mask_channels(flags: Tensor) -> Tensor:
    """(F,) flags -> (4, T), F = 4T-3."""
    return rearrange(torch.cat([flags[:1].expand(3), flags]), "(t k) -> k t", k=4)


def tile_nearest(head: Tensor, tail: Tensor | None, latent_frames: int) -> Tensor:
    """Latents of both ends (B, C, n, h, w) -> (B, C, T, h, w): every latent frame in between holds its nearer end.

    Zeros there, as in the public weights, would make a small network learn to carry the reference through time by
    itself; held frames put the picture's content where it will mostly stay.
    """
    known = head.shape[2] + (0 if tail is None else tail.shape[2])
    missing = latent_frames - known
    assert missing >= 0, "more frames given than the clip has"
    late = 0 if tail is None else missing // 2
    parts = [head, head[:, :, -1:].expand(-1, -1, missing - late, -1, -1)]
    if tail is not None:
        parts += [tail[:, :, :1].expand(-1, -1, late, -1, -1), tail]
    return torch.cat(parts, dim=2)


def hold_condition(autoencoder: Autoencoder, given: Given, frames: int) -> Tensor:
    """Condition channels (B, 20, T, h, w) for models trained with held frames (the mini)."""
    latent_frames = (frames - 1) // 4 + 1
    head = autoencoder.normalise(autoencoder.encode(given.head))
    tail = None
    if given.tail is not None:
        tail = autoencoder.normalise(autoencoder.encode(given.tail[:, :, :1]))
        if given.tail.shape[2] == 4:
            # A whole group: encoded behind its own first frame, which stands in for the unknown past.
            tail = autoencoder.normalise(autoencoder.encode(torch.cat([given.tail[:, :, :1], given.tail], dim=2)))[
                :, :, 1:
            ]
    latents = tile_nearest(head, tail, latent_frames)
    return with_mask(latents, given.flags(frames))


def zero_condition(autoencoder: Autoencoder, given: Given, frames: int) -> Tensor:
    """Condition channels (B, 20, T, h, w) as the public Wan weights expect: grey where nothing is given."""
    batch, channels, length, height, width = given.head.shape
    video = given.head.new_zeros(batch, channels, frames, height, width)
    video[:, :, :length] = given.head
    if given.tail is not None:
        video[:, :, frames - given.tail.shape[2] :] = given.tail
    return with_mask(autoencoder.normalise(autoencoder.encode(video)), given.flags(frames))


def with_mask(latents: Tensor, flags: Tensor) -> Tensor:
    """(B, 16, T, h, w) condition latents and (F,) flags -> (B, 20, T, h, w)."""
    batch, _, frames, height, width = latents.shape
    mask = mask_channels(flags).to(latents).view(1, 4, frames, 1, 1).expand(batch, -1, -1, height, width)
    return torch.cat([mask, latents], dim=1)
