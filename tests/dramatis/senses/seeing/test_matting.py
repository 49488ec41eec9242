from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from dramatis.senses.seeing import matting
from dramatis.senses.seeing.matting import refine_outline

Values = NDArray[np.float32]
CELL = 4.0


def disc(side: int = 128, radius: float = 32.0) -> Values:
    """(side, side) a disc with a border one pixel wide."""
    y, x = np.mgrid[:side, :side] + 0.5
    return np.clip(radius + 0.5 - np.hypot(x - side / 2, y - side / 2), 0, 1).astype(np.float32)


def painted(alpha: Values, inside: tuple[int, int, int], outside: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Two noisy colours, mixed by alpha."""
    mixed = alpha[..., None] * np.array(inside) + (1 - alpha[..., None]) * np.array(outside)
    noise = np.random.default_rng(0).normal(0, 2, (*alpha.shape, 1))
    return np.clip(mixed + noise, 0, 255).astype(np.uint8)


def coarsened(alpha: Values) -> Values:
    """The same as a network with cells of `CELL` px would see it, a pixel off, bicubically enlarged."""
    height, width = alpha.shape
    small = Image.fromarray(np.roll(alpha, 1, axis=1)).resize(
        (round(width / CELL), round(height / CELL)), Image.Resampling.BOX
    )
    return np.clip(np.asarray(small.resize((width, height), Image.Resampling.BICUBIC)), 0, 1)


@pytest.mark.parametrize(
    ("inside", "outside"), [((150, 90, 60), (70, 110, 150)), ((40, 40, 40), (200, 200, 200))], ids=["colour", "grey"]
)
def test_the_outline_follows_the_edges_of_the_picture(
    inside: tuple[int, int, int], outside: tuple[int, int, int]
) -> None:
    alpha = disc()
    coarse = coarsened(alpha)
    refined = refine_outline(painted(alpha, inside, outside), coarse, CELL)
    assert refined.dtype == np.float32
    assert refined.min() >= 0
    assert refined.max() <= 1
    assert np.abs(refined - alpha).sum() < 0.5 * np.abs(coarse - alpha).sum()


def test_strands_that_the_network_only_suspects_are_found() -> None:
    alpha = disc()
    alpha[20:34, 62:64] = 1  # a strand two pixels wide above the disc
    refined = refine_outline(painted(alpha, (40, 25, 15), (190, 200, 210)), coarsened(alpha), CELL)
    assert refined[26:32, 62:64].mean() > 0.7
    assert refined[26:32, 70:72].mean() < 0.1


def test_a_plain_picture_leaves_the_outline_where_the_network_saw_it() -> None:
    coarse = coarsened(disc())
    refined = refine_outline(np.full((128, 128, 3), 90, np.uint8), coarse, CELL)
    seen, kept = coarse > 0.5, refined > 0.5
    assert (seen & kept).sum() / (seen | kept).sum() > 0.97


def test_far_from_the_border_edges_of_the_picture_change_nothing() -> None:
    alpha = disc(256)
    picture = painted(alpha, (150, 90, 60), (70, 110, 150))
    picture[4:12, 4:40] = (150, 90, 60)  # of the person's colour, but nowhere near
    picture[124:132, 124:132] = (70, 110, 150)
    refined = refine_outline(picture, coarsened(alpha), CELL)
    assert refined[:16, :48].max() == 0
    assert refined[124:132, 124:132].min() > 0.95


def test_the_tiles_of_a_large_picture_join_without_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    alpha = disc(150)
    picture, coarse = painted(alpha, (150, 90, 60), (70, 110, 150))[:, :141], coarsened(alpha)[:, :141]
    whole = refine_outline(picture, coarse, CELL)
    monkeypatch.setattr(matting, "_TILE", 32)
    assert np.abs(refine_outline(picture, coarse, CELL) - whole).max() < 1e-5


def test_the_coarse_outline_may_be_smaller_than_the_picture() -> None:
    alpha = disc()
    picture, coarse = painted(alpha, (150, 90, 60), (70, 110, 150)), coarsened(alpha)
    small = np.asarray(Image.fromarray(coarse).resize((32, 32), Image.Resampling.BILINEAR))
    assert np.abs(refine_outline(picture, small, CELL) - refine_outline(picture, coarse, CELL)).mean() < 0.01


def test_tiny_pictures_have_an_outline_too() -> None:
    refined = refine_outline(np.zeros((2, 3, 3), np.uint8), np.ones((2, 3), np.float32), 40.0)
    assert refined.tolist() == [[1, 1, 1], [1, 1, 1]]
