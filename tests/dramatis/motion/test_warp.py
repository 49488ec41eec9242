from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.face import TEMPLATE_68, camera_similarity, fit_head, project
from dramatis.motion.maps import cell_centres
from dramatis.motion.performance import Performance
from dramatis.motion.warp import warp_positions

SIZE = (96, 128)
HEAD = fit_head(np.array([64.0, 44.0]) + TEMPLATE_68[:, :2] * [40.0, -40.0])


def moving(frames: int = 5) -> Performance:
    """A head that moves and turns in its plane under a camera that zooms and pans."""
    part = Performance.still(frames)
    ramp = np.linspace(0, 1, frames, dtype=np.float32)
    part.head[:, 2], part.head[:, 3] = 0.2 * ramp, 0.25 * ramp
    part.camera[:, 0], part.camera[:, 1] = 0.2 * ramp, 0.1 * ramp
    return part


@pytest.mark.parametrize("source", [0, 4])
def test_the_given_frame_stays_itself(source: int) -> None:
    part = moving()
    positions = warp_positions(project(HEAD, part, SIZE), part, source, SIZE)
    assert positions.shape == (5, *SIZE, 2)
    assert positions.dtype == np.float32
    assert np.allclose(positions[source], cell_centres(SIZE, SIZE), atol=1e-3)


@pytest.mark.parametrize(("source", "seen"), [(0, 4), (4, 1)])
def test_the_middle_of_the_face_follows_the_head(source: int, seen: int) -> None:
    part = moving()
    anchors = project(HEAD, part, SIZE)
    positions = warp_positions(anchors, part, source, SIZE)
    nose_base = 5  # of the anchors: the nearest to the oval's centre
    x, y = np.floor(anchors[seen, nose_base]).astype(int)
    assert np.linalg.norm(positions[seen, y, x] - anchors[source, nose_base]) < 1.5


def test_the_far_corner_follows_the_camera() -> None:
    part = moving()
    positions = warp_positions(project(HEAD, part, SIZE), part, 0, SIZE)
    corner = np.array([[[120.5, 90.5]]] * 5)
    back = positions[:, 90, 120][:, None]
    assert np.allclose(camera_similarity(back, part.camera, SIZE), corner, atol=0.3)


def test_an_edge_on_face_and_a_far_one_stay_finite() -> None:
    part = moving(3)
    part.head[1, 0] = np.pi / 2
    part.head[2, 3] = 50.0
    assert np.isfinite(warp_positions(project(HEAD, part, SIZE), part, 0, SIZE)).all()


def test_lengths_must_agree() -> None:
    part = moving()
    with pytest.raises(ValueError, match="5 frames do not fit a performance of 3"):
        warp_positions(project(HEAD, part, SIZE), part.take(np.arange(3)), 0, SIZE)
