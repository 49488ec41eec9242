"""Following a face: near its last place, found anew where it is lost, nan where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis.media.image import Pictures
from dramatis.senses.seeing.finder import PersonFinder
from dramatis_lab.evaluate.measures.face_mesh import MESH_POINTS, MeshTracker
from tests.dramatis.senses.seeing.conftest import skip_without_library


@pytest.fixture(scope="module")
def tracker() -> MeshTracker:
    skip_without_library()
    from dramatis.senses.seeing.library_eye import LibraryEye

    eye = PersonFinder("library").eye
    assert isinstance(eye, LibraryEye)
    return MeshTracker(eye)


def photograph(shift: int) -> Pictures:
    from skimage import data

    return np.ascontiguousarray(np.roll(data.astronaut(), shift, 1))


def test_a_face_is_followed_lost_and_found_again(tracker: MeshTracker) -> None:
    nobody = np.full((512, 512, 3), 90, np.uint8)
    meshes = tracker.follow([photograph(0), photograph(4), nobody, photograph(150)])
    assert meshes.shape == (4, MESH_POINTS, 3)
    assert np.isnan(meshes[2]).all()
    moved = (meshes[[1, 3], :, :2] - meshes[0, :, :2]).mean(1)
    assert moved == pytest.approx(np.array([(4, 0), (150, 0)]), abs=1.5)


def test_the_face_that_is_meant_is_followed_where_there_are_two(tracker: MeshTracker) -> None:
    one = photograph(0)[:300, 70:370]
    both = np.concatenate([one, one], 1)
    right = tracker.at(both, None)
    assert right is not None
    start = right.copy()
    start[:, 0] += 300 if right[:, 0].mean() < 300 else -300
    (followed,) = tracker.follow([both], start)
    assert followed[:, :2] == pytest.approx(start[:, :2], abs=3)
