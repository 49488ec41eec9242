"""How near a picture is to the true one: losses that autoencoder and refiner learn by, and figures."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

BORDER_WEIGHT = 4.0
"""How much more a change of the error counts between two latent frames than within one."""
TEXTURE_WINDOW = 16


def reconstruction_loss(out: Tensor, video: Tensor, boxes: Tensor, detail: float) -> Tensor:
    """Weighted L1 of pixels, of their gradients in space and time, and of 4x pooled pixels.

    The gradient in time keeps what stands still from shimmering: errors may be there, but not change, least of all
    where one latent frame hands over to the next, which would show as a pulse every four frames.
    """
    weight = 1 + (detail - 1) * boxes
    error = out.float() - video
    loss = (weight * error.abs()).mean()
    dx, dy = error.diff(dim=-1), error.diff(dim=-2)
    loss = loss + 0.5 * ((weight[..., 1:] * dx.abs()).mean() + (weight[..., 1:, :] * dy.abs()).mean()) / 2
    if video.shape[2] > 1:
        border = torch.ones(video.shape[2] - 1, device=video.device)
        border[::4] = BORDER_WEIGHT
        change = weight[:, :, 1:] * error.diff(dim=2).abs()
        loss = loss + (border.view(-1, 1, 1) * change).mean() / border.mean()
    return loss + 0.5 * F.avg_pool3d(error, (1, 4, 4)).abs().mean()


def laplacian(video: Tensor) -> Tensor:
    """(B, 3, F, H, W) -> (B, F, H-2, W-2): the Laplacian of grey levels, in float32."""
    grey = video.float().mean(1)
    middle = grey[..., 1:-1, 1:-1]
    around = grey[..., :-2, 1:-1] + grey[..., 2:, 1:-1] + grey[..., 1:-1, :-2] + grey[..., 1:-1, 2:]
    return around - 4 * middle


def sharpness_ratio(video: Tensor, true: Tensor) -> float:
    """Laplacian variance of a video (B, 3, F, H, W) over that of the true one."""
    return float(laplacian(video).var() / laplacian(true).var())


def texture_loss(out: Tensor, video: Tensor) -> Tensor:
    """How far the strength of fine detail is off, frequency by frequency in windows of 16 pixels.

    A plain distance prefers blur to a risk. One figure for all frequencies would be met by a faint checkerboard
    (measured).
    """

    def strength(clip: Tensor) -> Tensor:
        window = torch.hann_window(TEXTURE_WINDOW, device=clip.device)
        window = window[:, None] * window / window.square().sum()
        tiles = laplacian(clip).unfold(-2, TEXTURE_WINDOW, 8).unfold(-2, TEXTURE_WINDOW, 8)
        return (torch.fft.rfft2(tiles * window).abs().square() + 1e-6).sqrt()

    return (strength(out) - strength(video)).abs().mean()


def video_psnr(a: Tensor, b: Tensor, weight: Tensor | None = None) -> float:
    """dB between two tensors in [-1, 1]; `weight` (broadcastable, 0 or 1) picks pixels."""
    error = (a.float().clamp(-1, 1) - b.float()).square() / 4
    if weight is not None:
        error = error * weight
        mean = error.sum() / weight.expand_as(error).sum().clamp(min=1)
    else:
        mean = error.mean()
    return float(-10 * torch.log10(mean.clamp(min=1e-10)))
