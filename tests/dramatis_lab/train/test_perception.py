from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from dramatis.models.loading import load_model, save_model
from dramatis.models.perception import PerceptionNet
from dramatis_lab.data.face_views import FaceViews, sample_frames, warp_faces
from dramatis_lab.data.shards import ShardDataset
from dramatis_lab.train.perception import (
    evaluate_stills,
    make_faceless,
    perception_loss,
    shuffle_blocks,
    train_perception,
    vary_colours,
)
from tests.dramatis_lab.samples import dotted_faces, write_stills_shard
from tests.dramatis_lab.train.conftest import logged, recipe


def tiny_eye() -> PerceptionNet:
    torch.manual_seed(0)
    return PerceptionNet(widths=(4, 4, 4, 4))


def test_colours_change_within_range_and_shapes_stay() -> None:
    images, _, _ = dotted_faces(4)
    changed = vary_colours(images, np.random.default_rng(0))
    assert changed.shape == images.shape
    assert changed.min() >= -1
    assert changed.max() <= 1
    assert not torch.equal(changed, images)


def test_spoilt_pictures_keep_their_pixels_but_not_their_face() -> None:
    images, _, _ = dotted_faces(3)
    spoilt = shuffle_blocks(images, np.random.default_rng(0))
    assert spoilt.shape == images.shape
    assert torch.equal(spoilt.flatten(2).sort(-1).values, images.flatten(2).sort(-1).values)
    assert not torch.equal(spoilt, images)
    whole = shuffle_blocks(images, np.random.default_rng(0))
    assert torch.equal(spoilt, whole)


def test_faceless_pictures_are_of_every_kind() -> None:
    images, _, _ = dotted_faces(40)
    made = make_faceless(images, np.random.default_rng(0))
    assert made.shape == images.shape
    assert made.abs().max() <= 1
    plain = [bool(picture.flatten(1).std(1).max() < 1e-3) for picture in made]
    same_pixels = [
        torch.equal(a.flatten(1).sort(-1).values, b.flatten(1).sort(-1).values)
        for a, b in zip(made, images, strict=True)
    ]
    assert any(plain)
    assert any(same_pixels)
    assert sum(plain) + sum(same_pixels) < 40
    assert torch.equal(made, make_faceless(images, np.random.default_rng(0)))


def test_presence_alone_changes_only_its_layer(shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "dramatis_lab.train.perception.evaluate_perception", lambda net, data, device: {"landmark_error": 1.0}
    )
    save_model(tiny_eye(), tmp_path / "init")
    config = recipe("perception", steps=3, batch_size=8, rate=1.0, presence_only=True)
    folders = {name: tmp_path / name for name in ("run", "out", "init")}
    train_perception(config, data=shards, test=shards, **folders)
    old, new = load_model(PerceptionNet, tmp_path / "init"), load_model(PerceptionNet, tmp_path / "out")
    changed = {name for name, value in old.state_dict().items() if not torch.equal(value, new.state_dict()[name])}
    assert changed
    assert all(name.startswith("face.") for name in changed)


def test_a_batch_and_its_loss_fall_in_training(shards: Path) -> None:
    rng = np.random.default_rng(0)
    torch.manual_seed(0)
    views = FaceViews(*warp_faces(*sample_frames(ShardDataset(shards), rng, 6), rng), torch.ones(6))
    spoilt = shuffle_blocks(views.images[:2], rng)
    net = tiny_eye().train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-2)
    values = []
    for _ in range(100):
        loss = perception_loss(net, views, spoilt)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        values.append(float(loss.detach()))
    assert values[-1] < 0.8 * values[0]


def test_what_is_hard_to_say_costs_nothing() -> None:
    net = tiny_eye().eval()
    images, marks, masks = dotted_faces(2)
    moved = marks.clone()
    moved[1] += 40
    unclear, absent = torch.tensor([1.0, -1.0]), torch.tensor([1.0, 0.0])

    def loss(landmarks: torch.Tensor, presence: torch.Tensor) -> float:
        return float(perception_loss(net, FaceViews(images, landmarks, masks, presence), images[:1]).detach())

    assert loss(marks, unclear) == loss(moved, unclear)
    assert loss(marks, absent) != loss(marks, unclear)


def test_stills_are_learnt_from_and_judged(shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "dramatis_lab.train.perception.evaluate_perception", lambda net, data, device: {"landmark_error": 1.0}
    )
    write_stills_shard(tmp_path / "stills")
    folders = {"stills": tmp_path / "stills", "stills_test": tmp_path / "stills", "run": tmp_path / "run"}
    save_model(tiny_eye(), tmp_path / "init")
    config = recipe("perception", steps=3, batch_size=16)
    train_perception(config, data=shards, test=shards, init=tmp_path / "init", **folders)
    (row,) = logged(tmp_path / "run")
    assert row["landmark_error"] == 1.0
    for name in ("still_person_iou", "still_face_iou", "still_seen", "still_false"):
        assert 0 <= row[name] <= 1
    again = evaluate_stills(tiny_eye(), ShardDataset(tmp_path / "stills"), torch.device("cpu"))
    assert again == evaluate_stills(tiny_eye(), ShardDataset(tmp_path / "stills"), torch.device("cpu"))


def test_training_resumes_and_writes_weights(shards: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "dramatis_lab.train.perception.evaluate_perception", lambda net, data, device: {"landmark_error": 1.0}
    )
    save_model(tiny_eye(), tmp_path / "init")
    for steps in (3, 6):
        train_perception(
            recipe("perception", steps=steps, batch_size=8),
            data=shards,
            test=shards,
            run=tmp_path / "run",
            out=tmp_path / "out",
            init=tmp_path / "init",
        )
    rows = logged(tmp_path / "run")
    assert [(row["step"], row["landmark_error"]) for row in rows] == [(3, 1.0), (6, 1.0)]
    assert load_model(PerceptionNet, tmp_path / "out").config["widths"] == [4, 4, 4, 4]
