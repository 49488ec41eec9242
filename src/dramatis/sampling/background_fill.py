"""The background behind a person, filled in: patches of what is seen beside it continue bricks, edges and blur.

From coarse to fine, every place of the hole looks for the patch of the seen background that fits what is there already,
and the patches found vote for its colours (Wexler, Shechtman and Irani, "Space-Time Completion of Video", 2007); places
learn good patches from their neighbours and try random ones (Barnes et al., "PatchMatch", 2009), all at once. A person
who moves a little uncovers only a band beside the outline, so at the finer sizes only that is worked on.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, binary_erosion, distance_transform_edt, gaussian_filter
from torch import Tensor

_PATCH = 7
"""Side of a patch, px: at the finest size that is looked for patches, two courses of bricks in a wall behind a head."""
_HALF = _PATCH // 2
_COARSEST = 64
"""Least shorter side of the picture, px, at the coarsest size: there all patches are compared with all."""
_FINEST = 272
"""Greatest shorter side at which patches are looked for; beyond it each pixel copies what its neighbourhood found."""
_ROUNDS = 2
_RING = 3
"""Width, px, of the rings in which the coarsest size is filled first."""
_RANDOM = 3
"""Random patches that each place tries in a round, ever nearer to the one that it has."""
_SPREAD = 0.25
"""Of the mean difference between patches, what halves a vote's weight several times over: few good ones decide."""
_FADE = 0.8
"""How much less a filled pixel counts in comparisons and votes for each pixel that it lies deeper in the hole."""
_FAR = 2e-3
"""Mean squared difference of colours that a patch from the picture's other end has to make good."""
_SEED = 0


@dataclass
class _Level:
    """One size of the picture.

    pixels: (h, w, 3) float32. hole: (h, w) bool, what is not seen. wanted: (h, w) bool, the part of it that is filled.
    """

    pixels: NDArray[np.float32]
    hole: NDArray[np.bool_]
    wanted: NDArray[np.bool_]


def fill_background(pixels: NDArray[np.float32], hole: NDArray[np.bool_], reach: float) -> NDArray[np.float32]:
    """The picture (H, W, 3) in 0..1 with its hole (H, W) filled in; what is seen stays as it is.

    reach: px from the hole's border within which detail is wanted; deeper inside there are smooth colours.
    """
    if not hole.any() or hole.all():
        return pixels.copy()
    generator = torch.Generator().manual_seed(_SEED)
    levels = _levels(pixels, hole, reach)
    filled, offsets = _peeled(levels[-1])
    for level in levels[-2::-1]:
        filled = _enlarged_into(filled, level)
        if offsets is None or not _sources(level.hole).any():
            continue
        offsets = _enlarged_offsets(level, offsets)
        search = min(level.hole.shape) <= _FINEST
        for _ in range(_ROUNDS if search else 1):
            if search:
                _improve(level, filled, offsets, generator)
            filled = _voted(level, filled, offsets, level.wanted)
    return filled


def _levels(pixels: NDArray[np.float32], hole: NDArray[np.bool_], reach: float) -> list[_Level]:
    """From the finest size to the coarsest, each half the one before."""
    levels, scale = [], 1.0
    while True:
        deep = distance_transform_edt(hole)
        wanted = hole & (deep <= max(reach * scale, 2 * _PATCH))
        levels.append(_Level(pixels, hole, wanted))
        if min(hole.shape) < 2 * _COARSEST:
            return levels
        pixels, hole = _halved(pixels, hole)
        scale /= 2


