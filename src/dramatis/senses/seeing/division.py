"""Which pixels belong to whom, where people touch: each to the one from whose head and chest it is reached first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.filters import sobel
from skimage.segmentation import watershed

from dramatis.media.image import Pictures
from dramatis.senses.seeing.eye import Face

_EDGE = 0.02
"""Least share of a pixel that still belongs to somebody: soft hair reaches beyond one half."""
_COMPACT = 0.3
"""How much distance counts beside edges where people touch (`skimage.segmentation.watershed`)."""


def divide_people(frame: Pictures, faces: Sequence[Face], share: NDArray[np.float32]) -> NDArray[np.float32]:
    """Which pixel belongs to whom: (N, H, W) in 0..1, of which every pixel has one at most.

    share: (H, W) in 0..1, how much of each pixel is anybody's. What nobody's face can be reached from is left out.
    """
    size = share.shape[:2]
    half = share[::2, ::2]
    anybody = half > _EDGE
    seeds = _seeds(faces, size)[::2, ::2] * (half > 0.5)
    if len(faces) == 1:
        parts = ndimage.label(anybody)[0]
        owners = np.isin(parts, np.unique(parts[seeds > 0])).astype(np.int64) * anybody
    else:
        edges = sobel(frame[::2, ::2].astype(np.float32).mean(-1))
        owners = watershed(edges, seeds, mask=anybody, compactness=_COMPACT)
    # A person's own border is as fine as the outline; only the border between two is that of the half-size picture.
    owners = np.repeat(np.repeat(owners, 2, 0), 2, 1)[: size[0], : size[1]]
    nobody = owners == 0
    if nobody.any() and not nobody.all():
        rows, columns = ndimage.distance_transform_edt(nobody, return_distances=False, return_indices=True)
        near = ndimage.binary_dilation(~nobody, iterations=2)
        owners = np.where(near, owners[rows, columns], 0)
    return np.stack([np.where(owners == k + 1, share, np.float32(0)) for k in range(len(faces))])


def _seeds(faces: Sequence[Face], size: tuple[int, int]) -> NDArray[np.int64]:
    """What certainly belongs to each person, (H, W): the face, and neck and chest below it. The nearer person wins."""
    ys, xs = np.mgrid[: size[0], : size[1]] + 0.5
    seeds = np.zeros(size, np.int64)
    for k in np.argsort([face.radius for face in faces]):
        face = faces[k]
        aside, below = np.abs(xs - face.centre[0]) / face.radius, (ys - face.centre[1]) / face.radius
        chest = np.clip(0.8 + 0.6 * (below - 1), 0, 1.8)
        seeds[(np.hypot(aside, below) < 1.0) | ((below > 1.0) & (aside < chest))] = k + 1
    return seeds
