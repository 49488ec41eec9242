from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.expression import EXPRESSION_LANDMARKS, expression_shapes, undo_expression
from dramatis.motion.face import HEAD_HEIGHT_M, TEMPLATE_68, fit_head, project
from dramatis.motion.performance import Performance
from dramatis.motion.warp import warp_positions
from dramatis.story.values import EMOTIONS
from dramatis_lab.world.people.assets import EXPRESSIONS
from dramatis_lab.world.people.person import make_person
from dramatis_lab.world.voices.visemes import emotion_weights
from tests.raw_assets import ASSETS, needs_assets

SIZE = (128, 128)
HEAD = fit_head(np.array([64.0, 60.0]) + TEMPLATE_68[:, :2] * [90.0, -90.0])
CORNER = 48


def change(name: str, amount: float = 1.0) -> np.ndarray:
    out = np.zeros((1, len(EMOTIONS)), np.float32)
    out[0, EMOTIONS.index(name)] = amount
    return out


def test_a_smile_lifts_and_widens_the_mouth_and_sadness_lowers_it() -> None:
    shapes = dict(zip(EMOTIONS, expression_shapes()[:, EXPRESSION_LANDMARKS.index(CORNER)], strict=True))
    assert (shapes["neutral"] == 0).all()
    assert shapes["happy"][0] < -0.02
    assert shapes["happy"][1] > 0.03
    assert shapes["sad"][1] < -0.01


def test_content_comes_from_where_the_emotion_took_it() -> None:
    corner = TEMPLATE_68[CORNER, :2]
    moved = corner + 0.6 * expression_shapes()[EMOTIONS.index("happy"), EXPRESSION_LANDMARKS.index(CORNER)]
    before = undo_expression(np.array([[moved]], np.float32), change("happy"))[0, 0]
    assert np.linalg.norm(before - corner) < 0.02
    assert before[1] < moved[1] - 0.01


def test_far_points_and_unchanged_frames_stay() -> None:
    head = np.array([[[0.0, 0.9], [2.0, -3.0], [-0.39, 0.2]]], np.float32)
    assert np.allclose(undo_expression(head, change("happy")), head, atol=2e-3)
    near = np.array([[[0.1, -0.06]]], np.float32)
    assert np.array_equal(undo_expression(near, change("happy", 0.0)), near)


@pytest.mark.parametrize("source", [0, 3])
def test_a_warp_shows_the_emotion_on_the_mouth_and_leaves_its_source(source: int) -> None:
    part = Performance.still(4)
    part.emotion[:, 0], part.emotion[:, 1] = [1, 0.6, 0.3, 0], [0, 0.4, 0.7, 1]
    anchors = project(HEAD, part, SIZE)
    positions = warp_positions(anchors, part, source, SIZE)
    still = warp_positions(anchors, Performance.still(4), source, SIZE)
    assert np.allclose(positions[source], still[source], atol=1e-3)
    x, y = 64 + TEMPLATE_68[CORNER, 0] * 90, 60 - TEMPLATE_68[CORNER, 1] * 90
    lifted = (positions - still)[3 - source, int(y), int(x), 1]
    assert lifted > 1 if source == 0 else lifted < -1
    assert np.abs(positions - still)[:, :10].max() < 0.05


@needs_assets
def test_the_table_is_that_of_the_worlds_faces() -> None:
    person = make_person(11, ASSETS)
    faces = np.stack([emotion_weights(name) for name in EMOTIONS])
    assert faces.shape == (len(EMOTIONS), len(EXPRESSIONS))
    landmarks = person.landmarks(faces, np.zeros((len(EMOTIONS), 6), np.float32))[:, list(EXPRESSION_LANDMARKS), :2]
    assert np.allclose((landmarks - landmarks[0]) / HEAD_HEIGHT_M, expression_shapes(), atol=6e-4)
