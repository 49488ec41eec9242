"""Given frames as condition channels: the mask pattern is the task (report 3.1).

First frame given = continue a picture; first and last = a sub-clip between keyframes; both sides of a seam = a
transition. The layout of the mask is Wan's: four channels per latent frame, one for each of its pixel frames, the
first pixel frame standing four times.

Shape legend: B batch, F pixel frames (4T-3), T latent frames, H W pixels, h w latent cells.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from einops import rearrange
from torch import Tensor


@dataclass(frozen=True)
class GivenFrames:
    """Pixel frames that are given at both ends of a clip and stay fixed.

    head: (B, 3, a, H, W), a = 4n+1, at least the first frame. tail: (B, 3, b, H, W), or None.
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


def latent_means(values: Tensor) -> Tensor:
    """Means over the pixel frames of each latent frame: (..., F, h, w) -> (..., T, h, w).

    The first latent frame stands for one pixel frame, every later one for four.
    """
    return torch.cat(
        [values[..., :1, :, :], rearrange(values[..., 1:, :, :], "... (t k) h w -> ... t k h w", k=4).mean(-3)], -3
    )


def warp_fill(given: GivenFrames, from_head: Tensor, from_tail: Tensor | None) -> Tensor:
    """A clip with its given frames in place and, between them, the nearest given frame warped to each moment.

    from_head, from_tail: (F, H, W, 2) pixels, where every pixel's content lies in the last frame of the head and in the
    first of the tail. Half-way the two fade into each other. Returns (B, 3, F, H, W).
    """
    frames, start = len(from_head), given.head.shape[2]
    video = warp_picture(given.head[:, :, -1], from_head)
    if given.tail is None:
        return given_in_place(given, video)
    assert from_tail is not None, "a given tail needs its positions"
    stop = frames - given.tail.shape[2]
    share = (torch.arange(frames).sub(start - 1) / (stop - start + 1)).mul(3).sub(1).clamp(0, 1).to(video)
    video = torch.lerp(video, warp_picture(given.tail[:, :, 0], from_tail), share.view(-1, 1, 1))
    return given_in_place(given, video)


def given_in_place(given: GivenFrames, video: Tensor) -> Tensor:
    """A clip (B, 3, F, H, W) with its given frames in place of its own at both ends."""
    parts = [given.head, video[:, :, given.head.shape[2] :]]
    if given.tail is not None:
        parts[1] = parts[1][:, :, : -given.tail.shape[2]]
        parts.append(given.tail)
    return torch.cat(parts, 2)


def warp_picture(picture: Tensor, positions: Tensor) -> Tensor:
    """(B, 3, H, W) sampled bilinearly at (F, H, W, 2) pixels, the border repeated -> (B, 3, F, H, W)."""
    batch, _, height, width = picture.shape
    frames = len(positions)
    grid = positions.float() / positions.new_tensor([width, height]) * 2 - 1
    grid = rearrange(grid, "f h w xy -> (f h) w xy").unsqueeze(0).expand(batch, -1, -1, -1)
    out = F.grid_sample(picture.float(), grid, padding_mode="border", align_corners=False)
    return rearrange(out, "b c (f h) w -> b c f h w", f=frames).to(picture.dtype)


def zero_fill(given: GivenFrames, frames: int) -> Tensor:
    """A clip (B, 3, F, H, W) with its given frames in place and grey between them, as the public Wan weights expect."""
    batch, channels, _, height, width = given.head.shape
    return given_in_place(given, given.head.new_zeros(batch, channels, frames, height, width))


def with_mask(latents: Tensor, flags: Tensor) -> Tensor:
    """(B, 16, T, h, w) condition latents and (F,) flags -> (B, 20, T, h, w)."""
    batch, _, frames, height, width = latents.shape
    mask = mask_channels(flags).to(latents).view(1, 4, frames, 1, 1).expand(batch, -1, -1, height, width)
    return torch.cat([mask, latents], dim=1)


def enlarge(video: Tensor, size: tuple[int, int]) -> Tensor:
    """(B, 3, F, H, W) in [-1, 1] -> the same frames at `size` (height, width), bicubic.

    Super-resolution starts from these frames and is measured against them.
    """
    batch, _, frames = video.shape[:3]
    flat = rearrange(video.float(), "b c f h w -> (b f) c h w")
    out = F.interpolate(flat, size, mode="bicubic", align_corners=False).clamp(-1, 1).to(video.dtype)
    return rearrange(out, "(b f) c h w -> b c f h w", b=batch, f=frames)


def with_low(condition: Tensor, low: Tensor) -> Tensor:
    """The condition of the high-resolution stages, (B, 36, T, h, w).

    condition: (B, 20, T, h, w). low: latents (B, 16, T, h, w) of the enlarged low-resolution clip.
    """
    return torch.cat([condition, low.to(condition)], dim=1)
