from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.dramatis_lab.train.conftest import HIGH_SIDE, LENGTHS, logged, write_high_latents

from dramatis.models.loading import load_model
from dramatis.models.refiner import DetailRefiner
from dramatis_lab.train.dit import LatentSet
from dramatis_lab.train.refiner import FRAMES, Camera, Studio, draw, judge, main, pulse

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def studio(model_twice: Path, tmp_path_factory: pytest.TempPathFactory) -> Studio:
    return Studio(LatentSet(write_high_latents(tmp_path_factory.mktemp("latents"))), Camera(model_twice, CPU))


@pytest.mark.parametrize("index", range(len(LENGTHS)))
def test_every_row_is_filmed_once_as_long_as_it_is(studio: Studio, index: int) -> None:
    clip, keyframe, side = studio.clip(index), studio.keyframe(index), 8 * HIGH_SIDE
    assert clip.true.shape == clip.made.shape == clip.moved.shape == (4 * LENGTHS[index] - 3, side, side, 3)
    assert keyframe.true.shape == keyframe.made.shape == keyframe.moved.shape == (4, side, side, 3)
    assert clip.made.dtype == keyframe.made.dtype == torch.uint8
    assert clip.made.float().std() > 0
    assert torch.equal(keyframe.true, studio.data.parts["true"][index][[0, 1, 4, 5]])
    assert studio.clip(index) is clip
    assert studio.keyframe(index) is keyframe


@pytest.mark.parametrize(("share", "rows", "frames"), [(0.0, 3, FRAMES), (1.0, 12, 1)])
def test_crops_of_the_three_show_the_same_place_and_time(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, share: float, rows: int, frames: int
) -> None:
    for kind in ("clip", "keyframe"):
        film = getattr(Studio, kind)

        def all_true(self: Studio, index: int, film=film):
            true = film(self, index).true
            return type(film(self, index))(true, true, true)

        monkeypatch.setattr(Studio, kind, all_true)
    true, made, moved = draw(studio, np.random.default_rng(0), 3, 32, share)
    assert true.shape == (rows, 3, frames, 32, 32)
    assert true.min() >= -1
    assert true.max() <= 1
    assert torch.equal(true, made)
    assert torch.equal(true, moved)


def test_an_untrained_refiner_gains_nothing_and_a_perfect_one_much(studio: Studio) -> None:
    plain = judge(DetailRefiner(width=4, dilations=(1,)), studio)
    assert plain["clip_gain"] == pytest.approx(0, abs=1e-4)
    assert plain["key_sharp_before"] == pytest.approx(plain["key_sharp_after"], rel=1e-4)

    class Perfect(torch.nn.Module):
        def forward(self, made: torch.Tensor, moved: torch.Tensor) -> torch.Tensor:
            frames = next(
                filmed.true
                for index in range(len(LENGTHS))
                for filmed in (studio.clip(index), studio.keyframe(index))
                if torch.equal(filmed.moved, self.bytes(moved))
            )
            video = frames.movedim(-1, 0).float().div(127.5).sub(1)
            return video[None] if made.shape[2] > 1 else video.movedim(1, 0).unsqueeze(2)

        @staticmethod
        def bytes(video: torch.Tensor) -> torch.Tensor:
            frames = video.movedim(1, -1).add(1).mul(127.5).round().to(torch.uint8)
            return frames[0] if video.shape[2] > 1 else frames[:, 0]

    perfect = judge(Perfect(), studio)
    assert min(perfect["clip_gain"], perfect["key_gain"]) > 20
    assert perfect["clip_sharp_after"] == pytest.approx(1, rel=1e-3)
    assert perfect["pulse_after"] == pytest.approx(1, rel=1e-3)


def test_a_pulse_is_a_step_between_latent_frames() -> None:
    even = torch.arange(9.0).view(1, 1, 9, 1, 1).expand(1, 3, 9, 4, 4)
    stepped = even + torch.tensor([0, 1, 1, 1, 1, 2, 2, 2, 2]).view(9, 1, 1)
    assert pulse(even) == pytest.approx(1)
    assert pulse(stepped) == pytest.approx(2)


def test_the_whole_loop_resumes_learns_and_writes_weights(
    model_twice: Path, tmp_path: Path, three_steps_a_call
) -> None:
    three_steps_a_call("refiner")
    data, test = write_high_latents(tmp_path / "train"), write_high_latents(tmp_path / "test", seed=1)
    for _ in range(2):
        main(
            data=data, test=test, model=model_twice, run=tmp_path / "run", out=tmp_path / "refiner",
            batch_size=2, side=32, rate=1.0,
        )  # fmt: skip
    rows = [row for row in logged(tmp_path / "run") if "clip_gain" in row]
    assert [row["step"] for row in rows] == [3, 6]
    assert all(np.isfinite(value) for value in rows[1].values())
    refiner = load_model(DetailRefiner, tmp_path / "refiner")
    made = torch.rand(1, 3, 5, 32, 32) * 2 - 1
    assert not torch.equal(refiner(made, made), made), "nothing was learnt"
