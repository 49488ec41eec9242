from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tests.dramatis_lab.train.conftest import logged

from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model
from dramatis.motion.performance import EMOTION_COLUMNS
from dramatis_lab.train.common import Average, MasterAdamW, Run
from dramatis_lab.train.dit import (
    TASKS,
    WINDOW,
    LatentSet,
    Learner,
    conditioned,
    draw,
    flow_loss,
    forget,
    main,
    mouth_window,
    noise_levels,
)

SIDE = 12
CPU = torch.device("cpu")
# Which of eight latent frames the task gives, in whole or in part.
GIVEN = {"first": [0], "first_last": [0, 7], "gap": [0, 1, 7], "blueprint": [0], "blueprint_last": [0, 7]}


LENGTHS_OF = (8, 5, 8, 2, 8, 8)
GAP_ROW = 5


def write_latents(folder: Path, count: int = 6, seed: int = 0, varied: bool = True) -> Path:
    """Random latents in the format of `dramatis_lab.train.latents`."""
    folder.mkdir(parents=True, exist_ok=True)
    generator = torch.Generator().manual_seed(seed)

    def noise(*shape: int) -> torch.Tensor:
        return torch.randn(count, *shape, generator=generator).half()

    tensors = {
        "z": noise(2, 16, 8, SIDE, SIDE),
        "first": noise(2, 16, 8, SIDE, SIDE),
        "both": noise(2, 16, 8, SIDE, SIDE),
        "reference": noise(16, SIDE, SIDE),
        "audio": noise(2, 2, 29, 12),
        "controls": noise(2, 29, 26),
        "maps": noise(2, 29, 6, SIDE, SIDE),
        "weight": noise(2, 8, SIDE, SIDE).abs() + 1,
        "mouth": torch.full((count, 2, 2), SIDE / 2).half(),
    }
    rows = [
        {"caption": f"shot {i}", "whole_caption": f"whole {i}", "people": 1, "damage": None}
        | {"lengths": [LENGTHS_OF[i] if varied else 8, 8], "gap": varied and i == GAP_ROW}
        for i in range(count)
    ]
    save_file(tensors, folder / "shard-00000.safetensors", metadata={"rows": json.dumps(rows)})
    return folder


@pytest.fixture(scope="module")
def latents(tmp_path_factory: pytest.TempPathFactory) -> LatentSet:
    return LatentSet(write_latents(tmp_path_factory.mktemp("latents")))


@pytest.mark.parametrize("task", TASKS)
def test_a_task_is_a_mask_pattern(latents: LatentSet, task: str) -> None:
    indices = np.array([GAP_ROW, GAP_ROW]) if task == "gap" else np.array([2, 0])
    batch = conditioned(latents, indices, task, 8)
    clip = int(task.startswith("blueprint"))
    assert batch.z.shape == (2, 16, 8, SIDE, SIDE)
    assert batch.condition.shape == (2, 20, 8, SIDE, SIDE)
    assert batch.audio.shape == (2, 1, 29, 12)
    assert batch.controls.shape == (2, 29, 26)
    assert batch.maps.shape == (2, 29, 6, SIDE, SIDE)
    assert batch.captions == [("whole" if clip else "shot") + f" {i}" for i in indices]
    mask = batch.condition[:, :4]
    assert [t for t in range(8) if mask[:, :, t].any()] == GIVEN[task]
    assert (mask[:, :, 0] == 1).all()
    filled = "first" if task in ("first", "blueprint") else "both"
    assert torch.equal(batch.condition[:, 4:], latents.stack(filled, indices)[:, clip])
    last = {"first": 0, "blueprint": 0, "first_last": 1, "blueprint_last": 1, "gap": 4}[task]
    assert mask[:, :, 7].sum((1, 2, 3)).tolist() == [SIDE**2 * last] * 2


@pytest.mark.parametrize(("row", "frames"), [(3, 2), (1, 5)])
def test_shorter_clips_end_at_their_own_last_frame(latents: LatentSet, row: int, frames: int) -> None:
    indices = np.array([row])
    batch = conditioned(latents, indices, "first_last", frames)
    assert batch.z.shape[2] == batch.weight.shape[1] == frames
    assert batch.maps.shape[1] == batch.controls.shape[1] == batch.audio.shape[2] == 4 * frames - 3
    assert torch.equal(batch.condition[:, 4:], latents.stack("both", indices)[:, 0, :, :frames])
    assert batch.condition[0, :4, -1, 0, 0].tolist() == [0, 0, 0, 1]


def test_rows_are_grouped_by_the_length_of_their_clip(latents: LatentSet) -> None:
    assert latents.groups("first") is None
    assert latents.groups("first_last") == {8: [0, 2, 4], 5: [1], 2: [3]}
    assert latents.groups("gap") == {8: [GAP_ROW]}
    assert latents.groups("blueprint_last") == {8: list(range(6))}


