from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from dramatis_lab.train.config import TrainConfig
from dramatis_lab.train.loop import StepLoss, fit, warmup_cosine
from dramatis_lab.train.run import TrainingRun
from tests.dramatis_lab.train.conftest import logged

CONFIG = TrainConfig(minutes=10, rate=0.01, weight_decay=0.0, warmup_steps=1, clip=1.0, report_every=2)


class Growing:
    """A dataset that gets one sample more at every refresh."""

    def __init__(self) -> None:
        self.size = 1

    def __len__(self) -> int:
        return self.size

    def refresh(self) -> None:
        self.size += 1


def small_net(dtype: torch.dtype = torch.float32) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 3)).to(dtype)


def noisy_loss(net: nn.Module, seen: list[Tensor] | None = None) -> StepLoss:
    """A loss on what both generators draw; what torch's drew goes to `seen`."""

    def step_loss(rng: np.random.Generator) -> tuple[str, Tensor]:
        noise = torch.randn(4, 6)
        if seen is not None:
            seen.append(noise)
        batch = noise + torch.from_numpy(rng.normal(size=(4, 6)).astype(np.float32))
        return "loss", net(batch.to(next(net.parameters()).dtype)).float().square().mean()

    return step_loss


def nothing(net: nn.Module) -> dict[str, float]:
    return {"judged": 1.0}


def test_the_rate_warms_up_then_cools_down() -> None:
    assert warmup_cosine(0.0) == 0.01
    assert warmup_cosine(0.02) == pytest.approx(1.0)
    assert warmup_cosine(1.0) == pytest.approx(0.02)
    falling = [warmup_cosine(0.02 + 0.0098 * step) for step in range(100)]
    assert all(a > b for a, b in pairwise(falling))


def test_reports_tell_losses_and_samples_and_take_in_new_data(tmp_path: Path) -> None:
    net, data = small_net(), Growing()
    fit(net, TrainingRun(tmp_path, 10, steps=5), CONFIG, noisy_loss(net), nothing, data)
    reports = [row for row in logged(tmp_path) if "loss" in row]
    assert [(row["step"], row["samples"]) for row in reports] == [(2, 1), (4, 2)]
    assert [row["step"] for row in logged(tmp_path) if "judged" in row] == [5]


def test_evaluations_come_by_steps_or_by_the_clock(tmp_path: Path) -> None:
    by_steps = CONFIG.model_copy(update={"evaluate_every": 3})
    by_clock = CONFIG.model_copy(update={"evaluate_minutes": 4.0})
    for name, config, wanted in (("steps", by_steps, [3, 6, 7]), ("clock", by_clock, [3, 6, 7])):
        net = small_net()
        # Seven steps share ten minutes, so that three of them are the first to take more than four.
        fit(net, TrainingRun(tmp_path / name, 10, steps=7), config, noisy_loss(net), nothing)
        assert [row["step"] for row in logged(tmp_path / name) if "judged" in row] == wanted


def test_the_average_is_shipped_and_the_network_moves_on(tmp_path: Path) -> None:
    net = small_net()
    shipped = fit(net, TrainingRun(tmp_path, 10, steps=4), CONFIG, noisy_loss(net), nothing)
    assert not shipped.training
    assert not torch.equal(shipped.get_parameter("0.weight"), net.get_parameter("0.weight"))
    assert not torch.equal(shipped.get_parameter("0.weight"), small_net().get_parameter("0.weight"))


def test_an_outlier_changes_nothing(tmp_path: Path) -> None:
    net = small_net()
    before = {name: value.clone() for name, value in net.state_dict().items()}

    def broken(rng: np.random.Generator) -> tuple[str, Tensor]:
        return "loss", net(torch.full((1, 6), torch.nan)).sum()

    fit(net, TrainingRun(tmp_path, 10, steps=3), CONFIG, broken, nothing)
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_resumed_run_goes_on_with_other_noise(tmp_path: Path, dtype: torch.dtype) -> None:
    seen: list[Tensor] = []
    for steps in (3, 6):
        net = small_net(dtype)
        torch.manual_seed(0)
        fit(net, TrainingRun(tmp_path, 10, steps=steps), CONFIG, noisy_loss(net, seen), nothing)
    assert [row["step"] for row in logged(tmp_path) if "judged" in row] == [3, 6]
    assert not torch.equal(seen[0], seen[3]), "not the noise of the first call once more"
    saved = torch.load(tmp_path / "state.pt", weights_only=True)
    assert all(torch.equal(value, saved["net"][name]) for name, value in net.state_dict().items())
    assert saved["average"]["updates"] == 6
    assert ("masters" in saved["optimiser"]) == (dtype == torch.bfloat16)
