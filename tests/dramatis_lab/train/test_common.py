from __future__ import annotations

import json
import math
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from dramatis_lab.train import common
from dramatis_lab.train.common import Average, MasterAdamW, Run, cosine, psnr, set_rate


def small_net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 3))


def parts_of(net: nn.Module) -> dict[str, object]:
    return {"net": net, "optimiser": MasterAdamW(net, 0.01, 0.0, 1.0), "average": Average(net, 0.9)}


def train(net: nn.Module, optimiser: MasterAdamW, average: Average, clock: Run) -> None:
    for step in clock.loop():
        batch = torch.randn(4, 6, generator=torch.Generator().manual_seed(step))
        net(batch).square().mean().backward()
        optimiser.step(0.01)
        average.update(net)


def stopped_time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock, in seconds, that only the test moves."""
    now = [100.0]
    monkeypatch.setattr(common, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_a_resumed_run_equals_an_undisturbed_one(tmp_path: Path) -> None:
    whole = parts_of(small_net())
    train(**whole, clock=Run(tmp_path / "whole", 10, steps=7))

    first = parts_of(small_net())
    clock = Run(tmp_path / "cut", 10, steps=3)
    assert not clock.resume(**first)
    train(**first, clock=clock)
    clock.save(**first)

    second = parts_of(nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 3)))
    clock = Run(tmp_path / "cut", 10, steps=7)
    assert clock.resume(**second)
    assert clock.step == 3
    train(**second, clock=clock)
    assert clock.step == 7
    for (name, a), b in zip(whole["net"].state_dict().items(), second["net"].state_dict().values(), strict=True):
        assert torch.equal(a, b), name
    assert second["average"].updates == 7
    assert all(torch.equal(whole["average"].state[key], second["average"].state[key]) for key in whole["average"].state)


def test_the_clock_ends_by_time_or_by_steps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = stopped_time(monkeypatch)
    clock = Run(tmp_path, minutes=1.0, save_every=25.0, _started=now[0], _saved=now[0])
    taken = 0
    for _ in clock.loop():
        taken += 1
        now[0] += 10.0
        assert clock.due() == (taken >= 3)
    assert taken == clock.step == 6
    assert clock.progress() == 1.0
    clock.save()
    assert not clock.due()

    later = Run(tmp_path, minutes=1.0, steps=8, _started=now[0])
    later.resume()
    assert later.progress() == 6 / 8
    assert list(later.loop()) == [7, 8]


def test_the_log_counts_time_over_resumed_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = stopped_time(monkeypatch)
    for _ in range(2):
        clock = Run(tmp_path, minutes=1.0, _started=now[0])
        clock.resume()
        clock.step += 5
        now[0] += 30.0
        clock.save()
        clock.log(loss=0.123456789)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows == [{"step": 5, "seconds": 30.0, "loss": 0.12346}, {"step": 10, "seconds": 60.0, "loss": 0.12346}]


def test_the_average_follows_quickly_first_and_slowly_later() -> None:
    net = nn.BatchNorm1d(2)
    average = Average(net, 0.99)
    with torch.no_grad():
        net.weight.fill_(2.0)
        net.num_batches_tracked.fill_(9)
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


def test_the_rate_warms_up_then_cools_down() -> None:
    assert cosine(0.0) == 0.01
    assert cosine(0.02) == pytest.approx(1.0)
    assert cosine(1.0) == pytest.approx(0.02)
    falling = [cosine(0.02 + 0.0098 * step) for step in range(100)]
    assert all(a > b for a, b in pairwise(falling))


def test_one_rate_for_all_groups_in_proportion() -> None:
    net = small_net()
    groups = [{"params": net[0].parameters()}, {"params": net[2].parameters(), "scale": 0.1}]
    optimiser = torch.optim.AdamW(groups, lr=1.0)
    set_rate(optimiser, 0.5)
    assert [group["lr"] for group in optimiser.param_groups] == [0.5, pytest.approx(0.05)]


def test_psnr_of_a_known_error_and_of_chosen_pixels() -> None:
    true = torch.zeros(1, 3, 2, 4, 4)
    seen = true + 0.2
    assert psnr(seen, true) == pytest.approx(-10 * math.log10(0.01))
    where = torch.zeros(1, 1, 2, 4, 4)
    where[..., 0] = 1
    seen[..., 1:] = 1.0
    assert psnr(seen, true, where) == pytest.approx(20.0, abs=1e-4)
    assert psnr(true, true) == pytest.approx(100.0)


def test_a_strange_loss_is_an_outlier_and_a_slow_rise_is_not(tmp_path: Path) -> None:
    clock = Run(tmp_path, 1.0)
    assert clock.outlier(torch.tensor(float("nan")))
    assert not any(clock.outlier(torch.tensor(1.0 + 0.05 * i)) for i in range(60))
    assert clock.outlier(torch.tensor(100.0))
    assert clock.outlier(torch.tensor(float("inf")))
    assert not clock.outlier(torch.tensor(5.0))
