from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from dramatis.cascade import material
from dramatis.cascade.backbone import Backbone
from dramatis.cascade.material import Material, hear
from dramatis.motion.face import fit_head
from dramatis.motion.performance import Performance
from tests.tiny import canonical_sight, write_model


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    return Backbone(write_model(tmp_path_factory.mktemp("model")), torch.float32)


@pytest.mark.parametrize("block", [1, 7, 32])
def test_sound_heard_in_blocks_equals_sound_heard_whole(
    backbone: Backbone, make_audio, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    path = make_audio("voice.wav", 3.1)
    features, openings = hear(backbone, path, 78)
    assert features.shape == (78, 12)
    assert features.dtype == np.float16
    assert openings.shape == (78,)
    monkeypatch.setattr(material, "BLOCK_FRAMES", block)
    in_blocks = hear(backbone, path, 78)
    assert np.allclose(in_blocks[0], features, atol=2e-3)
    assert np.allclose(in_blocks[1], openings, atol=1e-4)


def test_frames_past_the_end_of_the_sound_are_silent(backbone: Backbone, make_audio) -> None:
    features, _ = hear(backbone, make_audio("voice.wav", 1.0), 80)
    assert features.shape == (80, 12)
    late = features[50:70].astype(np.float32)
    assert np.allclose(late, late[0], atol=2e-3)
    assert not np.allclose(features[5], features[60], atol=0.05)


def some_material(frames: int = 60) -> Material:
    rng = np.random.default_rng(0)
    performance = Performance.still(frames)
    performance.camera[:, 0] = np.linspace(0, 0.3, frames)
    return Material(
        portrait=rng.integers(0, 256, (128, 96, 3)).astype(np.uint8),
        reference=rng.integers(0, 256, (64, 48, 3)).astype(np.uint8),
        features=rng.normal(size=(frames, 12)).astype(np.float16),
        openings=rng.random(frames).astype(np.float32),
        performance=performance,
        head=fit_head(canonical_sight().landmarks),
    )


def test_a_clip_reads_its_own_frames() -> None:
    material, rows = some_material(), np.array([0, 4, 8, 8])
    assert material.size == (64, 48)
    assert material.scale == 2
    assert material.audio(rows).shape == (4, 12)
    assert material.audio(rows).dtype == np.float32
    assert material.controls(rows).shape == (4, 26)
    anchors = material.anchors(rows)
    assert anchors.shape == (4, 9, 2)
    assert np.array_equal(anchors[2], anchors[3])
    assert not np.array_equal(anchors[0], anchors[2])


def test_the_digest_names_what_a_clip_reads_and_nothing_else() -> None:
    one, rows = some_material(), np.arange(10, 30)
    digest = one.digest(rows)
    assert digest == some_material().digest(rows)
    assert digest != one.digest(rows + 1)

    def changed(frame: int) -> Material:
        features, performance = one.features.copy(), one.performance.take(np.arange(60))
        features[frame] += 1
        performance.head[frame] += 0.1
        return replace(one, features=features, performance=performance)

    assert changed(40).digest(rows) == digest
    assert changed(29).digest(rows) != digest
    for picture in ("portrait", "reference"):
        assert replace(one, **{picture: getattr(one, picture) + np.uint8(1)}).digest(rows) != digest
    assert replace(one, head=replace(one.head, scale=one.head.scale * 1.01)).digest(rows) != digest
