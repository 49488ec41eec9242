from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.dramatis.models.test_dit import inputs
from tests.dramatis_lab.train.conftest import HIGH_SIDE as SIDE
from tests.dramatis_lab.train.conftest import logged, write_high_latents
from tests.tiny import tiny_dit

from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model
from dramatis.models.reference import reference_tokens
from dramatis.models.text import TextEncoder
from dramatis_lab.train import super_resolution
from dramatis_lab.train.common import MasterAdamW
from dramatis_lab.train.dit import LatentSet, flow_loss
from dramatis_lab.train.dit import noise_levels as anywhere
from dramatis_lab.train.super_resolution import (
    NEAR_NOISE,
    clips,
    draw,
    forget,
    keyframes,
    main,
    noise_levels,
    widened,
    window,
)

SINGLES, KEPT = 4, 8


@pytest.fixture(autouse=True)
def small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(super_resolution, "WINDOW", KEPT)


@pytest.fixture(scope="module")
def latents(tmp_path_factory: pytest.TempPathFactory) -> LatentSet:
    return LatentSet(write_high_latents(tmp_path_factory.mktemp("latents")))


@pytest.mark.parametrize(("rows", "frames"), [([0, 2], 8), ([1], 5)])
def test_a_sub_clip_is_conditioned_on_mask_given_ends_and_low_frames(
    latents: LatentSet, rows: list[int], frames: int
) -> None:
    indices = np.array(rows)
    batch = clips(latents, indices, frames)
    count = 4 * frames - 3
    assert batch.condition.shape == (len(rows), 36, frames, SIDE, SIDE)
    mask = batch.condition[:, :4]
    assert (mask[:, :, 0] == 1).all()
    assert (mask[:, :, 1:-1] == 0).all()
    assert mask[0, :, -1, 0, 0].tolist() == [0, 0, 0, 1]
    for place, name in ((slice(4, 20), "both"), (slice(20, 36), "low")):
        assert torch.equal(batch.condition[:, place], latents.stack(name, indices)[:, :, :frames])
    assert torch.equal(batch.z, latents.stack("z", indices)[:, :, :frames])
    assert batch.audio.shape == (len(rows), 1, count, 12)
    assert batch.controls.shape == (len(rows), count, 26)
    assert batch.maps.shape == (len(rows), count, 6, SIDE, SIDE)
    assert batch.weight.shape == (len(rows), frames, SIDE, SIDE)
    assert torch.equal(batch.image, reference_tokens(latents.stack("reference", indices)))
    assert batch.captions == [f"shot {row}" for row in rows]
    with pytest.raises(AssertionError, match="another length"):
        clips(latents, np.array([3]), frames)


def test_keyframes_are_given_nothing_and_read_their_own_moment(latents: LatentSet) -> None:
    indices = np.array([3, 0])
    batch = keyframes(latents, indices)
    assert batch.condition.shape == (2 * SINGLES, 36, 1, SIDE, SIDE)
    assert (batch.condition[:, :4] == 0).all()
    for number in range(2 * SINGLES):
        row, single = divmod(number, SINGLES)
        frame = (0, 1, 4, 5)[single]
        index = indices[row : row + 1]

        def stored(name: str, index: np.ndarray = index) -> torch.Tensor:
            return latents.stack(name, index)[0]

        assert torch.equal(batch.z[number, :, 0], stored("key_z")[single])
        assert torch.equal(batch.condition[number, 4:20, 0], stored("key_fill")[single])
        assert torch.equal(batch.condition[number, 20:, 0], stored("key_low")[single])
        assert torch.equal(batch.audio[number, 0, 0], stored("audio")[frame])
        assert torch.equal(batch.controls[number, 0], stored("controls")[frame])
        assert torch.equal(batch.maps[number, 0], stored("maps")[frame])
        assert torch.equal(batch.weight[number, 0], stored("weight")[(0, 1, 1, 2)[single]])
        assert torch.equal(batch.image[number : number + 1], reference_tokens(stored("reference")[None]))
        assert batch.captions[number] == f"shot {index[0]}"