def test_a_mouth_window_cuts_everything_alike(latents: LatentSet) -> None:
    indices = np.array([0, 1, 2])
    mouths = torch.tensor([[6.0, 6.0], [0.0, 0.0], [30.0, 6.0]])
    whole = conditioned(latents, indices, "first", 4)
    batch = mouth_window(conditioned(latents, indices, "first", 4), mouths, np.random.default_rng(0))
    assert batch.windowed
    assert not whole.windowed
    assert batch.z.shape == (3, 16, 4, WINDOW, WINDOW)
    assert batch.condition.shape == (3, 20, 4, WINDOW, WINDOW)
    assert batch.maps.shape == (3, 13, 6, WINDOW, WINDOW)
    assert batch.weight.shape == (3, 4, WINDOW, WINDOW)
    corners = {1: (0, 0), 2: (SIDE - WINDOW, None)}  # windows stay inside the picture
    for row in range(3):
        places = [
            (x, y)
            for x in range(0, SIDE - WINDOW + 1, 2)
            for y in range(0, SIDE - WINDOW + 1, 2)
            if torch.equal(whole.z[row, ..., y : y + WINDOW, x : x + WINDOW], batch.z[row])
        ]
        assert len(places) == 1
        x, y = places[0]
        assert torch.equal(whole.maps[row, ..., y : y + WINDOW, x : x + WINDOW], batch.maps[row])
        assert torch.equal(whole.weight[row, ..., y : y + WINDOW, x : x + WINDOW], batch.weight[row])
        wanted = corners.get(row, (None, None))
        assert wanted[0] in (None, x)
        assert wanted[1] in (None, y)


def test_conditions_are_forgotten_in_their_shares(latents: LatentSet) -> None:
    torch.manual_seed(0)
    indices = np.arange(1000) % 4
    whole = conditioned(latents, indices[:4], "first", 2)
    for name in ("z", "condition", "image", "audio", "controls", "maps", "weight"):
        value = getattr(whole, name)
        setattr(whole, name, value.repeat(250, *[1] * (value.ndim - 1)))
    whole.captions = whole.captions * 250
    stored = latents.stack("controls", indices[:4])
    batch = forget(whole, np.random.default_rng(0))
    silent = (batch.audio == 0).flatten(1).all(1).float().mean()
    unseen = (batch.image == 0).flatten(1).all(1).float().mean()
    numb = (batch.controls[:, :, EMOTION_COLUMNS] == 0).flatten(1).all(1).float().mean()
    mute = np.mean([text == "" for text in batch.captions])
    assert [float(x) for x in (silent, unseen, numb, mute)] == pytest.approx([0.08, 0.05, 0.2, 0.1], abs=0.04)
    others = [i for i in range(26) if not EMOTION_COLUMNS.start <= i < EMOTION_COLUMNS.stop]
    assert torch.equal(batch.controls[:4, :, others], stored[:, 0, :5][..., others])
    clean = conditioned(latents, indices[:4], "first", 2).condition
    assert torch.equal(batch.condition[:4, :4], clean[:, :4])
    touched = [not torch.equal(batch.condition[i, 4:], clean[i % 4, 4:]) for i in range(1000)]
    assert np.mean(touched) == pytest.approx(0.6, abs=0.06)
    assert torch.equal(latents.stack("controls", indices[:4]), stored)


def test_draws_mix_tasks_lengths_and_windows(latents: LatentSet) -> None:
    rng = np.random.default_rng(0)
    seen = [draw(latents, rng, 0.3, 2, 3) for _ in range(60)]
    assert {task for _, task in seen} == set(TASKS)
    assert len({batch.z.shape[2] for batch, _ in seen}) > 4
    for batch, task in seen:
        assert len(batch.z) == (3 if batch.windowed else 2)
        assert batch.z.shape[-1] == (WINDOW if batch.windowed else SIDE)
        assert task != "gap" or batch.z.shape[2] == 8
    assert 0.5 < np.mean([batch.windowed for batch, _ in seen]) < 0.9


def test_steps_lower_the_loss_and_resume_where_they_stopped(latents: LatentSet, model: Path, tmp_path: Path) -> None:
    def parts() -> dict[str, object]:
        learner = Learner(model).to(torch.bfloat16).train()
        return {"learner": learner, "optimiser": MasterAdamW(learner, 1e-2, 0.0, 1.0), "average": Average(learner, 0.9)}

    def steps(learner: Learner, optimiser: MasterAdamW, average: Average, clock: Run) -> list[float]:
        values = []
        for step in clock.loop():
            torch.manual_seed(step)
            batch, _ = draw(latents, np.random.default_rng(step), 0.0, 2, 2)
            loss = flow_loss(learner.dit, learner.text, batch, noise_levels(len(batch.z)))
            loss.backward()
            optimiser.step(1e-2)
            average.update(learner)
            values.append(float(loss.detach()))
        return values

    whole = parts()
    losses = steps(**whole, clock=Run(tmp_path / "whole", 10, steps=16))
    assert np.mean(losses[-4:]) < np.mean(losses[:4])

    first, clock = parts(), Run(tmp_path / "cut", 10, steps=10)
    steps(**first, clock=clock)
    clock.save(**first)
    second, clock = parts(), Run(tmp_path / "cut", 10, steps=16)
    assert clock.resume(**second)
    assert clock.step == 10
    assert steps(**second, clock=clock) == pytest.approx(losses[10:], rel=1e-3)
    assert clock.step == 16
    assert second["average"].updates == 16


def test_the_whole_loop_judges_and_writes_a_model(model: Path, tmp_path: Path, three_steps_a_call) -> None:
    three_steps_a_call("dit")
    data, test = write_latents(tmp_path / "train"), write_latents(tmp_path / "test", count=2, seed=1, varied=False)
    for _ in range(2):
        main(
            data=data,
            test=test,
            run=tmp_path / "run",
            autoencoder=model / "autoencoder",
            perception=model / "perception",
            out=tmp_path / "out",
            init=model,
            batch_full=2,
            batch_window=2,
            judge_every=1000.0,
        )
    rows = logged(tmp_path / "run")
    judged = [row for row in rows if "r" in row]
    assert [row["step"] for row in judged] == [3, 6]
    assert -1 <= judged[1]["r"] <= 1
    assert load_model(AudioDiT, tmp_path / "out" / "transformer").config["num_layers"] == 2
