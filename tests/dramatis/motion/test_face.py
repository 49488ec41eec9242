"""Signs of every motion in pixels, and that the head which is projected is the head which is fitted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dramatis.motion.face import (
    ANCHOR_NAMES,
    ANCHOR_TEMPLATE,
    TEMPLATE_68,
    HeadFit,
    background_shift,
    camera_similarity,
    fit_head,
    head_motion,
    head_rotation,
    inverse_camera_similarity,
    project,
    rotation_angles,
)
from dramatis.motion.performance import Performance

SIZE = (128, 160)
FRONTAL = HeadFit(scale=60.0, centre=np.array([80.0, 64.0]), rotation=np.eye(3))
NOSE_TIP, CHIN, CROWN = [0.0, 0.1, 0.5445], [0.0, -0.23, 0.43], [0.0, 0.6, 0.0]


def moved(head: dict[int, float] | None = None, camera: dict[int, float] | None = None) -> Performance:
    still = Performance.still(1)
    values = {"head": still.head.copy(), "camera": still.camera.copy()}
    for name, changes in (("head", head), ("camera", camera)):
        for column, value in (changes or {}).items():
            values[name][0, column] = value
    return replace(still, **values)


def shift_of(point: list[float], **changes: dict[int, float]) -> np.ndarray:
    """How far a head point moves in the picture, x right and y down."""
    rest = project(FRONTAL, moved(), SIZE, [point])
    return (project(FRONTAL, moved(**changes), SIZE, [point]) - rest)[0, 0]


def test_template_is_a_face() -> None:
    assert TEMPLATE_68.shape == (68, 3)
    assert len(ANCHOR_NAMES) == len(ANCHOR_TEMPLATE) == 9
    assert TEMPLATE_68[36, 0] < 0 < TEMPLATE_68[45, 0]
    assert TEMPLATE_68[27, 1] > TEMPLATE_68[30, 1] > TEMPLATE_68[51, 1] > TEMPLATE_68[8, 1]
    assert TEMPLATE_68[:, 2].argmax() == 30


def test_head_signs() -> None:
    assert shift_of(NOSE_TIP, head={0: 0.2})[0] > 5  # yaw: to the image right
    assert shift_of(NOSE_TIP, head={1: 0.2})[1] < -5  # pitch: up
    assert shift_of(CHIN, head={1: 0.2})[1] < -3
    assert shift_of(CROWN, head={2: 0.2})[0] > 5  # roll: clockwise
    np.testing.assert_allclose(shift_of([0, 0, 0], head={3: 0.1}), [6, 0], atol=1e-4)
    np.testing.assert_allclose(shift_of([0, 0, 0], head={4: 0.1}), [0, -6], atol=1e-4)
    nearer = project(FRONTAL, moved(head={5: 0.2}), SIZE)
    assert np.ptp(nearer[0, :, 0]) > np.ptp(project(FRONTAL, moved(), SIZE)[0, :, 0])


def test_camera_signs() -> None:
    assert shift_of(NOSE_TIP, camera={4: 0.2})[0] > 5  # orbit yaw: as the head's yaw
    assert shift_of(NOSE_TIP, camera={5: 0.1})[1] < -3
    assert shift_of(CROWN, camera={3: 0.1})[0] > 3  # roll: content clockwise
    np.testing.assert_allclose(shift_of(CHIN, camera={1: 0.1}), [16, 0], atol=1e-4)
    np.testing.assert_allclose(shift_of(CHIN, camera={2: 0.1}), [0, -12.8], atol=1e-4)
    corner = np.array([[[160.0, 128.0]]])
    zoomed = camera_similarity(corner, moved(camera={0: np.log(2)}).camera, SIZE)
    np.testing.assert_allclose(zoomed, [[[240, 192]]], atol=1e-4)
    assert background_shift(moved(camera={4: 0.1, 5: 0.1}).camera, SIZE)[0].tolist() == pytest.approx([-6.4, 5.12])


def test_the_camera_can_be_undone() -> None:
    rng = np.random.default_rng(0)
    camera = rng.normal(0, 0.1, (7, 6))
    points = rng.uniform(0, 128, (7, 5, 2))
    there = camera_similarity(points, camera, SIZE)
    np.testing.assert_allclose(inverse_camera_similarity(there, camera, SIZE), points, atol=1e-9)


def test_angles_invert_rotation() -> None:
    for angles in np.random.default_rng(0).uniform(-0.7, 0.7, (20, 3)):
        rotation = head_rotation(*angles)
        np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
        np.testing.assert_allclose(rotation_angles(rotation), angles, atol=1e-9)


@pytest.mark.parametrize("seed", range(10))
def test_fit_finds_the_head_that_was_projected(seed: int) -> None:
    rng = np.random.default_rng(seed)
    yaw, pitch, roll = rng.uniform(-0.5, 0.5, 3)
    truth = HeadFit(float(rng.uniform(20, 200)), rng.uniform(30, 100, 2), head_rotation(yaw, pitch, roll))
    landmarks = project(truth, moved(), SIZE, TEMPLATE_68)[0]
    fit = fit_head(landmarks)
    assert fit.scale == pytest.approx(truth.scale, rel=1e-4)
    np.testing.assert_allclose(fit.centre, truth.centre, atol=0.02)
    np.testing.assert_allclose(fit.angles, (yaw, pitch, roll), atol=1e-3)
    noisy = fit_head(landmarks + rng.normal(0, 0.01 * truth.scale, (68, 2)))
    np.testing.assert_allclose(noisy.angles, (yaw, pitch, roll), atol=0.08)


def test_a_turned_head_fits_as_turned() -> None:
    landmarks = project(FRONTAL, moved(head={0: 0.3, 1: -0.1, 2: 0.15}), SIZE, TEMPLATE_68)[0]
    np.testing.assert_allclose(fit_head(landmarks).angles, (0.3, -0.1, 0.15), atol=1e-3)


def test_an_open_mouth_hardly_moves_the_fit() -> None:
    landmarks = project(FRONTAL, moved(), SIZE, TEMPLATE_68)[0]
    landmarks[55:60, 1] += 6
    landmarks[65:68, 1] += 6
    landmarks[5:12, 1] += 4
    fit = fit_head(landmarks)
    np.testing.assert_allclose(fit.angles, 0.0, atol=0.08)
    assert fit.scale == pytest.approx(60, rel=0.03)


@pytest.mark.parametrize(
    "bad",
    [
        np.zeros((68, 2)),
        np.full((68, 2), np.nan),
        np.zeros((5, 2)),
        np.stack([np.arange(68.0), 2.0 * np.arange(68)], 1),
    ],
)
def test_what_is_no_face_is_refused(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"[Ll]andmarks"):
        fit_head(bad)


@pytest.mark.parametrize("seed", range(5))
def test_motion_is_read_back_from_fitted_heads(seed: int) -> None:
    rng = np.random.default_rng(seed)
    head = rng.normal(0, (0.2, 0.15, 0.1, 0.1, 0.1, 0.15), (6, 6)).astype(np.float32)
    head[0] = 0
    acted = replace(Performance.still(6), head=head)
    start = HeadFit(60.0, np.array([40.0, 70.0]), head_rotation(0.2, -0.1, 0.05))
    heads = [fit_head(points) for points in project(start, acted, SIZE, TEMPLATE_68)]
    assert np.abs(head_motion(heads) - acted.head).max() < 1e-4
