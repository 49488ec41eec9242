"""Noise schedules for flow matching: sigma 1 is pure noise, sigma 0 the clean latent; timestep = 1000 sigma."""

from __future__ import annotations

import torch
from torch import Tensor


def shifted_sigmas(steps: int, shift: float) -> Tensor:
    """(steps + 1,) descending sigmas from 1 to 0, evenly spaced and then shifted towards noise.

    shift s maps sigma to s sigma / (1 + (s - 1) sigma) (Esser et al. 2024, equation 23); larger pictures need a larger
    shift, since neighbouring pixels average noise away.
    """
    assert steps >= 1, "a schedule has steps"
    assert shift > 0, "sigmas keep their order"
    return _shifted(torch.linspace(1.0, 0.0, steps + 1, dtype=torch.float64), shift)


def multitalk_sigmas(steps: int, shift: float) -> Tensor:
    """(steps + 1,) descending sigmas of the public MultiTalk family: even from 1 to 1/1000 in `steps` points, then 0.

    Its pipelines run with shift 7 at 480p, 11 at 720p, and 2 with a few-step LoRA. Their solver adds the negated output
    times a falling time to the latent, so the networks predict our velocity, noise - clean, and `Euler` takes it as it
    is.
    """
    assert steps >= 1, "a schedule has steps"
    assert shift > 0, "sigmas keep their order"
    even = torch.linspace(1.0, 0.001, steps, dtype=torch.float64)
    return _shifted(torch.cat([even, even.new_zeros(1)]), shift)


def truncate_sigmas(sigmas: Tensor, strength: float) -> Tensor:
    """The part of a schedule that refines an existing clip: `strength`, then every sigma below it; at 1 the whole.

    Few-step schedules have no sigma near most strengths, so this one begins between two.
    """
    assert 0 < strength <= 1, "strength is a sigma"
    assert sigmas[0] == 1, "the schedule is whole"
    return torch.cat([sigmas.new_tensor([strength]), sigmas[sigmas < strength]])


def _shifted(even: Tensor, shift: float) -> Tensor:
    return (shift * even / (1.0 + (shift - 1.0) * even)).to(torch.float32)
