"""What tiles and windows share: slices of tokens and blending weights."""

from __future__ import annotations

import pytest
import torch

from dramatis.models.placement.device import reuse_steps
from dramatis.sampling.parts import blend_weights, token_slice
from dramatis.sampling.tiles import TiledDiT
from tests.dramatis.models.test_dit import inputs
from tests.tiny import tiny_dit


def test_tokens_are_two_cells_a_side() -> None:
    assert token_slice(slice(4, 10)) == slice(2, 5)


def test_weights_rise_evenly_to_the_middle_and_are_never_zero() -> None:
    assert blend_weights(4).tolist() == [0.5, 1.5, 1.5, 0.5]
    assert blend_weights(5).tolist() == [0.5, 1.5, 2.5, 1.5, 0.5]


@torch.no_grad()
def test_a_network_that_reuses_steps_is_not_called_in_parts() -> None:
    dit = tiny_dit()
    tiled = TiledDiT(dit, 8, 2)
    tiled(**inputs())
    reuse_steps(dit, 0.1)
    with pytest.raises(AssertionError, match="another part's step"):
        tiled(**inputs())
