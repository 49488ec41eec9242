"""Arms that bend where joints are, hands that close, palms that follow."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis_lab.world.people.arms import ArmPose, arm_joints, close_hands, find_palms, raise_arms, rotation_about
from dramatis_lab.world.people.assets import Body, load_body
from tests.raw_assets import ASSETS, needs_assets

JOINTS = {
    "L": np.array([[1, 0, 0], [2, 0, 0], [3, -0.1, 0]], np.float32),
    "R": np.array([[-1, 0, 0], [-2, 0, 0], [-3, -0.1, 0]], np.float32),
}


def test_rotations_follow_the_right_hand() -> None:
    turn = rotation_about(np.array([0, 0, 2], np.float32), np.pi / 2)
    assert turn @ [1, 0, 0] == pytest.approx([0, 1, 0], abs=1e-6)
    assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-6)


def raised(pose: ArmPose) -> np.ndarray:
    """The joints as points, moved as the pose says: left shoulder, elbow, wrist, then the right ones."""
    points = np.concatenate([JOINTS["L"], JOINTS["R"]])
    arms = {"L": np.array([0, 1, 1, 0, 0, 0]), "R": np.array([0, 0, 0, 0, 1, 1])}
    forearms = {"L": np.array([0, 0, 1, 0, 0, 0]), "R": np.array([0, 0, 0, 0, 0, 1])}
    return raise_arms(points, JOINTS, arms, forearms, pose)


def test_a_bent_elbow_moves_the_wrist_alone_and_keeps_its_length() -> None:
    points = raised(ArmPose((1.0, 0.0), (0.0, 0.0), (0.0, 0.0)))
    before = np.concatenate([JOINTS["L"], JOINTS["R"]])
    assert np.delete(points, 2, 0) == pytest.approx(np.delete(before, 2, 0), abs=1e-6)
    assert np.linalg.norm(points[2] - points[1]) == pytest.approx(np.linalg.norm(before[2] - before[1]), abs=1e-5)
    assert points[2, 1] < before[2, 1] - 0.5, "it bends the way in which it is bent at rest"


def test_a_spread_lifts_both_arms_alike() -> None:
    points = raised(ArmPose((0.0, 0.0), (0.0, 0.0), (0.5, 0.5)))
    assert points[1, 1] == pytest.approx(np.sin(0.5), abs=1e-5)
    assert points[4, 1] == pytest.approx(np.sin(0.5), abs=1e-5)


def tips(body: Body, vertices: np.ndarray, side: str) -> np.ndarray:
    """(4, 3) points of the mesh at the ends of the fingers of one hand."""
    joints = [body.joint_centre(body.mesh.vertices, f"finger{finger}-3.{side}____tail") for finger in range(2, 6)]
    bones = [body.skin[f"finger{finger}-3.{side}"][0] for finger in range(2, 6)]
    nearest = [
        index[np.linalg.norm(body.mesh.vertices[index] - joint, axis=1).argmin()]
        for joint, index in zip(joints, bones, strict=True)
    ]
    return vertices[nearest]


@needs_assets
def test_a_fist_brings_the_fingers_to_the_palm_of_its_own_hand() -> None:
    body = load_body(ASSETS)
    rest = body.mesh.vertices
    closed = close_hands(body, rest, (1.0, 0.0))
    palm = find_palms(body, rest)["L"]
    before, after = (np.linalg.norm(tips(body, points, "L") - palm.centre, axis=1) for points in (rest, closed))
    assert (after < 0.8 * before).all()
    assert np.array_equal(tips(body, closed, "R"), tips(body, rest, "R"))
    wrist = arm_joints(body, rest)["L"][2]
    assert np.array_equal(arm_joints(body, closed)["L"][2], wrist)


@needs_assets
def test_palms_have_axes_at_right_angles() -> None:
    body = load_body(ASSETS)
    for palm in find_palms(body, body.mesh.vertices).values():
        assert np.linalg.norm(palm.axis) == pytest.approx(1, abs=1e-5)
        assert np.linalg.norm(palm.outward) == pytest.approx(1, abs=1e-5)
        assert palm.axis @ palm.outward == pytest.approx(0, abs=1e-5)
