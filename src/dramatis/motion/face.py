"""The canonical face, and where a performance places it in the picture.

A 68-point face in head units is fitted once to the landmarks of the reference image (weak perspective). From then on a
`Performance` alone says where the rigid points of that head are in every frame: this is how the head pose and the
camera of a storyline reach the video model as pixels.

Conventions, shared by everything that renders or reads a performance
---------------------------------------------------------------------
Space: x to the right of the image, y up, z towards the camera (right-handed); the unit is one nominal head
height, ``HEAD_HEIGHT_M`` = 0.24 m; the origin is the centre about which the head turns,
``HEAD_CENTRE_ICT_CM`` in the ICT-FaceKit mesh. Left and right always mean the left and right of the image,
never the person's own.

Head: ``R = Ry(yaw) @ Rx(-pitch) @ Rz(-roll)`` with the usual right-handed matrices (roll acts first), so
positive yaw takes the nose to the image right, positive pitch lifts the chin, positive roll takes the crown
to the image right (clockwise as seen). These turns act in the frame of the resting head; (tx, ty, tz) are
added along the camera's axes.

Orbit: the camera circles the resting head centre. What it sees equals a turn of the whole person by
``Ry(orbit_yaw) @ Rx(-orbit_pitch)``, applied after everything else: positive orbit_yaw is a camera that
travels to the image left (so the face shows more of the image-left cheek, as if turned to the image right),
positive orbit_pitch is a camera that sinks and looks up. The distant background slides by ``-ORBIT_PARALLAX``
times the angle, in frames.

Picture: zoom, roll and pan are one similarity about the frame centre c, the same for person and background (a
lens zoom, a turn and a shift of the principal point, no dolly). In pixels with y down,
``p' = c + exp(log_zoom) * Q(roll) @ (p - c) + (pan_x * W, -pan_y * H)`` with
``Q(r) = [[cos r, -sin r], [sin r, cos r]]``: positive roll turns the content clockwise, positive pan moves
the content right / up. Pixel coordinates are continuous: the centre of the top-left pixel is at (0.5, 0.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dramatis.motion.performance import Performance

HEAD_HEIGHT_M = 0.24
HEAD_CENTRE_ICT_CM = (0.0, -2.0, 0.0)
VIEW_DISTANCE = 5.0
"""Assumed distance of the camera from the head, in head heights: it decides how much tz enlarges the head."""
ORBIT_PARALLAX = 0.4
"""Shift of the distant background, in frames per radian of orbit."""

# fmt: off
# The neutral mean face of ICT-FaceKit (MIT licence) at its 68 iBUG landmarks, moved to the head centre.
TEMPLATE_68: NDArray[np.float32] = np.array(
    [
        (-0.3068, 0.2365, 0.1524),
        (-0.3032, 0.1455, 0.1635),
        (-0.2891, 0.0641, 0.1889),
        (-0.2732, -0.0148, 0.2156),
        (-0.2385, -0.1036, 0.2553),
        (-0.1793, -0.1753, 0.3061),
        (-0.1271, -0.2047, 0.3655),
        (-0.064, -0.2191, 0.428),
        (0, -0.232, 0.4347),
        (0.064, -0.2191, 0.428),
        (0.1271, -0.2047, 0.3655),
        (0.1793, -0.1753, 0.3061),
        (0.2385, -0.1036, 0.2553),
        (0.2732, -0.0148, 0.2156),
        (0.2891, 0.0641, 0.1889),
        (0.3032, 0.1455, 0.1635),
        (0.3068, 0.2365, 0.1524),
        (-0.2423, 0.2999, 0.3296),
        (-0.2055, 0.3324, 0.3745),
        (-0.1581, 0.344, 0.4095),
        (-0.1006, 0.3413, 0.4367),
        (-0.0488, 0.3295, 0.447),
        (0.0488, 0.3295, 0.447),
        (0.1006, 0.3413, 0.4367),
        (0.1581, 0.344, 0.4095),
        (0.2055, 0.3324, 0.3745),
        (0.2423, 0.2999, 0.3296),
        (0, 0.2392, 0.4473),
        (0, 0.1931, 0.4799),
        (0, 0.1505, 0.5127),
        (0, 0.1002, 0.5445),
        (-0.0522, 0.0356, 0.453),
        (-0.0251, 0.0359, 0.4758),
        (0, 0.0332, 0.4819),
        (0.0251, 0.0359, 0.4758),
        (0.0522, 0.0356, 0.453),
        (-0.1858, 0.2263, 0.3585),
        (-0.1612, 0.2448, 0.3901),
        (-0.1159, 0.2473, 0.3971),
        (-0.0768, 0.2188, 0.3832),
        (-0.1137, 0.2119, 0.3922),
        (-0.1607, 0.2113, 0.3845),
        (0.0768, 0.2188, 0.3831),
        (0.1159, 0.2473, 0.3971),
        (0.1612, 0.2448, 0.3901),
        (0.1858, 0.2263, 0.3585),
        (0.1607, 0.2113, 0.3845),
        (0.1137, 0.2119, 0.3922),
        (-0.1056, -0.0633, 0.4245),
        (-0.0709, -0.0324, 0.4675),
        (-0.0303, -0.0176, 0.4887),
        (0, -0.0201, 0.4933),
        (0.0303, -0.0176, 0.4887),
        (0.0709, -0.0324, 0.4675),
        (0.1056, -0.0633, 0.4245),
        (0.075, -0.0857, 0.4541),
        (0.0431, -0.0959, 0.4745),
        (0, -0.099, 0.4812),
        (-0.0431, -0.0959, 0.4745),
        (-0.075, -0.0857, 0.4541),
        (-0.092, -0.0621, 0.422),
        (-0.0415, -0.054, 0.4619),
        (0, -0.0551, 0.47),
        (0.0415, -0.054, 0.4619),
        (0.092, -0.0621, 0.422),
        (0.0446, -0.0575, 0.46),
        (0, -0.0583, 0.4689),
        (-0.0446, -0.0575, 0.46),
    ],
    dtype=np.float32,
)
# fmt: on

RIGID_ANCHORS = (36, 45, 39, 42, 27, 33, 8, 0, 16)
"""Landmarks that represent the skull: outer and inner eye corners, nose bridge and base, chin, temples."""
ANCHOR_NAMES = (
    "eye_outer_left", "eye_outer_right", "eye_inner_left", "eye_inner_right",
    "nose_bridge", "nose_base", "chin", "temple_left", "temple_right",
)  # fmt: skip
ANCHOR_TEMPLATE: NDArray[np.float32] = TEMPLATE_68[list(RIGID_ANCHORS)]


def _fit_weights() -> NDArray[np.float64]:
    """The weight of each landmark in the fit: most for the skull, least for what speech and expression move."""
    weights = np.full(68, 0.3)
    weights[:17] = 0.4  # the outline slides over the cheek when a head turns
    weights[5:12] = 0.12
    weights[48:] = 0.08
    weights[27:36] = 1.0
    weights[[36, 39, 42, 45]] = 3.0
    weights[[27, 33]] = 2.0
    return weights


FIT_WEIGHTS = _fit_weights()


@dataclass(frozen=True)
class HeadFit:
    """Weak-perspective pose of a head: ``px = centre + scale * (x, -y)`` of ``rotation @ point``.

    scale: pixels per head height.
    centre: (2,) pixel position of the head centre, x right, y down.
    rotation: (3, 3), from the canonical frontal head to the head in the picture.
    error: weighted RMS, in head heights.
    """

    scale: float
    centre: NDArray[np.float64]
    rotation: NDArray[np.float64]
    error: float = 0.0

    @property
    def angles(self) -> tuple[float, float, float]:
        """(yaw, pitch, roll) in radians, in the sense of `head_rotation`."""
        return rotation_angles(self.rotation)


def head_rotation(yaw: ArrayLike, pitch: ArrayLike, roll: ArrayLike) -> NDArray[np.float64]:
    """(..., 3, 3) rotation ``Ry(yaw) @ Rx(-pitch) @ Rz(-roll)`` for angles in radians."""
    yaw, pitch, roll = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in (yaw, pitch, roll)))
    cy, sy, cp, sp, cr, sr = (
        np.cos(yaw),
        np.sin(yaw),
        np.cos(pitch),
        np.sin(pitch),
        np.cos(roll),
        np.sin(roll),
    )
    rows = [
        [cy * cr + sy * sp * sr, cy * sr - sy * sp * cr, sy * cp],
        [-cp * sr, cp * cr, sp],
        [-sy * cr + cy * sp * sr, -sy * sr - cy * sp * cr, cy * cp],
    ]
    return np.stack([np.stack(row, -1) for row in rows], -2)


def rotation_angles(rotation: ArrayLike) -> tuple[float, float, float]:
    """(yaw, pitch, roll) of one (3, 3) rotation: the inverse of `head_rotation` for pitch within +-pi/2."""
    r = np.asarray(rotation, np.float64)
    pitch = float(np.arcsin(np.clip(r[1, 2], -1.0, 1.0)))
    return float(np.arctan2(r[0, 2], r[2, 2])), pitch, float(np.arctan2(-r[1, 0], r[1, 1]))


def fit_head(landmarks: ArrayLike) -> HeadFit:
    """Fit the canonical face to 68 landmarks of a picture by weighted least squares under weak perspective.

    landmarks: (68, 2) pixels in iBUG order, x right, y down. Raises ValueError for another shape, for values that are
    not finite, and for landmarks that collapse to a point or a line.
    """
    points = np.asarray(landmarks, np.float64)
    if points.shape != (68, 2) or not np.isfinite(points).all():
        raise ValueError(f"Landmarks must be 68 finite (x, y) points in pixels, but have the shape {points.shape}.")
    share = FIT_WEIGHTS / FIT_WEIGHTS.sum()
    flipped = points * (1.0, -1.0)
    middle, face_middle = share @ flipped, share @ TEMPLATE_68
    target, face = flipped - middle, TEMPLATE_68 - face_middle
    rotation, scale = _start_pose(face, target, share)
    for _ in range(20):
        step = _gauss_newton_step(face, target, share, rotation, scale)
        rotation = head_rotation(step[1], -step[0], -step[2]) @ rotation
        scale += step[3]
        if np.abs(step[:3]).max() < 1e-7:
            break
    if not scale > 1e-6:
        raise ValueError("The 68 landmarks do not look like a face: no head pose fits them.")
    residual = target - scale * (face @ rotation.T)[:, :2]
    centre = (middle - scale * (rotation @ face_middle)[:2]) * (1.0, -1.0)
    error = float(np.sqrt(share @ (residual**2).sum(1)) / scale)
    return HeadFit(float(scale), centre, _orthonormal(rotation), error)


def _start_pose(
    face: NDArray[np.float64], target: NDArray[np.float64], share: NDArray[np.float64]
) -> tuple[NDArray[np.float64], float]:
    """Closed-form start: the least-squares 2x3 affine camera, brought to the nearest scaled rotation."""
    root = np.sqrt(share)[:, None]
    affine = np.linalg.lstsq(face * root, target * root, rcond=None)[0].T
    left, values, right = np.linalg.svd(affine, full_matrices=False)
    if values[1] < 1e-6 or values[1] < 0.02 * values[0]:
        raise ValueError("The 68 landmarks do not look like a face: they lie on a point or a line.")
    rows = left @ right
    return np.vstack([rows, np.cross(rows[0], rows[1])]), float(values.mean())


def _gauss_newton_step(
    face: NDArray[np.float64],
    target: NDArray[np.float64],
    share: NDArray[np.float64],
    rotation: NDArray[np.float64],
    scale: float,
) -> NDArray[np.float64]:
    """(4,) small right-handed rotations about x, y, z and the change of scale that reduce the squared error."""
    turned = face @ rotation.T
    x, y, z = turned.T
    zero = np.zeros_like(x)
    jacobian = np.concatenate(
        [
            np.stack([zero, scale * z, -scale * y, x], 1),
            np.stack([-scale * z, zero, scale * x, y], 1),
        ]
    )
    residual = (target - scale * turned[:, :2]).T.ravel()
    weighted = jacobian * np.tile(share, 2)[:, None]
    return np.linalg.lstsq(weighted.T @ jacobian, weighted.T @ residual, rcond=1e-9)[0]


def _orthonormal(rotation: NDArray[np.float64]) -> NDArray[np.float64]:
    left, _, right = np.linalg.svd(rotation)
    return left @ right


def project(
    fit: HeadFit, performance: Performance, size: tuple[int, int], points: ArrayLike | None = None
) -> NDArray[np.float32]:
    """Pixels of points of the head in every frame of a performance, under its head motion and its camera.

    fit: the head in the reference frame, in pixels of `size`.  size: (height, width) of the frames.
    points: (K, 3) canonical points in head units, by default the nine `ANCHOR_TEMPLATE` points.
    Returns (T, K, 2) pixels, x right, y down; outside the frame where the head leaves it.
    """
    template = np.asarray(ANCHOR_TEMPLATE if points is None else points, np.float64)
    head, camera = performance.head.astype(np.float64), performance.camera.astype(np.float64)
    orbit = head_rotation(camera[:, 4], camera[:, 5], 0.0)
    turn = orbit @ (fit.rotation @ head_rotation(head[:, 0], head[:, 1], head[:, 2]))
    shift = np.einsum("tij,tj->ti", orbit, head[:, 3:6])
    flat = template @ turn.transpose(0, 2, 1)[:, :, :2] + shift[:, None, :2]
    nearer = fit.scale / (1.0 - shift[:, 2] / VIEW_DISTANCE)
    pixels = fit.centre + flat * (1.0, -1.0) * nearer[:, None, None]
    return camera_similarity(pixels, camera, size).astype(np.float32)


def head_motion(heads: Sequence[HeadFit]) -> NDArray[np.float32]:
    """How a head moved since the first of its T fits, (T, 6) as `Performance.head`.

    With it, `project` gives these fits again, under a camera at rest.
    """
    first = heads[0]
    moved = []
    for head in heads:
        across, down = (head.centre - first.centre) / head.scale
        turn = rotation_angles(first.rotation.T @ head.rotation)
        moved.append((*turn, across, -down, VIEW_DISTANCE * (1 - first.scale / head.scale)))
    return np.array(moved, np.float32)


def camera_similarity(points: ArrayLike, camera: ArrayLike, size: tuple[int, int]) -> NDArray[np.float64]:
    """Apply zoom, roll and pan to (T, ..., 2) pixels: where content at `points` of an unmoved camera appears.

    camera: (T, 6) as `Performance.camera` (orbit is ignored here).  size: (height, width).
    """
    state = np.asarray(camera, np.float64)
    frame = np.array([size[1], size[0]], np.float64)
    pixels = np.asarray(points, np.float64)
    axes = (slice(None), *[None] * (pixels.ndim - 2))
    zoom, roll = np.exp(state[:, 0]), state[:, 3]
    cos, sin = (zoom * np.cos(roll))[axes], (zoom * np.sin(roll))[axes]
    pan = (state[:, 1:3] * frame * (1.0, -1.0))[(*axes, slice(None))] + frame / 2
    x, y = np.moveaxis(pixels - frame / 2, -1, 0)
    return np.stack([cos * x - sin * y, sin * x + cos * y], -1) + pan


def inverse_camera_similarity(points: ArrayLike, camera: ArrayLike, size: tuple[int, int]) -> NDArray[np.float64]:
    """Undo `camera_similarity`: where the content now at (T, ..., 2) pixels was for the unmoved camera."""
    state = np.asarray(camera, np.float64)
    frame = np.array([size[1], size[0]], np.float64)
    pixels = np.asarray(points, np.float64)
    axes = (slice(None), *[None] * (pixels.ndim - 2))
    zoom, roll = np.exp(-state[:, 0]), state[:, 3]
    cos, sin = (zoom * np.cos(roll))[axes], (zoom * np.sin(roll))[axes]
    pan = (state[:, 1:3] * frame * (1.0, -1.0))[(*axes, slice(None))]
    x, y = np.moveaxis(pixels - pan - frame / 2, -1, 0)
    return np.stack([cos * x + sin * y, cos * y - sin * x], -1) + frame / 2


def background_shift(camera: ArrayLike, size: tuple[int, int]) -> NDArray[np.float64]:
    """(T, 2) pixels by which an orbit slides the distant background, before zoom, roll and pan."""
    state = np.asarray(camera, np.float64)
    return state[:, 4:6] * (-ORBIT_PARALLAX * size[1], ORBIT_PARALLAX * size[0])
