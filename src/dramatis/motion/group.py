"""Several people in one frame: which person each part of it belongs to, judged by their heads alone.

The performance says where all heads are in every frame, before anything is generated. So the frame can be divided among
people, coarsely, without looking at it. Coordinate maps and warped frames of several people are combined by this
division, and masks start from it before the network has predicted any.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dramatis.motion.maps import cell_centres, coordinate_maps, head_coordinates
from dramatis.motion.performance import Performance
from dramatis.motion.warp import camera_positions, head_pull

SPINE = (0.22, -1.2)
"""Top and bottom of the line from which distances to a person are measured, in head heights above the head's centre."""
SOFTNESS = 0.12
"""Difference of distances, in head heights, at which three quarters of a cell belong to one of two people."""
_FACE = (0.05, 0.4, 0.5)
"""The ellipse of a face, in head heights: its middle above the head's centre, half its width, half its height."""
_MOUTH = (-0.09, 0.2, 0.17)
"""The same of mouth and chin."""
FACE_EDGE = 0.09
"""Depth inside the border of a face, in head heights, at which a cell counts three quarters."""


def head_shares(anchors: ArrayLike, size: tuple[int, int], grid: tuple[int, int]) -> NDArray[np.float32]:
    """How much of each cell belongs to each person, by the distances to their heads and chests.

    anchors: (N, T, 9, 2) pixels of the rigid anchors.  size: (H, W) pixels.  Returns (N, T, h, w) in 0..1, which sums
    to 1 over people; all 1 for one person.
    """
    points = np.asarray(anchors, np.float64)
    if len(points) == 1:
        return np.ones((1, points.shape[1], *grid), np.float32)
    heads = [head_coordinates(person, cell_centres(size, grid)) for person in points]
    return np.asarray(nearest_shares(np.stack([spine_distance(head[:, 0], head[:, 1]) for head in heads])), np.float32)


def spine_distance(across: NDArray[np.floating], up: NDArray[np.floating]) -> NDArray[Any]:
    """Head heights from the line through head and chest, of places at these head coordinates."""
    beyond = np.maximum(up - SPINE[0], 0) + np.minimum(up - SPINE[1], 0)
    return np.asarray(np.hypot(across, beyond))


def nearest_shares(distances: NDArray[Any]) -> NDArray[Any]:
    """(N, ...) how much of each place belongs to each of N people, by the distances to them; together 1."""
    closeness = distances * -float(np.log(3) / SOFTNESS)
    raised = np.exp(closeness - closeness.max(0))
    return np.asarray(raised / raised.sum(0))


def face_shares(anchors: ArrayLike, size: tuple[int, int], grid: tuple[int, int]) -> NDArray[np.float32]:
    """How much of each cell is anybody's face, without hair and neck.

    anchors: (N, T, 9, 2) pixels of the rigid anchors.  size: (H, W) pixels.  Returns (T, h, w) in 0..1.
    """
    return _in_ellipse(anchors, size, grid, _FACE)


def mouth_shares(anchors: ArrayLike, size: tuple[int, int], grid: tuple[int, int]) -> NDArray[np.float32]:
    """How much of each cell is anybody's mouth and chin; arguments and result as of `face_shares`."""
    return _in_ellipse(anchors, size, grid, _MOUTH)


def _in_ellipse(
    anchors: ArrayLike, size: tuple[int, int], grid: tuple[int, int], ellipse: tuple[float, float, float]
) -> NDArray[np.float32]:
    middle, width, height = ellipse
    cells = cell_centres(size, grid)
    steepness = np.log(3) / FACE_EDGE * min(width, height)
    inside = []
    for person in np.asarray(anchors, np.float64):
        head = head_coordinates(person, cells)
        inside.append(1 - np.hypot(head[:, 0] / width, (head[:, 1] - middle) / height))
    return np.asarray(1 / (1 + np.exp(-steepness * np.max(inside, 0))), np.float32)


