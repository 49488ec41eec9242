from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model
from dramatis.models.published.lora import Lora, check_loras, merge_loras
from dramatis_lab.data import precompute_groups
from dramatis_lab.data.group_clips import GroupClipDataset
from dramatis_lab.train.group_adapter import (
    CLOSE_UP_CELLS,
    DitWithAdapter,
    LowContrastSampler,
    sample_view,
    train_group_adapter,
    window_loss,
)
from tests.dramatis_lab.samples import write_groups
from tests.dramatis_lab.train.conftest import logged, recipe
from tests.tiny import tiny_dit, write_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def windows(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("windows")
    precompute_groups.main(data=write_groups(root / "groups", 2), model=model, out=root / "out")
    return root / "out"


def loss(clip: dict[str, torch.Tensor], person: int = 0, median: float = 1.0) -> float:
    torch.manual_seed(0)
    text_states = torch.zeros(1, 12, 16)
    return float(window_loss(tiny_dit(), text_states, clip, person, median, np.random.default_rng(0)).detach())


def test_training_resumes_and_writes_a_lora_that_fits(model: Path, windows: Path, tmp_path: Path) -> None:
    out = tmp_path / "adapter.safetensors"
    for steps in (3, 6):
        config = recipe("group_adapter", steps=steps, batch_size=2)
        train_group_adapter(config, data=[windows], held_out=[windows], model=model, run=tmp_path / "run", out=out)
    rows = logged(tmp_path / "run")
    assert [row["step"] for row in rows] == [3, 6]
    assert all(np.isfinite(row[name]) for row in rows for name in ("held_low", "held_high"))
    plain, merged = (load_model(AudioDiT, model / "transformer") for _ in range(2))
    check_loras(plain, [Lora(out)])
    merge_loras(merged, [Lora(out)])
    changed = {name for name, value in plain.state_dict().items() if not torch.equal(value, merged.state_dict()[name])}
    assert {"blocks.0.ffn.net.2.weight", "blocks.1.attn1.to_q.weight", "proj_out.weight"} <= changed
    assert not {"patch_embedding.weight", "blocks.0.attn2.to_k.weight"} & changed, "crops are embedded as before"


def test_only_the_lora_learns(model: Path, windows: Path) -> None:
    net = DitWithAdapter(model)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    optimiser = torch.optim.SGD([value for value in net.parameters() if value.requires_grad], lr=1.0)
    text_states = torch.zeros(1, 12, 16)
    for seed in range(2):
        clip = GroupClipDataset([windows]).clips[seed][1]
        window_loss(net.dit, text_states, clip, 0, 1.0, np.random.default_rng(seed)).backward()
        optimiser.step()
    moved = {name for name, value in net.state_dict().items() if not torch.equal(value, before[name])}
    assert moved
    assert all("lora" in name for name in moved)


def test_a_face_of_little_contrast_counts_more(windows: Path) -> None:
    clip = GroupClipDataset([windows]).clips[0][1]

    def at(contrast: float, **changes: torch.Tensor) -> float:
        return loss(clip | {"contrast": torch.full((2,), contrast)} | changes)

    assert at(0.25) > at(1.0) > at(2.0)
    assert at(1e-3) == pytest.approx(at(1 / 6)), "within limits"
    assert at(9.0) == pytest.approx(at(2.0)), "within limits"
    plain = torch.ones_like(clip["weight"])
    assert at(0.25, weight=plain) == pytest.approx(at(1.0, weight=plain)), "what is no face counts as ever"


def test_only_the_own_face_counts_more(windows: Path) -> None:
    clip = GroupClipDataset([windows]).clips[0][1] | {"contrast": torch.ones(2)}
    other, own = clip["weight"].clone(), clip["weight"].clone()
    other[1] = 1 + 9 * (other[1] - 1)
    own[0] = 1 + 9 * (own[0] - 1)
    assert loss(clip | {"weight": other}) == pytest.approx(loss(clip))
    assert loss(clip | {"weight": own}) != pytest.approx(loss(clip), rel=1e-3)
    hidden = clip["masks"].clone()
    hidden[0] = 0
    assert loss(clip | {"weight": own, "masks": hidden}) == pytest.approx(loss(clip | {"masks": hidden}))


def test_looks_lie_within_the_window_and_on_tokens(windows: Path) -> None:
    clip, rng = GroupClipDataset([windows]).clips[0][1], np.random.default_rng(0)
    height, near = clip["z"].shape[-2], 0
    for person in (0, 1):
        start, stop = (int(value) for value in clip["spans"][person])
        for _ in range(30):
            down, right = sample_view(clip, person, rng)
            assert all(value % 2 == 0 for value in (down.start, down.stop, right.start, right.stop))
            assert 0 <= down.start < down.stop <= height
            assert start <= right.start < right.stop <= stop
            size = down.stop - down.start, right.stop - right.start
            assert size in ((height, stop - start), (CLOSE_UP_CELLS, CLOSE_UP_CELLS))
            near += size == (CLOSE_UP_CELLS, CLOSE_UP_CELLS)
    assert 15 < near < 45


def test_faces_of_little_contrast_are_drawn_more_often(windows: Path) -> None:
    clips, rng = LowContrastSampler([windows]), np.random.default_rng(0)
    for index, clip in enumerate(clips.clips):
        clip.tensors["contrast"] = torch.tensor([1.0, 0.1 if index == 0 else 1.0])
    clips.refresh()
    drawn = [clips.sample(rng) for _ in range(300)]
    faint = np.mean([float(clip.tensors["contrast"][person]) < 0.5 for clip, person in drawn])
    assert faint > 0.3, "one of eight, four times as often and more"
