"""Looks at a face of a portrait for what its articulation needs: mouth line, lids, light, teeth of its own."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dramatis.media.image import Pictures
from dramatis.motion.articulated_face import ArticulatedFace, Opening
from dramatis.motion.face import HeadFit, fit_head
from dramatis.motion.mouth_inside import LIPS_MEET, mouth_pictures
from dramatis.motion.mouth_line import MouthLine, shares_along
from dramatis.motion.two_sided import PixelGrid, lid_field, lid_line, mouth_field
from dramatis.senses.seeing.eye import Face, FaceContours
from dramatis.senses.seeing.mouth_line import colours_at, find_mouth_line

_WHITE_OF_EYE = 1.1
"""Brightness of teeth over that of the brighter part of the eyes' whites, which lids shade."""
_SKIN = (1.0, 1.5)
"""Least and greatest brightness of teeth over that of the cheeks: of pale and of dark skin."""
_CHEEKS = ((-0.17, 0.02), (0.17, 0.02))
"""Middle of the cheeks beside the mouth, in head heights from the head's centre."""
_BRIGHTEST = 0.94
_TINT = 0.25
"""How much of the colour of the skin teeth take on: light reaches them by way of lips and cheeks."""
_LEVEL = np.array((0.3, 0.59, 0.11))
_TOOTHLIKE = (0.0, 0.12)
"""Between which differences of brightness from the lips, less colourfulness, a pixel is a tooth."""


def look_at_face(picture: Pictures, face: Face) -> ArticulatedFace:
    """What articulation needs of one face of a portrait (H, W, 3) uint8, in its pixels.

    Raises ValueError where the landmarks are not those of a face.
    """
    head, line = fit_head(face.landmarks), find_mouth_line(picture, face)
    contours = face.contours
    field = mouth_field(head, face.landmarks, line, None if contours is None else contours.lips_outer)
    # A turned head's lips do not meet half-way between their corners.
    share = shares_along(LIPS_MEET[None], head)[0].clip(0.1, 0.9)
    middle = line.places(share, (line.edge(line.upper, share) + line.edge(line.lower, share)) / 2)
    inside = mouth_pictures(head, middle, _light(picture, head, contours))
    eyes = () if contours is None else tuple(_eye(head, face, lids, right) for right, lids in enumerate(contours.lids))
    own = _own_teeth(picture, line, inside.grid)
    return ArticulatedFace(head, Opening(line, field), eyes, inside, own)


def _eye(head: HeadFit, face: Face, lids: NDArray[np.float32], right: int) -> Opening:
    line = lid_line(lids)
    return Opening(line, lid_field(head, face.landmarks, line, right))


def _light(picture: Pictures, head: HeadFit, contours: FaceContours | None) -> NDArray[np.float64]:
    """(2, 3) the colour that teeth have in this light, at the left and the right of the mouth."""
    cheeks = np.stack([_patch(picture, head, cheek) for cheek in _CHEEKS])
    skin = cheeks.mean(0)
    white = skin * 1.25 if contours is None else _white_of_eyes(picture, contours)
    level = float(white @ _LEVEL) * _WHITE_OF_EYE
    level = float(np.clip(level, _SKIN[0] * float(skin @ _LEVEL), _SKIN[1] * float(skin @ _LEVEL)))
    tint = 1 + _TINT * (skin / max(float(skin @ _LEVEL), 1e-3) - 1)
    sides = np.sqrt((cheeks @ _LEVEL) / max(float(skin @ _LEVEL), 1e-3)).clip(0.7, 1.3)
    return np.minimum(level * sides[:, None] * tint, _BRIGHTEST)


def _patch(picture: Pictures, head: HeadFit, place: tuple[float, float]) -> NDArray[np.float64]:
    """Median colour around a place of the head."""
    point = np.array([*place, 0.36])
    middle = head.centre + head.scale * (head.rotation @ point)[:2] * (1, -1)
    spread = np.linspace(-0.03, 0.03, 9) * head.scale
    places = middle + np.stack(np.meshgrid(spread, spread), -1)
    return np.median(colours_at(picture, places).reshape(-1, 3), 0).astype(np.float64)


def _white_of_eyes(picture: Pictures, contours: FaceContours) -> NDArray[np.float64]:
    """The brighter part of the whites of both eyes: between the lids, beside the irises."""
    colours = []
    for lids, iris in zip(contours.lids, contours.irises, strict=True):
        line, radius = lid_line(lids), float(np.linalg.norm(iris[1:] - iris[0], axis=1).mean())
        shares, parts = np.meshgrid(np.linspace(0.1, 0.9, 25), np.linspace(0.35, 0.7, 7))
        upper, lower = line.edge(line.upper, shares), line.edge(line.lower, shares)
        places = line.places(shares, upper + parts * (lower - upper)).reshape(-1, 2)
        beside = np.linalg.norm(places - iris[0], axis=1) > 1.15 * radius
        if beside.any():
            colours.append(colours_at(picture, places[beside]))
    if not colours:
        return np.full(3, 0.7)
    found = np.concatenate(colours).astype(np.float64)
    level = found @ _LEVEL
    return np.asarray(found[level >= np.quantile(level, 0.7)].mean(0))


def _own_teeth(picture: Pictures, line: MouthLine, grid: PixelGrid) -> NDArray[np.float32]:
    """(rows, columns) 0..1 where a parted mouth shows teeth: brighter than its lips, and less coloured."""
    if line.gap <= 0:
        return np.zeros(grid.shape, np.float32)
    nodes = grid.nodes()
    shares, below = line.coordinates(nodes)
    upper, lower = line.edge(line.upper, shares), line.edge(line.lower, shares)
    soft = max(1.0, 0.012 * line.width)
    within = np.clip(np.minimum(below - upper, lower - below) / soft, 0, 1) * ((shares > 0.04) & (shares < 0.96))
    colours = colours_at(picture, nodes)
    lips = colours_at(picture, line.places(np.linspace(0.3, 0.7, 9), line.lower.max() + 0.12 * line.width))
    colourful, bright = np.ptp(colours, axis=-1), colours @ _LEVEL
    tooth = (bright - colourful) - (lips.mean(0) @ _LEVEL - np.ptp(lips.mean(0)))
    low, high = _TOOTHLIKE
    return np.asarray(within * np.clip((tooth - low) / (high - low), 0, 1), np.float32)
