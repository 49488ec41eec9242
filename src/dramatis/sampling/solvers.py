"""One step of an ODE solver along the flow; a new solver is a new small class with the same method."""

from __future__ import annotations

from typing import Protocol

from torch import Tensor


class Solver(Protocol):
    """Moves a latent from one sigma to the next, given the predicted velocity (noise - clean)."""

    def step(self, x: Tensor, velocity: Tensor, sigma: float, sigma_next: float) -> Tensor:
        """All tensors (B, C, T, h, w); sigma_next < sigma."""
        ...


class Euler:
    """First order: x + (sigma_next - sigma) velocity."""

    def step(self, x: Tensor, velocity: Tensor, sigma: float, sigma_next: float) -> Tensor:
        return x + (sigma_next - sigma) * velocity
