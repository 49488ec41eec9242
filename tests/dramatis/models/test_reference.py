from __future__ import annotations

import torch

from dramatis.models.reference import reference_tokens


def test_tokens_carry_content_and_place() -> None:
    latents = torch.randn(2, 16, 6, 8)
    tokens = reference_tokens(latents)
    assert tokens.shape == (2, 12, 96)
    assert torch.equal(tokens[0, :, 64:], tokens[1, :, 64:])
    places = tokens[0, :, 64:]
    assert len({tuple(row.tolist()) for row in places.round(decimals=4)}) == 12
    assert torch.equal(tokens[0, 0, :16], latents[0, :, 0, 0])