def _halved(pixels: NDArray[np.float32], hole: NDArray[np.bool_]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Mean of what is seen in each two by two pixels; a cell without any is part of the hole."""
    even = tuple((0, side % 2) for side in hole.shape)
    seen = np.pad(~hole, even, mode="edge").astype(np.float32)
    colours = np.pad(pixels, (*even, (0, 0)), mode="edge") * seen[..., None]
    share = _pooled(seen[..., None])
    halved = _pooled(colours) / np.maximum(share, 1e-6)
    return halved.astype(np.float32), share[..., 0] < 0.5


def _pooled(values: NDArray[np.float32]) -> NDArray[np.float32]:
    height, width, channels = values.shape
    return np.asarray(values.reshape(height // 2, 2, width // 2, 2, channels).mean((1, 3)))


def _smooth(level: _Level) -> NDArray[np.float32]:
    """The hole filled with ever wider means of what is seen."""
    seen = (~level.hole).astype(np.float32)[..., None]
    filled, known = level.pixels * seen, seen[..., 0] > 0
    sigma = 1.0
    while not known.all():
        weight = gaussian_filter(seen, (sigma, sigma, 0)) + 1e-8
        blurred = gaussian_filter(level.pixels * seen, (sigma, sigma, 0)) / weight
        near = (weight[..., 0] > 0.05) & ~known
        if sigma > max(known.shape):
            near = ~known
        filled[near], known = blurred[near], known | near
        sigma *= 1.5
    return filled.astype(np.float32)


def _enlarged_into(coarse: NDArray[np.float32], level: _Level) -> NDArray[np.float32]:
    """What a coarser size was filled with, at this size, under what is seen here."""
    height, width = level.hole.shape
    large = F.interpolate(_planes(coarse), scale_factor=2, mode="bilinear", align_corners=False)[0, :, :height, :width]
    return np.where(level.hole[..., None], large.permute(1, 2, 0).numpy(), level.pixels)


def _planes(picture: NDArray[np.float32]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(picture)).permute(2, 0, 1)[None]


def _sources(hole: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(h, w) whether the patch around a place is seen as a whole."""
    return binary_erosion(~hole, np.ones((_PATCH, _PATCH)), border_value=0)


def _places(level: _Level) -> NDArray[np.bool_]:
    """(h, w) the places whose patches vote for what is wanted: it, and a patch around it."""
    return binary_dilation(level.wanted, np.ones((_PATCH, _PATCH)))


def _peeled(level: _Level) -> tuple[NDArray[np.float32], Tensor | None]:
    """The coarsest size filled ring by ring from the hole's border, and the patches (2, h, w) that it was filled from.

    None: nothing was seen that is large enough for a patch; the fill is smooth then.
    """
    filled, hole = _smooth(level), level.hole.copy()
    possible = torch.from_numpy(np.argwhere(_sources(level.hole)))
    if not len(possible):
        return filled, None
    rows, columns = (torch.arange(side) for side in hole.shape)
    offsets = torch.stack(torch.meshgrid(rows, columns, indexing="ij"))
    while hole.any():
        ring = hole & binary_dilation(~hole, iterations=_RING)
        _exhaust(filled, hole, possible, binary_dilation(ring, np.ones((_PATCH, _PATCH))), offsets)
        filled = _voted(_Level(level.pixels, hole, ring), filled, offsets, ring)
        hole &= ~ring
    for _ in range(_ROUNDS):
        _exhaust(filled, level.hole, possible, _places(level), offsets, faded=True)
        filled = _voted(level, filled, offsets, level.hole)
    return filled, offsets


def _exhaust(
    filled: NDArray[np.float32],
    hole: NDArray[np.bool_],
    possible: Tensor,
    places: NDArray[np.bool_],
    offsets: Tensor,
    *,
    faded: bool = False,
) -> None:
    """Give each place (h, w) the best of all possible patches (n, 2), in place."""
    height, width = hole.shape
    at = torch.from_numpy(np.argwhere(places))
    trust = _trust(hole) if faded else torch.from_numpy((~hole).astype(np.float32))
    patches = _patches(filled)
    weights = _patches(trust.numpy()[..., None])[at[:, 0] * width + at[:, 1]].repeat(1, 3)
    own, sources = patches[at[:, 0] * width + at[:, 1]], patches[possible[:, 0] * width + possible[:, 1]]
    costs = weights @ sources.square().T - 2 * (weights * own) @ sources.T
    costs /= weights.sum(1, keepdim=True).clamp_min(1e-6)
    costs += _FAR / max(height, width) ** 2 * torch.cdist(at.float(), possible.float()).square()
    offsets[:, at[:, 0], at[:, 1]] = possible[costs.argmin(1)].T


def _trust(hole: NDArray[np.bool_]) -> Tensor:
    """(h, w) how much each pixel counts: less the deeper it lies in the hole."""
    return torch.from_numpy(np.maximum(_FADE ** distance_transform_edt(hole), 1e-3).astype(np.float32))


def _enlarged_offsets(level: _Level, coarse: Tensor) -> Tensor:
    """(2, h, w) row and column of the patch for each place, from those of the coarser size."""
    height, width = level.hole.shape
    fine = 2 * F.interpolate(coarse[None].float(), scale_factor=2, mode="nearest")[0, :, :height, :width].long()
    fine[0] += torch.arange(height)[:, None] % 2
    fine[1] += torch.arange(width)[None] % 2
    return torch.where(_allowed(level, fine), fine, _nearest(level, fine))


def _allowed(level: _Level, places: Tensor) -> Tensor:
    """Whether there is a whole patch of the seen background at rows and columns (2, ...)."""
    rows, columns = (place.clamp(0, side - 1) for place, side in zip(places, level.hole.shape, strict=True))
    return torch.from_numpy(_sources(level.hole))[rows, columns]


def _nearest(level: _Level, places: Tensor) -> Tensor:
    """The whole patches of the seen background that are nearest to rows and columns (2, ...)."""
    nearest = distance_transform_edt(~_sources(level.hole), return_distances=False, return_indices=True)
    rows, columns = (place.clamp(0, side - 1) for place, side in zip(places, level.hole.shape, strict=True))
    return torch.from_numpy(nearest.astype(np.int64))[:, rows, columns]


def _improve(level: _Level, filled: NDArray[np.float32], offsets: Tensor, generator: torch.Generator) -> None:
    """Let every place try its neighbours' patches and random ones, in place."""
    height, width = level.hole.shape
    rows, columns = torch.from_numpy(np.argwhere(_places(level))).T
    patches = _patches(filled)
    own = patches[rows * width + columns]
    weights = _patches(_trust(level.hole).numpy()[..., None])[rows * width + columns].repeat(1, 3)
    weights /= weights.sum(1, keepdim=True)
    sources = torch.from_numpy(_sources(level.hole))
    best = offsets[:, rows, columns]
    far = _FAR / max(height, width) ** 2

    def cost_of(candidate: Tensor) -> Tensor:
        away = (candidate[0] - rows).square() + (candidate[1] - columns).square()
        difference = own - patches[candidate[0] * width + candidate[1]]
        return difference.square_().mul_(weights).sum(1) + far * away

    costs = cost_of(best)

    def consider(candidate: Tensor) -> None:
        inside = (candidate >= 0).all(0) & (candidate[0] < height) & (candidate[1] < width)
        candidate = torch.where(inside, candidate, best)
        candidate = torch.where(sources[candidate[0], candidate[1]], candidate, best)
        cost = cost_of(candidate)
        better = cost < costs
        best[:, better], costs[better] = candidate[:, better], cost[better]

    for step in (4, 1):
        for down, across in ((0, step), (step, 0), (0, -step), (-step, 0)):
            offsets[:, rows, columns] = best
            beside = (rows + down).clamp(0, height - 1), (columns + across).clamp(0, width - 1)
            moved = torch.stack([beside[0] - rows, beside[1] - columns])
            consider(offsets[:, beside[0], beside[1]] - moved)
    radius = max(height, width) / 2
    for _ in range(_RANDOM):
        consider(best + ((torch.rand(best.shape, generator=generator) * 2 - 1) * radius).long())
        radius /= 4
    offsets[:, rows, columns] = best


def _patches(filled: NDArray[np.float32]) -> Tensor:
    """(h w, channels x patch) the patch around every place of (h, w, channels)."""
    planes = F.pad(_planes(filled), (_HALF,) * 4, mode="replicate")
    return F.unfold(planes, _PATCH)[0].T.contiguous()


def _voted(
    level: _Level, filled: NDArray[np.float32], offsets: Tensor, wanted: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """What is wanted (h, w), as the patches that cover each place see it."""
    height, width = level.hole.shape
    rows, columns = torch.from_numpy(np.argwhere(wanted)).T
    picture = torch.from_numpy(filled)
    colours, weights = torch.zeros(len(rows), 3), torch.zeros(len(rows), 1)
    half = _HALF if min(level.hole.shape) <= _FINEST else 1
    around = torch.from_numpy(binary_dilation(wanted, np.ones((_PATCH, _PATCH))))
    fits = _fits(picture, offsets) * _trust(level.hole) * around
    for down in range(-half, half + 1):
        for across in range(-half, half + 1):
            by = (rows + down).clamp(0, height - 1), (columns + across).clamp(0, width - 1)
            row, column = offsets[0][by] + (rows - by[0]), offsets[1][by] + (columns - by[1])
            weight = fits[by][:, None]
            colours += weight * picture[row.clamp(0, height - 1), column.clamp(0, width - 1)]
            weights += weight
    out = filled.copy()
    out[wanted] = (colours / weights.clamp_min(1e-12)).numpy()
    return out


def _fits(picture: Tensor, offsets: Tensor) -> Tensor:
    """(h, w) how well the patch found around each place fits what is there: weights of votes."""
    difference = (picture - picture[offsets[0], offsets[1]]).square().sum(-1)
    local = F.avg_pool2d(difference[None, None], _PATCH, 1, _HALF, count_include_pad=False)[0, 0]
    return torch.exp(-local / (_SPREAD * local.mean() + 1e-8)) + 1e-6
