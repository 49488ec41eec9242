"""Masks in COCO's run-length form.

The form is that of COCO's annotation files: `{"size": [height, width], "counts": text}`. The runs of zeros and ones
alternate, zeros first, down the columns; each is written relative to the one two before it, in digits of five bits.
Every tool that reads COCO reads it (`pycocotools.mask.decode`).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from typing_extensions import TypedDict  # before Python 3.12 pydantic takes no other

Masks = NDArray[np.bool_]
"""One mask for each person, (N, H, W)."""
_DIGITS = 7
"""Digits of five bits that hold the runs of any picture."""


class Rle(TypedDict):
    """A mask of `size` (height, width) as COCO writes it."""

    size: list[int]
    counts: str


def encode_mask(mask: NDArray[np.bool_]) -> Rle:
    """A mask (H, W) in COCO's compact form."""
    height, width = mask.shape
    pixels = np.asarray(mask, bool).ravel(order="F")
    changes = np.flatnonzero(np.diff(pixels, prepend=False))
    runs = np.diff(np.concatenate([[0], changes, [pixels.size]]))
    return {"size": [height, width], "counts": _to_text(runs)}


def decode_mask(rle: Rle) -> NDArray[np.bool_]:
    """The mask (H, W) of COCO's compact form. Raises ValueError if the runs do not fill the picture."""
    height, width = rle["size"]
    runs = _from_text(rle["counts"])
    if (runs < 0).any() or runs.sum() != height * width:
        raise ValueError(f"Runs of {runs.sum()} pixels do not fill a mask of {height}x{width}.")
    ones = np.arange(len(runs)) % 2 == 1
    return np.repeat(ones, runs).reshape((height, width), order="F")


def owner_masks(owners: NDArray[np.uint8], people: int) -> NDArray[np.bool_]:
    """The masks of N people in a clip, (N, F, H, W).

    owners: (F, H, W), 0 for the background and k for the k-th person. Raises ValueError if it names more people.
    """
    if owners.max(initial=0) > people:
        raise ValueError(f"The map names {owners.max()} people, not {people}.")
    return owners == np.arange(1, people + 1, dtype=owners.dtype).reshape(-1, 1, 1, 1)


def _to_text(runs: NDArray[np.int64]) -> str:
    """Numbers as text, low digits first: bit 5 says that another digit follows, bit 4 of the last is the sign."""
    values = runs.astype(np.int64)
    values[3:] -= runs[1:-2]
    shifts = 5 * np.arange(_DIGITS)
    digits = (values[:, None] >> shifts) & 31
    rest = values[:, None] >> (shifts + 5)
    more = np.where(digits & 16, rest != -1, rest != 0)
    written = np.concatenate([np.ones((len(values), 1), bool), np.logical_and.accumulate(more, 1)[:, :-1]], 1)
    return ((digits | (more << 5)) + 48)[written].astype(np.uint8).tobytes().decode("ascii")


def _from_text(text: str) -> NDArray[np.int64]:
    """The inverse of `_to_text`. Raises ValueError for text that COCO would not write."""
    digits = np.frombuffer(text.encode("ascii"), np.uint8).astype(np.int64) - 48
    ends = np.flatnonzero((digits & 32) == 0)
    if not len(digits) or digits.min() < 0 or digits.max() > 63 or ends.size == 0 or ends[-1] != len(digits) - 1:
        raise ValueError("The counts of a mask are cut short or not COCO's.")
    starts = np.concatenate([[0], ends[:-1] + 1])
    lengths = ends - starts + 1
    digit_index = np.arange(len(digits)) - np.repeat(starts, lengths)
    values = np.add.reduceat((digits & 31) << (5 * digit_index), starts)
    values -= ((digits[ends] & 16) != 0) * (np.int64(1) << (5 * lengths))
    values[1::2] = np.cumsum(values[1::2])
    values[2::2] = np.cumsum(values[2::2])
    return values