def test_a_window_cuts_everything_alike(latents: LatentSet) -> None:
    whole, corners = clips(latents, np.array([0, 2]), 8), set()
    for seed in range(12):
        batch = window(clips(latents, np.array([0, 2]), 8), np.random.default_rng(seed))
        assert batch.windowed
        steps = range(0, SIDE - KEPT + 1, 2)
        places = [(y, x) for y in steps for x in steps if torch.equal(whole.z[..., y:, x:][..., :KEPT, :KEPT], batch.z)]
        ((y, x),) = places
        for name in ("condition", "maps", "weight"):
            cut = getattr(whole, name)[..., y : y + KEPT, x : x + KEPT]
            assert torch.equal(getattr(batch, name), cut)
        corners.add((y, x))
    assert len(corners) > 4


def test_forgetting_spoils_given_and_low_frames_apart_and_never_the_mask(latents: LatentSet) -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    clean = clips(latents, np.array([0, 2] * 50), 8)
    batch = forget(clips(latents, np.array([0, 2] * 50), 8), rng)
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


def test_draws_mix_clips_keyframes_lengths_and_windows(latents: LatentSet) -> None:
    rng = np.random.default_rng(0)
    batches = [draw(latents, rng, 4) for _ in range(80)]
    assert {batch.z.shape[2] for batch in batches} == {1, 3, 5, 8}
    for batch in batches:
        size = 4 if batch.windowed else 2
        assert len(batch.z) == (size * SINGLES if batch.z.shape[2] == 1 else size)
        assert batch.z.shape[-1] == (KEPT if batch.windowed else SIDE)
    assert 0.1 < np.mean([batch.z.shape[2] == 1 for batch in batches]) < 0.5
    assert 0.6 < np.mean([batch.windowed for batch in batches]) < 0.95


def test_half_of_the_noise_levels_are_near_noise() -> None:
    torch.manual_seed(0)
    levels, others = noise_levels(4000), anywhere(4000)
    assert levels.shape == (4000,)
    assert levels.min() > 0
    assert levels.max() <= 1
    usual = float((others > NEAR_NOISE).float().mean())
    assert (levels > NEAR_NOISE).float().mean() == pytest.approx(0.5 + 0.5 * usual, abs=0.04)


@torch.no_grad()
def test_a_widened_network_ignores_the_new_channels_at_first() -> None:
    dit, given = tiny_dit(), inputs()
    wide = widened(dit, 16).eval()
    assert wide.config["in_channels"] == 52
    low = torch.randn(1, 16, *given["latents"].shape[2:], generator=torch.Generator().manual_seed(2))
    wider = given | {"condition": torch.cat([given["condition"], low], dim=1)}
    assert torch.allclose(wide(**wider), dit(**given), atol=1e-6)
    torch.nn.init.normal_(wide.patch_embedding.weight[:, 36:], std=0.1)
    assert not torch.allclose(wide(**wider), dit(**given), atol=1e-3)


def test_training_learns_to_read_the_low_frames(latents: LatentSet, model: Path) -> None:
    torch.manual_seed(0)
    dit = widened(tiny_dit(), 16).to(torch.bfloat16).train()
    text = load_model(TextEncoder, model / "text_encoder").to(torch.bfloat16)
    optimiser = MasterAdamW(dit, 1e-2, weight_decay=0.0, clip=1.0)
    rng, losses = np.random.default_rng(0), []
    for _ in range(16):
        batch = draw(latents, rng, 2)
        loss = flow_loss(dit, text, batch, noise_levels(len(batch.z)))
        loss.backward()
        optimiser.step(1e-2)
        losses.append(float(loss.detach()))
    assert np.mean(losses[-4:]) < np.mean(losses[:4])
    assert (dit.patch_embedding.weight[:, 36:] != 0).any()


def test_the_whole_loop_resumes_judges_and_writes_the_upscaler(model: Path, tmp_path: Path, three_steps_a_call) -> None:
    three_steps_a_call("super_resolution")
    data, test = write_high_latents(tmp_path / "train"), write_high_latents(tmp_path / "test", seed=1)
    for _ in range(2):
        main(
            data=data,
            test=test,
            model=model,
            run=tmp_path / "run",
            out=tmp_path / "upscaler",
            batch_size=2,
            judge_every=1000.0,
        )
    judged = [row for row in logged(tmp_path / "run") if "clip_gain" in row]
    assert [row["step"] for row in judged] == [3, 6]
    figures = {f"{kind}_{name}" for kind in ("clip", "key") for name in ("gain", "sharp", "soft")}
    assert figures <= set(judged[1])
    assert all(np.isfinite(judged[1][name]) for name in figures)
    assert load_model(AudioDiT, tmp_path / "upscaler").config["in_channels"] == 52
