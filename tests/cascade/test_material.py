from __future__ import annotations

from dataclasses import replace

import numpy as np

from dramatis.cascade.material import Material
from dramatis.motion.face import fit_head
from dramatis.motion.performance import Performance
from tests.tiny import canonical_sight


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


def test_features_are_heard_with_their_neighbours() -> None:
    alone, rows = some_material(), np.array([0, 4, 59])
    heard = replace(alone, context=2).audio(rows)
    assert heard.shape == (3, 5, 12)
    assert np.array_equal(heard[1], alone.audio(np.arange(2, 7)))
    assert np.array_equal(heard[0], alone.audio(np.array([0, 0, 0, 1, 2]))), "the first frame stands for those before"
    assert np.array_equal(heard[2], alone.audio(np.array([57, 58, 59, 59, 59])))
    changed = replace(alone, context=2, features=alone.features + (np.arange(60) == 6)[:, None].astype(np.float16))
    assert changed.digest(rows) != replace(alone, context=2).digest(rows), "a neighbour is part of what is read"
    assert replace(changed, context=0).digest(rows) == alone.digest(rows)


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
