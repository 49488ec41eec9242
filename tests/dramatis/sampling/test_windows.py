"""Windows: everybody's place is taken from their own, and one window is the network itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from dramatis.sampling.windows import PersonWindows
from tests.dramatis.models.test_dit import inputs, pair
from tests.dramatis.sampling.test_tiles import places
from tests.tiny import tiny_dit


class Stub:
    """A network that answers with `answer(latents, masks, maps)` and shows it as its hidden states."""

    dtype = torch.float32
    is_cache_enabled = False

    def __init__(self, answer: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        self.answer = answer

    def __call__(
        self,
        latents: Tensor,
        *_: object,
        masks: Tensor,
        maps: Tensor,
        on_block: Callable[[int, Tensor], None] | None = None,
        **__: object,
    ) -> Tensor:
        out = self.answer(latents, masks, maps)
        if on_block is not None:
            on_block(3, out[..., ::2, ::2].permute(0, 2, 3, 4, 1).flatten(2, 3))
        return out


def shared(width: int, border: int, sure: float = 1.0) -> Tensor:
    """Gates (1, 2, 3, 4, width / 2) of one person left and one right of a column of tokens."""
    left = torch.full((3, 4, width // 2), 1 - sure)
    left[..., :border] = sure
    return torch.stack([left, 1 - left])[None]


def clip(width: int) -> dict[str, Any]:
    given = pair(inputs())
    cells = {"latents": torch.randn(1, 16, 3, 8, width), "condition": torch.randn(1, 20, 3, 8, width)}
    return {**given, **cells, "masks": shared(width, width // 4)}


@torch.no_grad()
def test_windows_that_show_everything_are_the_network_itself() -> None:
    dit, given = tiny_dit(), clip(8)
    windows = PersonWindows(dit, ((0, 8), (0, 8)), given["maps"].repeat(2, 1, 1, 1, 1))
    seen: dict[int, Tensor] = {}
    wanted: dict[int, Tensor] = {}
    out = windows(**given, on_block=seen.__setitem__)
    assert torch.allclose(out, dit(**given, on_block=wanted.__setitem__), atol=1e-5)
    assert seen.keys() == wanted.keys()
    assert len(seen) > 1
    assert all(torch.allclose(seen[block], wanted[block], atol=1e-4) for block in seen)
    assert windows.dtype == dit.dtype


def test_a_place_is_taken_from_the_window_of_whose_it_is() -> None:
    given = clip(20)
    maps = torch.stack([torch.full((9, 6, 8, 20), float(person)) for person in (1, 2)])
    network = Stub(lambda latents, _, maps: torch.full_like(latents, float(maps.mean())))
    seen: dict[int, Tensor] = {}
    out = PersonWindows(network, ((0, 14), (6, 20)), maps)(**given, on_block=seen.__setitem__)  # type: ignore[arg-type]
    assert (out[..., :6] == 1).all(), "what one window alone shows"
    assert (out[..., 14:] == 2).all(), "what one window alone shows"
    assert torch.allclose(out[..., 6:10], torch.tensor(1.0), atol=0.01)
    assert torch.allclose(out[..., 10:14], torch.tensor(2.0), atol=0.01)
    tokens = seen[3].unflatten(2, (4, 10)).permute(0, 4, 1, 2, 3)
    assert torch.allclose(tokens, out[..., ::2, ::2]), "tokens are joined as velocities are"


def test_where_nobody_is_sure_windows_fade_into_each_other() -> None:
    given = clip(20) | {"masks": shared(20, 5, sure=0.5)}
    maps = torch.stack([torch.full((9, 6, 8, 20), float(person)) for person in (0, 1)])
    network = Stub(lambda latents, _, maps: torch.full_like(latents, float(maps.mean())))
    row = PersonWindows(network, ((0, 14), (6, 20)), maps)(**given)[0, 0, 0, 0]  # type: ignore[arg-type]
    assert (row[6::2].diff()[:4] > 0).all()
    assert torch.allclose(row[6:14] + row[6:14].reshape(4, 2).flip(0).flatten(), torch.tensor(1.0), atol=1e-5)


def test_everything_that_has_a_place_is_cut_there() -> None:
    grid = places(8, 16)
    seen: list[float] = []

    def look(latents: Tensor, masks: Tensor, maps: Tensor) -> Tensor:
        assert torch.equal(masks[0, 0, 0], latents[0, 1, 0, ::2, ::2])
        assert torch.equal(maps[0, 0, 0], latents[0, 1, 0] + 100 * len(seen))
        seen.append(float(latents[0, 1, 0, 0, 0]))
        return latents

    column = grid[0, 1, 0]
    tokens = column[::2, ::2].expand(1, 2, 1, 4, 8)
    maps = torch.stack([column.expand(1, 6, 8, 16), column.expand(1, 6, 8, 16) + 100])
    given = clip(16) | {"latents": grid, "condition": grid, "masks": tokens}
    out = PersonWindows(Stub(look), ((0, 10), (4, 16)), maps)(**given)  # type: ignore[arg-type]
    assert seen == [0, 4]
    assert torch.allclose(out, grid, atol=1e-5)


@pytest.mark.parametrize("spans", [((0, 7), (7, 16)), ((0, 16),)])
def test_windows_that_do_not_fit_are_our_own_mistake(spans: tuple[tuple[int, int], ...]) -> None:
    with pytest.raises(AssertionError, match="window"):
        PersonWindows(tiny_dit(), spans, torch.zeros(2, 9, 6, 8, 16))


def test_windows_that_leave_a_gap_are_our_own_mistake() -> None:
    windows = PersonWindows(tiny_dit(), ((0, 6), (10, 16)), torch.zeros(2, 9, 6, 8, 16))
    with pytest.raises(AssertionError, match="cover"):
        windows(**clip(16))
