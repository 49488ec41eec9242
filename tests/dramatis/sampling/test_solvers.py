"""Solvers on a flow whose solution is known."""

from __future__ import annotations

from itertools import pairwise

import torch

from dramatis.sampling.schedules import shifted_sigmas
from dramatis.sampling.solvers import Euler


def test_euler_is_exact_on_a_straight_flow() -> None:
    clean, noise = torch.randn(2, 1, 4, 2, 2, 2)
    x = noise
    sigmas = shifted_sigmas(3, 5.0)
    for now, then in pairwise(sigmas):
        x = Euler().step(x, noise - clean, float(now), float(then))
    assert torch.allclose(x, clean, atol=1e-5)
