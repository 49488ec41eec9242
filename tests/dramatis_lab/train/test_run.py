from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from dramatis_lab.train import run
from dramatis_lab.train.optimisers import MasterAdamW, WeightAverage
from dramatis_lab.train.run import TrainingRun


def small_net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 3))


def parts_of(net: nn.Module) -> dict[str, Any]:
    return {"net": net, "optimiser": MasterAdamW(net, 0.01, 0.0, 1.0), "average": WeightAverage(net, 0.9)}


def train(net: nn.Module, optimiser: MasterAdamW, average: WeightAverage, clock: TrainingRun) -> None:
    for step in clock.loop():
        batch = torch.randn(4, 6, generator=torch.Generator().manual_seed(step))
        net(batch).square().mean().backward()
        optimiser.step(0.01)
        average.update(net)


def stopped_time(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock, in seconds, that only the test moves."""
    now = [100.0]
    monkeypatch.setattr(run, "time", SimpleNamespace(monotonic=lambda: now[0]))
    return now


def test_a_resumed_run_equals_an_undisturbed_one(tmp_path: Path) -> None:
    whole = parts_of(small_net())
    train(**whole, clock=TrainingRun(tmp_path / "whole", 10, steps=7))

    first = parts_of(small_net())
    clock = TrainingRun(tmp_path / "cut", 10, steps=3)
    assert not clock.resume(**first)
    train(**first, clock=clock)
    clock.save(**first)

    second = parts_of(nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 3)))
    clock = TrainingRun(tmp_path / "cut", 10, steps=7)
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
    clock = TrainingRun(tmp_path, minutes=1.0, save_every=25.0, _started=now[0], _saved=now[0])
    taken = 0
    for _ in clock.loop():
        taken += 1
        now[0] += 10.0
        assert clock.due() == (taken >= 3)
    assert taken == clock.step == 6
    assert clock.progress() == 1.0
    clock.save()
    assert not clock.due()

    later = TrainingRun(tmp_path, minutes=1.0, steps=8, _started=now[0])
    later.resume()
    assert later.progress() == 6 / 8
    assert list(later.loop()) == [7, 8]


def test_the_log_counts_time_over_resumed_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = stopped_time(monkeypatch)
    for _ in range(2):
        clock = TrainingRun(tmp_path, minutes=1.0, _started=now[0])
        clock.resume()
        clock.step += 5
        now[0] += 30.0
        clock.save()
        clock.log(loss=0.123456789)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert rows == [{"step": 5, "seconds": 30.0, "loss": 0.12346}, {"step": 10, "seconds": 60.0, "loss": 0.12346}]


def test_a_strange_loss_is_an_outlier_and_a_slow_rise_is_not(tmp_path: Path) -> None:
    clock = TrainingRun(tmp_path, 1.0)
    assert clock.outlier(torch.tensor(float("nan")))
    assert not any(clock.outlier(torch.tensor(1.0 + 0.05 * i)) for i in range(60))
    assert clock.outlier(torch.tensor(100.0))
    assert clock.outlier(torch.tensor(float("inf")))
    assert not clock.outlier(torch.tensor(5.0))


@pytest.mark.parametrize("former", ["learner", "dit"])
def test_checkpoints_with_former_names_resume(tmp_path: Path, former: str) -> None:
    old = parts_of(small_net())
    clock = TrainingRun(tmp_path, 10, steps=3)
    train(**old, clock=clock)
    clock.save(**{former: old["net"], "optimiser": old["optimiser"], "average": old["average"]})
    resumed = parts_of(nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 3)))
    assert TrainingRun(tmp_path, 10).resume(**resumed)
    for name, value in old["net"].state_dict().items():
        assert torch.equal(value, resumed["net"].state_dict()[name])
