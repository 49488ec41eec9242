"""Captions say what is there, in many ways, the same way for the same seed, in words that users type."""

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from dramatis.story.values import CAMERA_MOVES, EMOTIONS, GESTURES
from dramatis_lab.world.takes.captions import Description, Subject, caption, contrary_emotion, negative_caption
from dramatis_lab.world.takes.damage import DAMAGES

CLIP = Description(
    subjects=(Subject("woman", "young", ("short brown hair", "a grey jacket")),),
    emotion="happy",
    intensity=0.9,
    camera="push_in",
    amount=0.3,
    gestures=("nod", "lean_in"),
    light="warm side",
    background="a blurred room",
)


def many(function: Callable[[Description, np.random.Generator], str], clip: Description, count: int = 200) -> list[str]:
    return [function(clip, np.random.default_rng(seed)) for seed in range(count)]


def test_paraphrases_are_varied_and_seeded() -> None:
    texts = many(caption, CLIP)
    assert texts == many(caption, CLIP)
    assert len(set(texts)) > 150
    assert all(text and "  " not in text and "{" not in text and "None" not in text for text in texts)


def test_emotion_camera_and_gestures_are_said() -> None:
    def share(words: Iterable[str], texts: Iterable[str]) -> float:
        return float(np.mean([any(word in text.lower() for word in words) for text in texts]))

    texts = many(caption, CLIP)
    happy = ("happ", "smil", "cheer", "joy", "delight", "laugh", "amused", "enthusias")
    assert share(happy, texts) == 1.0
    assert share(("push", "zoom", "dolly", "closer"), texts) == 1.0
    assert share(("nod",), texts) == 1.0
    negatives = [text.replace("unhappy", "") for text in many(negative_caption, CLIP)]
    assert share(happy, negatives) == 0.0


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_fault_is_named_in_both_captions(kind: str) -> None:
    rng = np.random.default_rng(1)
    sound = Description(emotion="sad")
    faulty = Description(emotion="sad", damage=kind)
    assert caption(faulty, np.random.default_rng(2)) != caption(sound, np.random.default_rng(2))
    assert negative_caption(faulty, rng)


def test_wrong_emotion_describes_another_emotion() -> None:
    sorrow = ("sad", "sorrow", "unhapp", "melanch", "gloom", "griev", "tear", "deject", "downturned")
    for text in many(caption, Description(emotion="sad", damage="wrong_emotion")):
        assert not any(word in text.lower().replace("glad", "") for word in sorrow)


def test_every_name_has_words() -> None:
    rng = np.random.default_rng(0)
    for emotion in EMOTIONS:
        assert contrary_emotion(emotion, rng) != emotion
        for camera in CAMERA_MOVES:
            for delivery in ("speech", "singing", "silent"):
                clip = Description(emotion=emotion, camera=camera, delivery=delivery, gestures=GESTURES)
                assert caption(clip, rng)
                assert negative_caption(clip, rng)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="joyous"):
        Description(emotion="joyous")
