"""Head pose and camera as maps on the latent grid, which the video model reads beside its noise.

Two channels say, for every cell, which point of the head would be seen there; the others say where the background in
that cell lies in the reference frame. So the model need not infer from numbers where things move: it can copy.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dramatis.motion.face import ANCHOR_TEMPLATE, background_shift, inverse_camera_similarity
from dramatis.motion.performance import Performance

MAP_CHANNELS = 6
HEAD_RANGE = 2.0
"""Head coordinates are clipped to this many head heights, then divided by it."""
DISPLACEMENT_GAIN = 4.0
"""Background displacement is in quarters of the frame: a move of a quarter frame reads 1."""


def coordinate_maps(
    anchors: ArrayLike, performance: Performance, size: tuple[int, int], grid: tuple[int, int]
) -> NDArray[np.float32]:
    """Coordinate maps of T frames on an (h, w) grid that covers the whole frame.

    anchors: (T, 9, 2) pixels of the rigid anchors (`RIGID_ANCHORS`), from `project` or from a rendered head.
    performance: T frames; only its camera is read.  size: (H, W) pixels of the frames.
    Returns (T, 6, h, w) float32 in [-1, 1]:
      0, 1  head coordinates of the cell's centre: canonical x (right) and y (up) of the frontal head, from the
            least-squares affine map of the anchors; clipped to +-2 head heights and divided by 2;
      2, 3  displacement (dx right, dy down) from the cell's centre to the position in the reference frame where its
            background comes from, in fractions of the frame's width and height, times 4 and clipped to +-1;
      4, 5  that position itself, -1 at the left and top edge of the reference frame, 1 at the right and bottom.
    Raises ValueError if anchors and performance differ in length.
    """
    points = np.asarray(anchors, np.float64)
    if points.shape != (len(performance), len(ANCHOR_TEMPLATE), 2):
        raise ValueError(f"Anchors must be ({len(performance)}, {len(ANCHOR_TEMPLATE)}, 2) pixels, not {points.shape}.")
    cells = cell_centres(size, grid)
    maps = np.empty((len(points), MAP_CHANNELS, *grid), np.float32)
    maps[:, :2] = np.clip(head_coordinates(points, cells) / HEAD_RANGE, -1.0, 1.0)
    frame = np.array([size[1], size[0]], np.float64)[:, None, None]
    source = background_source(performance.camera, cells, size) / frame
    centres = np.moveaxis(cells, -1, 0) / frame
    maps[:, 2:4] = np.clip((source - centres) * DISPLACEMENT_GAIN, -1.0, 1.0)
    maps[:, 4:] = np.clip(2.0 * source - 1.0, -1.0, 1.0)
    return maps


def cell_centres(size: tuple[int, int], grid: tuple[int, int]) -> NDArray[np.float64]:
    """(h, w, 2) pixel positions (x, y) of the centres of the grid's cells."""
    ys = (np.arange(grid[0]) + 0.5) * size[0] / grid[0]
    xs = (np.arange(grid[1]) + 0.5) * size[1] / grid[1]
    return np.stack(np.meshgrid(xs, ys), -1)


def head_coordinates(anchors: ArrayLike, cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Which point of the head is seen at every cell: the inverse of the best affine map, canonical (x, y) -> pixels.

    anchors: (T, 9, 2) pixels.  cells: (h, w, 2) pixels.  Returns (T, 2, h, w) canonical x (right) and y (up).
    """
    points = np.asarray(anchors, np.float64)
    canonical = np.column_stack([ANCHOR_TEMPLATE[:, :2], np.ones(len(ANCHOR_TEMPLATE))])
    affine = np.linalg.pinv(canonical) @ points
    (a, b), (c, d) = np.moveaxis(affine[:, 0], -1, 0), np.moveaxis(affine[:, 1], -1, 0)
    determinant = a * d - b * c
    # A face seen edge-on has no inverse; a tiny area keeps the values finite and the clipping does the rest.
    determinant = np.where(np.abs(determinant) < 1e-3, -1e-3, determinant)
    inverse = np.stack([np.stack([d, -c], -1), np.stack([-b, a], -1)], -2) / determinant[:, None, None]
    offset = np.einsum("tij,tj->ti", inverse, affine[:, 2])
    flat = inverse @ cells.reshape(-1, 2).T
    return (flat - offset[..., None]).reshape(len(points), 2, *cells.shape[:2])


def background_source(
    camera: NDArray[np.float32], cells: NDArray[np.float64], size: tuple[int, int]
) -> NDArray[np.float64]:
    """(T, 2, h, w) pixels of the reference frame where the background seen at every cell comes from.

    camera: (T, 6) as `Performance.camera`.  cells: (h, w, 2) pixels.  size: (H, W).
    """
    centres = np.broadcast_to(cells, (len(camera), *cells.shape))
    source = inverse_camera_similarity(centres, camera, size) - background_shift(camera, size)[:, None, None]
    return np.moveaxis(source, -1, 1)
