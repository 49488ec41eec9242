from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.dramatis_lab.train.conftest import logged, write_groups
from tests.tiny import tiny_dit, write_model

from dramatis.models.dit import AudioDiT
from dramatis.models.loading import load_model
from dramatis.models.published.lora import Lora, check_loras, merge_loras
from dramatis_lab.train import group_windows
from dramatis_lab.train.group_adapter import NEAR, FaintFirst, Learner, look_of, loss_of_clip, main
from dramatis_lab.train.group_windows import Clips


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def windows(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("windows")
    group_windows.main(data=write_groups(root / "groups", 2), model=model, out=root / "out")
    return root / "out"


def loss(clip: dict[str, torch.Tensor], person: int = 0, median: float = 1.0) -> float:
    torch.manual_seed(0)
    words = torch.zeros(1, 12, 16)
    return float(loss_of_clip(tiny_dit(), words, clip, person, median, np.random.default_rng(0)).detach())


def test_training_resumes_and_writes_a_lora_that_fits(
    model: Path, windows: Path, tmp_path: Path, three_steps_a_call
) -> None:
    three_steps_a_call("group_adapter")
    out = tmp_path / "adapter.safetensors"
    for _ in range(2):
        main(data=[windows], held_out=[windows], model=model, run=tmp_path / "run", out=out, batch=2)
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
    learner = Learner(model)
    before = {name: value.clone() for name, value in learner.state_dict().items()}
    optimiser = torch.optim.SGD([value for value in learner.parameters() if value.requires_grad], lr=1.0)
    words = torch.zeros(1, 12, 16)
    for seed in range(2):
        clip = Clips([windows]).clips[seed][1]
        loss_of_clip(learner.dit, words, clip, 0, 1.0, np.random.default_rng(seed)).backward()
        optimiser.step()
    moved = {name for name, value in learner.state_dict().items() if not torch.equal(value, before[name])}
    assert moved
    assert all("lora" in name for name in moved)


def test_a_face_of_little_contrast_counts_more(windows: Path) -> None:
    clip = Clips([windows]).clips[0][1]

    def at(contrast: float, **changes: torch.Tensor) -> float:
        return loss(clip | {"contrast": torch.full((2,), contrast)} | changes)

    assert at(0.25) > at(1.0) > at(2.0)
    assert at(1e-3) == pytest.approx(at(1 / 6)), "within limits"
    assert at(9.0) == pytest.approx(at(2.0)), "within limits"
    plain = torch.ones_like(clip["weight"])
    assert at(0.25, weight=plain) == pytest.approx(at(1.0, weight=plain)), "what is no face counts as ever"


def test_only_the_own_face_counts_more(windows: Path) -> None:
    clip = Clips([windows]).clips[0][1] | {"contrast": torch.ones(2)}
    other, own = clip["weight"].clone(), clip["weight"].clone()
    other[1] = 1 + 9 * (other[1] - 1)
    own[0] = 1 + 9 * (own[0] - 1)
    assert loss(clip | {"weight": other}) == pytest.approx(loss(clip))
    assert loss(clip | {"weight": own}) != pytest.approx(loss(clip), rel=1e-3)
    hidden = clip["masks"].clone()
    hidden[0] = 0
    assert loss(clip | {"weight": own, "masks": hidden}) == pytest.approx(loss(clip | {"masks": hidden}))


def test_looks_lie_within_the_window_and_on_tokens(windows: Path) -> None:
    clip, rng = Clips([windows]).clips[0][1], np.random.default_rng(0)
    height, near = clip["z"].shape[-2], 0
    for person in (0, 1):
        start, stop = (int(value) for value in clip["spans"][person])
        for _ in range(30):
            down, right = look_of(clip, person, rng)
            assert all(value % 2 == 0 for value in (down.start, down.stop, right.start, right.stop))
            assert 0 <= down.start < down.stop <= height
            assert start <= right.start < right.stop <= stop
            size = down.stop - down.start, right.stop - right.start
            assert size in ((height, stop - start), (NEAR, NEAR))
            near += size == (NEAR, NEAR)
    assert 15 < near < 45


def test_faces_of_little_contrast_are_drawn_more_often(windows: Path) -> None:
    clips, rng = FaintFirst([windows]), np.random.default_rng(0)
    for place, (_, clip) in enumerate(clips.clips):
        clip["contrast"] = torch.tensor([1.0, 0.1 if place == 0 else 1.0])
    clips.refresh()
    drawn = [clips.draw(rng) for _ in range(300)]
    faint = np.mean([float(clip["contrast"][person]) < 0.5 for _, clip, person in drawn])
    assert faint > 0.3, "one of eight, four times as often and more"
