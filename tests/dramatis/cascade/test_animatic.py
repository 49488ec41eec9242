from __future__ import annotations

import numpy as np
import torch

from dramatis.cascade.animatic import Actor, articulated_frames, mouth_weights
from dramatis.models.speech import SpeechEncoder
from dramatis.motion.mouth_tables import SHAPE_CHANNELS
from dramatis.motion.performance import Performance
from dramatis.motion.visemes import JAW
from dramatis.senses.seeing.articulated_face import look_at_face
from tests.drawn_face import draw_face

FRAMES = 30


def open_mouth(frames: int) -> np.ndarray:
    weights = np.zeros((frames, len(SHAPE_CHANNELS)), np.float32)
    weights[:, JAW] = np.linspace(0, 0.5, frames)
    return weights


def test_a_still_head_with_a_moving_jaw_changes_only_the_mouth() -> None:
    picture, seen = draw_face()
    actor = Actor(look_at_face(picture, seen), open_mouth(FRAMES), Performance.still(FRAMES))
    frames = list(articulated_frames(picture, [actor]))
    assert len(frames) == FRAMES
    assert np.abs(frames[0].astype(int) - picture).max() <= 1
    x, y = actor.face.mouth.line.places(0.5, 0.0).astype(int)
    assert np.abs(frames[-1].astype(int) - picture)[y : y + 20, x].max() > 60
    assert np.abs(frames[-1].astype(int) - picture)[:20].max() <= 1


def test_a_turning_head_takes_its_mouth_along() -> None:
    picture, seen = draw_face()
    performance = Performance.still(FRAMES)
    performance.head[:, 3] = np.linspace(0, 0.15, FRAMES)
    actor = Actor(look_at_face(picture, seen), open_mouth(FRAMES), performance)
    last = list(articulated_frames(picture, [actor]))[-1]
    held = Actor(actor.face, open_mouth(FRAMES), Performance.still(FRAMES))
    still = list(articulated_frames(picture, [held]))[-1]
    x, y = actor.face.mouth.line.places(0.5, 0.0).astype(int)
    mouth = still[y - 8 : y + 20, x - 12 : x + 12].astype(int)
    apart = [np.abs(last[y - 8 : y + 20, x + by - 12 : x + by + 12] - mouth).mean() for by in range(40)]
    assert np.argmin(apart) > 0.75 * 0.15 * actor.face.head.scale
    assert min(apart) < 0.3 * apart[0]


def test_the_encoder_moves_the_mouth() -> None:
    torch.manual_seed(0)
    encoder = SpeechEncoder(channels=32, blocks=(1, 1)).eval()
    weights = mouth_weights(encoder, np.random.default_rng(0).normal(size=(8, 32)), look_at_face(*draw_face()))
    assert weights.shape == (8, len(SHAPE_CHANNELS))
    assert np.isfinite(weights).all()
