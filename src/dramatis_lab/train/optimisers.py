"""Optimisers that training shares, and the averaged copy of the weights that is measured and shipped."""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import nn

BETAS = (0.9, 0.98)


class WeightAverage:
    """Exponential moving average of a model's weights; what is measured and shipped."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self.decay = decay
        self.state = {
            key: value.detach().float().clone() if value.is_floating_point() else value.detach().clone()
            for key, value in model.state_dict().items()
        }
        self.updates = 0

    @torch.no_grad()
    def update(self, model: nn.Module) -> None:
        """Move the average towards the model; early on it follows more quickly."""
        self.updates += 1
        decay = min(self.decay, self.updates / (self.updates + 10))
        for key, value in model.state_dict().items():
            if value.is_floating_point():
                self.state[key].lerp_(value.float(), 1 - decay)
            else:
                self.state[key].copy_(value)

    def state_dict(self) -> dict[str, Any]:
        return {"updates": self.updates, "state": self.state}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.updates = state["updates"]
        for key, value in state["state"].items():
            self.state[key].copy_(value)


class Optimiser(Protocol):
    """One update of a network's weights from their gradients."""

    def step(self, rate: float) -> None:
        """Clip the gradients, update at this learning rate, clear the gradients."""

    def state_dict(self) -> dict[str, Any]: ...
    def load_state_dict(self, state: dict[str, Any]) -> None: ...


class ClippedAdamW:
    """AdamW for float32 weights, with clipped gradients."""

    def __init__(self, model: nn.Module, rate: float, weight_decay: float, clip: float) -> None:
        self.parameters = list(model.parameters())
        self.clip = clip
        self.inner = torch.optim.AdamW(self.parameters, lr=rate, betas=BETAS, weight_decay=weight_decay)

    def step(self, rate: float) -> None:
        """Clip, update, clear the gradients."""
        set_rate(self.inner, rate)
        nn.utils.clip_grad_norm_(self.parameters, self.clip)
        self.inner.step()
        self.inner.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Any]:
        return self.inner.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.inner.load_state_dict(state)


class MasterAdamW:
    """AdamW on float32 copies of a bf16 model's weights.

    All arithmetic of the network then runs in bf16 without autocast's casts (a quarter of a small model's step on a
    CPU), while updates too small for bf16 still add up.
    """

    def __init__(self, model: nn.Module, rate: float, weight_decay: float, clip: float) -> None:
        self.parameters = [p for p in model.parameters() if p.requires_grad]
        self.masters = [p.detach().float().clone() for p in self.parameters]
        self.clip = clip
        self.inner = torch.optim.AdamW(self.masters, lr=rate, betas=BETAS, weight_decay=weight_decay, fused=True)

    def step(self, rate: float) -> None:
        """Clip, update the copies, write them back; gradients are cleared."""
        set_rate(self.inner, rate)
        for parameter, master in zip(self.parameters, self.masters, strict=True):
            master.grad = None if parameter.grad is None else parameter.grad.float()
            parameter.grad = None
        nn.utils.clip_grad_norm_(self.masters, self.clip)
        self.inner.step()
        with torch.no_grad():
            for parameter, master in zip(self.parameters, self.masters, strict=True):
                parameter.copy_(master)

    def state_dict(self) -> dict[str, Any]:
        return {"masters": self.masters, "inner": self.inner.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        for master, saved in zip(self.masters, state["masters"], strict=True):
            master.copy_(saved)
        self.inner.load_state_dict(state["inner"])


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """One learning rate for all groups."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get("scale", 1.0)
