"""What a picture shows: who, how near, in what light, against what background. What is not clear is not said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from skimage.color import rgb2lab
from skimage.draw import polygon2mask

from dramatis.media.image import Pictures
from dramatis.models.perception import FaceReading
from dramatis.senses.seeing.eye import FACE_SEEN
from dramatis.senses.seeing.measures import smile
from dramatis.senses.seeing.people import DetectedPerson
from dramatis.story.observations import FramingName, ObservedPerson, PictureObservations, Trait
from dramatis.story.values import EmotionName

_FRAMINGS: tuple[tuple[float, FramingName], ...] = (
    (0.55, "close-up"), (0.22, "head and shoulders"), (0.11, "half figure"), (0.0, "full figure"),
)  # fmt: skip
"""Least height of the face, brows to chin, over that of the picture."""
_COLOURS = {
    "black": (0, 0, 0), "grey": (128, 128, 128), "white": (245, 245, 245), "red": (190, 40, 40),
    "orange": (230, 130, 40), "yellow": (225, 205, 60), "green": (60, 140, 70), "dark green": (30, 70, 40),
    "teal": (40, 130, 130), "blue": (50, 90, 180), "dark blue": (25, 35, 80), "light blue": (150, 190, 225),
    "purple": (110, 60, 140), "pink": (225, 150, 170), "brown": (110, 75, 50), "beige": (215, 190, 160),
}  # fmt: skip
_SHARE = 0.12
"""Least share of the picture that a colour has to fill to be named."""
_DARK, _BRIGHT = 50.0, 75.0
"""Lightness (LAB L) that a dark picture's lightest parts do not reach, and that half of a bright picture exceeds.

Of the synthetic world's pictures 1 % are called dark, 4 % of those of dark-skinned people; a fifth of underexposed ones
are not. The lightness of the face would call every fifth dark-skinned person's picture dark."""
_LIGHTEST = 98
"""Percentile of the lightness that stands for the lightest parts: a lamp in the dark does not count."""
_SIDE = 7.0
"""Difference of lightness between the halves of a face that tells where light comes from."""
_SMILES, _DROOPS = 0.085, -0.035
"""`seeing.smile` of faces that surely smile and droop: neutral ones of the synthetic world lie between."""
_FOREHEAD = 0.9
"""How far the hair line lies above the brows, in lengths of the nose."""
_SHOWN = 0.6
"""Least probability of an expression that is named."""
_CALM = 0.8
"""How many portraits are neutral of those that are neither happy nor sad, in the synthetic world: the rest is angry,
surprised or the like, which cannot be told apart here."""
_REGIONS = {"glasses": (0, *range(16, 28), *range(36, 48)), "beard": (*range(4, 13), 31, 35, *range(48, 60))}
"""Traits that are reported, and the landmarks around which they show: eyes and brows, and chin to nose."""


def describe_portrait(
    picture: Pictures, reading: FaceReading, traits: Mapping[str, float] | None = None
) -> PictureObservations:
    """Describe a portrait (H, W, 3) uint8 in which the perception network saw `reading`, in pixels of that picture.

    traits: probabilities 0..1 as `dramatis.models.traits.traits_of` gives them; without them nothing is said of glasses
    and beards, and the expression is read off the lips alone.
    """
    lab = rgb2lab(picture[::2, ::2])
    person_mask = _fitted(reading.person, lab.shape[:2])
    people = (_person(picture, reading, person_mask, traits),) if reading.face >= FACE_SEEN else ()
    light, side = _light(lab, _fitted(reading.face_mask, lab.shape[:2]), reading)
    return PictureObservations(
        people=people,
        light=light,
        light_from=side,
        light_confidence=0.7 if people else 0.0,
        colours=_colours(lab),
        background=_background(picture, person_mask),
        background_confidence=0.6 if people else 0.0,
    )


def describe_group(picture: Pictures, people: Sequence[DetectedPerson]) -> PictureObservations:
    """Describe a picture (H, W, 3) uint8 of several people, from left to right.

    Where and how near each is, and the picture's colours. Expressions, light and background are left out: they are
    judged in portraits alone.
    """
    return PictureObservations(
        people=tuple(
            ObservedPerson(box=person.person, face=person.face, framing=_framing(person.face[3] - person.face[1]))
            for person in people
        ),
        colours=_colours(rgb2lab(picture[::2, ::2])),
    )


