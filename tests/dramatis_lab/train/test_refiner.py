from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from dramatis.models.loading import load_model
from dramatis.models.refiner import DetailRefiner
from dramatis_lab.data.latents import LatentDataset
from dramatis_lab.train.refiner import (
    CROP_FRAMES,
    EnlargedDataset,
    FrozenUpscaler,
    evaluate_refiner,
    latent_pulse,
    sample_refiner_crops,
    train_refiner,
)
from tests.dramatis_lab.samples import HIGH_SIDE, LENGTHS, write_high_latents
from tests.dramatis_lab.train.conftest import logged, recipe

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def enlarged_rows(model_twice: Path, tmp_path_factory: pytest.TempPathFactory) -> EnlargedDataset:
    return EnlargedDataset(
        LatentDataset(write_high_latents(tmp_path_factory.mktemp("latents"))), FrozenUpscaler(model_twice, CPU)
    )


@pytest.mark.parametrize("index", range(len(LENGTHS)))
def test_every_row_is_enlarged_once_as_long_as_it_is(enlarged_rows: EnlargedDataset, index: int) -> None:
    clip, keyframe, side = enlarged_rows.clip(index), enlarged_rows.keyframe(index), 8 * HIGH_SIDE
    assert clip.true.shape == clip.enlarged.shape == clip.moved.shape == (4 * LENGTHS[index] - 3, side, side, 3)
    assert keyframe.true.shape == keyframe.enlarged.shape == keyframe.moved.shape == (4, side, side, 3)
    assert clip.enlarged.dtype == keyframe.enlarged.dtype == torch.uint8
    assert clip.enlarged.float().std() > 0
    assert torch.equal(keyframe.true, enlarged_rows.data.tensors["true"][index][[0, 1, 4, 5]])
    assert enlarged_rows.clip(index) is clip
    assert enlarged_rows.keyframe(index) is keyframe


@pytest.mark.parametrize(("share", "rows", "frames"), [(0.0, 3, CROP_FRAMES), (1.0, 12, 1)])
def test_crops_of_the_three_show_the_same_place_and_time(
    enlarged_rows: EnlargedDataset, monkeypatch: pytest.MonkeyPatch, share: float, rows: int, frames: int
) -> None:
    for kind in ("clip", "keyframe"):
        enlarge = getattr(EnlargedDataset, kind)

        def all_true(self: EnlargedDataset, index: int, enlarge: Callable[..., Any] = enlarge) -> Any:
            true = enlarge(self, index).true
            return type(enlarge(self, index))(true, true, true)

        monkeypatch.setattr(EnlargedDataset, kind, all_true)
    config = recipe("refiner", batch_size=3, side=32, keyframe_share=share)
    true, enlarged, moved = sample_refiner_crops(enlarged_rows, np.random.default_rng(0), config)
    assert true.shape == (rows, 3, frames, 32, 32)
    assert true.min() >= -1
    assert true.max() <= 1
    assert torch.equal(true, enlarged)
    assert torch.equal(true, moved)


def test_an_untrained_refiner_gains_nothing_and_a_perfect_one_much(enlarged_rows: EnlargedDataset) -> None:
    plain = evaluate_refiner(DetailRefiner(width=4, dilations=(1,)), enlarged_rows)
    assert plain["clip_gain"] == pytest.approx(0, abs=1e-4)
    assert plain["key_sharp_before"] == pytest.approx(plain["key_sharp_after"], rel=1e-4)

    class Perfect(torch.nn.Module):
        def forward(self, enlarged: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
            frames = next(
                clip.true
                for index in range(len(LENGTHS))
                for clip in (enlarged_rows.clip(index), enlarged_rows.keyframe(index))
                if torch.equal(clip.moved, self.bytes(moved))
            )
            video = frames.movedim(-1, 0).float().div(127.5).sub(1)
            return video[None] if enlarged.shape[2] > 1 else video.movedim(1, 0).unsqueeze(2)

        @staticmethod
        def bytes(video: torch.Tensor) -> torch.Tensor:
            frames = video.movedim(1, -1).add(1).mul(127.5).round().to(torch.uint8)
            return frames[0] if video.shape[2] > 1 else frames[:, 0]

    perfect = evaluate_refiner(Perfect(), enlarged_rows)  # type: ignore[arg-type]
    assert min(perfect["clip_gain"], perfect["key_gain"]) > 20
    assert perfect["clip_sharp_after"] == pytest.approx(1, rel=1e-3)
    assert perfect["pulse_after"] == pytest.approx(1, rel=1e-3)


def test_a_pulse_is_a_step_between_latent_frames() -> None:
    even = torch.arange(9.0).view(1, 1, 9, 1, 1).expand(1, 3, 9, 4, 4)
    stepped = even + torch.tensor([0, 1, 1, 1, 1, 2, 2, 2, 2]).view(9, 1, 1)
    assert latent_pulse(even) == pytest.approx(1)
    assert latent_pulse(stepped) == pytest.approx(2)


def test_the_whole_loop_resumes_learns_and_writes_weights(model_twice: Path, tmp_path: Path) -> None:
    data, test = write_high_latents(tmp_path / "train"), write_high_latents(tmp_path / "test", seed=1)
    for steps in (3, 6):
        config = recipe("refiner", steps=steps, batch_size=2, side=32, rate=1.0)
        folders = {"run": tmp_path / "run", "out": tmp_path / "refiner"}
        train_refiner(config, data=data, test=test, model=model_twice, **folders)
    rows = [row for row in logged(tmp_path / "run") if "clip_gain" in row]
    assert [row["step"] for row in rows] == [3, 6]
    assert all(np.isfinite(value) for value in rows[1].values())
    refiner = load_model(DetailRefiner, tmp_path / "refiner")
    made = torch.rand(1, 3, 5, 32, 32) * 2 - 1
    assert not torch.equal(refiner(made, made), made), "nothing was learnt"
