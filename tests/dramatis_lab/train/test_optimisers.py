from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from dramatis_lab.train.optimisers import MasterAdamW, WeightAverage, set_rate


def small_net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 3))


def test_the_average_follows_quickly_first_and_slowly_later() -> None:
    net = nn.BatchNorm1d(2)
    average = WeightAverage(net, 0.99)
    with torch.no_grad():
        net.weight.fill_(2.0)
        net.get_buffer("num_batches_tracked").fill_(9)
    average.update(net)
    assert torch.allclose(average.state["weight"], torch.full((2,), 2.0 - 1 / 11))
    assert average.state["num_batches_tracked"] == 9
    for _ in range(300):
        average.update(net)
    assert torch.allclose(average.state["weight"], torch.full((2,), 2.0), atol=1e-3)
    average.update(net)
    assert average.state["weight"].dtype == torch.float32


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_master_weights_are_adamw_in_float32(dtype: torch.dtype) -> None:
    net, plain = small_net().to(dtype), small_net()
    optimiser = MasterAdamW(net, 1e-3, weight_decay=0.1, clip=1.0)
    reference = torch.optim.AdamW(plain.parameters(), lr=1e-3, betas=(0.9, 0.98), weight_decay=0.1)
    with torch.no_grad():
        for master, parameter in zip(optimiser.masters, plain.parameters(), strict=True):
            parameter.copy_(master)
    for step in range(20):
        generator = torch.Generator().manual_seed(step)
        for ours, theirs in zip(net.parameters(), plain.parameters(), strict=True):
            ours.grad = torch.randn(ours.shape, generator=generator).to(dtype)
            theirs.grad = ours.grad.float()
        nn.utils.clip_grad_norm_(plain.parameters(), 1.0)
        reference.step()
        optimiser.step(1e-3)
        assert all(parameter.grad is None for parameter in net.parameters())
    for ours, master, theirs in zip(net.parameters(), optimiser.masters, plain.parameters(), strict=True):
        assert torch.allclose(master, theirs, atol=1e-6)
        assert torch.equal(ours, master.to(dtype))
        assert torch.allclose(ours.float(), theirs, rtol=2**-8, atol=1e-6)


def test_updates_too_small_for_bf16_still_add_up() -> None:
    net = nn.Linear(1, 1, bias=False).to(torch.bfloat16)
    with torch.no_grad():
        net.weight.fill_(1.0)
    optimiser = MasterAdamW(net, 1e-4, weight_decay=0.0, clip=1.0)
    for _ in range(200):
        net.weight.grad = torch.ones_like(net.weight)
        optimiser.step(1e-4)
    assert net.weight.item() == pytest.approx(0.98, abs=2**-8)


def test_one_rate_for_all_groups_in_proportion() -> None:
    net = small_net()
    first, last = net.get_submodule("0"), net.get_submodule("2")
    groups: list[dict[str, Any]] = [{"params": first.parameters()}, {"params": last.parameters(), "scale": 0.1}]
    optimiser = torch.optim.AdamW(groups, lr=1.0)
    set_rate(optimiser, 0.5)
    assert [group["lr"] for group in optimiser.param_groups] == [0.5, pytest.approx(0.05)]