def face_region(landmarks: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    """(H, W) 1 where a face is and 0 elsewhere: from chin and jaw to a forehead as high as eyes and nose together.

    landmarks: (68, 2) px of a picture of `size` (height, width).
    """
    brows, root, base = landmarks[17:27], landmarks[27], landmarks[33]
    outline = np.concatenate([landmarks[:17], brows[::-1] + _FOREHEAD * (root - base)])
    return polygon2mask(size[:2], outline[:, ::-1] - 0.5).astype(np.float32)


def _framing(face_height: float) -> FramingName:
    """How near a person is whose face, brows to chin, fills that share of the picture's height."""
    return next(name for least, name in _FRAMINGS if face_height >= least)


def _person(
    picture: Pictures, reading: FaceReading, mask: NDArray[np.float32], traits: Mapping[str, float] | None
) -> ObservedPerson:
    height, width = picture.shape[:2]
    low, high = reading.landmarks.min(0), reading.landmarks.max(0)
    face = _box(low[0] / width, low[1] / height, high[0] / width, high[1] / height)
    rows, columns = (np.flatnonzero((mask > 0.5).any(axis)) for axis in (1, 0))
    body = (
        _box(
            columns[0] / mask.shape[1],
            rows[0] / mask.shape[0],
            (columns[-1] + 1) / mask.shape[1],
            (rows[-1] + 1) / mask.shape[0],
        )
        if len(rows)
        else face
    )
    face_height = float(high[1] - low[1]) / height
    expression, confidence = _expression(reading) if traits is None else _named_expression(traits)
    return ObservedPerson(
        box=body,
        face=face,
        framing=_framing(face_height),
        expression=expression,
        expression_confidence=confidence,
        traits=()
        if traits is None
        else tuple(_trait(name, traits[name], reading, (width, height)) for name in _REGIONS),
    )


def _trait(name: str, probability: float, reading: FaceReading, size: tuple[int, int]) -> Trait:
    """size: width and height of the picture."""
    points = reading.landmarks[list(_REGIONS[name])] / size
    region = _box(*points.min(0), *points.max(0))
    confidence = round(max(probability, 1 - probability), 2)
    return Trait(name=name, present=probability >= 0.5, confidence=confidence, region=region)


def _named_expression(traits: Mapping[str, float]) -> tuple[EmotionName, float]:
    happy, sad = traits["happy"], traits["sad"]
    if max(happy, sad) >= _SHOWN:
        return ("happy", round(happy, 2)) if happy >= sad else ("sad", round(sad, 2))
    return "neutral", round(_CALM * (1 - max(happy, sad)), 2)


def _expression(reading: FaceReading) -> tuple[EmotionName, float]:
    curve = smile(reading)
    if curve > _SMILES:
        return "happy", 0.65
    if curve < _DROOPS:
        return "sad", 0.4
    return "neutral", 0.5


def _light(
    lab: NDArray[np.float64], face: NDArray[np.float32], reading: FaceReading
) -> tuple[Literal["dark", "even", "bright"], Literal["left", "right", "front"]]:
    lightness = lab[..., 0]
    if face.sum() < 1:
        return "even", "front"
    middle = reading.landmarks[:, 0].mean() / 2
    columns = np.arange(lab.shape[1])[None] < middle
    halves = [
        float((lightness * face * part).sum() / max(float((face * part).sum()), 1e-6)) for part in (columns, ~columns)
    ]
    side: Literal["left", "right", "front"] = "front"
    if abs(halves[0] - halves[1]) > _SIDE:
        side = "left" if halves[0] > halves[1] else "right"
    # Of the whole picture: a face may be dark because its skin is.
    lightest, middling = np.percentile(lightness, (_LIGHTEST, 50))
    return ("dark" if lightest < _DARK else "bright" if middling > _BRIGHT else "even"), side


def _colours(lab: NDArray[np.float64]) -> tuple[str, ...]:
    """Names of the colours that fill most of the picture."""
    names = list(_COLOURS)
    named = rgb2lab(np.array(list(_COLOURS.values()), np.uint8)[None])[0]
    pixels = lab[::4, ::4].reshape(-1, 1, 3)
    nearest = np.linalg.norm(pixels - named, axis=-1).argmin(1)
    shares = np.bincount(nearest, minlength=len(names)) / len(nearest)
    order = [index for index in np.argsort(-shares, kind="stable") if shares[index] >= _SHARE]
    return tuple(names[index] for index in order[:4])


def _background(picture: Pictures, person: NDArray[np.float32]) -> Literal["plain", "blurred", "detailed"]:
    grey = picture[::2, ::2].astype(np.float64).mean(-1)
    outside = person < 0.1
    if outside.sum() < 50:
        return "plain"
    fine = grey[1:-1, 1:-1] * 4 - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    detail = float(np.abs(fine[outside[1:-1, 1:-1]]).mean())
    if detail > 6.0:
        return "detailed"
    return "blurred" if float(grey[outside].std()) > 14.0 else "plain"


def _fitted(mask: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    """A soft mask at half the picture's size, cut or padded to that of the half-size picture."""
    out = np.zeros(size, np.float32)
    rows, columns = (min(a, b) for a, b in zip(mask.shape, size, strict=True))
    out[:rows, :columns] = mask[:rows, :columns]
    return out


def _box(left: float, top: float, right: float, bottom: float) -> tuple[float, float, float, float]:
    left, top, right, bottom = (round(min(1.0, max(0.0, float(value))), 3) for value in (left, top, right, bottom))
    return left, top, right, bottom
