from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.articulated_face import ArticulatedFace
from dramatis.motion.articulation import articulation_weights
from dramatis.motion.mouth_tables import SHAPE_CHANNELS
from dramatis.motion.visemes import VISEMES
from dramatis.sampling.articulated_portrait import ArticulatedPortrait, FaceMove
from dramatis.sampling.portrait_layers import PortraitLayers
from dramatis.senses.seeing.articulated_face import look_at_face
from tests.drawn_face import LIPS, SIDE, SKIN, draw_face

STILL = FaceMove(np.zeros(len(SHAPE_CHANNELS)))
GRID = np.stack(np.meshgrid(np.arange(SIDE) + 0.5, np.arange(SIDE) + 0.5), -1).astype(np.float32)


def said(viseme: str, opening: float, face: ArticulatedFace) -> FaceMove:
    visemes = np.eye(len(VISEMES))[[VISEMES.index(viseme)] * 12]
    return FaceMove(articulation_weights(visemes, np.full(12, opening), face.mouth_at_rest(1.0))[-1])


def mouth_column(frame: np.ndarray, face: ArticulatedFace) -> np.ndarray:
    """Colours (n, 3) down the middle of the mouth."""
    x, y = face.mouth.line.places(0.5, 0.0).astype(int)
    return frame[y - 20 : y + 45, x - 2 : x + 3].mean(1)


def is_near(colours: np.ndarray, colour: tuple[int, int, int], most: float = 30) -> np.ndarray:
    return np.abs(colours - colour).max(-1) < most


@pytest.mark.parametrize("gap", [0.0, 7.0])
def test_a_face_at_rest_is_the_portrait_itself(gap: float) -> None:
    picture, seen = draw_face(gap)
    portrait = ArticulatedPortrait(picture, (look_at_face(picture, seen),))
    assert np.abs(portrait.frame((STILL,)).astype(int) - picture).max() <= 1
    assert np.abs(portrait.frame((STILL,), GRID).astype(int) - picture).max() <= 1


def test_an_opening_mouth_shows_its_inside_between_two_lips() -> None:
    picture, seen = draw_face()
    face = look_at_face(picture, seen)
    frame = ArticulatedPortrait(picture, (face,)).frame((said("aa", 0.3, face),))
    column = mouth_column(frame, face)
    lips = np.flatnonzero(is_near(column, LIPS))
    assert np.diff(lips).max() > 0.2 * face.head.scale * 0.37
    inside = column[lips[np.diff(lips).argmax()] + 3 : lips[np.diff(lips).argmax() + 1] - 3]
    assert not is_near(inside, SKIN).any()


def test_an_m_shuts_a_parted_mouth() -> None:
    picture, seen = draw_face(gap=7.0)
    face = look_at_face(picture, seen)
    portrait = ArticulatedPortrait(picture, (face,))
    before = mouth_column(picture, face)
    after = mouth_column(portrait.frame((said("PP", 0.0, face),)), face)
    assert (before.min(-1) > 180).sum() >= 5
    assert (after.min(-1) > 180).sum() == 0


def test_only_the_face_changes() -> None:
    picture, seen = draw_face()
    face = look_at_face(picture, seen)
    frame = ArticulatedPortrait(picture, (face,)).frame((said("aa", 0.3, face),))
    changed = np.argwhere(np.abs(frame.astype(int) - picture).max(-1) > 1)
    left, top, right, bottom = face.mouth.field.grid.box
    assert len(changed) > 100
    assert (changed >= [top - 1, left - 1]).all()
    assert (changed <= [bottom + 1, right + 1]).all()


def test_a_blink_covers_the_eyes_with_skin() -> None:
    picture, seen = draw_face()
    face = look_at_face(picture, seen)
    frame = ArticulatedPortrait(picture, (face,)).frame((FaceMove(STILL.mouth, 1.0),))
    for eye in face.eyes:
        x, y = (eye.line.places(0.5, (eye.line.upper.min() + eye.line.lower.max()) / 2)).astype(int)
        assert not is_near(picture[y, x], SKIN, 40)
        assert is_near(frame[y - 2 : y, x - 2 : x + 3].mean((0, 1)), SKIN, 40)


def test_mouth_and_camera_move_in_one_step() -> None:
    picture, seen = draw_face()
    face = look_at_face(picture, seen)
    portrait, move = ArticulatedPortrait(picture, (face,)), said("aa", 0.3, face)
    shifted = portrait.frame((move,), GRID - np.array([10, -6], np.float32))
    inner = (slice(20, -20), slice(20, -20))
    aligned = np.roll(shifted, (6, -10), (0, 1))
    assert np.abs(aligned.astype(int) - portrait.frame((move,)))[inner].max() <= 2


def test_with_layers_a_mouth_opens_as_without() -> None:
    picture, seen = draw_face()
    face = look_at_face(picture, seen)
    pixels = picture.astype(np.float32) / np.float32(255)
    share = np.zeros((SIDE, SIDE, 1), np.float32)
    share[10:] = 1
    layers = PortraitLayers(np.concatenate([share * pixels, share], -1), (1 - share) * pixels)
    moves = (FaceMove(said("aa", 0.3, face).mouth, 0.6),)
    layered = ArticulatedPortrait(picture, (face,), layers).frame(moves)
    assert np.abs(layered.astype(int) - ArticulatedPortrait(picture, (face,)).frame(moves)).max() <= 1


def test_people_move_and_their_background_stays() -> None:
    picture, seen = draw_face()
    face = look_at_face(picture, seen)
    share = np.zeros((SIDE, SIDE, 1), np.float32)
    share[40:-40, 40:-40] = 1
    background = np.full((SIDE, SIDE, 3), 0.25, np.float32)
    layers = PortraitLayers(np.concatenate([share * picture / np.float32(255), share], -1), background)
    portrait = ArticulatedPortrait(picture, (face,), layers)
    still = portrait.frame((STILL,), GRID)
    moved = portrait.frame((STILL,), GRID - np.array([10, 0], np.float32))
    assert (moved[:, 40:48] == 64).all(), "what they uncover is the background"
    assert np.array_equal(moved[:36], still[:36])
    assert np.abs(moved[60:-60, 70:-60].astype(int) - still[60:-60, 60:-70]).max() <= 1
    shifted = portrait.frame((STILL,), GRID, GRID - np.array([0, 5], np.float32))
    assert np.abs(shifted[60:-60, 60:-60].astype(int) - still[60:-60, 60:-60]).max() <= 1
