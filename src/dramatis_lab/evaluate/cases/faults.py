"""Faults that are planted into right masks, of the kinds that trackers make."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from dramatis_lab.annotate.units import Masks
from dramatis_lab.evaluate.cases.composed import FAULT_ONSET

DRIFT = 3
"""Pixels per frame that a drifting mask moves."""
MaskFault = Callable[[int, Masks, Masks], Masks]
"""(frame index, right masks, right masks of the onset) -> the masks of a segmenter that goes wrong."""


def left_halves(masks: Masks) -> Masks:
    """The left half of each person."""
    middles = [np.flatnonzero(mask.any(0)).mean() if mask.any() else 0.0 for mask in masks]
    return masks & (np.arange(masks.shape[2]) < np.array(middles)[:, None])[:, None]


def backdrop_disc(masks: Masks) -> np.ndarray:
    """A disc on the backdrop, as far from everybody as it can be."""
    distance = ndimage.distance_transform_edt(~masks.any(0))
    row, column = np.unravel_index(distance.argmax(), distance.shape)
    ys, xs = np.mgrid[: masks.shape[1], : masks.shape[2]]
    return np.asarray(np.hypot(ys - row, xs - column) < 40)


FAULTS_FROM_ONSET: dict[str, MaskFault] = {
    "frozen": lambda _index, _masks, onset_masks: onset_masks,
    "drift": lambda frame_index, masks, _onset_masks: np.roll(masks, DRIFT * (frame_index - FAULT_ONSET), 2),
    "swapped": lambda _index, masks, _onset_masks: np.roll(masks, 1, 0),
    "half from the onset": lambda _index, masks, _onset_masks: left_halves(masks),
}
"""Faults that begin at the onset."""
FAULTS_FROM_START: dict[str, MaskFault] = {
    "half": lambda _index, masks, _onset_masks: left_halves(masks),
    "both": lambda _index, masks, _onset_masks: np.broadcast_to(masks.any(0), masks.shape).copy(),
    "nothing": lambda _index, masks, onset_masks: np.broadcast_to(backdrop_disc(onset_masks), masks.shape).copy(),
}
"""Faults that begin with the first frame."""
