"""Noise schedules for flow matching: sigma 1 is pure noise, sigma 0 the clean latent; timestep = 1000 sigma."""

from __future__ import annotations

import torch
from torch import Tensor


def shifted_sigmas(steps: int, shift: float) -> Tensor:
    """(steps + 1,) descending sigmas from 1 to 0, evenly spaced and then shifted towards noise.

    shift s maps sigma to s sigma / (1 + (s - 1) sigma) (Esser et al. 2024, equation 23); larger pictures want a larger
    shift, since neighbouring pixels average noise away.
    """
    assert steps >= 1 and shift > 0
    even = torch.linspace(1.0, 0.0, steps + 1, dtype=torch.float64)
    return (shift * even / (1.0 + (shift - 1.0) * even)).to(torch.float32)
