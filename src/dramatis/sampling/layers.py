"""A portrait in two layers: the people over the background that stands behind them.

The background is filled in where people hide it, so far that nothing else is ever uncovered, and moves with the camera
alone: bricks behind a head stay straight, and stand still when the camera does. A frame of both layers at rest is the
portrait itself, but for rounding: what hides the background is taken away with the people, as it is, and put back
where they go.

Shape legend: H W pixels of the portrait, h w pixels of a frame.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import Tensor

from dramatis.media.image import Pictures

_HIDDEN = 0.02
"""Share of a pixel from which it is no background of its own: soft hair reaches far."""
_MARGIN = 0.006
"""How much farther than that the background is filled in, in shorter sides of the portrait: light bends round hair."""
_STRAIGHTENED = 0.012
"""Standard deviation of the blur that straightens the border across which the background is mirrored, in the same."""
_MIRRORED = 0.09
"""How deep behind people the background is mirrored across their border, in the same; deeper, it is all one blur."""


def background_behind(picture: Pictures, matte: NDArray[np.float32]) -> Pictures:
    """The background (H, W, 3) uint8 of a picture, filled in behind the people. matte: (H, W) in 0..1, theirs.

    Behind their border lies the mirror image of what is in front of it: lines that meet it go on.
    """
    shorter = min(matte.shape)
    reach = max(2, round(_MARGIN * shorter))
    hidden = ndimage.binary_dilation(matte > _HIDDEN, iterations=reach)
    soft = ndimage.gaussian_filter(hidden.astype(np.float32), _STRAIGHTENED * shorter)
    behind = hidden | (soft > 0.5)
    if behind.all() or not behind.any():
        return picture.copy()
    rows, columns = np.indices(matte.shape)
    depth, nearest = ndimage.distance_transform_edt(behind, return_indices=True)
    mirrored = [2 * near - here for near, here in zip(nearest, (rows, columns), strict=True)]
    inside = [(place >= 0) & (place < side) for place, side in zip(mirrored, matte.shape, strict=True)]
    usable = inside[0] & inside[1]
    places = [np.where(usable, place, near) for place, near in zip(mirrored, nearest, strict=True)]
    usable = ~behind[places[0], places[1]]
    places = [np.where(usable, place, near) for place, near in zip(places, nearest, strict=True)]
    copied = picture[places[0], places[1]].astype(np.float32)
    share = np.clip(2 * depth / (_MIRRORED * shorter) - 1, 0, 1)[..., None]
    filled = copied * (1 - share) + _blurred_ground(picture, behind) * share
    return np.where(behind[..., None], filled.round(), picture).astype(np.uint8)


def _blurred_ground(picture: Pictures, behind: NDArray[np.bool_]) -> NDArray[np.float32]:
    """What surrounds every pixel that is behind somebody, ever more blurred the farther away it is."""
    known = (~behind).astype(np.float32)[..., None]
    total = np.zeros(picture.shape, np.float32)
    weight = np.zeros_like(known)
    for part in (0.02, 0.06, 0.2):
        deviation = (part * min(behind.shape), part * min(behind.shape), 0)
        seen = ndimage.gaussian_filter(known, deviation)
        colours = ndimage.gaussian_filter(picture * known, deviation)
        total, weight = total + (1 - weight) * colours, weight + (1 - weight) * seen
    return np.asarray(total / np.maximum(weight, 1e-4), np.float32)


class HiddenGround:
    """The background of a portrait, and what of it every pixel of the portrait shows.

    picture: (H, W, 3) uint8. matte: (H, W) in 0..1, how much of each pixel belongs to people.
    """

    def __init__(self, picture: Pictures, matte: NDArray[np.float32]) -> None:
        ground = background_behind(picture, matte).astype(np.float32) / 255
        self.ground = torch.from_numpy(ground).permute(2, 0, 1)[None].contiguous()
        uncovered = 1 - torch.from_numpy(np.asarray(matte, np.float32))[None, None]
        self.shown = torch.cat([self.ground * uncovered, uncovered], 1)
        """(1, 4, H, W): the background's part of each pixel, and its share."""


def over_ground(moved: Tensor, shown: Tensor, ground: Tensor) -> Tensor:
    """People over their background, (3, h, w).

    moved: (3, h, w) the portrait, moved as people move. shown: (4, h, w) `HiddenGround.shown`, moved alike. ground:
    (3, h, w) the background as the camera sees it.
    """
    return moved - shown[:3] + shown[3:] * ground
