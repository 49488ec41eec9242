from __future__ import annotations

import pytest

from dramatis.story.values import Box, FrameSpan, check_tiling


def test_spans_share_the_frames_of_both() -> None:
    first, second = FrameSpan(0, 10), FrameSpan(6, 20)
    assert first.shared(second) == second.shared(first) == 4
    assert first.overlaps(second)
    assert not first.overlaps(FrameSpan(10, 12))
    with pytest.raises(ValueError, match="greater than start"):
        FrameSpan(4, 4)


@pytest.mark.parametrize(
    ("spans", "fault"),
    [
        ((FrameSpan(0, 4), FrameSpan(5, 9)), "leaves a gap"),
        ((FrameSpan(0, 4), FrameSpan(3, 9)), "overlaps"),
        ((FrameSpan(0, 4),), "the last must stop at 9"),
    ],
)
def test_tiling_is_checked(spans: tuple[FrameSpan, ...], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        check_tiling(spans, 9, "shots")


def test_boxes_overlap_by_the_part_that_both_cover() -> None:
    left, right = Box(0, 0, 2, 2), Box(1, 0, 3, 2)
    assert left.shared_area(right) == 2
    assert left.iou(right) == pytest.approx(2 / 6)
    assert left.iou(left) == pytest.approx(1)
    assert left.iou(Box(5, 5, 6, 6)) == 0
    assert Box(2, 2, 1, 1).area == 0


def test_boxes_go_from_pixels_to_shares_and_back() -> None:
    box, size = Box(50, 20, 150, 100), (200, 100)
    assert box.shares(size) == Box(0.25, 0.2, 0.75, 1.0)
    assert box.shares(size).pixels(size) == box
    assert Box(-10, 20, 250, 100).shares(size) == Box(0.0, 0.2, 1.0, 1.0)
    assert Box(-10, 20, 250, 120).within(size) == Box(0, 20, 200, 100)
    assert box.centre == (100, 60)
