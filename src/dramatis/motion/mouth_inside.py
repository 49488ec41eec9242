"""The inside of a portrait's mouth: teeth, gums and tongue in the head's pose, in the picture's light.

Points of ICT-FaceKit's own teeth, gums and tongue are turned with the head and splatted into two small pictures, one of
the upper jaw, which stays with the skull, and one of the lower, which follows the chin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dramatis.motion.face import TEMPLATE_68, HeadFit
from dramatis.motion.mouth_tables import mouth_inside
from dramatis.motion.two_sided import PixelGrid, depth_share

_ALBEDO = np.array([(0.95, 0.90, 0.82), (0.66, 0.36, 0.35), (0.70, 0.38, 0.37)], np.float32)
"""Colours of teeth, gums and tongue under white light of full strength, in sRGB."""
_CAVITY = np.array((0.20, 0.075, 0.065), np.float32)
"""Colour of the throat under that light."""
_TEETH_RISE, _TONGUE_RISE = -0.007, 0.012
"""How far teeth and tongue stand above where ICT-FaceKit has them, in head heights: its upper lip hides all teeth."""
_FRONT, _DEEP = 0.44, 0.27
"""Depths (z, head heights) where light reaches fully and where hardly any does."""
_LEAST_LIGHT = 0.12
_TONGUE = 2
_LAMP = np.array((0.0, 0.35, 0.94), np.float32)
"""Where light comes from, in the head's axes: the front and a little above."""
_FINEST = 600.0
"""Head heights in px beyond which the picture of the inside grows no finer: its points lie a pixel apart there."""
_SUPERSAMPLING, _SPLAT = 2, 5
_AWAY = -0.1
"""Points whose normals turn further away from the camera are not seen."""
_REACH = (0.15, 0.13, 0.16)
"""How far the pictures reach from the mouth's middle: aside, up and down, in head heights."""
JAW_DROP = np.array((0.0, -0.128, -0.101))
"""By what the lower front teeth of ICT-FaceKit move when the jaw opens fully, in head heights."""
LIPS_MEET = TEMPLATE_68[[62, 66]].mean(0).astype(np.float64)
"""Where the lips of the canonical face meet in the middle, in head heights."""


@dataclass(frozen=True, eq=False)
class MouthPictures:
    """Two pictures of the mouth's inside, where the portrait's pixels are.

    grid: the pixels. upper, lower: (rows, columns, 4) float32, colours times cover, and cover, in 0..1. cavity: (3,)
    the colour behind them. drop: (2,) px by which the lower one moves when the jaw opens fully.
    """

    grid: PixelGrid
    upper: NDArray[np.float32]
    lower: NDArray[np.float32]
    cavity: NDArray[np.float32]
    drop: NDArray[np.float64]


def mouth_pictures(head: HeadFit, middle: NDArray[np.floating], light: NDArray[np.floating]) -> MouthPictures:
    """The inside of a mouth.

    head: the fitted head. middle: (2,) px, the middle of the mouth line. light: (2, 3) colour of white things at the
    left and at the right corner of the mouth, 0..1.
    """
    step = max(1.0, head.scale / _FINEST)
    aside, up, down = (share * head.scale for share in _REACH)
    shape = (int(np.ceil((up + down) / step)) + 1, int(np.ceil(2 * aside / step)) + 1)
    grid = PixelGrid(float(middle[0]) - aside, float(middle[1]) - up, step, shape)
    inside = mouth_inside()
    raised = np.where(inside.part == _TONGUE, _TONGUE_RISE, _TEETH_RISE)
    points = inside.points + raised[:, None] * np.array((0.0, 1.0, 0.0))
    relative = (points - LIPS_MEET) @ head.rotation.T
    places = middle + head.scale * relative[:, :2] * (1.0, -1.0)
    colours = _shaded(inside.points, inside.normals, inside.part) * _lit(places, grid, light)
    nearer = relative[:, 2]
    facing = inside.normals @ head.rotation[2] > _AWAY
    upper, lower = (
        _splat(places[chosen], nearer[chosen], colours[chosen], grid)
        for chosen in (facing & ~inside.lower, facing & inside.lower)
    )
    drop = head.scale * (JAW_DROP * (1, 1, depth_share(head)) @ head.rotation[:2].T) * (1.0, -1.0)
    return MouthPictures(grid, upper, lower, np.asarray(_CAVITY * light.mean(0), np.float32), drop)


def _shaded(points: NDArray[np.float32], normals: NDArray[np.float32], part: NDArray[np.int8]) -> NDArray[np.float32]:
    """(n, 3) colours of points under white light, darker to the back and where they face away."""
    depth = np.clip((points[:, 2] - _DEEP) / (_FRONT - _DEEP), 0, 1)
    towards = np.clip(normals @ _LAMP, 0, 1)
    reached = depth ** np.where(part == _TONGUE, 0.7, 1.5)
    bright = (0.55 + 0.45 * towards) * (_LEAST_LIGHT + (1 - _LEAST_LIGHT) * reached)
    return np.asarray(_ALBEDO[part] * bright[:, None], np.float32)


def _lit(places: NDArray[np.float64], grid: PixelGrid, light: NDArray[np.floating]) -> NDArray[np.float32]:
    """(n, 3) the light at places, between that at the left and that at the right."""
    left, _, right, _ = grid.box
    share = np.clip((places[:, :1] - left) / max(right - left, 1e-6), 0, 1)
    return np.asarray(light[0] + share * (light[1] - light[0]), np.float32)


def _splat(
    places: NDArray[np.float64], nearer: NDArray[np.float64], colours: NDArray[np.float32], grid: PixelGrid
) -> NDArray[np.float32]:
    """(rows, columns, 4): each point a small square, the nearest on top, averaged from a finer grid."""
    rows, columns = (n * _SUPERSAMPLING for n in grid.shape)
    fine = (places - (grid.left, grid.top)) / grid.step * _SUPERSAMPLING + _SUPERSAMPLING / 2
    column, row = np.floor(fine).astype(np.int64).T
    offsets = np.arange(_SPLAT) - _SPLAT // 2
    across, down = (part.ravel()[:, None] for part in np.meshgrid(offsets, offsets))
    at_column, at_row = (column + across).ravel(), (row + down).ravel()
    point = np.tile(np.arange(len(places)), _SPLAT**2)
    within = (at_column >= 0) & (at_column < columns) & (at_row >= 0) & (at_row < rows)
    cell, point = (at_row * columns + at_column)[within], point[within]
    order = np.argsort(nearer[point], kind="stable")
    canvas = np.zeros((rows * columns, 4), np.float32)
    canvas[cell[order], :3] = colours[point[order]]
    canvas[cell[order], 3] = 1
    blocks = canvas.reshape(grid.shape[0], _SUPERSAMPLING, grid.shape[1], _SUPERSAMPLING, 4)
    return np.asarray(blocks.mean((1, 3)))
