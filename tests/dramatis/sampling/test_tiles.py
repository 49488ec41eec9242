"""Tiles: where they lie, and that a picture made of them is what one call of the network would give."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from dramatis.models.shapes import TOKEN_CELLS
from dramatis.sampling import tiles
from dramatis.sampling.tiles import TiledDiT, tile_starts
from tests.dramatis.models.test_dit import inputs
from tests.tiny import tiny_dit

EVEN = st.integers(1, 40).map(lambda half: TOKEN_CELLS * half)


class Stub:
    """A network that answers with `answer(latents, condition, masks, maps)`."""

    dtype = torch.float32
    is_cache_enabled = False

    def __init__(self, answer: Callable[..., Tensor]) -> None:
        self.answer = answer

    def __call__(
        self,
        latents: Tensor,
        condition: Tensor,
        *_: object,
        masks: Tensor | None = None,
        maps: Tensor | None = None,
        **__: object,
    ) -> Tensor:
        return self.answer(latents, condition, masks, maps)


def places(height: int, width: int) -> Tensor:
    """(1, 2, 1, height, width): the row and the column of every cell."""
    return torch.stack(torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij"))[None, :, None].float()


@given(length=EVEN, side=EVEN, share=st.floats(0, 0.99))
def test_tiles_cover_everything_and_share_what_they_should(length: int, side: int, share: float) -> None:
    overlap = TOKEN_CELLS * int(share * side / TOKEN_CELLS)
    starts = tile_starts(length, side, overlap)
    assert all(start % TOKEN_CELLS == 0 for start in starts)
    assert starts[0] == 0
    assert (starts == [0]) == (length <= side)
    if length > side:
        assert starts[-1] + side == length
        assert all(0 < b - a <= side - overlap for a, b in pairwise(starts))


@pytest.mark.parametrize(("side", "overlap"), [(8, 8), (8, 10), (8, 3), (7, 2)])
def test_tiles_that_do_not_advance_by_tokens_are_our_own_mistake(side: int, overlap: int) -> None:
    with pytest.raises(AssertionError, match="tiles"):
        TiledDiT(tiny_dit(), side, overlap)


@torch.no_grad()
@pytest.mark.parametrize("side", [8, 12])
def test_one_tile_is_the_network_itself(side: int) -> None:
    dit, given = tiny_dit(), inputs()
    assert torch.allclose(TiledDiT(dit, side, 2)(**given), dit(**given), atol=1e-6)
    assert TiledDiT(dit, side, 2).dtype == dit.dtype


@pytest.mark.parametrize(("side", "overlap"), [(4, 0), (4, 2), (8, 6), (10, 4), (20, 2)])
def test_what_a_local_network_makes_does_not_depend_on_the_tiles(side: int, overlap: int) -> None:
    """Weights add up to one everywhere, corners included."""
    given = inputs() | {"latents": torch.randn(2, 16, 3, 14, 18, generator=torch.Generator().manual_seed(0))}
    given |= {"condition": torch.zeros(2, 20, 3, 14, 18), "maps": None}
    local = Stub(lambda latents, *_: latents.sin())
    tiled = TiledDiT(local, side, overlap)  # type: ignore[arg-type]
    assert torch.allclose(tiled(**given), given["latents"].sin(), atol=1e-6)


def test_two_tiles_that_disagree_fade_into_each_other() -> None:
    given = inputs() | {"latents": places(8, 12), "maps": None}
    network = Stub(lambda latents, *_: torch.full_like(latents, float(latents[0, 1].min())))
    out = TiledDiT(network, 8, 4)(**given)  # type: ignore[arg-type]
    assert (out == out[..., :1, :]).all()
    row = out[0, 0, 0, 0]
    assert row[:4].tolist() == [0] * 4
    assert row[8:].tolist() == [4] * 4
    assert (row[3:9].diff() > 0).all()
    assert torch.allclose(row[4:8] + row[4:8].flip(0), torch.tensor(4.0))


@torch.no_grad()
def test_tiles_need_no_order(monkeypatch: pytest.MonkeyPatch) -> None:
    tiled, given = TiledDiT(tiny_dit(), 4, 2), inputs()
    forward = tiled(**given)
    monkeypatch.setattr(tiles, "tile_starts", lambda *sizes: tile_starts(*sizes)[::-1])
    assert torch.allclose(tiled(**given), forward, atol=1e-5)
    assert not torch.allclose(tiny_dit()(**given), forward, atol=1e-2)


def test_everything_that_has_a_place_is_cut_there() -> None:
    seen = []

    def look(latents: Tensor, condition: Tensor, masks: Tensor, maps: Tensor) -> Tensor:
        assert torch.equal(condition, latents)
        assert torch.equal(maps, latents)
        assert torch.equal(masks[0, :, 0], latents[0, :, 0, ::TOKEN_CELLS, ::TOKEN_CELLS] / TOKEN_CELLS)
        seen.append(latents[0, :, 0, 0, 0].tolist())
        return latents

    grid, tokens = places(12, 8), places(6, 4)
    tiled = TiledDiT(Stub(look), 6, 2)  # type: ignore[arg-type]
    tiled(**inputs() | {"latents": grid, "condition": grid, "masks": tokens, "maps": grid})
    assert sorted(seen) == [[y, x] for y in (0, 2, 6) for x in (0, 2)]
