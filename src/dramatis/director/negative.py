"""The negative director: what each shot must not show, derived from the plan of that shot (report, section 3.2).

What was refused comes first, then emotions that would contradict the shot's, the opposite camera move and gestures, and
the faults to which such a shot is prone: a lively face must not freeze, a moving camera must not blur, a hand-held one
may tremble. No term appears in both prompts of a shot.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from dramatis.story.observations import VOICE_KINDS, AudioEvent
from dramatis.story.values import Camera, Emotion, Gesture
from dramatis.story.vocabulary import (
    CAMERA_WORDS,
    DAMAGE_WORDS,
    EMOTION_WORDS,
    GESTURE_WORDS,
    OPPOSITE_CAMERAS,
    OPPOSITE_EMOTIONS,
    OPPOSITE_GESTURES,
    SOUND_WORDS,
)

FAULTS = ("blur", "distorted", "jitter", "compression", "overexposed", "underexposed", "color_shift")
"""Faults that no shot should have, the commonest first."""
FAULTS_PER_SHOT = 5

_COMMON_WORDS = frozenset(
    """a an and as at in is it its of on or the to with too says something camera shot head eyes eyebrows
    expression face features image light look lips mouth motion movements movement details frames skin
    quality pan pans tilt tilts orbit turns looks leans""".split()  # noqa: SIM905
)
"""Words that may appear in both prompts, since they name what a term is about, not what it says about it."""


def shot_negative(
    positive: str,
    emotion: Emotion,
    camera: Camera,
    gestures: Collection[Gesture],
    sound: AudioEvent | None,
    avoid: Collection[tuple[str, str]] = (),
) -> str:
    """The negative prompt of a shot whose positive prompt is `positive`; `sound` is what is heard for most of it."""
    terms = [*_refused(avoid), *(EMOTION_WORDS[name][0] for name in OPPOSITE_EMOTIONS[emotion.name])]
    terms.append(CAMERA_WORDS[OPPOSITE_CAMERAS[camera.move][0]][0])
    for name in dict.fromkeys(gesture.name for gesture in gestures):
        terms += [GESTURE_WORDS[contrary][0] for contrary in OPPOSITE_GESTURES[name]]
    if sound is None or sound.kind == "pause":
        terms.append(SOUND_WORDS["speech"][1])
    terms += [DAMAGE_WORDS[fault][0] for fault in _faults(emotion, camera, sound)]
    return ", ".join(without_overlap(terms, positive))


def global_negative(positive: str, emotions: Collection[str], avoid: Collection[tuple[str, str]] = ()) -> str:
    """The negative prompt of the whole video: what was refused, the opposites of all its emotions, and every fault."""
    contraries = (name for emotion in emotions for name in OPPOSITE_EMOTIONS[emotion] if name not in emotions)
    terms = [*_refused(avoid), *(EMOTION_WORDS[name][0] for name in contraries)]
    terms += [DAMAGE_WORDS[fault][0] for fault in FAULTS]
    return ", ".join(without_overlap(terms, positive))


def without_overlap(terms: Iterable[str], positive: str) -> list[str]:
    """The terms, once each, that share no distinctive word with the positive prompt and are not contained in it."""
    shown, words = _stems(positive), set(_words(positive))
    return [term for term in dict.fromkeys(terms) if not _stems(term) & shown and not words.issuperset(_words(term))]


def _refused(avoid: Collection[tuple[str, str]]) -> list[str]:
    words = {"emotion": EMOTION_WORDS, "camera": CAMERA_WORDS, "gesture": GESTURE_WORDS, "sound": SOUND_WORDS}
    return [name if kind == "words" else words[kind][name][0] for kind, name in sorted(avoid)]


def _faults(emotion: Emotion, camera: Camera, sound: AudioEvent | None) -> list[str]:
    """The faults that would hurt this shot most, worst first."""
    specific = []
    if sound is not None and sound.kind in VOICE_KINDS:
        specific.append("frozen_lips")
    if emotion.name != "neutral":
        specific += ["wrong_emotion", "frozen"] if emotion.intensity >= 0.5 else ["wrong_emotion"]
    general = [fault for fault in FAULTS if not (fault == "jitter" and camera.move == "handheld")]
    return specific + general[:FAULTS_PER_SHOT]


def _stems(text: str) -> set[str]:
    """The distinctive words of a text without their endings, so that "smiles" matches "smiling"."""
    return {_stem(word) for word in _words(text) if word not in _COMMON_WORDS}


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text.casefold())


def _stem(word: str) -> str:
    for ending in ("ing", "ed", "es", "ly", "s", "e"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word
