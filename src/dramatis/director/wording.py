"""The words of prompts: a shot, and the whole video, as the captions in training put it."""

from __future__ import annotations

from collections.abc import Sequence

from dramatis.director.language.direction import Direction
from dramatis.story.observations import AudioEvent
from dramatis.story.storyline import Shot
from dramatis.story.values import Camera, Emotion, EmotionName, Gesture
from dramatis.story.vocabulary import (
    CAMERA_WORDS,
    COMPANY_WORDS,
    EMOTION_WORDS,
    GESTURE_WORDS,
    INTENSITY_WORDS,
    SOUND_WORDS,
)


def subject_of(direction: Direction) -> str:
    """Who is seen, as the captions in training put it: the person whom a clip is about, and how many others."""
    others = ("", *COMPANY_WORDS)
    return f"a {direction.subject}{others[min(direction.people, len(others)) - 1]}"


def pronoun_of(direction: Direction) -> str:
    """How prompts refer to the person whom a clip is about."""
    return {"woman": "she", "man": "he"}.get(direction.subject, "the person")


def shot_positive(
    direction: Direction,
    emotion: Emotion,
    camera: Camera,
    gestures: Sequence[Gesture],
    sound: AudioEvent | None,
) -> str:
    """A shot's prompt in the words that the model was trained on: who does what and how; gestures; camera."""
    kind = sound.kind if sound else "pause"
    # The words decide between speech and song: hearing tells these apart less reliably than sound and silence.
    verb = SOUND_WORDS["singing" if kind == "speech" and direction.sound == "singing" else kind][0]
    sentences = [f"{subject_of(direction)} {verb}, {_degree(emotion)}{EMOTION_WORDS[emotion.name][0]}"]
    names = list(dict.fromkeys(gesture.name for gesture in gestures))
    if names:
        sentences.append(f"{pronoun_of(direction)} {' and '.join(GESTURE_WORDS[name][0] for name in names)}")
    move = CAMERA_WORDS[camera.move][0]
    slow = camera.amount < 0.5 and camera.move not in ("static", "handheld") and not move.startswith("camera")
    sentences.append(f"slow {move}" if slow else move)
    return " ".join(f"{sentence[:1].upper()}{sentence[1:]}." for sentence in sentences)


def _degree(emotion: Emotion) -> str:
    """An adverb for the intensity, or nothing for a moderate one."""
    if emotion.name == "neutral":
        return ""
    _, words = min(INTENSITY_WORDS, key=lambda level: abs(level[0] - emotion.intensity))
    return f"{words[0]} " if words[0] else ""


def emotions_of(shots: Sequence[Shot]) -> tuple[EmotionName, ...]:
    """Every emotion that anybody shows, in order."""
    shown = (name for shot in shots for name in (shot.emotion.name, *(part.emotion.name for part in shot.acting)))
    return tuple(dict.fromkeys(shown))


def global_positive(direction: Direction, shots: Sequence[Shot]) -> str:
    """The prompt of the whole video: who, the emotions in order, and the scene in the user's own words."""
    emotions = dict.fromkeys(EMOTION_WORDS[shot.emotion.name][0] for shot in shots)
    voiced = any(shot.speakers for shot in shots)
    verb = SOUND_WORDS["speech" if voiced else "pause"][0]
    return ", ".join((f"{subject_of(direction)} {verb}, {' then '.join(emotions)}", *direction.scene))
