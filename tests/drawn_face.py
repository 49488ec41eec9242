"""A face drawn from the canonical landmarks: skin, lips, eyes and brows in flat colours, with its exact contours."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageDraw

from dramatis.motion.face import TEMPLATE_68, head_rotation
from dramatis.senses.seeing.eye import Face, FaceContours

SKIN, LIPS, LINE, TOOTH, WHITE, IRIS = (
    (205, 160, 135), (175, 80, 80), (60, 25, 25), (225, 220, 205), (235, 232, 228), (70, 50, 40),
)  # fmt: skip
SIDE = 192
_SCALE, _CENTRE = 170.0, np.array([96.0, 104.0])


def draw_face(gap: float = 0.0, yaw: float = 0.0) -> tuple[np.ndarray, Face]:
    """A picture (192, 192, 3) uint8 and the face in it.

    gap: px between the lips, where teeth show. yaw: radians.
    """
    points = _CENTRE + _SCALE * (TEMPLATE_68 @ head_rotation(yaw, 0, 0)[:2].T) * (1, -1)
    middle = (points[[61, 62, 63]] + points[[67, 66, 65]]) / 2
    shift = np.array([0, gap / 2])
    upper = np.vstack([points[60], middle - shift, points[64]])
    lower = np.vstack([points[60], middle + shift, points[64]])
    outer = np.vstack([points[48:55], points[55:60] + 2 * shift])
    points[[61, 62, 63]], points[[67, 66, 65]], points[55:60] = middle - shift, middle + shift, outer[7:]
    image = Image.new("RGB", (SIDE * 4, SIDE * 4), SKIN)
    pen = ImageDraw.Draw(image)
    _polygon(pen, outer, LIPS)
    _polygon(pen, np.vstack([upper, lower[-2:0:-1]]), TOOTH)
    pen.line([tuple(4 * p) for p in (upper + lower) / 2], LINE if gap == 0 else TOOTH, 5)
    lids, irises = zip(*(_eye(pen, points[first : first + 6]) for first in (36, 42)), strict=True)
    picture = np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BOX))
    contours = FaceContours(_ring(points[48:55], outer[[0, *range(11, 5, -1)]], 20), _ring(upper, lower, 20),
                            np.stack(lids), np.stack(irises))  # fmt: skip
    return picture, Face(points.astype(np.float32), 1.0, "own", contours)


def _polygon(pen: ImageDraw.ImageDraw, points: np.ndarray, colour: tuple[int, int, int]) -> None:
    pen.polygon([tuple(4 * point) for point in points], colour)


def _eye(pen: ImageDraw.ImageDraw, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    _polygon(pen, points, WHITE)
    middle, radius = points[[1, 2, 4, 5]].mean(0), 2.5
    pen.ellipse([*(4 * (middle - radius)), *(4 * (middle + radius))], IRIS)
    iris = middle + radius * np.array([(0, 0), (1, 0), (0, -1), (-1, 0), (0, 1)])
    return _ring(points[:4], points[[0, 5, 4, 3]], 16), iris.astype(np.float32)


def _ring(upper: np.ndarray, lower: np.ndarray, count: int) -> np.ndarray:
    """`count` points from the left corner along the upper edge, and back along the lower one."""
    half = count // 2
    edges = [_even(edge, half + 1) for edge in (upper, lower)]
    return np.vstack([edges[0][:-1], edges[1][:0:-1]]).astype(np.float32)


def _even(edge: np.ndarray, count: int) -> np.ndarray:
    at = np.linspace(0, len(edge) - 1, count)
    return np.stack([np.interp(at, np.arange(len(edge)), edge[:, axis]) for axis in (0, 1)], -1)
