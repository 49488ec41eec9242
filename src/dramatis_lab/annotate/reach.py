"""How far somebody can reach in a picture, by head, shoulders and arms: a mask that goes beyond has leaked."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dramatis.senses.seeing.eye import BodyPose, Points, radius_of

_HEAD = 3.6
"""Radius of head, hair and hat round the middle of the face, in radii of the landmarks."""
_SHOULDERS_APART, _SHOULDERS_BELOW = 5.2, 3.4
"""Where shoulders are that nobody saw: their distance, and how far below the face, in radii of the landmarks."""
_TRUNK, _COLLAR = 0.45, 0.5
"""How far clothes and hair reach beyond and above the shoulders, in distances of the shoulders."""
_ARM, _HELD = 0.35, 0.8
"""Radius of an arm in its sleeve, and of a hand with what it holds, in distances of the shoulders."""
_VISIBLE = 0.3
"""Least visibility of an elbow, wrist or hand that is seen."""


def within_reach(landmarks: Points, body: BodyPose | None, size: tuple[int, int]) -> NDArray[np.bool_]:
    """(H, W) where somebody's head, clothes, arms and held things can be.

    landmarks: (68, 2) px.  body: None where only the face is seen.  size: (height, width).
    """
    ys, xs = np.mgrid[: size[0], : size[1]] + 0.5
    centre, radius = landmarks.mean(0), radius_of(landmarks)
    shoulders = _guessed_shoulders(centre, radius) if body is None else body.shoulders
    apart = max(float(np.linalg.norm(shoulders[1] - shoulders[0])), 2 * radius)
    left, right = sorted(shoulders[:, 0].tolist())
    reach = np.hypot(xs - centre[0], ys - centre[1]) < _HEAD * radius
    below = ys > shoulders[:, 1].min() - _COLLAR * apart
    reach |= below & (xs > left - _TRUNK * apart) & (xs < right + _TRUNK * apart)
    for start, stop, thickness in _limbs(body, apart):
        reach |= _distance_to_segment(xs, ys, start, stop) < thickness
    return np.asarray(reach)


def _guessed_shoulders(centre: Points, radius: float) -> Points:
    aside, down = _SHOULDERS_APART / 2 * radius, _SHOULDERS_BELOW * radius
    x, y = centre
    return np.array([(x - aside, y + down), (x + aside, y + down)], np.float32)


def _limbs(body: BodyPose | None, apart: float) -> Iterator[tuple[Points, Points, float]]:
    """Arms and hands that are seen, as segments with a thickness."""
    if body is None:
        return
    chain = (body.shoulders, body.elbows, body.wrists, body.hands)
    for side in (0, 1):
        for joint in (1, 2, 3):
            if body.visibility[joint, side] >= _VISIBLE:
                start, stop = chain[joint - 1][side], chain[joint][side]
                yield start, stop, (_HELD if joint == 3 else _ARM) * apart


def _distance_to_segment(
    xs: NDArray[np.float64], ys: NDArray[np.float64], start: Points, stop: Points
) -> NDArray[np.float64]:
    along = stop - start
    share = ((xs - start[0]) * along[0] + (ys - start[1]) * along[1]) / max(float(along @ along), 1e-9)
    share = np.clip(share, 0, 1)
    return np.hypot(xs - start[0] - share * along[0], ys - start[1] - share * along[1])
