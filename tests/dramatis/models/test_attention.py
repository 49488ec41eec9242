"""Attention with and without the dispatcher, and the rotation of queries and keys."""

from __future__ import annotations

import torch

from dramatis.models.attention import attend, rotate
from dramatis.models.binding import rotary_angles


def test_training_on_a_cpu_computes_the_same_attention() -> None:
    query, key, value = torch.randn(3, 2, 7, 4, 8, generator=torch.Generator().manual_seed(0)).unbind(0)
    fused = attend(query, key, value)
    assert torch.allclose(attend(query.clone().requires_grad_(), key, value), fused, atol=1e-6)
    assert fused.shape == query.shape


def test_a_mask_hides_keys() -> None:
    query, key, value = torch.randn(3, 1, 5, 2, 4, generator=torch.Generator().manual_seed(1)).unbind(0)
    mask = torch.tensor([True, True, True, False, False]).view(1, 1, 1, 5)
    assert torch.allclose(attend(query, key, value, mask), attend(query, key[:, :3], value[:, :3]), atol=1e-6)


def test_rotated_products_depend_on_the_distance_alone() -> None:
    query, key = torch.randn(2, 1, 1, 1, 8, generator=torch.Generator().manual_seed(2)).unbind(0)

    def product(query_at: float, key_at: float) -> torch.Tensor:
        rotated = []
        for x, position in ((query, query_at), (key, key_at)):
            cos, sin = rotary_angles(torch.tensor([position]), 8)
            rotated.append(rotate(x, (cos.view(1, 1, 1, 8), sin.view(1, 1, 1, 8))))
        return (rotated[0] * rotated[1]).sum()

    assert torch.allclose(product(3.0, 1.0), product(12.0, 10.0), atol=1e-5)
    assert not torch.allclose(product(3.0, 1.0), product(3.0, 2.0), atol=1e-3)
