"""Views for the perception network: pixels, landmarks and masks move together, and presence says what is there."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from dramatis.motion.face import TEMPLATE_68
from dramatis_lab.data.face_views import (
    FACE_ASIDE,
    MIRRORED_LANDMARKS,
    MOST_CUT_FACE,
    sample_detail_views,
    sample_frames,
    sample_still_views,
    warp_faces,
)
from dramatis_lab.data.shards import ShardDataset
from tests.dramatis_lab.samples import OUTER_EYES, dotted_faces, write_stills_shard

LEFT_EYE, RIGHT_EYE = OUTER_EYES


@pytest.fixture
def stills(tmp_path: Path) -> ShardDataset:
    write_stills_shard(tmp_path / "stills")
    return ShardDataset(tmp_path / "stills")


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
    images, marks, masks = dotted_faces(24)
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
    _, moved, _ = warp_faces(*dotted_faces(24), np.random.default_rng(5))
    # Turns stay well below a right angle, so the image-left eye has the smaller x, mirrored or not.
    assert (moved[:, LEFT_EYE, 0] < moved[:, RIGHT_EYE, 0]).all()


def test_frames_come_with_their_truth(shards: Path) -> None:
    images, marks, masks = sample_frames(ShardDataset(shards), np.random.default_rng(0), 6)
    assert images.shape == (6, 3, 64, 64)
    assert marks.shape == (6, 68, 2)
    assert masks.shape == (6, 2, 64, 64)


def test_views_of_stills_say_where_a_face_is(stills: ShardDataset) -> None:
    images, marks, masks, presence = sample_still_views(stills, np.random.default_rng(0), 200)
    assert images.shape == (200, 3, 128, 128)
    assert masks.shape == (200, 2, 128, 128)
    assert {-1.0, 0.0, 1.0} <= set(presence.tolist())
    assert ((marks[presence > 0] > -8) & (marks[presence > 0] < 136)).all()
    assert masks[presence == 0, 1].mean((1, 2)).max() < 0.002
    # Skin is where the mask says, so pictures and masks moved alike.
    assert ((images[:, 0] > 0) == (masks[:, 0] > 0.5)).float().mean() > 0.98


def test_hands_and_ears_are_no_faces(stills: ShardDataset) -> None:
    views = sample_detail_views(stills, np.random.default_rng(0), 200)
    assert views.images.shape == (200, 3, 128, 128)
    assert set(views.presence.tolist()) == {-1.0, 0.0}
    assert (views.presence == 0).float().mean() > 0.5
    inside = ((views.landmarks > 0) & (views.landmarks < 128)).all(-1).float().mean(1)
    offset = (views.landmarks.mean(1) - 64).abs().amax(1)
    assert ((inside < MOST_CUT_FACE) | (offset > FACE_ASIDE))[views.presence == 0].all()
    assert (inside[views.presence < 0] >= MOST_CUT_FACE).all()
