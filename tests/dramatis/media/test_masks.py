from __future__ import annotations

import numpy as np
import pytest

from dramatis.media.masks import decode_mask, encode_mask, owner_masks


def drawn() -> dict[str, np.ndarray]:
    """Masks of every kind of run; the large one needs runs of many digits."""
    rng = np.random.default_rng(0)
    ys, xs = np.mgrid[:48, :64]
    corner = np.zeros((5, 7), bool)
    corner[0, 0] = corner[-1, -1] = True
    large = np.zeros((2000, 2100), bool)
    large[-1, -1] = large[700:900, 1000] = True
    return {
        "empty": np.zeros((6, 4), bool),
        "full": np.ones((6, 4), bool),
        "corners": corner,
        "stripes": xs % 3 == 0,
        "disc": (xs - 30) ** 2 + (ys - 20) ** 2 < 150,
        "noise": rng.random((40, 33)) < 0.5,
        "large": large,
    }


MASKS = drawn()


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_every_mask_comes_back(mask: np.ndarray) -> None:
    assert np.array_equal(decode_mask(encode_mask(mask)), mask)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools with numpy 2
@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_text_and_pixels_are_those_of_pycocotools(mask: np.ndarray) -> None:
    coco = pytest.importorskip("pycocotools.mask", reason="pycocotools is not installed")
    theirs = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    ours = encode_mask(mask)
    assert ours["counts"] == theirs["counts"].decode("ascii")
    assert ours["size"] == list(theirs["size"])
    assert np.array_equal(coco.decode(ours), mask)


def test_the_text_of_a_known_mask() -> None:
    mask = np.zeros((3, 3), bool)
    mask[1, 1] = mask[2, 1] = True
    assert encode_mask(mask) == {"size": [3, 3], "counts": "423"}


@pytest.mark.parametrize("counts", ["", "P", "42", "424", "é"])
def test_damaged_counts_are_refused(counts: str) -> None:
    with pytest.raises(ValueError, match=r"counts of a mask|do not fill|ascii"):
        decode_mask({"size": [3, 3], "counts": counts})


def test_masks_of_everybody() -> None:
    owners = np.random.default_rng(0).integers(0, 3, (5, 16, 24)).astype(np.uint8)
    own = owner_masks(owners, 2)
    assert own.shape == (2, 5, 16, 24)
    assert own.dtype == bool
    assert np.array_equal(own[1], owners == 2)
    assert not owner_masks(np.zeros_like(owners), 1).any()


def test_masks_of_more_people_are_refused() -> None:
    owners = np.full((1, 8, 8), 3, np.uint8)
    with pytest.raises(ValueError, match="3 people, not 2"):
        owner_masks(owners, 2)
