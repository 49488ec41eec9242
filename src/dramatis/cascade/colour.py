"""Sub-clips take their colours from their keyframes, against drift.

An option of a profile; docs/cascade.md says what it measures to.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from skimage.color import lab2rgb, rgb2lab

from dramatis.media.image import Pictures


def match_colours(frames: Pictures, head: Pictures, tail: Pictures) -> Pictures:
    """A clip (F, H, W, 3) whose frames have the mean and spread of LAB of the two keyframes, blended over its length.

    head, tail: (H, W, 3) uint8, what the first and the last frame should look like.
    """
    share = np.linspace(0, 1, len(frames))[:, None]
    targets = [_statistics(picture) for picture in (head, tail)]
    mean, spread = ((1 - share) * a + share * b for a, b in zip(*targets, strict=True))
    out = np.empty_like(frames)
    for index, frame in enumerate(frames):
        own_mean, own_spread = _statistics(frame)
        lab = (rgb2lab(frame) - own_mean) * (spread[index] / np.maximum(own_spread, 1e-3)) + mean[index]
        # Darker than black and yellower than light can be: skimage would warn of every such pixel.
        lab[..., 0] = np.maximum(lab[..., 0], 0)
        lab[..., 2] = np.minimum(lab[..., 2], 1.724 * (lab[..., 0] + 16))
        out[index] = (lab2rgb(lab) * 255).round().clip(0, 255).astype(np.uint8)
    return out


def _statistics(picture: Pictures) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    lab = rgb2lab(picture).reshape(-1, 3)
    return lab.mean(0), lab.std(0)