def group_maps(
    anchors: ArrayLike, performance: Performance, size: tuple[int, int], grid: tuple[int, int]
) -> NDArray[np.float32]:
    """`coordinate_maps` of a frame with N people: every cell shows the head of the person it belongs to.

    anchors: (N, T, 9, 2).  performance: any person's, since all share one camera.  Returns (T, 6, h, w).
    """
    points = np.asarray(anchors, np.float64)
    maps = person_maps(points, performance, size, grid)
    owner = head_shares(points, size, grid).argmax(0)
    return np.asarray(np.take_along_axis(maps, owner[None, :, None], 0)[0])


def person_maps(
    anchors: ArrayLike, performance: Performance, size: tuple[int, int], grid: tuple[int, int]
) -> NDArray[np.float32]:
    """`coordinate_maps` of the whole frame for each of N people alone: (N, T, 6, h, w); arguments as `group_maps`."""
    return np.stack([coordinate_maps(person, performance, size, grid) for person in np.asarray(anchors, np.float64)])


def head_windows(anchors: ArrayLike, width: int, side: int, unit: int) -> tuple[tuple[int, int], ...]:
    """A window of columns of the frame for each of N people.

    anchors: (N, T, 9, 2) pixels of the rigid anchors.  width: of the frame.  side: width of a window, which grows if
    the head moves further than half of it.  unit: windows begin and end on its multiples, as the frame does.  All in
    pixels.  Returns first and last column (exclusive) of each; together the windows cover the frame.
    """
    across = np.asarray(anchors, np.float64)[..., 0].reshape(len(np.asarray(anchors)), -1).clip(0, width)
    windows = []
    for low, high in zip(across.min(1), across.max(1), strict=True):
        wide = min(unit * int(np.ceil(max(side, high - low + side / 2) / unit)), width)
        start = int(np.clip(unit * round(((low + high - wide) / 2) / unit), 0, width - wide))
        windows.append((start, start + wide))
    return _without_gaps(windows, width, unit)


def _without_gaps(windows: Sequence[tuple[int, int]], width: int, unit: int) -> tuple[tuple[int, int], ...]:
    """The windows, grown towards each other and the borders of the frame until they cover it."""
    order = sorted(range(len(windows)), key=lambda index: windows[index])
    grown = [list(window) for window in windows]
    grown[order[0]][0] = 0
    furthest = order[0]
    for person in order[1:]:
        gap = grown[person][0] - grown[furthest][1]
        if gap > 0:
            grown[furthest][1] += unit * (gap // unit // 2)
            grown[person][0] = grown[furthest][1]
        furthest = max(furthest, person, key=lambda index: grown[index][1])
    grown[furthest][1] = width
    return tuple((start, stop) for start, stop in grown)


def group_positions(
    anchors: ArrayLike,
    performances: Sequence[Performance],
    source: int,
    size: tuple[int, int],
    nodes: NDArray[np.floating] | None = None,
) -> NDArray[np.float32]:
    """`warp.warp_positions` of a frame with N people: each head follows its own performance, the rest the camera.

    anchors: (N, T, 9, 2).  performances: N of T frames with one camera.  nodes: (h, w, 2) the pixels asked for; None:
    all of them.  Returns (T, h, w, 2).
    """
    points = np.asarray(anchors, np.float64)
    if len(points) != len(performances):
        raise ValueError(f"{len(points)} heads do not fit {len(performances)} performances.")
    pulls = [
        head_pull(head, performance, source, size, nodes)
        for head, performance in zip(points, performances, strict=True)
    ]
    by_camera = camera_positions(performances[0].camera, source, size, nodes)
    # Where two heads meet, both pull at a pixel; their weights must not add up to more than 1.
    total = np.maximum(sum(weight for weight, _ in pulls), 1.0) if len(pulls) > 1 else np.float32(1)
    positions = by_camera
    for weight, by_head in pulls:
        positions = positions + weight / total * (by_head - by_camera)
    return positions.reshape(len(performances[0]), *(size if nodes is None else nodes.shape[:2]), 2)
