"""Dark faces of several people are filmed in lighter tones, and given back in their own.

A face of little contrast dissolves while it is filmed, though the autoencoder keeps it. So a picture is lifted by one
power curve before anything is filmed, and frames go back through the inverse when they are written; nothing in between
knows. What it gains, and where not: docs/decisions/groups.md.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dramatis.media.image import Pictures
from dramatis.motion.face import TEMPLATE_68, HeadFit, project
from dramatis.motion.performance import Performance

MIN_GAMMA = 0.5
"""Smallest exponent: beyond it what is bright already loses too much."""
INNER_FACE = slice(27, 68)
"""Nose, eyes and mouth of the 68 landmarks."""


def gamma_for(reference: Pictures, heads: Sequence[HeadFit], wanted: float | None) -> float:
    """Exponent, `MIN_GAMMA` to 1, of the curve that brings the darkest face to the tone `wanted`; 1 for None.

    reference: (H, W, 3) uint8.  heads: of everybody, in its pixels.  wanted: mean of a face, 0 black to 1 white.
    """
    if wanted is None:
        return 1.0
    darkest = min(_tone(reference, head) for head in heads)
    return float(np.clip(np.log(wanted) / np.log(np.clip(darkest, 0.01, 0.99)), MIN_GAMMA, 1.0))


def _tone(reference: Pictures, head: HeadFit) -> float:
    """Mean of the inner face, 0 to 1."""
    size = reference.shape[0], reference.shape[1]
    points = project(head, Performance.still(1), size, TEMPLATE_68)[0, INNER_FACE]
    (left, top), (right, bottom) = np.floor(points.min(0)).astype(int), np.ceil(points.max(0)).astype(int)
    inside = reference[max(0, top) : bottom + 1, max(0, left) : right + 1]
    return float(inside.mean()) / 255 if inside.size else 1.0


def brighten(pictures: Pictures, lift: float) -> Pictures:
    """Pictures (..., 3) uint8 in the tones that they are filmed in."""
    return _through(pictures, lift)


def restore_tones(pictures: Pictures, lift: float) -> Pictures:
    """The inverse: filmed pictures in the tones of the portrait."""
    return _through(pictures, 1 / lift)


def _through(pictures: Pictures, exponent: float) -> Pictures:
    """Pictures through a power curve; themselves where it is straight, as it is for nearly every film."""
    if exponent == 1.0:
        return pictures
    return (255 * (np.arange(256) / 255) ** exponent).round().astype(np.uint8)[pictures]
