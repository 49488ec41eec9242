"""Where a picture's content goes when head, emotion and camera change: the performance as a warp of a given frame.

The head follows the affine map of its rigid anchors, brows and mouth move on it with the emotion, everything else
follows the camera; a soft oval around the skull blends the two. What a warp cannot know (speaking lips, blinks, what a
turn uncovers) is left to the video model, which gets the warped picture as the condition of every frame not given where
no portrait acts (`cascade.acting`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dramatis.motion.expression import undo_expression
from dramatis.motion.maps import background_source, cell_centres, head_coordinates
from dramatis.motion.performance import Performance

HEAD_CENTRE = (0.0, 0.22)
HEAD_RADII = (0.40, 0.50)
HEAD_SOFTNESS = 0.2
"""The oval, in head heights: of eighteen tried on held-out people, its warps were nearest to the true frames."""


def warp_positions(
    anchors: ArrayLike, performance: Performance, source: int, size: tuple[int, int]
) -> NDArray[np.float32]:
    """Where the content of every pixel of T frames lies in frame `source`.

    anchors: (T, 9, 2) pixels of the rigid anchors.  performance: T frames; only its camera and emotion are read.
    source: index of the given frame, 0..T-1.  size: (H, W).
    Returns (T, H, W, 2) float32 pixels (x right, y down) in the given frame; those of frame `source` are its own.
    Raises ValueError if anchors and performance differ in length.
    """
    by_camera = camera_positions(performance.camera, source, size)
    weight, by_head = head_pull(anchors, performance, source, size)
    return (by_camera + weight * (by_head - by_camera)).reshape(len(performance), *size, 2)


def camera_positions(
    camera: NDArray[np.float32], source: int, size: tuple[int, int], nodes: NDArray[np.floating] | None = None
) -> NDArray[np.float32]:
    """(T, n, 2) pixels in frame `source` of everything that does not move in the scene.

    camera: (T, 6).  nodes: (h, w, 2) the pixels asked for, n = h w; None: all H W.
    """
    corners = _corners(size)
    return _flat(size, nodes) @ _into_source(_affine(background_source(camera, corners[None], size), corners), source)


def head_pull(
    anchors: ArrayLike,
    performance: Performance,
    source: int,
    size: tuple[int, int],
    nodes: NDArray[np.floating] | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """How much every pixel moves with the head (T, n, 1), and where its content is in frame `source` (T, n, 2).

    nodes: (h, w, 2) the pixels asked for, n = h w; None: all H W.  Other arguments and errors as of `warp_positions`.
    """
    corners = _corners(size)
    head = _affine(head_coordinates(anchors, corners[None]), corners)
    if len(head) != len(performance):
        raise ValueError(f"Anchors of {len(head)} frames do not fit a performance of {len(performance)}.")
    on_head = _flat(size, nodes) @ head.astype(np.float32)
    before = undo_expression(on_head, performance.emotion - performance.emotion[source])
    by_head = (before - head[source, 2].astype(np.float32)) @ np.linalg.inv(head[source, :2]).astype(np.float32)
    return _head_weight(on_head), by_head


def _corners(size: tuple[int, int]) -> NDArray[np.float64]:
    return cell_centres(size, size)[[0, 0, -1], [0, -1, 0]]


def _flat(size: tuple[int, int], nodes: NDArray[np.floating] | None) -> NDArray[np.float32]:
    """(n, 3) pixels as [x, y, 1]."""
    pixels = (cell_centres(size, size) if nodes is None else nodes).reshape(-1, 2)
    return np.column_stack([pixels, np.ones(len(pixels))]).astype(np.float32)


def _head_weight(head: NDArray[np.float32]) -> NDArray[np.float32]:
    """(T, n, 2) head coordinates -> (T, n, 1): 1 inside the skull's oval, 0 far from it."""
    across, up = ((head[..., axis] - HEAD_CENTRE[axis]) / HEAD_RADII[axis] for axis in (0, 1))
    distance = np.minimum(np.sqrt(across**2 + up**2), 10.0)
    return (1.0 / (1.0 + np.exp((distance - 1.0) / HEAD_SOFTNESS)))[..., None].astype(np.float32, copy=False)


def _affine(values: NDArray[np.float64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Coordinates (T, 2, 1, 3) at three pixels (3, 2) -> (T, 3, 2) affine maps: [x, y, 1] @ map = coordinates."""
    return np.linalg.inv(np.column_stack([corners, np.ones(3)])) @ values[:, :, 0].transpose(0, 2, 1)


def _into_source(maps: NDArray[np.float64], source: int) -> NDArray[np.float32]:
    """(T, 3, 2) affine maps from a frame's pixels to those of frame `source` with the same coordinates."""
    inverse = np.linalg.inv(maps[source, :2])
    moved = maps @ inverse
    moved[:, 2] -= maps[source, 2] @ inverse
    return moved.astype(np.float32)
