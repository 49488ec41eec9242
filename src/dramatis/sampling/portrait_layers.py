"""A portrait taken apart into the people in it and the background behind them, so that they can move before it.

Put together again unmoved, the layers give the portrait to the last digit. At soft edges the colours of hair and
background are told apart, so that no rim of the background's colour moves with the hair, and no rim of hair stays
behind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter

from dramatis.media.image import Pictures
from dramatis.sampling.background_fill import fill_background

_SEEN = 0.02
"""Least share of a person in a pixel that hides the background."""
_RIM = 0.012
"""Width of the rim beside the people, of the picture's shorter side, that may still show some of their hair: the
background is not learnt from it."""
_REACH = 0.12
"""Of the picture's shorter side, how far inside the outline the background is filled in with detail: heads uncover
less."""
_FIRM = 0.95
"""Least share of a person in a pixel that lends its colour to soft edges nearby."""
_SPREADS = (0.004, 0.012, 0.04)
"""From how far away soft edges take the person's colour, of the shorter side: the nearest that is there."""
_TEXTURE, _GRAIN = 0.012, 0.02
"""How far around a pixel the background's texture is judged, of the shorter side, and the least that counts."""
_PLAIN = (3.0, 6.0)
"""Between which contrasts of person and background, in deviations of the background's texture, stray hair is told from
it."""
_STRAY = 0.1
"""What a pixel may go towards the person's colour by the background's own grain."""
_OWN = 0.1
"""Share of a person in a pixel from which on all that the background does not explain moves with the person."""
_LEAST_WEIGHT = 1e-4


@dataclass(frozen=True, eq=False)
class PortraitLayers:
    """The layers of a portrait, float32 in 0..1.

    people: (H, W, 4), what the people add to the background, then their share of each pixel. What they add is their
    colour times the share; single hairs, which no outline holds, lighten or darken the background, so it may be
    negative or exceed the share. background: (H, W, 3), filled in where the people are. The portrait is ``people[...,
    :3] + (1 - share) * background``.
    """

    people: NDArray[np.float32]
    background: NDArray[np.float32]


def split_portrait(picture: Pictures, outline: NDArray[np.floating]) -> PortraitLayers:
    """Take a portrait (H, W, 3) uint8 apart. outline: (H, W) in 0..1, how much of each pixel is anybody who moves."""
    pixels = picture.astype(np.float32) / np.float32(255)
    share = np.clip(outline, 0, 1).astype(np.float32)
    share[share < _SEEN] = 0
    share[share > 1 - _SEEN] = 1
    side = min(share.shape)
    person = _colours_near(pixels, share > _FIRM)
    hidden = maximum_filter(share, 2 * max(2, round(_RIM * side)) + 1) > 0
    filled = fill_background(pixels, hidden, _REACH * side)
    texture = _texture(filled)
    distinct = _between(np.linalg.norm(person - filled, axis=-1) / (texture + _GRAIN), _PLAIN)
    stray = distinct * _between(_towards(pixels, filled, person), (_STRAY, 1.0))
    share = np.where(hidden, np.maximum(share, stray), share)
    people_part = np.maximum(np.clip(share / _OWN, 0, 1), np.clip(2 - texture / _GRAIN, 0, 1))[..., None]
    cover = share[..., None]
    # In the rim the background stays as it is seen, where it has texture that the fill cannot know.
    left = pixels - cover * pixels - (1 - cover) * filled
    background = filled + np.where(hidden[..., None], (1 - people_part) * left / np.maximum(1 - cover, 1e-3), 0)
    background = np.clip(background, 0, 1)
    return PortraitLayers(np.concatenate([pixels - (1 - cover) * background, cover], -1), background)


def _colours_near(pixels: NDArray[np.float32], known: NDArray[np.bool_]) -> NDArray[np.float32]:
    """(H, W, 3) the mean colour of known pixels near each pixel; the pixel itself where there are none."""
    firm = known.astype(np.float32)[..., None]
    colours, weights = np.zeros_like(pixels), np.zeros_like(firm)
    for spread in _SPREADS:
        sigma = (*(spread * min(known.shape),) * 2, 0)
        room = 1 - np.clip(weights, 0, 1)
        colours += room * gaussian_filter(firm * pixels, sigma, truncate=3)
        weights += room * gaussian_filter(firm, sigma, truncate=3)
    return np.where(weights > _LEAST_WEIGHT, colours / np.maximum(weights, _LEAST_WEIGHT), pixels)


def _towards(
    pixels: NDArray[np.float32], background: NDArray[np.float32], person: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(H, W) how far a colour lies on the way from the background's to the person's: 0 to 1, or beyond."""
    apart = person - background
    return np.asarray(((pixels - background) * apart).sum(-1) / np.maximum((apart * apart).sum(-1), _GRAIN**2))


def _texture(background: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W) deviation of the background from its local mean."""
    sigma = _TEXTURE * min(background.shape[:2])
    rough = background - gaussian_filter(background, (sigma, sigma, 0), truncate=3)
    return np.asarray(np.sqrt(gaussian_filter(np.square(rough).sum(-1), sigma, truncate=3)))


def _between(values: NDArray[np.float32], bounds: tuple[float, float]) -> NDArray[np.float32]:
    """0 below the lower bound, 1 above the upper, linear between."""
    low, high = bounds
    return np.asarray(np.clip((values - low) / (high - low), 0, 1), np.float32)
