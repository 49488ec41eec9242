from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model
from dramatis.motion.performance import EMOTION_COLUMNS
from dramatis_lab.data.latents import LatentDataset
from dramatis_lab.data.tasks import LOW_RESOLUTION_TASKS, CascadeTask, drop_conditions, low_resolution_batch
from dramatis_lab.train.dit import (
    DROP_SHARES,
    MOUTH_WINDOW,
    DitWithText,
    perturb_given,
    sample_mouth_windows,
    sample_task_batch,
    train_dit,
)
from dramatis_lab.train.flow import flow_loss, sample_sigmas
from dramatis_lab.train.optimisers import MasterAdamW, WeightAverage
from dramatis_lab.train.run import TrainingRun
from tests.dramatis_lab.samples import LATENT_SIDE, write_latents
from tests.dramatis_lab.train.conftest import logged, recipe


@pytest.fixture(scope="module")
def latents(tmp_path_factory: pytest.TempPathFactory) -> LatentDataset:
    return LatentDataset(write_latents(tmp_path_factory.mktemp("latents")))


def test_a_mouth_window_cuts_everything_alike(latents: LatentDataset) -> None:
    indices = np.array([0, 1, 2])
    mouths = torch.tensor([[6.0, 6.0], [0.0, 0.0], [30.0, 6.0]])
    whole = low_resolution_batch(latents, indices, CascadeTask.FIRST, 4)
    batch = sample_mouth_windows(
        low_resolution_batch(latents, indices, CascadeTask.FIRST, 4), mouths, np.random.default_rng(0)
    )
    assert batch.windowed
    assert not whole.windowed
    assert batch.z.shape == (3, 16, 4, MOUTH_WINDOW, MOUTH_WINDOW)
    assert batch.condition.shape == (3, 20, 4, MOUTH_WINDOW, MOUTH_WINDOW)
    assert batch.maps.shape == (3, 13, 6, MOUTH_WINDOW, MOUTH_WINDOW)
    assert batch.weight.shape == (3, 4, MOUTH_WINDOW, MOUTH_WINDOW)
    corners = {1: (0, 0), 2: (LATENT_SIDE - MOUTH_WINDOW, None)}  # windows stay inside the picture
    for row in range(3):
        places = [
            (x, y)
            for x in range(0, LATENT_SIDE - MOUTH_WINDOW + 1, 2)
            for y in range(0, LATENT_SIDE - MOUTH_WINDOW + 1, 2)
            if torch.equal(whole.z[row, ..., y : y + MOUTH_WINDOW, x : x + MOUTH_WINDOW], batch.z[row])
        ]
        assert len(places) == 1
        x, y = places[0]
        assert torch.equal(whole.maps[row, ..., y : y + MOUTH_WINDOW, x : x + MOUTH_WINDOW], batch.maps[row])
        assert torch.equal(whole.weight[row, ..., y : y + MOUTH_WINDOW, x : x + MOUTH_WINDOW], batch.weight[row])
        wanted = corners.get(row, (None, None))
        assert wanted[0] in (None, x)
        assert wanted[1] in (None, y)


def test_conditions_are_forgotten_in_their_shares(latents: LatentDataset) -> None:
    torch.manual_seed(0)
    indices = np.arange(1000) % 4
    whole = low_resolution_batch(latents, indices[:4], CascadeTask.FIRST, 2)
    names = ("z", "condition", "image", "audio", "controls", "maps", "weight")
    repeated = {name: getattr(whole, name).repeat(250, *[1] * (getattr(whole, name).ndim - 1)) for name in names}
    whole = replace(whole, **repeated, captions=whole.captions * 250)
    stored = latents.stack("controls", indices[:4])
    rng = np.random.default_rng(0)
    batch = perturb_given(drop_conditions(whole, DROP_SHARES, rng), rng)
    silent = (batch.audio == 0).flatten(1).all(1).float().mean()
    unseen = (batch.image == 0).flatten(1).all(1).float().mean()
    numb = (batch.controls[:, :, EMOTION_COLUMNS] == 0).flatten(1).all(1).float().mean()
    mute = np.mean([text == "" for text in batch.captions])
    assert [float(x) for x in (silent, unseen, numb, mute)] == pytest.approx([0.08, 0.05, 0.2, 0.1], abs=0.04)
    others = [i for i in range(26) if not EMOTION_COLUMNS.start <= i < EMOTION_COLUMNS.stop]
    assert torch.equal(batch.controls[:4, :, others], stored[:, 0, :5][..., others])
    clean = low_resolution_batch(latents, indices[:4], CascadeTask.FIRST, 2).condition
    assert torch.equal(batch.condition[:4, :4], clean[:, :4])
    touched = [not torch.equal(batch.condition[i, 4:], clean[i % 4, 4:]) for i in range(1000)]
    assert np.mean(touched) == pytest.approx(0.6, abs=0.06)
    assert torch.equal(latents.stack("controls", indices[:4]), stored)


