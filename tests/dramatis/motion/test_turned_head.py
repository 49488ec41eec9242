from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.face import TEMPLATE_68, HeadFit, head_rotation, project
from dramatis.motion.performance import Performance
from dramatis.motion.turned_head import TurnedHead

SIZE = (200, 200)


def acted(yaw: float, pitch: float = 0.0) -> Performance:
    performance = Performance.still(1)
    performance.head[0, :2] = yaw, pitch
    return performance


@pytest.mark.parametrize("rest", [0.0, 0.6])
def test_a_head_at_rest_is_where_the_portrait_shows_it(rest: float) -> None:
    head = HeadFit(80.0, np.array([100.0, 90.0]), head_rotation(rest, 0.1, 0.1), 0.0)
    nodes = np.random.default_rng(0).uniform(0, 200, (5, 7, 2)).astype(np.float32)
    turned = TurnedHead(head, Performance.still(1))
    assert np.abs(turned.seen(turned.before(0, nodes)) - nodes).max() < 1e-3


@pytest.mark.parametrize(("yaw", "pitch"), [(0.3, 0.0), (-0.3, 0.0), (0.0, 0.2), (0.2, -0.2)])
def test_landmarks_are_found_where_they_were_before_the_turn(yaw: float, pitch: float) -> None:
    head = HeadFit(80.0, np.array([100.0, 90.0]), np.eye(3), 0.0)
    inner = TEMPLATE_68[17:]
    rest, now = (project(head, one, SIZE, inner)[0] for one in (Performance.still(1), acted(yaw, pitch)))
    turned = TurnedHead(head, acted(yaw, pitch))
    found = turned.seen(turned.before(0, now[None]))[0]
    assert np.abs(now - rest).max() > 6
    assert np.linalg.norm(found - rest, axis=1).mean() < 0.02 * head.scale


def test_the_rim_moves_less_than_the_face_and_nothing_folds() -> None:
    head = HeadFit(80.0, np.array([100.0, 90.0]), np.eye(3), 0.0)
    turned = TurnedHead(head, acted(0.45))
    row = np.stack([np.linspace(20, 180, 161), np.full(161, 90.0)], -1)[None].astype(np.float32)
    found = turned.seen(turned.before(0, row))[0]
    moved = row[0, :, 0] - found[:, 0]
    assert (np.diff(found[:, 0]) > 0).all()
    assert moved[80] > 8
    assert abs(moved[20]) < moved[80]
