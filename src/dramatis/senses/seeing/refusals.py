"""Why a picture cannot be used: the true cause, in one sentence with the remedy."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from skimage.filters import laplace

from dramatis.errors import UserError
from dramatis.models.perception import interocular
from dramatis.senses.seeing.eye import Doubt, Face
from dramatis.senses.seeing.people import DetectedPerson
from dramatis.senses.seeing.picture_file import PictureFile

MIN_INTEROCULAR_PX = 24
"""Distance of the outer eye corners in the user's picture below which a mouth has too few pixels to be moved."""
MAX_YAW_DEGREES = 60
"""Turn of the head beyond which half of the mouth is hidden."""
MIN_INTEROCULAR_SHARE = 0.045
"""Interocular distance over the shorter side of the video below which nobody would see a mouth speak."""
_FACE_PX = 50
"""Side of the box of a face whose outer eye corners are `MIN_INTEROCULAR_PX` apart."""
_LOOKED_AT = 64
_SHARP = 5e-4
"""Variance of the Laplacian of a face at 64 pixels a side, greys from 0 to 1, below which it is out of focus: rendered
training faces have 4e-3 to 4e-2, and 8e-5 to 3e-4 when they are blurred by 3 % of their width."""


def no_face(picture: PictureFile, doubts: Sequence[Doubt] = ()) -> UserError:
    """The refusal of a picture in which nobody was found; doubts: what may be a face in it, the likeliest first."""
    if not doubts:
        return UserError(
            f"{picture.path}: no face was found in this picture; give a portrait that shows one face from the front."
        )
    doubt = doubts[0]
    return UserError(f"{picture.path}: a face was found, but it {_fault(picture, doubt)}")


def _fault(picture: PictureFile, doubt: Doubt) -> str:
    if min(doubt.box.right - doubt.box.left, doubt.box.bottom - doubt.box.top) < _FACE_PX:
        return "has too few pixels to be animated; give a larger picture, or one taken from nearer."
    if _is_blurred(picture, doubt):
        return "is blurred; give a sharper picture."
    if doubt.turned:
        return f"is turned by more than {MAX_YAW_DEGREES} degrees; give a picture taken from nearer the front."
    return "is covered in part; give a picture in which eyes, nose and mouth can be seen."


def _is_blurred(picture: PictureFile, doubt: Doubt) -> bool:
    box = doubt.box.within(picture.size)
    face = picture.image.convert("L").resize((_LOOKED_AT, _LOOKED_AT), box=box)
    return float(laplace(np.asarray(face, np.float64) / 255).var()) < _SHARP


def check_usable(face: Face, picture: PictureFile, size: tuple[int, int]) -> None:
    """Raises UserError for a face of the picture that cannot be animated in a video of `size` (width, height) px."""
    apart = interocular(face.landmarks)
    if apart < MIN_INTEROCULAR_PX:
        raise UserError(
            f"{picture.path}: the outer corners of the eyes are only {apart:.0f} pixels apart and "
            f"{MIN_INTEROCULAR_PX} are needed; give a larger picture, or one taken from nearer."
        )
    yaw = abs(math.degrees(face.angles[0]))
    if yaw > MAX_YAW_DEGREES:
        raise UserError(
            f"{picture.path}: the head is turned by {yaw:.0f} degrees and at most {MAX_YAW_DEGREES} can be animated; "
            "give a picture taken from nearer the front."
        )
    scale = max(size[0] / picture.size[0], size[1] / picture.size[1])
    if scale * apart < MIN_INTEROCULAR_SHARE * min(size):
        raise UserError(
            f"{picture.path}: the face is too small to be animated; crop the picture to head and shoulders."
        )


def is_large_enough(person: DetectedPerson, size: tuple[int, int]) -> bool:
    """Whether a face can be animated in a picture of (width, height) px, in whose pixels its landmarks are."""
    return interocular(person.landmarks) >= MIN_INTEROCULAR_SHARE * min(size)
