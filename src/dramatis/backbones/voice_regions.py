"""Which part of the picture is whose, for weights that bind two voices by position (`models.binding`).

The public family was given a box around each of two people in the reference picture, and the same boxes for all clips.
Here boxes follow from where the heads are: the first character of the storyline is the first person, the second the
second, whoever stands left. `dramatis characters` draws who is who.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dramatis.motion.group import head_shares
from dramatis.motion.maps import cell_centres, head_coordinates

ASIDE = ABOVE = 0.65
"""How far a person's box reaches from the middle of the face, in head heights: most of the shoulders, and the hair;
below to the bottom of the picture. Something is left for the background where people stand side by side."""


def voice_regions(faces: NDArray[np.float32], size: tuple[int, int], grid: tuple[int, int]) -> NDArray[np.float32]:
    """Masks of N people and of the background on an (h, w) grid over the picture.

    faces: (N, 9, 2) pixels of the heads' rigid points, in the order of the voices. size: (H, W) pixels. Returns
    (N + 1, h, w), every cell 1 in exactly one: a cell in two boxes belongs to the nearer head and body.
    """
    aside, up = np.moveaxis(head_coordinates(faces, cell_centres(size, grid)), 1, 0)
    owner = head_shares(faces[:, None], size, grid)[:, 0].argmax(0)
    people = (np.abs(aside) <= ASIDE) & (up <= ABOVE) & (owner == np.arange(len(faces))[:, None, None])
    return np.concatenate([people, ~people.any(0, keepdims=True)]).astype(np.float32)
