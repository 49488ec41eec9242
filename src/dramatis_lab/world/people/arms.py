"""Poses of arms and hands on the MakeHuman base mesh: raised arms, bent elbows, fists, and where the palms are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dramatis_lab.world.arrays import F32
from dramatis_lab.world.people.assets import Body

FIST_BENDS = (1.2, 1.5, 0.9)
"""Radians by which the three joints of a finger bend in a fist, the knuckle first; set by eye on renderings."""
_FINGERS = range(2, 6)
"""Bones of the fingers by number; 1 is the thumb, which stays as it is."""


@dataclass(frozen=True)
class ArmPose:
    """How the left and the right arm are held, in radians beyond the resting pose.

    elbows: bend of the elbow.  twists: turn of the upper arm about itself, positive brings the hand inwards.  spreads:
    angle away from the side.  grips: 0 for open hands to 1 for fists.
    """

    elbows: tuple[float, float]
    twists: tuple[float, float]
    spreads: tuple[float, float]
    grips: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True)
class Palm:
    """A hand: the middle of its palm, the axis of what it would hold, and the direction out of the palm; (3,) each."""

    centre: F32
    axis: F32
    outward: F32


def rotation_about(axis: F32, angle: float) -> F32:
    """(3, 3) rotation by `angle` radians about an axis (3,) of any length (Rodrigues' formula)."""
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross, np.float32)


def arm_joints(body: Body, vertices: F32) -> dict[str, F32]:
    """Side "L" or "R" -> (3, 3) shoulder, elbow and wrist."""
    bones = ("upperarm01", "lowerarm01", "wrist")
    return {side: np.stack([body.joint_centre(vertices, f"{bone}.{side}____head") for bone in bones]) for side in "LR"}


def raise_arms(
    points: F32, joints: dict[str, F32], arms: dict[str, F32], forearms: dict[str, F32], pose: ArmPose
) -> F32:
    """Bend the elbows of points (N, 3) and turn their upper arms.

    joints: as `arm_joints` finds them at rest.  arms, forearms: side -> (N,) 0..1, how far each point follows the arm
    and the forearm.
    """
    result = points.copy()
    for number, side in enumerate("LR"):
        shoulder, elbow, wrist = joints[side]
        upper = elbow - shoulder
        bend = rotation_about(np.cross(upper, wrist - elbow), pose.elbows[number])
        result += forearms[side][:, None] * ((result - elbow) @ bend.T + elbow - result)
        sign = 1.0 if side == "L" else -1.0
        spread = rotation_about(np.array([0.0, 0.0, 1.0], np.float32), sign * pose.spreads[number])
        turn = spread @ rotation_about(upper, -sign * pose.twists[number])
        result += arms[side][:, None] * ((result - shoulder) @ turn.T + shoulder - result)
    return result.astype(np.float32)


def close_hands(body: Body, vertices: F32, grips: tuple[float, float]) -> F32:
    """The base mesh (V, 3) with its fingers bent, at left and right by 0 (as they rest) to 1 (a fist)."""
    total = np.full(len(vertices), 1e-6, np.float32)
    for index, weight in body.skin.values():
        total[index] += weight
    result = vertices.copy()
    palms = find_palms(body, vertices)
    for side, grip in zip("LR", grips, strict=True):
        for finger in _FINGERS:
            bones = [f"finger{finger}-{bone}.{side}" for bone in (1, 2, 3)]
            pivots = np.stack([body.joint_centre(vertices, f"{bone}____head") for bone in bones])
            axis = np.cross(pivots[2] - pivots[0], palms[side].outward)
            for joint, bend in enumerate(FIST_BENDS):
                turn, pivot = rotation_about(axis, grip * bend), pivots[joint].copy()
                share = np.zeros(len(vertices), np.float32)
                for bone in bones[joint:]:
                    index, weight = body.skin[bone]
                    share[index] += weight
                result += (share / total)[:, None] * ((result - pivot) @ turn.T + pivot - result)
                pivots[joint:] = (pivots[joint:] - pivot) @ turn.T + pivot
    return result


def find_palms(body: Body, vertices: F32) -> dict[str, Palm]:
    """Side -> palm of the open hands of `vertices` (V, 3). It faces the way in which fingers at rest are bent."""
    return {side: _find_palm(body, vertices, side) for side in "LR"}


def _find_palm(body: Body, vertices: F32, side: str) -> Palm:
    joints = ("wrist____head", "finger2-1____head", "finger3-1____head", "finger5-1____head", "finger3-3____tail")
    wrist, first, middle, last, tip = (
        body.joint_centre(vertices, joint.replace("____", f".{side}____")) for joint in joints
    )
    axis = (first - last) / np.linalg.norm(first - last)
    along = (middle - wrist) / np.linalg.norm(middle - wrist)
    curl = tip - middle - ((tip - middle) @ along) * along
    curl = curl - (curl @ axis) * axis
    outward = curl / max(float(np.linalg.norm(curl)), 1e-6)
    return Palm(middle.astype(np.float32), axis.astype(np.float32), outward.astype(np.float32))
