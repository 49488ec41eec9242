"""Two ways to fight drift (report 3.1; Kling-Avatar's negative-frame guidance): a spoilt reference to steer away from,
and colours taken from the keyframes. Both are options of a profile; docs/cascade.md says what they measure to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter
from skimage.color import lab2rgb, rgb2lab

from dramatis.media.image import Pictures


def corrupted(reference: Pictures, strength: float) -> Pictures:
    """The reference with the faults that long videos grow: blurred, too much contrast and colour, a warm cast.

    reference: (H, W, 3) uint8. strength: 0 (as it is) to 1.
    """
    picture = Image.fromarray(reference).filter(ImageFilter.GaussianBlur(strength * reference.shape[0] / 64))
    picture = ImageEnhance.Contrast(picture).enhance(1 + 0.5 * strength)
    picture = ImageEnhance.Color(picture).enhance(1 + strength)
    cast = 1 + strength * np.array([0.08, 0.0, -0.12])
    return (np.asarray(picture) * cast).round().clip(0, 255).astype(np.uint8)


def match_colours(frames: Pictures, head: Pictures, tail: Pictures) -> Pictures:
    """A clip (F, H, W, 3) whose frames have the mean and spread of LAB of the two keyframes, blended over its length.

    head, tail: (H, W, 3) uint8, what the first and the last frame should look like.
    """
    share = np.linspace(0, 1, len(frames))[:, None]
    wanted = [_statistics(picture) for picture in (head, tail)]
    mean, spread = ((1 - share) * a + share * b for a, b in zip(*wanted, strict=True))
    out = np.empty_like(frames)
    for place, frame in enumerate(frames):
        own_mean, own_spread = _statistics(frame)
        lab = (rgb2lab(frame) - own_mean) * (spread[place] / np.maximum(own_spread, 1e-3)) + mean[place]
        # Darker than black and yellower than light can be: skimage would warn of every such pixel.
        lab[..., 0] = np.maximum(lab[..., 0], 0)
        lab[..., 2] = np.minimum(lab[..., 2], 1.724 * (lab[..., 0] + 16))
        out[place] = (lab2rgb(lab) * 255).round().clip(0, 255).astype(np.uint8)
    return out


def _statistics(picture: Pictures) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    lab = rgb2lab(picture).reshape(-1, 3)
    return lab.mean(0), lab.std(0)
