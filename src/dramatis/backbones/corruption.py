"""A spoilt reference for guidance to steer away from (Kling-Avatar's negative-frame guidance)."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter

from dramatis.media.image import Pictures


def corrupt(reference: Pictures, strength: float) -> Pictures:
    """The reference with the faults that long videos grow: blurred, too much contrast and colour, a warm cast.

    reference: (H, W, 3) uint8. strength: 0 (as it is) to 1.
    """
    picture = Image.fromarray(reference).filter(ImageFilter.GaussianBlur(strength * reference.shape[0] / 64))
    picture = ImageEnhance.Contrast(picture).enhance(1 + 0.5 * strength)
    picture = ImageEnhance.Color(picture).enhance(1 + strength)
    cast = 1 + strength * np.array([0.08, 0.0, -0.12])
    return (np.asarray(picture) * cast).round().clip(0, 255).astype(np.uint8)
