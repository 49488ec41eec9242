"""A portrait taken apart into the people in it and the scene behind them, so that they can move before it.

Put together again unmoved, the layers give the portrait to the last digit. At soft edges the colours of hair and scene
are told apart, so that no rim of the scene's colour moves with the hair, and no rim of hair stays behind.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter

from dramatis.media.image import Pictures
from dramatis.sampling.background_fill import fill_background

_SEEN = 0.02
"""Least share of a person in a pixel that hides the scene."""
_RIM = 0.012
"""Width of the rim beside the people, of the picture's shorter side, that may still show some of their hair: the scene
is not learnt from it."""
_REACH = 0.12
"""Of the picture's shorter side, how far inside the outline the scene is filled in with detail: heads uncover less."""
_FIRM = 0.95
"""Least share of a person in a pixel that lends its colour to soft edges nearby."""
_SPREADS = (0.004, 0.012, 0.04)
"""From how far away soft edges take the person's colour, of the shorter side: the nearest that is there."""
_TEXTURE, _GRAIN = 0.012, 0.02
"""How far around a pixel the scene's texture is judged, of the shorter side, and the least that counts."""
_PLAIN = (3.0, 6.0)
"""Between which contrasts of person and scene, in deviations of the scene's texture, stray hair is told from it."""
_STRAY = 0.1
"""What a pixel may go towards the person's colour by the scene's own grain."""
_OWN = 0.1
"""Share of a person in a pixel from which on all that the scene does not explain moves with the person."""
_LEAST_WEIGHT = 1e-4


@dataclass(frozen=True, eq=False)
class PortraitLayers:
    """The layers of a portrait, float32 in 0..1.

    people: (H, W, 4), what the people add to the scene, then their share of each pixel. What they add is their colour
    times the share; single hairs, which no outline holds, lighten or darken the scene, so it may be negative or exceed
    the share. scene: (H, W, 3), filled in where the people are. The portrait is
    ``people[..., :3] + (1 - share) * scene``.
    """

    people: NDArray[np.float32]
    scene: NDArray[np.float32]


def split_portrait(picture: Pictures, outline: NDArray[np.floating]) -> PortraitLayers:
    """Take a portrait (H, W, 3) uint8 apart. outline: (H, W) in 0..1, how much of each pixel is anybody who moves."""
    pixels = picture.astype(np.float32) / np.float32(255)
    share = np.clip(outline, 0, 1).astype(np.float32)
    share[share < _SEEN] = 0
    share[share > 1 - _SEEN] = 1
    side = min(share.shape)
    hidden = maximum_filter(share, 2 * max(2, round(_RIM * side)) + 1) > 0
    filled = fill_background(pixels, hidden, _REACH * side)
    stray, plain = _stray_hair(pixels, filled, _person_colours(pixels, share))
    share = np.where(hidden, np.maximum(share, stray), share)
    people_part = np.maximum(np.clip(share / _OWN, 0, 1), plain)[..., None]
    cover = share[..., None]
    # In the rim the scene stays as it is seen, where it has texture that the fill cannot know.
    left = pixels - cover * pixels - (1 - cover) * filled
    scene = filled + np.where(hidden[..., None], (1 - people_part) * left / np.maximum(1 - cover, 1e-3), 0)
    scene = np.clip(scene, 0, 1)
    return PortraitLayers(np.concatenate([pixels - (1 - cover) * scene, cover], -1), scene)


def _person_colours(pixels: NDArray[np.float32], share: NDArray[np.float32]) -> NDArray[np.float32]:
    """(H, W, 3) the colour of the person's own firm pixels near each pixel; the pixel itself where there are none."""
    firm = (share > _FIRM).astype(np.float32)[..., None]
    colours, weights = np.zeros_like(pixels), np.zeros_like(firm)
    for spread in _SPREADS:
        sigma = (*(spread * min(share.shape),) * 2, 0)
        room = 1 - np.clip(weights, 0, 1)
        colours += room * gaussian_filter(firm * pixels, sigma, truncate=3)
        weights += room * gaussian_filter(firm, sigma, truncate=3)
    return np.where(weights > _LEAST_WEIGHT, colours / np.maximum(weights, _LEAST_WEIGHT), pixels)


def _stray_hair(
    pixels: NDArray[np.float32], scene: NDArray[np.float32], person: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """(H, W) each in 0..1: by how much a pixel's colour lies between scene and person, and how plain the scene is.

    Only before a plain scene of another colour is there a share: elsewhere what looks like hair may be the scene's own.
    """
    apart = person - scene
    contrast = np.linalg.norm(apart, axis=-1)
    towards = ((pixels - scene) * apart).sum(-1) / np.maximum(contrast, _GRAIN) ** 2
    sigma = _TEXTURE * min(pixels.shape[:2])
    rough = scene - gaussian_filter(scene, (sigma, sigma, 0), truncate=3)
    texture = np.sqrt(gaussian_filter(np.square(rough).sum(-1), sigma, truncate=3))
    low, high = _PLAIN
    distinct = np.clip((contrast / (texture + _GRAIN) - low) / (high - low), 0, 1)
    stray = np.clip((towards - _STRAY) / (1 - _STRAY), 0, 1)
    return (distinct * stray).astype(np.float32), np.clip(2 - texture / _GRAIN, 0, 1).astype(np.float32)
