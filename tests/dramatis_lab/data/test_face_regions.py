from __future__ import annotations

import numpy as np

from dramatis_lab.data.face_regions import EYE_WEIGHT, MOUTH, MOUTH_WEIGHT, detail_boxes, loss_weights
from tests.dramatis_lab.samples import face_at

GRID = (16, 16)


def test_mouth_counts_most_then_eyes() -> None:
    marks = np.repeat(face_at((64, 64), 70)[None], 29, 0)
    weights = loss_weights(marks, (128, 128), GRID)
    assert weights.shape == (8, *GRID)
    assert weights.dtype == np.float32
    assert set(np.unique(weights)) == {1.0, EYE_WEIGHT, MOUTH_WEIGHT}
    mouth = (marks[0, 48:68].mean(0) / 8).astype(int)
    eye = (marks[0, 36:42].mean(0) / 8).astype(int)
    assert (weights[:, mouth[1], mouth[0]] == MOUTH_WEIGHT).all()
    assert (weights[:, eye[1], eye[0]] == EYE_WEIGHT).all()
    assert (weights[:, 0, 0] == 1).all()


def test_a_latent_frame_weighs_what_any_of_its_four_frames_does() -> None:
    marks = np.repeat(face_at((-500, -500), 70)[None], 29, 0)
    marks[7] = face_at((64, 64), 70)
    weights = loss_weights(marks, (128, 128), GRID)
    assert [float(frame.max()) for frame in weights] == [1.0, 1.0, MOUTH_WEIGHT, 1.0, 1.0, 1.0, 1.0, 1.0]


def test_detail_boxes_hold_mouth_and_eyes_and_little_else() -> None:
    marks = np.stack([face_at((32, 32), 40), face_at((60, 60), 40), face_at((-50, -50), 40)])
    boxes = detail_boxes(marks, (64, 64))
    assert boxes.shape == (3, 64, 64)
    for x, y in marks[0][[*range(36, 48), *MOUTH]].astype(int):
        assert boxes[0, y, x]
    nose = marks[0][29].astype(int)
    assert not boxes[0, nose[1], nose[0]]
    assert boxes[0].mean() < 0.3
    assert boxes[1].any()
    assert not boxes[2].any()
