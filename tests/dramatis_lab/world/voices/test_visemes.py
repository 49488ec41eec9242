"""The speaking face: closures, pauses, anticipation, emotion and the pull of loudness."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from dramatis.motion import Performance
from dramatis.story.values import EMOTIONS, EmotionName
from dramatis_lab.world.people.assets import EXPRESSIONS
from dramatis_lab.world.voices import engines
from dramatis_lab.world.voices.phones import PHONES, TimedPhone
from dramatis_lab.world.voices.speech import synthesise
from dramatis_lab.world.voices.visemes import (
    PHONE_VISEMES,
    VISEMES,
    caught_emotion,
    caught_expression,
    contact_tracks,
    expression_track,
    mean_opening,
    viseme_track,
)

SHUT = 0.002
JAW, PRESS, PUCKER = (EXPRESSIONS.index(name) for name in ("jawOpen", "mouthPress_L", "mouthPucker"))
WORDS: list[TimedPhone] = [
    (0.0, 0.4, "pau"), (0.4, 0.48, "m"), (0.48, 0.66, "aa"), (0.66, 0.72, "b"), (0.72, 0.9, "iy"), (0.9, 0.97, "f"),
    (0.97, 1.15, "ao"), (1.15, 1.21, "s"), (1.21, 1.28, "t"), (1.28, 1.5, "uw"), (1.5, 2.4, "pau"),
]  # fmt: skip
FRAMES = 60


def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def still(frames: int, emotion: EmotionName = "neutral", blink: float = 0.0) -> Performance:
    faces = np.zeros((frames, len(EMOTIONS)), np.float32)
    faces[:, EMOTIONS.index(emotion)] = 1.0

    def flat(*shape: int) -> NDArray[np.float32]:
        return np.zeros((frames, *shape), np.float32)

    return Performance(
        head=flat(6),
        blink=flat() + np.float32(blink),
        gaze=flat(2),
        brow=flat(2),
        emotion=faces,
        camera=flat(6),
        speech=flat() + 1,
    )


def frames_in(start: float, end: float) -> slice:
    """Frames whose centres lie between the two times."""
    return slice(int(np.ceil(start * 25 - 0.5)), int(np.floor(end * 25 - 0.5)) + 1)


def test_every_phone_has_a_mouth() -> None:
    assert len(VISEMES) == 16
    assert set(PHONE_VISEMES) == set(PHONES)
    for shares in PHONE_VISEMES.values():
        assert set(shares) <= set(VISEMES)
        assert sum(shares.values()) == pytest.approx(1.0)


def test_viseme_shares_name_the_phone_at_each_frame() -> None:
    shares = viseme_track(WORDS, FRAMES)
    assert shares.shape == (FRAMES, 16)
    assert np.allclose(shares.sum(1), 1.0)
    for frame, name in ((3, "sil"), (11, "PP"), (14, "aa"), (20, "I"), (35, "U"), (55, "sil")):
        assert VISEMES[int(shares[frame].argmax())] == name


def test_weights_are_in_range_and_reproducible() -> None:
    first = expression_track(WORDS, FRAMES, still(FRAMES, "happy"), rng())
    assert first.shape == (FRAMES, 53)
    assert first.dtype == np.float32
    assert first.min() >= 0.0
    assert first.max() <= 1.0
    assert np.array_equal(first, expression_track(WORDS, FRAMES, still(FRAMES, "happy"), rng()))


@pytest.mark.parametrize("emotion", EMOTIONS)
def test_lips_close_for_m_and_b_and_in_pauses_whatever_the_emotion(emotion: EmotionName) -> None:
    weights = expression_track(WORDS, FRAMES, still(FRAMES, emotion), rng())
    opening = mean_opening(weights)
    closed, _, silent = contact_tracks(WORDS, FRAMES)
    for start, end in ((0.4, 0.48), (0.66, 0.72)):
        assert opening[frames_in(start - 0.02, end)].min() < SHUT
    assert opening[closed > 0.99].max() < SHUT
    assert opening[silent > 0.99].max() < SHUT
    assert opening[frames_in(1.65, 2.4)].max() < SHUT
    assert opening[:6].max() < SHUT
    assert opening[frames_in(0.5, 0.64)].max() > 0.08


@pytest.mark.parametrize("offset", np.linspace(0.0, 0.04, 7))
def test_even_a_very_short_p_closes_in_some_frame(offset: float) -> None:
    start = 0.5 + float(offset)
    words = [(0.0, start, "aa"), (start, start + 0.02, "p"), (start + 0.02, 1.2, "aa")]
    opening = mean_opening(expression_track(words, 30, None, rng()))
    assert opening[frames_in(start - 0.05, start + 0.08)].min() < SHUT
    assert opening[frames_in(0.1, 0.35)].min() > 0.05


def test_lips_round_before_the_vowel_sounds() -> None:
    words = [(0.0, 0.3, "iy"), (0.3, 0.36, "s"), (0.36, 0.42, "t"), (0.42, 0.7, "uw")]
    pucker = expression_track(words, 17, None, rng())[:, PUCKER]
    assert pucker[frames_in(0.34, 0.42)].max() > 0.2
    assert pucker[frames_in(0.0, 0.2)].max() < 0.1


def test_the_lower_lip_meets_the_teeth_for_f() -> None:
    weights = expression_track(WORDS, FRAMES, None, rng())
    during = weights[frames_in(0.89, 0.98)]
    assert during[:, EXPRESSIONS.index("mouthRollLower")].max() > 0.5
    assert during[:, JAW].min() < 0.15


def test_louder_vowels_open_wider() -> None:
    words = [(0.0, 0.3, "aa"), (0.3, 0.4, "t"), (0.4, 0.7, "aa")]
    loudness = np.concatenate([np.full(35, 0.5), np.full(35, 1.0)])
    jaw = expression_track(words, 17, None, rng(), loudness)[:, JAW]
    assert jaw[frames_in(0.45, 0.68)].max() > 1.1 * jaw[frames_in(0.02, 0.28)].max()


def test_nobody_speaking_keeps_the_mouth_closed() -> None:
    assert mean_opening(expression_track((), 25, still(25, "surprised"), rng())).max() < SHUT


def test_blinks_and_emotion_reach_the_eyes() -> None:
    weights = expression_track((), 5, still(5, "surprised", blink=1.0), rng())
    assert weights[:, EXPRESSIONS.index("eyeBlink_L")].min() == 1.0
    assert weights[:, EXPRESSIONS.index("eyeWide_R")].max() == 0.0
    assert weights[:, EXPRESSIONS.index("browOuterUp_L")].min() > 0.4


@pytest.mark.skipif(not engines.engine_available("espeak"), reason="espeak-ng is not installed")
def test_the_mouth_follows_the_voice() -> None:
    text = "The baker promised us a bottle of milk, and then he walked away along the harbour."
    utterance = synthesise(text, "espeak/en-us", seed=2)
    frames = int(utterance.seconds * 25)
    opening = mean_opening(expression_track(utterance, frames, None, rng()))
    level = utterance.loudness[: frames * 4].reshape(frames, 4).mean(1)
    assert np.corrcoef(opening, level)[0, 1] > 0.35
    assert opening.max() > 0.08


def caught_face(seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    return caught_expression(*caught_emotion(generator), generator)


def test_a_caught_expression_is_a_face_of_its_own_and_often_a_smile() -> None:
    smile = EXPRESSIONS.index("mouthSmile_L")
    faces = np.stack([caught_face(seed) for seed in range(40)])
    assert faces.shape == (40, len(EXPRESSIONS))
    assert faces.min() >= 0
    assert faces.max() <= 1
    assert 0.3 < (faces[:, smile] > 0.25).mean() < 0.8
    assert 0.2 < (faces[:, JAW] > 0.05).mean() < 0.8
    assert np.array_equal(faces[7], caught_face(7))
