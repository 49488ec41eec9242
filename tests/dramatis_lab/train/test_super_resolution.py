from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model
from dramatis.models.text import TextEncoder
from dramatis_lab.data.latents import LatentDataset
from dramatis_lab.data.tasks import drop_conditions, high_resolution_clips
from dramatis_lab.train import super_resolution
from dramatis_lab.train.flow import flow_loss
from dramatis_lab.train.flow import sample_sigmas as anywhere
from dramatis_lab.train.optimisers import MasterAdamW
from dramatis_lab.train.super_resolution import (
    HIGH_RESOLUTION_DROP_SHARES,
    NEAR_NOISE,
    perturb_given_and_low,
    sample_high_resolution_batch,
    sample_sigmas_near_noise,
    sample_tile,
    train_super_resolution,
    widen_input,
)
from tests.dramatis.models.test_dit import inputs
from tests.dramatis_lab.samples import HIGH_SIDE as SIDE
from tests.dramatis_lab.samples import write_high_latents
from tests.dramatis_lab.train.conftest import logged, recipe
from tests.tiny import tiny_dit

SINGLES, KEPT = 4, 8


@pytest.fixture(autouse=True)
def small_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(super_resolution, "TRAINING_TILE", KEPT)


@pytest.fixture(scope="module")
def latents(tmp_path_factory: pytest.TempPathFactory) -> LatentDataset:
    return LatentDataset(write_high_latents(tmp_path_factory.mktemp("latents")))


def test_a_window_cuts_everything_alike(latents: LatentDataset) -> None:
    whole, corners = high_resolution_clips(latents, np.array([0, 2]), 8), set()
    for seed in range(12):
        batch = sample_tile(high_resolution_clips(latents, np.array([0, 2]), 8), np.random.default_rng(seed))
        assert batch.windowed
        steps = range(0, SIDE - KEPT + 1, 2)
        places = [(y, x) for y in steps for x in steps if torch.equal(whole.z[..., y:, x:][..., :KEPT, :KEPT], batch.z)]
        ((y, x),) = places
        for name in ("condition", "maps", "weight"):
            cut = getattr(whole, name)[..., y : y + KEPT, x : x + KEPT]
            assert torch.equal(getattr(batch, name), cut)
        corners.add((y, x))
    assert len(corners) > 4


def test_forgetting_spoils_given_and_low_frames_apart_and_never_the_mask(latents: LatentDataset) -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    clean = high_resolution_clips(latents, np.array([0, 2] * 50), 8)
    whole = high_resolution_clips(latents, np.array([0, 2] * 50), 8)
    batch = perturb_given_and_low(drop_conditions(whole, HIGH_RESOLUTION_DROP_SHARES, rng), rng)
    difference = (batch.condition - clean.condition)[..., 0, 0].flatten(2).abs().amax(2)
    assert (difference[:, :4] == 0).all()
    given, low = difference[:, 4:20].amax(1), difference[:, 20:].amax(1)
    shares = [(part > 0).float().mean() for part in (given, low)]
    assert shares == pytest.approx([0.6, 0.5], abs=0.12)
    assert ((given > 0) != (low > 0)).any()
    for name in ("audio", "image"):
        gone = (getattr(batch, name) == 0).flatten(1).all(1)
        assert 0 < gone.float().mean() < 0.15
        assert torch.equal(getattr(batch, name)[~gone], getattr(clean, name)[~gone])
    assert 0 < np.mean([text == "" for text in batch.captions]) < 0.25


def test_draws_mix_clips_keyframes_lengths_and_windows(latents: LatentDataset) -> None:
    rng = np.random.default_rng(0)
    batches = [sample_high_resolution_batch(latents, rng, 4) for _ in range(80)]
    assert {batch.z.shape[2] for batch in batches} == {1, 3, 5, 8}
    for batch in batches:
        size = 4 if batch.windowed else 2
        assert len(batch.z) == (size * SINGLES if batch.z.shape[2] == 1 else size)
        assert batch.z.shape[-1] == (KEPT if batch.windowed else SIDE)
    assert 0.1 < np.mean([batch.z.shape[2] == 1 for batch in batches]) < 0.5
    assert 0.6 < np.mean([batch.windowed for batch in batches]) < 0.95


def test_half_of_the_noise_levels_are_near_noise() -> None:
    torch.manual_seed(0)
    levels, others = sample_sigmas_near_noise(4000), anywhere(4000)
    assert levels.shape == (4000,)
    assert levels.min() > 0
    assert levels.max() <= 1
    usual = float((others > NEAR_NOISE).float().mean())
    assert (levels > NEAR_NOISE).float().mean() == pytest.approx(0.5 + 0.5 * usual, abs=0.04)


@torch.no_grad()
def test_a_widened_network_ignores_the_new_channels_at_first() -> None:
    dit, given = tiny_dit(), inputs()
    wide = widen_input(dit, 16).eval()
    assert wide.config["in_channels"] == 52
    low = torch.randn(1, 16, *given["latents"].shape[2:], generator=torch.Generator().manual_seed(2))
    wider = given | {"condition": torch.cat([given["condition"], low], dim=1)}
    assert torch.allclose(wide(**wider), dit(**given), atol=1e-6)
    torch.nn.init.normal_(wide.patch_embedding.weight[:, 36:], std=0.1)
    assert not torch.allclose(wide(**wider), dit(**given), atol=1e-3)


def test_training_learns_to_read_the_low_frames(latents: LatentDataset, model: Path) -> None:
    torch.manual_seed(0)
    dit = widen_input(tiny_dit(), 16).to(torch.bfloat16).train()
    text = load_model(TextEncoder, model / "text_encoder").to(torch.bfloat16)
    optimiser = MasterAdamW(dit, 1e-2, weight_decay=0.0, clip=1.0)
    rng, losses = np.random.default_rng(0), []
    for _ in range(16):
        batch = sample_high_resolution_batch(latents, rng, 2)
        loss = flow_loss(dit, text, batch, sample_sigmas_near_noise(len(batch.z)))
        loss.backward()
        optimiser.step(1e-2)
        losses.append(float(loss.detach()))
    assert np.mean(losses[-4:]) < np.mean(losses[:4])
    assert (dit.patch_embedding.weight[:, 36:] != 0).any()


def test_the_whole_loop_resumes_judges_and_writes_the_upscaler(model: Path, tmp_path: Path) -> None:
    data, test = write_high_latents(tmp_path / "train"), write_high_latents(tmp_path / "test", seed=1)
    for steps in (3, 6):
        train_super_resolution(
            recipe("super_resolution", steps=steps, batch_size=2, evaluate_minutes=1000.0),
            data=data,
            test=test,
            model=model,
            run=tmp_path / "run",
            out=tmp_path / "upscaler",
        )
    judged = [row for row in logged(tmp_path / "run") if "clip_gain" in row]
    assert [row["step"] for row in judged] == [3, 6]
    figures = {f"{kind}_{name}" for kind in ("clip", "key") for name in ("gain", "sharp", "soft")}
    assert figures <= set(judged[1])
    assert all(np.isfinite(judged[1][name]) for name in figures)
    assert load_model(AudioDiT, tmp_path / "upscaler").config["in_channels"] == 52
