"""Captions of rendered clips: a paraphrasing grammar that turns exact ground truth into varied English.

The same few facts (people, clothes, emotion and its strength, camera, gestures, light, place, fault) are expressed in
many ways, as sentences or as comma-separated tags, so that the model listens to the words and not to one template.
Words for emotions, camera moves, gestures and faults come from `dramatis.story.vocabulary`, which the director and its
prompt reader share. Every clip also gets a negative caption: the contrary of what it shows, or the name of its fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dramatis.story.values import CAMERA_MOVES, EMOTIONS, GESTURES
from dramatis.story.vocabulary import (
    CAMERA_WORDS,
    DAMAGE_WORDS,
    EMOTION_PHRASES,
    EMOTION_WORDS,
    GESTURE_WORDS,
    INTENSITY_WORDS,
    OPPOSITE_CAMERAS,
    OPPOSITE_EMOTIONS,
    OPPOSITE_GESTURES,
    QUALITY_WORDS,
    SOUND_WORDS,
)
from dramatis_lab.world.takes.damage import DAMAGES

DELIVERIES = ("speech", "singing", "silent")

SHORT_FORM_SHARE = 0.2


@dataclass(frozen=True)
class Subject:
    """One person: a noun ("woman", "man", "person"), an age word and visible details."""

    noun: str = "person"
    age: str = ""
    details: tuple[str, ...] = ()


@dataclass(frozen=True)
class Description:
    """The facts of a clip: what a caption may say. Names are those of `dramatis.story`; empty strings stay unsaid."""

    subjects: tuple[Subject, ...] = (Subject(),)
    emotion: str = "neutral"
    intensity: float = 0.5
    camera: str = "static"
    amount: float = 0.5
    gestures: tuple[str, ...] = ()
    delivery: str = "speech"
    light: str = ""
    background: str = ""
    damage: str | None = None

    def __post_init__(self) -> None:
        for value, allowed in (
            (self.emotion, EMOTIONS),
            (self.camera, CAMERA_MOVES),
            (self.delivery, DELIVERIES),
            *((gesture, GESTURES) for gesture in self.gestures),
            *(((self.damage, DAMAGES),) if self.damage else ()),
        ):
            if value not in allowed:
                raise ValueError(f"{value!r} is unknown; choose one of {', '.join(allowed)}.")
        if not self.subjects:
            raise ValueError("A clip shows nobody; describe at least one subject.")


def caption(clip: Description, rng: np.random.Generator) -> str:
    """One English description of `clip`: sentences, or (one time in five) comma-separated tags.

    A clip with the fault "wrong_emotion" is described with an emotion which it does not show.
    """
    if clip.damage == "wrong_emotion":
        clip = _with_emotion(clip, contrary_emotion(clip.emotion, rng))
    if rng.random() < SHORT_FORM_SHARE:
        return ", ".join(_tags(clip, rng))
    return _sentences(clip, rng)


def negative_caption(clip: Description, rng: np.random.Generator) -> str:
    """What `clip` is to be steered away from: contrary emotion, camera, gestures, and faults.

    This is what a negative prompt says. For a damaged clip it names, first of all, the fault that is seen.
    """
    parts = [_fault(clip.damage, rng)] if clip.damage else []
    contrary = contrary_emotion(clip.emotion, rng)
    parts.append(_word(EMOTION_WORDS[contrary] if rng.random() < 0.6 else EMOTION_PHRASES[contrary], rng))
    if rng.random() < 0.6:
        parts.append(_word(CAMERA_WORDS[str(rng.choice(OPPOSITE_CAMERAS[clip.camera]))], rng))
    for gesture in clip.gestures:
        parts += [_word(GESTURE_WORDS[name], rng) for name in OPPOSITE_GESTURES[gesture] if rng.random() < 0.5]
    if rng.random() < 0.3:
        parts.append(_word(_STIFF if clip.gestures else _RESTLESS, rng))
    others = [name for name in DAMAGES if name not in (clip.damage, "wrong_emotion")]
    parts += [_fault(str(name), rng) for name in rng.choice(others, size=int(rng.integers(1, 4)), replace=False)]
    return ", ".join(dict.fromkeys(parts))


def contrary_emotion(emotion: str, rng: np.random.Generator) -> str:
    """An emotion that nobody would take for `emotion`."""
    return str(rng.choice(OPPOSITE_EMOTIONS[emotion]))


def _with_emotion(clip: Description, emotion: str) -> Description:
    return Description(**{**clip.__dict__, "emotion": emotion})


def _tags(clip: Description, rng: np.random.Generator) -> list[str]:
    """Comma-separated style, the way people type prompts: shuffled, some left out."""
    tags = []
    if clip.damage and clip.damage != "wrong_emotion":
        tags.append(_fault(clip.damage, rng))
    elif rng.random() < 0.25:
        tags.append(_quality(rng))
    if clip.emotion != "neutral" or rng.random() < 0.5:
        tags.append(_strength(clip, rng) + _word(EMOTION_WORDS[clip.emotion], rng))
    if clip.camera != "static" or rng.random() < 0.4:
        tags.append(_move(clip, rng))
    tags += [_word(GESTURE_WORDS[gesture], rng) for gesture in clip.gestures]
    if rng.random() < 0.4:
        tags.append(_subject(clip.subjects[0], rng, article=False))
    if rng.random() < 0.3:
        tags.append(_DELIVERY_TAGS[clip.delivery])
    scene = (f"{clip.light} light" if clip.light else "", clip.background)
    tags += [words for words in scene if words and rng.random() < 0.3]
    rng.shuffle(tags)
    return tags or [_word(EMOTION_WORDS[clip.emotion], rng)]


def _sentences(clip: Description, rng: np.random.Generator) -> str:
    """Who does what and how; then gestures, camera, light and place in any order; then the fault."""
    parts = []
    gestures = _gestures(clip, rng)
    if gestures:
        parts.append(f"{_PRONOUNS[clip.subjects[0].noun]} {gestures}")
    if clip.camera != "static" or rng.random() < 0.5:
        parts.append(_camera(clip, rng))
    if clip.light and rng.random() < 0.4:
        parts.append(rng.choice([f"the light is {clip.light}", f"{clip.light} light", f"lit by {clip.light} light"]))
    if clip.background and rng.random() < 0.4:
        background = clip.background
        parts.append(rng.choice([f"the scene has {background}", background, f"in front of {background}"]))
    rng.shuffle(parts)
    opening = _opening(clip, rng)
    if parts and rng.random() < 0.3:
        opening = f"{opening}, {parts.pop(0)}" if rng.random() < 0.5 else f"{opening}; {parts.pop(0)}"
    sentences = [opening, *parts]
    if clip.damage and clip.damage != "wrong_emotion":
        fault = str(rng.choice(_FAULT_FRAMES)).format(_fault(clip.damage, rng))
        sentences.insert(int(rng.integers(0, 2)) * len(sentences), fault)
    elif rng.random() < 0.15:
        sentences.append(_quality(rng))
    text = ". ".join(_capital(str(sentence)) for sentence in sentences)
    return text + "." if rng.random() < 0.8 else text


def _opening(clip: Description, rng: np.random.Generator) -> str:
    """The main sentence: subject, delivery, emotion."""
    who = _subject(clip.subjects[0], rng)
    if len(clip.subjects) > 1:
        others = {1: "one other person", 2: "two other people"}.get(len(clip.subjects) - 1, "other people")
        who = str(rng.choice([f"{who} beside {others}", f"{who}, next to {others},", f"{who} with {others}"]))
    verb = str(rng.choice((*SOUND_WORDS[_SOUNDS[clip.delivery]], *_DELIVERY_VERBS[clip.delivery])))
    mood = _strength(clip, rng) + _word(EMOTION_WORDS[clip.emotion], rng)
    if clip.emotion == "neutral" and rng.random() < 0.35:
        return f"{who} {verb}"
    forms = [
        f"{who} {verb}, {mood}",
        f"{mood}: {who} {verb}",
        f"{who} {verb} and is {mood}",
        f"{mood}, {who} {verb}",
    ]
    looks = _word(EMOTION_PHRASES[clip.emotion], rng)
    forms += [f"{who} {verb} {rng.choice(_ADVERBS[clip.emotion])}", f"{who} {verb} with {looks}"]
    return str(rng.choice(forms))


def _gestures(clip: Description, rng: np.random.Generator) -> str:
    verbs = [str(rng.choice(_GESTURE_VERBS[gesture])) for gesture in dict.fromkeys(clip.gestures)]
    return str(rng.choice([" and ", ", then "])).join(verbs)


def _camera(clip: Description, rng: np.random.Generator) -> str:
    words = _move(clip, rng)
    return str(rng.choice([words, f"camera: {words}", str(rng.choice(_CAMERA_CLAUSES[clip.camera]))]))


def _move(clip: Description, rng: np.random.Generator) -> str:
    """The camera move in known words, sometimes with its pace: "slow push in", "the camera pans left slowly"."""
    words = _word(CAMERA_WORDS[clip.camera], rng)
    pace = 0 if clip.amount < 0.5 else 1
    if clip.camera in ("static", "handheld") or rng.random() < 0.4:
        return words
    if words.startswith(("the ", "camera ")):
        return f"{words} {rng.choice(_PACE_ADVERBS[pace])}"
    return f"{rng.choice(_PACES[pace])} {words}"


def _subject(subject: Subject, rng: np.random.Generator, *, article: bool = True) -> str:
    age = f"{subject.age} " if subject.age and rng.random() < 0.5 else ""
    words = f"{age}{subject.noun}"
    if subject.details and rng.random() < 0.5:
        count = int(rng.integers(1, min(2, len(subject.details)) + 1))
        chosen = [str(subject.details[k]) for k in sorted(rng.permutation(len(subject.details))[:count])]
        words += " with " + " and ".join(chosen)
    if not article:
        return words
    if rng.random() < 0.3:
        return f"the {words}"
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _strength(clip: Description, rng: np.random.Generator) -> str:
    """An adverb of degree that fits the intensity, or nothing."""
    if clip.emotion == "neutral" or rng.random() < 0.4:
        return ""
    _, words = min(INTENSITY_WORDS, key=lambda level: abs(level[0] - clip.intensity))
    word = str(rng.choice(words))
    return f"{word} " if word else ""


def _fault(kind: str, rng: np.random.Generator) -> str:
    return "flickering" if kind == "flicker" else _word(DAMAGE_WORDS[kind], rng)


def _quality(rng: np.random.Generator) -> str:
    return _word(QUALITY_WORDS[str(rng.choice(list(QUALITY_WORDS)))], rng)


def _word(words: Sequence[str], rng: np.random.Generator) -> str:
    # The first words of a list are the plain ones, which users type most: they come up more often.
    if rng.random() < 0.3:
        return words[int(rng.integers(0, min(2, len(words))))]
    return words[int(rng.integers(0, len(words)))]


def _capital(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


_PRONOUNS = {"woman": "she", "man": "he"} | dict.fromkeys(("person",), "the person")
_SOUNDS = {"speech": "speech", "singing": "singing", "silent": "pause"}
_DELIVERY_TAGS = {"speech": "talking", "singing": "singing", "silent": "silent"}
_DELIVERY_VERBS = {
    "speech": ("talks", "is speaking", "speaks to the camera", "talks to the viewer"),
    "singing": ("sings to the camera", "performs a song"),
    "silent": ("says nothing", "listens", "waits without speaking", "is listening"),
}
_ADVERBS: dict[str, tuple[str, ...]] = {
    "neutral": ("calmly", "evenly", "plainly"),
    "happy": ("happily", "cheerfully", "joyfully"),
    "sad": ("sadly", "sorrowfully", "gloomily"),
    "angry": ("angrily", "furiously", "crossly"),
    "surprised": ("in surprise", "in amazement", "with astonishment"),
    "afraid": ("fearfully", "nervously", "anxiously"),
    "disgusted": ("with disgust", "in disgust", "with distaste"),
    "tender": ("tenderly", "warmly", "gently", "softly"),
}
_PACES = (("slow", "gentle", "subtle"), ("strong", "fast", "marked"))
_PACE_ADVERBS = (("slowly", "gently", "a little"), ("fast", "a lot", "strongly"))
_GESTURE_VERBS: dict[str, tuple[str, ...]] = {
    "nod": ("nods", "gives a nod", "nods the head"),
    "shake": ("shakes the head", "gives a shake of the head"),
    "tilt_left": ("tilts the head to the left", "tilts left", "leans the head left"),
    "tilt_right": ("tilts the head to the right", "tilts right", "leans the head right"),
    "turn_left": ("turns to the left", "turns the head left"),
    "turn_right": ("turns to the right", "turns the head right"),
    "lean_in": ("leans in", "leans forward", "leans towards the camera"),
    "lean_back": ("leans back", "leans away from the camera"),
    "look_up": ("looks up", "glances upwards"),
    "look_down": ("looks down", "glances downwards"),
    "look_left": ("looks left", "glances to the left"),
    "look_right": ("looks right", "glances to the right"),
    "raise_brows": ("raises the eyebrows", "raises the brows", "lifts the eyebrows"),
}
_CAMERA_CLAUSES: dict[str, tuple[str, ...]] = {
    "static": ("the camera does not move", "the camera stays still", "static camera"),
    "push_in": ("the camera pushes in", "the camera moves closer", "the camera zooms in"),
    "pull_out": ("the camera pulls out", "the camera moves back", "the camera zooms out"),
    "pan_left": ("the camera pans left", "the camera swings to the left"),
    "pan_right": ("the camera pans right", "the camera swings to the right"),
    "tilt_up": ("the camera tilts up", "the camera looks upwards"),
    "tilt_down": ("the camera tilts down", "the camera looks downwards"),
    "orbit_left": ("the camera orbits left", "the camera circles to the left"),
    "orbit_right": ("the camera orbits right", "the camera circles to the right"),
    "handheld": ("the camera is hand-held", "the camera shakes a little, hand-held"),
}
_FAULT_FRAMES = ("{}", "bad quality, {}", "faulty video: {}", "defect: {}")
_STIFF = ("motionless", "stiff", "frozen pose", "kept still")
_RESTLESS = ("restless", "exaggerated motion", "jerky head movement", "too much movement")
