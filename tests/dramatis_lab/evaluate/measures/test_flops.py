"""Counted operations of known work."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from dramatis_lab.evaluate.measures.flops import count_flops


def test_matrix_products_and_convolutions_count_two_for_each_multiplication() -> None:
    linear, conv = torch.nn.Linear(8, 16), torch.nn.Conv2d(3, 4, 3, padding=1)
    with torch.no_grad():
        assert count_flops(lambda: linear(torch.ones(5, 8))) == 2 * 5 * 8 * 16
        assert count_flops(lambda: conv(torch.ones(1, 3, 10, 10))) == 2 * 100 * 3 * 9 * 4


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_attention_is_not_free(dtype: torch.dtype) -> None:
    x = torch.ones(1, 2, 64, 16, dtype=dtype)
    with torch.no_grad():
        assert count_flops(lambda: F.scaled_dot_product_attention(x, x, x)) == 2 * (2 * 2 * 64 * 64 * 16)
