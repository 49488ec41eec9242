"""Faults that are planted into right masks, of the kinds that trackers make."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage

from dramatis_lab.annotate.units import Masks
from dramatis_lab.evaluate.cases.composed import FAULT_ONSET

LEAK = 0.5
"""Growth of the area of a mask that has leaked: its IoU with the right one is 0.67."""
HOLE = 14
"""Side of a hole, px."""
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


def with_holes(masks: Masks) -> Masks:
    """Masks that miss every other square of a grid."""
    ys, xs = np.mgrid[: masks.shape[1], : masks.shape[2]] // HOLE
    return masks & ~((ys % 2 == 1) & (xs % 2 == 1)) & ~((ys % 2 == 1) & (xs % 4 == 0))


def leaked_over(masks: Masks, order: np.ndarray) -> Masks:
    """Each person's mask with nobody's pixels added, those of least `order` (N, H, W), until it has grown by LEAK."""
    out = masks.copy()
    nobody = ~masks.any(0)
    for person, mask in enumerate(masks):
        costs = np.where(nobody, order[person], np.inf)
        count = min(int(LEAK * mask.sum()), int(nobody.sum()))
        if count:
            out[person] |= costs <= np.partition(costs.ravel(), count - 1)[count - 1]
    return out


def onto_the_wall(masks: Masks) -> Masks:
    """Masks that have leaked onto the backdrop all round, as far as it takes."""
    return leaked_over(masks, np.stack([ndimage.distance_transform_edt(~mask) for mask in masks]))


def onto_furniture(masks: Masks) -> Masks:
    """Masks that have leaked into the lower corner that is farther from the person."""
    height, width = masks.shape[1:]
    ys, xs = np.mgrid[:height, :width]
    middles = [np.flatnonzero(mask.any(0)).mean() if mask.any() else 0.0 for mask in masks]
    corners = [0 if middle > width / 2 else width - 1 for middle in middles]
    return leaked_over(masks, np.stack([np.hypot(ys - (height - 1), xs - corner) for corner in corners]))


def onto_a_neighbour(masks: Masks) -> Masks:
    """Masks that hold the neighbour's body below the middle, too."""
    neighbours = np.roll(masks, 1, 0).copy()
    for mask in neighbours:
        rows = np.flatnonzero(mask.any(1))
        if len(rows):
            mask[: int(np.median(rows))] = False
    return masks | neighbours


FAULTS_FROM_ONSET: dict[str, MaskFault] = {
    "frozen": lambda _index, _masks, onset_masks: onset_masks,
    "drift": lambda frame_index, masks, _onset_masks: np.roll(masks, DRIFT * (frame_index - FAULT_ONSET), 2),
    "swapped": lambda _index, masks, _onset_masks: np.roll(masks, 1, 0),
    "leak onto the wall from the onset": lambda _index, masks, _onset_masks: onto_the_wall(masks),
    "half from the onset": lambda _index, masks, _onset_masks: left_halves(masks),
}
"""Faults that begin at the onset."""
FAULTS_FROM_START: dict[str, MaskFault] = {
    "half": lambda _index, masks, _onset_masks: left_halves(masks),
    "both": lambda _index, masks, _onset_masks: np.broadcast_to(masks.any(0), masks.shape).copy(),
    "leak onto the wall": lambda _index, masks, _onset_masks: onto_the_wall(masks),
    "leak onto furniture": lambda _index, masks, _onset_masks: onto_furniture(masks),
    "leak onto a neighbour": lambda _index, masks, _onset_masks: onto_a_neighbour(masks),
    "holes": lambda _index, masks, _onset_masks: with_holes(masks),
    "nothing": lambda _index, masks, onset_masks: np.broadcast_to(backdrop_disc(onset_masks), masks.shape).copy(),
}
"""Faults that begin with the first frame."""
LEAKS = ("leak onto the wall", "leak onto the wall from the onset", "leak onto furniture", "leak onto a neighbour")
"""Faults that the eye which makes masks would make everywhere: its boxes surround them, too."""
