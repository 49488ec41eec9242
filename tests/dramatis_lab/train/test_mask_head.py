from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model, save_model
from dramatis.models.mask_head import Identities, MaskHead, token_centres
from dramatis_lab.data.group_clips import GroupClip, GroupClipDataset
from dramatis_lab.train.mask_head import (
    EVALUATED_SIGMAS,
    BackboneFeatures,
    FeaturePool,
    FrozenBackbone,
    MaskHeads,
    TokenSample,
    mask_overlaps,
    ownership_loss,
    ownership_targets,
    sample_gates,
    sample_sigma,
    train_mask_head,
)
from tests.dramatis_lab.train.conftest import logged, recipe
from tests.tiny import write_model

ROWS, COLUMNS = 4, 8
CPU = torch.device("cpu")


def write_groups(folder: Path, people: int, count: int = 3, seed: int = 0) -> Path:
    """Random latents in the format of `data.precompute_groups`; people stand side by side, before some background."""
    folder.mkdir()
    generator = torch.Generator().manual_seed(seed)
    owner = torch.arange(COLUMNS) * people // COLUMNS
    for k in range(count):
        row = {"caption": "some people", "whole_caption": "some people", "people": people, "close": bool(k % 2)}
        clips: dict[str, torch.Tensor] = {}
        for number, length in enumerate((2 + k % 2, 3)):
            frames = 4 * length - 3

            def noise(*shape: int) -> torch.Tensor:
                return torch.randn(shape, generator=generator).half()

            masks = (owner == torch.arange(people)[:, None]).half()[:, None, None].repeat(1, length, ROWS, 1)
            masks[:, :, 0] = 0
            tensors = {
                "z": noise(16, length, ROWS, COLUMNS),
                "given": noise(16, length, ROWS, COLUMNS),
                "reference": noise(16, ROWS, COLUMNS),
                "crops": noise(people, 16, 4, 4),
                "squares": torch.rand(people, 3, generator=generator).half() + 0.1,
                "audio": noise(people, frames, 12),
                "controls": noise(people, frames, 26),
                "maps": noise(people, frames, 6, ROWS, COLUMNS),
                "shares": torch.full((people, length, ROWS // 2, COLUMNS // 2), 1 / people).half(),
                "masks": masks,
                "spans": torch.tensor([[0, COLUMNS]] * people).half(),
                "tail": torch.tensor(float(k % 2)).half(),
            }
            clips |= {f"{number}.{name}": value for name, value in tensors.items()}
        save_file(clips, folder / f"shard-{k:05d}-000.safetensors", metadata={"row": json.dumps(row)})
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    root = tmp_path_factory.mktemp("groups")
    return [write_groups(root / f"of{people}", people, seed=people) for people in (2, 3)]


def test_not_one_backbone_tensor_changes(model: Path, folders: list[Path]) -> None:
    backbone = FrozenBackbone(model, CPU)
    networks = (backbone.dit, backbone.text)
    before = [{name: value.clone() for name, value in net.state_dict().items()} for net in networks]
    torch.manual_seed(0)
    heads, pool, rng = (
        MaskHeads(32, [0, 1]),
        FeaturePool(backbone, GroupClipDataset(folders), [0, 1]),
        np.random.default_rng(0),
    )
    started = {name: value.clone() for name, value in heads.state_dict().items()}
    optimiser = torch.optim.AdamW(heads.parameters(), lr=1e-2)
    for _ in range(4):
        pool.add(rng)
        ownership_loss(heads, pool.sample(rng, 2)).backward()
        optimiser.step()
    for net, state in zip(networks, before, strict=True):
        assert not any(parameter.requires_grad or parameter.grad is not None for parameter in net.parameters())
        assert all(torch.equal(value, state[name]) for name, value in net.state_dict().items())
    assert all(not torch.equal(value, started[name]) for name, value in heads.state_dict().items())


def test_looks_depend_on_noise_gates_and_block(model: Path, folders: list[Path]) -> None:
    backbone, clip = FrozenBackbone(model, CPU), GroupClipDataset(folders).clips[0]
    gates = torch.zeros(1, 2, 2, ROWS // 2, COLUMNS // 2)
    gates[:, 0] = 1
    look = backbone.compute(clip, 0.5, gates, [0, 1], seed=0)
    assert set(look.tokens) == {0, 1}
    assert look.tokens[0].shape == (1, 2, ROWS * COLUMNS // 4, 32)
    assert look.identities.tokens.shape == (1, 2, 4, 32)
    assert look.masks.shape == (1, 2, 2, ROWS, COLUMNS)
    others = [
        backbone.compute(clip, 0.5, gates, [0, 1], seed=1),
        backbone.compute(clip, 0.9, gates, [0, 1], seed=0),
        backbone.compute(clip, 0.5, gates.flip(1), [0, 1], seed=0),
    ]
    for other in others:
        assert not torch.allclose(other.tokens[1], look.tokens[1])
    assert torch.equal(backbone.compute(clip, 0.5, gates, [1], seed=0).tokens[1], look.tokens[1])


def test_looks_are_those_of_jobs_at_everybody_in_their_window(model: Path, folders: list[Path], tmp_path: Path) -> None:
    row, tensors = GroupClipDataset(folders).clips[0]
    gates = tensors["shares"].float()[None]
    whole = FrozenBackbone(model, CPU).compute(GroupClip(row, tensors), 0.5, gates, [1], seed=0)
    half = torch.tensor([[0, COLUMNS // 2], [COLUMNS // 2, COLUMNS]]).half()
    windows = FrozenBackbone(model, CPU).compute(GroupClip(row, tensors | {"spans": half}), 0.5, gates, [1], seed=0)
    left, right = (look.tokens[1].unflatten(2, (ROWS // 2, COLUMNS // 2)) for look in (whole, windows))
    assert left.shape == right.shape
    assert not torch.allclose(left, right)
    layer = load_model(AudioDiT, model / "transformer").get_parameter("blocks.0.attn1.to_v.weight")
    generator = torch.Generator().manual_seed(0)
    lora = {"A": torch.randn(2, layer.shape[1], generator=generator), "B": torch.randn(layer.shape[0], 2)}
    save_file(
        {f"blocks.0.attn1.to_v.lora_{half}.weight": value for half, value in lora.items()},
        tmp_path / "lora.safetensors",
    )
    adapted = FrozenBackbone(model, CPU, tmp_path / "lora.safetensors").compute(
        GroupClip(row, tensors), 0.5, gates, [1], seed=0
    )
    assert not torch.allclose(adapted.tokens[1], whole.tokens[1])
    assert torch.equal(adapted.identities.tokens, whole.identities.tokens)


def test_gates_are_shared_out_among_people() -> None:
    rng = np.random.default_rng(0)
    shares = torch.rand(3, 2, 4, 6)
    shares = shares / shares.sum(0)
    masks = torch.zeros(3, 2, 8, 12)
    masks[1, :, 2:, 4:] = 1
    drawn = [sample_gates(shares, masks, rng) for _ in range(40)]
    for gates in drawn:
        assert gates.shape == (1, 3, 2, 4, 6)
        assert gates.min() >= 0
        assert torch.allclose(gates.sum(1), torch.ones(()), atol=1e-5)
    assert any(torch.allclose(gates[0], shares, atol=1e-5) for gates in drawn)
    assert any((gates[0, 1, :, 1:, 2:] > 0.99).all() for gates in drawn)


def test_noise_levels_reach_both_ends() -> None:
    rng = np.random.default_rng(0)
    levels = np.array([sample_sigma(rng) for _ in range(400)])
    assert levels.min() >= 0
    assert levels.max() <= 1
    assert 0.15 < (levels > 0.9).mean() < 0.45
    assert 0.1 < (levels < 0.1).mean() < 0.35


def test_overlap_of_right_swapped_and_missing_masks() -> None:
    masks = torch.zeros(1, 3, 1, 2, 6)
    masks[0, 0, ..., :2] = 1
    masks[0, 1, ..., 2:5] = 1  # the third is not seen
    truth = ownership_targets(masks)
    assert torch.equal(truth.sum(1), torch.ones(1, 1, 2, 6))
    assert mask_overlaps(truth, masks) == [1.0, 1.0]
    assert mask_overlaps(truth[:, [0, 2, 1, 3]], masks) == [0.0, 0.0]
    less = truth.clone()
    less[0, :, 0, :, 4] = torch.tensor([1.0, 0, 0, 0]).view(4, 1)
    assert mask_overlaps(less, masks) == pytest.approx([1.0, 2 / 3])


def drawn_looks(rng: np.random.Generator, people: int = 2) -> BackboneFeatures:
    """Tokens that say whose they are as plainly as can be: by the mean of that person's identity."""
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    identities = torch.randn(1, people, 1, 32, generator=generator).expand(-1, -1, 4, -1)
    owner = torch.randint(0, people + 1, (2, ROWS * COLUMNS // 4), generator=generator)
    looks = torch.cat([torch.zeros(1, 32), identities[0, :, 0]])
    tokens = looks[owner] + 0.1 * torch.randn(2, ROWS * COLUMNS // 4, 32, generator=generator)
    grid = owner.view(2, ROWS // 2, COLUMNS // 2).repeat_interleave(2, 1).repeat_interleave(2, 2)
    masks = (grid == torch.arange(1, people + 1).view(-1, 1, 1, 1)).float()
    return BackboneFeatures({0: tokens[None]}, Identities(identities, torch.ones(1, people, 3)), masks[None])


def test_people_never_seen_are_told_apart_in_any_number() -> None:
    torch.manual_seed(0)
    rng, heads = np.random.default_rng(0), MaskHeads(32, [0])
    optimiser = torch.optim.AdamW(heads.parameters(), lr=3e-3)
    for _ in range(150):
        optimiser.zero_grad()
        ownership_loss(
            heads, TokenSample.concatenate([drawn_looks(rng).sample_tokens(rng, 16) for _ in range(8)])
        ).backward()
        optimiser.step()
    for people in (2, 3):
        looks = drawn_looks(rng, people)
        assert np.mean(mask_overlaps(heads.logits(looks)[0], looks.masks)) > 0.8


def test_some_tokens_keep_their_places_and_owners() -> None:
    rng = np.random.default_rng(0)
    looks = drawn_looks(rng)
    some = looks.sample_tokens(rng, 50)
    places = token_centres(looks.grid, CPU).tolist()
    flat = looks.tokens[0].flatten(1, 2)
    for place in range(50):
        number = int((flat[0] == some.tokens[0][0, place]).all(1).nonzero())
        frame, token = divmod(number, len(places))
        assert some.positions[0, place].tolist() == pytest.approx(places[token])
        row, column = divmod(token, looks.grid[1])
        owner = looks.masks[0, :, frame, 2 * row, 2 * column]
        assert torch.equal(some.cells[0, :, place], owner[:, None].expand(-1, 4))


def test_training_resumes_judges_and_writes_a_head(model: Path, folders: list[Path], tmp_path: Path) -> None:
    for steps in (3, 6):
        train_mask_head(
            recipe("mask_head", steps=steps, blocks=[1, 0], batch_size=2),
            data=folders,
            test=folders,
            model=model,
            run=tmp_path / "run",
            out=tmp_path / "out",
        )
    rows = logged(tmp_path / "run")
    assert [row["step"] for row in rows] == [3, 6]
    names = {f"block_{block}_sigma_{sigma:g}" for block in (0, 1) for sigma in EVALUATED_SIGMAS}
    assert names | {"block_1_2_apart", "block_1_2_close", "block_0_3_apart"} <= set(rows[-1])
    head = load_model(MaskHead, tmp_path / "out")
    assert head.config.block == 1
    assert head.config.dim == 32


def test_a_head_may_start_from_another(model: Path, folders: list[Path], tmp_path: Path) -> None:
    given = MaskHead(dim=32, block=1)
    save_model(given, tmp_path / "given", dtype=torch.float32)
    train_mask_head(
        recipe("mask_head", steps=3, blocks=[1], rate=0.0, batch_size=2),
        data=folders,
        test=folders[:1],
        model=model,
        run=tmp_path / "run",
        init=tmp_path / "given",
        out=tmp_path / "out",
    )
    made = load_model(MaskHead, tmp_path / "out").state_dict()
    assert all(torch.allclose(value, given.state_dict()[name], atol=2e-3) for name, value in made.items())
