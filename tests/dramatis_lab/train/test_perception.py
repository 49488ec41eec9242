from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from dramatis.models.loading import load_model, save_model
from dramatis.models.perception import PerceptionNet
from dramatis.motion.face import TEMPLATE_68
from dramatis_lab.data.shards import ShardDataset
from dramatis_lab.train.perception import (
    MIRRORED_LANDMARKS,
    make_faceless,
    perception_loss,
    sample_frames,
    shuffle_blocks,
    train_perception,
    vary_colours,
    warp_faces,
)
from tests.dramatis_lab.samples import face_at
from tests.dramatis_lab.train.conftest import logged, recipe

LEFT_EYE, RIGHT_EYE = 36, 45


def tiny_eye() -> PerceptionNet:
    torch.manual_seed(0)
    return PerceptionNet(widths=(4, 4, 4, 4))


def dotted(count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Black 128x128 pictures with a red dot on one outer eye corner and a green one on the other."""
    marks = np.stack([face_at((60 + 0.3 * i, 66), 70) for i in range(count)])
    y, x = np.mgrid[:128, :128] + 0.5
    images = -np.ones((count, 3, 128, 128), np.float32)
    for picture, points in zip(images, marks, strict=True):
        for channel, mark in enumerate((LEFT_EYE, RIGHT_EYE)):
            distance = (x - points[mark, 0]) ** 2 + (y - points[mark, 1]) ** 2
            picture[channel] = 2 * np.exp(-distance / 18) - 1
    masks = np.stack([images[:, 0], images[:, 1]], 1) * 0.5 + 0.5
    return torch.from_numpy(images), torch.from_numpy(marks), torch.from_numpy(masks)


def centroid(picture: Tensor) -> np.ndarray:
    """(H, W) of non-negative values -> x, y of its centre of mass, px."""
    y, x = torch.meshgrid(torch.arange(128) + 0.5, torch.arange(128) + 0.5, indexing="ij")
    weight = picture / picture.sum()
    return np.array([float((weight * x).sum()), float((weight * y).sum())])


def test_the_mirror_order_is_an_involution_that_mirrors_the_face() -> None:
    assert sorted(MIRRORED_LANDMARKS) == list(range(68))
    assert np.array_equal(MIRRORED_LANDMARKS[MIRRORED_LANDMARKS], np.arange(68))
    mirrored = TEMPLATE_68[MIRRORED_LANDMARKS] * [-1, 1, 1]
    assert np.abs(mirrored - TEMPLATE_68).max() < 0.02


def test_landmarks_and_masks_move_with_the_pixels() -> None:
    images, marks, masks = dotted(24)
    warped, moved, moved_masks = warp_faces(images, marks, masks, np.random.default_rng(3))
    seen = {"straight": 0, "mirrored": 0}
    for picture, points, mask in zip(warped, moved.numpy(), moved_masks, strict=True):
        red, green = points[LEFT_EYE], points[RIGHT_EYE]
        if not (np.minimum(red, green).min() > 16 and np.maximum(red, green).max() < 112):
            continue  # too near the edge for a centre of mass
        dots = [centroid((picture[channel] + 1).clamp(min=0)) for channel in (0, 1)]
        straight = np.linalg.norm(dots[0] - red) < 1
        seen["straight" if straight else "mirrored"] += 1
        expected = (red, green) if straight else (green, red)
        assert np.allclose(dots, expected, atol=1)
        assert np.allclose([centroid(mask[0]), centroid(mask[1])], dots, atol=0.1)
    assert min(seen.values()) >= 3


def test_a_mirrored_face_keeps_its_left_on_the_left() -> None:
    _, moved, _ = warp_faces(*dotted(24), np.random.default_rng(5))
    # Turns stay well below a right angle, so the image-left eye has the smaller x, mirrored or not.
    assert (moved[:, LEFT_EYE, 0] < moved[:, RIGHT_EYE, 0]).all()


def test_colours_change_within_range_and_shapes_stay() -> None:
    images, _, _ = dotted(4)
    changed = vary_colours(images, np.random.default_rng(0))
    assert changed.shape == images.shape
    assert changed.min() >= -1
    assert changed.max() <= 1
    assert not torch.equal(changed, images)


def test_spoilt_pictures_keep_their_pixels_but_not_their_face() -> None:
    images, _, _ = dotted(3)
    spoilt = shuffle_blocks(images, np.random.default_rng(0))
    assert spoilt.shape == images.shape
    assert torch.equal(spoilt.flatten(2).sort(-1).values, images.flatten(2).sort(-1).values)
    assert not torch.equal(spoilt, images)
    whole = shuffle_blocks(images, np.random.default_rng(0))
    assert torch.equal(spoilt, whole)


def test_faceless_pictures_are_of_every_kind() -> None:
    images, _, _ = dotted(40)
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
    images, marks, masks = sample_frames(ShardDataset(shards), rng, 6)
    assert images.shape == (6, 3, 64, 64)
    assert marks.shape == (6, 68, 2)
    assert masks.shape == (6, 2, 64, 64)
    images, marks, masks = warp_faces(images, marks, masks, rng)
    spoilt = shuffle_blocks(images[:2], rng)
    net = tiny_eye().train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=1e-2)
    values = []
    for _ in range(100):
        loss = perception_loss(net, images, marks, masks, spoilt)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        values.append(float(loss.detach()))
    assert values[-1] < 0.8 * values[0]


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
