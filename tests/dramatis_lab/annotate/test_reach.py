"""What head, shoulders and arms can reach."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.face import TEMPLATE_68
from dramatis.senses.seeing.eye import BodyPose
from dramatis_lab.annotate.reach import within_reach

FACE = (TEMPLATE_68[:, :2] * (60, -60) + (200, 80)).astype(np.float32)
SIZE = (300, 400)


def body(visible: float) -> BodyPose:
    """Shoulders, and arms that hang to the left of the picture."""
    shoulders = np.array([[150, 160], [250, 160]], np.float32)
    elbows, wrists, hands = (np.array([[x, y], [x, y]], np.float32) for x, y in ((100, 150), (50, 60), (45, 50)))
    visibility = np.full((4, 2), visible, np.float32)
    visibility[0] = 1
    return BodyPose(shoulders, elbows, wrists, hands, visibility)


@pytest.mark.parametrize("seen", [None, body(0.0)])
def test_head_and_clothes_are_reached_and_walls_are_not(seen: BodyPose | None) -> None:
    reach = within_reach(FACE, seen, SIZE)
    assert reach[80, 200]
    assert reach[35, 200], "hair above the face"
    assert reach[290, 150:250].all()
    assert not reach[20, 20]
    assert not reach[20, 380]
    assert not reach[290, 390]


def test_an_arm_reaches_as_far_as_it_is_seen() -> None:
    assert not within_reach(FACE, body(0.0), SIZE)[60, 50]
    reach = within_reach(FACE, body(0.9), SIZE)
    assert reach[60, 50]
    assert reach[10, 45], "what the hand holds"
    assert not reach[20, 380]
