from __future__ import annotations

import numpy as np
import pytest

from dramatis.story.values import Box
from dramatis_lab.annotate.units import Pose, bounding_box, mask_iou


def test_overlap_is_intersection_over_union() -> None:
    box = Box(0, 0, 4, 4)
    assert box.iou(box) == 1.0
    assert box.iou(Box(2, 0, 6, 4)) == pytest.approx(1 / 3)
    assert box.iou(Box(4, 0, 8, 4)) == 0.0
    assert Box(3, 3, 1, 5).area == 0.0


def test_a_box_is_cut_at_the_picture() -> None:
    assert Box(-3, 2, 50, 9).within((20, 8)) == Box(0, 2, 20, 8)


def test_the_box_of_a_mask_holds_every_pixel_and_no_more() -> None:
    mask = np.zeros((6, 9), bool)
    assert bounding_box(mask) is None
    mask[2, 3] = mask[4, 7] = True
    assert bounding_box(mask) == Box(3, 2, 8, 5)


def test_masks_overlap_by_their_pixels() -> None:
    mask = np.zeros((4, 4), bool)
    assert mask_iou(mask, mask) == 0.0
    mask[:2] = True
    assert mask_iou(mask, mask) == 1.0
    assert mask_iou(mask, ~mask) == 0.0
    assert mask_iou(mask, np.ones((4, 4), bool)) == 0.5


def test_only_sure_keypoints_count() -> None:
    pose = Pose(np.arange(6, dtype=np.float32).reshape(3, 2), np.array([0.1, 0.5, 0.9], np.float32))
    assert pose.sure(0.5).tolist() == [[2, 3], [4, 5]]
