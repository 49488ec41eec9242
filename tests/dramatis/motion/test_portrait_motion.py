from __future__ import annotations

import numpy as np

from dramatis.motion.face import TEMPLATE_68, HeadFit, project
from dramatis.motion.performance import Performance
from dramatis.motion.portrait_motion import PortraitMotion

SIZE = (200, 160)
HEAD = HeadFit(80.0, np.array([80.0, 90.0]), np.eye(3), 0.0)


def nodes() -> np.ndarray:
    return np.stack(np.meshgrid(np.linspace(0.5, 159.5, 33), np.linspace(0.5, 199.5, 41)), -1).astype(np.float32)


def acted(frames: int = 4) -> Performance:
    performance = Performance.still(frames)
    performance.head[1:, 0], performance.head[1:, 3] = 0.2, 0.1
    return performance


def test_a_portrait_at_rest_is_seen_as_it_is() -> None:
    motion = PortraitMotion([HEAD], [Performance.still(2)], SIZE, np.ones(SIZE, np.float32))
    assert not motion.scene_moves(1)
    assert np.abs(motion.people(1, nodes()) - nodes()).max() < 1e-2
    assert np.abs(motion.scene(1, nodes()) - nodes()).max() < 1e-2


def test_the_face_follows_its_anchors_and_what_is_far_does_not() -> None:
    motion = PortraitMotion(
        [HEAD],
        [
            acted(),
        ],
        SIZE,
    )
    before = project(HEAD, Performance.still(1), SIZE, TEMPLATE_68)[0]
    after = project(HEAD, acted().take([3]), SIZE, TEMPLATE_68)[0]
    inner = slice(27, 48)
    assert np.abs(motion.people(3, after[None].astype(np.float32))[0, inner] - before[inner]).max() < 4
    foot = np.array([[[80.0, 199.0]]], np.float32)
    assert np.abs(motion.people(3, foot) - foot).max() < 2


def test_a_frame_does_not_depend_on_later_ones() -> None:
    longer, shorter = (PortraitMotion([HEAD], [acted(frames)], SIZE) for frames in (8, 4))
    assert np.array_equal(longer.people(3, nodes()), shorter.people(3, nodes()))


def test_each_of_two_people_moves_alone() -> None:
    other = HeadFit(80.0, np.array([400.0, 90.0]), np.eye(3), 0.0)
    motion = PortraitMotion([HEAD, other], [acted(), Performance.still(4)], (200, 480))
    faces = np.array([[[80.0, 80.0], [400.0, 80.0]]], np.float32)
    moved = motion.people(3, faces)[0] - faces[0]
    assert np.abs(moved[0]).max() > 5
    assert np.abs(moved[1]).max() < 0.5


def test_the_scene_follows_the_camera() -> None:
    performance = Performance.still(2)
    performance.camera[1, 1] = 0.1
    motion = PortraitMotion([HEAD], [performance], SIZE)
    assert motion.scene_moves(1)
    assert np.allclose(motion.scene(1, nodes()) - nodes(), (-16, 0), atol=0.01)
    assert np.allclose(motion.people(1, nodes()) - nodes(), (-16, 0), atol=0.5)
