from __future__ import annotations

import numpy as np
import pytest

from dramatis.media.masks import decode_mask, encode_mask, latent_masks, masks_of


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
    with pytest.raises(ValueError):
        decode_mask({"size": [3, 3], "counts": counts})


def test_cells_of_the_latent_grid_hold_shares() -> None:
    clip = np.zeros((2, 9, 16, 24), bool)
    clip[0, 0, :8, :8] = True  # the first frame alone
    clip[1, 1:3, 8:, 16:20] = True  # two of four frames, half of the cell's pixels
    grid = latent_masks(clip)
    assert grid.shape == (2, 3, 2, 3)
    assert grid.dtype == np.float32
    assert grid[0, 0, 0, 0] == 1.0
    assert grid[1, 1, 1, 2] == 0.25
    assert grid.sum() == 1.25


@pytest.mark.parametrize("shape", [(8, 16, 16), (9, 12, 16), (9, 16, 20)])
def test_clips_off_the_grid_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="latent grid"):
        latent_masks(np.zeros(shape, bool))


def test_masks_of_everybody() -> None:
    owners = np.random.default_rng(0).integers(0, 3, (5, 16, 24)).astype(np.uint8)
    own = masks_of(owners, 2)
    assert own.shape == (2, 5, 16, 24)
    assert own.dtype == bool
    assert np.array_equal(own[1], owners == 2)
    assert not masks_of(np.zeros_like(owners), 1).any()


def test_masks_of_more_people_are_refused() -> None:
    owners = np.full((1, 8, 8), 3, np.uint8)
    with pytest.raises(ValueError, match="3 people, not 2"):
        masks_of(owners, 2)