def test_draws_mix_tasks_lengths_and_windows(latents: LatentDataset) -> None:
    rng = np.random.default_rng(0)
    config = recipe("dit", batch_full=2, batch_window=3)
    batches = [sample_task_batch(latents, rng, 0.3, config) for _ in range(60)]
    assert {batch.task for batch in batches} == set(LOW_RESOLUTION_TASKS)
    assert len({batch.z.shape[2] for batch in batches}) > 4
    for batch in batches:
        assert len(batch.z) == (3 if batch.windowed else 2)
        assert batch.z.shape[-1] == (MOUTH_WINDOW if batch.windowed else LATENT_SIDE)
        assert batch.task is not CascadeTask.GAP or batch.z.shape[2] == 8
    assert 0.5 < np.mean([batch.windowed for batch in batches]) < 0.9


def test_steps_lower_the_loss_and_resume_where_they_stopped(
    latents: LatentDataset, model: Path, tmp_path: Path
) -> None:
    config = recipe("dit", batch_full=2, batch_window=2)

    def parts() -> dict[str, Any]:
        net = DitWithText(model).to(torch.bfloat16).train()
        return {
            "net": net,
            "optimiser": MasterAdamW(net, 1e-2, 0.0, 1.0),
            "average": WeightAverage(net, 0.9),
        }

    def steps(net: DitWithText, optimiser: MasterAdamW, average: WeightAverage, clock: TrainingRun) -> list[float]:
        values = []
        for step in clock.loop():
            torch.manual_seed(step)
            batch = sample_task_batch(latents, np.random.default_rng(step), 0.0, config)
            loss = flow_loss(net.dit, net.text, batch, sample_sigmas(len(batch.z)))
            loss.backward()
            optimiser.step(1e-2)
            average.update(net)
            values.append(float(loss.detach()))
        return values

    whole = parts()
    losses = steps(**whole, clock=TrainingRun(tmp_path / "whole", 10, steps=16))
    assert np.mean(losses[-4:]) < np.mean(losses[:4])

    first, clock = parts(), TrainingRun(tmp_path / "cut", 10, steps=10)
    steps(**first, clock=clock)
    clock.save(**first)
    second, clock = parts(), TrainingRun(tmp_path / "cut", 10, steps=16)
    assert clock.resume(**second)
    assert clock.step == 10
    assert steps(**second, clock=clock) == pytest.approx(losses[10:], rel=1e-3)
    assert clock.step == 16
    assert second["average"].updates == 16


def test_the_whole_loop_judges_and_writes_a_model(model: Path, tmp_path: Path) -> None:
    data, test = write_latents(tmp_path / "train"), write_latents(tmp_path / "test", count=2, seed=1, varied=False)
    for steps in (3, 6):
        train_dit(
            recipe("dit", steps=steps, batch_full=2, batch_window=2, evaluate_minutes=1000.0),
            data=data,
            test=test,
            run=tmp_path / "run",
            autoencoder=model / "autoencoder",
            perception=model / "perception",
            out=tmp_path / "out",
            init=model,
        )
    rows = logged(tmp_path / "run")
    judged = [row for row in rows if "r" in row]
    assert [row["step"] for row in judged] == [3, 6]
    assert -1 <= judged[1]["r"] <= 1
    assert load_model(AudioDiT, tmp_path / "out" / "transformer").config["num_layers"] == 2
