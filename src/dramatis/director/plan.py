"""From a settled direction to shots: cut on the voice, worded for the model, with what nobody asked for filled in."""

from __future__ import annotations

import random
from collections.abc import Sequence

from dramatis.director.moments import lasting, moments
from dramatis.director.negative import shot_negative
from dramatis.director.timeline import accent, cut, place_gestures
from dramatis.director.words import Direction, Step, Wish
from dramatis.observed import VOICES, AudioEvent, Observations
from dramatis.runtime.seeds import derive_seed
from dramatis.story import Shot
from dramatis.values import Camera, Emotion, EmotionName, FrameSpan, Gesture, GestureName
from dramatis.vocabulary import (
    CAMERA_WORDS,
    EMOTION_WORDS,
    GESTURE_WORDS,
    INTENSITY_WORDS,
    OPPOSITE_GESTURES,
    SOUND_WORDS,
)

SPEAKER = "speaker"
_HEARD_FRAMES = 8
"""Frames of a voice that make a shot one with that voice."""
IMPLIED_AMOUNT = 0.35
_IMPLIED_GESTURES: dict[EmotionName, tuple[GestureName, ...]] = {
    "neutral": ("nod", "raise_brows", "tilt_left", "tilt_right"),
    "happy": ("nod", "raise_brows", "tilt_left", "tilt_right"),
    "sad": ("look_down", "tilt_left", "tilt_right"),
    "angry": ("nod", "lean_in"),
    "surprised": ("raise_brows", "lean_back"),
    "afraid": ("raise_brows", "lean_back"),
    "disgusted": ("tilt_left", "tilt_right", "lean_back"),
    "tender": ("nod", "tilt_left", "tilt_right", "lean_in"),
}
"""What people do unasked while they speak in a mood."""
_IN_PLACE: tuple[GestureName, ...] = ("nod", "raise_brows", "look_down")
"""Gestures that nobody takes for a part of a camera move, as a head that tilts or leans is."""
_LARGE_MOVE = 0.8
"""From this amount on, a camera move has the picture to itself: only gestures in place go with it unasked."""
_IMPLIED_SECONDS = 1.6
"""Shots shorter than this get no gesture that nobody asked for."""
_TRAVEL = 1.6
"""How much of one shot's full camera move all the shots of a step may make together: the picture has edges."""


def draft(observations: Observations, direction: Direction, seed: int) -> tuple[Shot, ...]:
    """The shots of a direction whose emotions are settled; they tile the sound."""
    spans = cut(observations, direction.steps)
    steps = _filled(direction.steps[: len(spans)])
    shots: list[Shot] = []
    for step, step_spans in zip(steps, spans, strict=True):
        shots += _shots_of_step(observations, direction, step, step_spans, len(shots), seed)
    return tuple(shots)


def _filled(steps: Sequence[Step]) -> list[Step]:
    """Steps with nothing left open: an emotion lasts until the next one, a camera move until its step ends."""
    filled: list[Step] = []
    emotion = Emotion("neutral", 0.5)
    for step in steps:
        emotion = step.emotion or emotion
        camera = step.camera or Camera("static", 0.5)
        filled.append(Step(emotion, camera, step.gestures, step.at, step.seconds))
    return filled


def _shots_of_step(
    observations: Observations,
    direction: Direction,
    step: Step,
    spans: Sequence[FrameSpan],
    first: int,
    seed: int,
) -> list[Shot]:
    """The shots of one step, numbered from `first`."""
    assert step.emotion is not None and step.camera is not None
    camera = _shared_camera(step.camera, len(spans))
    fitting = _fitting(direction, step.emotion, step.camera)
    shots = []
    for offset, (span, asked) in enumerate(zip(spans, place_gestures(observations, spans, step.gestures), strict=True)):
        index = first + offset
        sound = _main_sound(observations, span)
        gestures = tuple(asked) or _implied(observations, span, sound, fitting, derive_seed(seed, "gesture", index))
        # Nothing that any part of the shot shows may be avoided in it, so the negative prompt sees it all.
        everything = _positive(direction, step.emotion, camera, gestures, sound)
        negative = shot_negative(everything, step.emotion, camera, gestures, sound, direction.avoid)
        whole = lasting(gestures, span)
        positive = _positive(direction, step.emotion, camera, whole, sound)
        passing = [gesture for gesture in gestures if gesture not in whole]
        voiced = sound is not None and sound.kind in VOICES
        shots.append(
            Shot(
                index=index,
                span=span,
                positive=positive,
                negative=negative,
                emotion=step.emotion,
                camera=camera,
                gestures=gestures,
                speakers=speakers(observations, span) if voiced else (),
                moments=moments(observations, span, passing, pronoun_of(direction), everything, negative),
                seed=derive_seed(seed, "shot", index),
            )
        )
    return shots


def _shared_camera(camera: Camera, shots: int) -> Camera:
    """The camera move, shared out so that a long step does not run into the picture's edge."""
    if camera.move in ("static", "handheld") or shots == 1:
        return camera
    return Camera(camera.move, round(min(camera.amount, max(0.1, camera.amount * _TRAVEL / shots)), 3))


def _main_sound(observations: Observations, span: FrameSpan) -> AudioEvent | None:
    """The kind of sound that fills most of a shot, any voice before silence; None where nothing was heard."""
    shares: dict[str, tuple[int, AudioEvent]] = {}
    for event in observations.events:
        if common := event.span.shared(span):
            shares[event.kind] = (shares.get(event.kind, (0, event))[0] + common, event)
    voices = [share for kind, share in shares.items() if kind in VOICES]
    heard = [share for share in voices if share[0] >= min(_HEARD_FRAMES, len(span) // 2)] or list(shares.values())
    return max(heard, key=lambda share: share[0])[1] if heard else None


def speakers(observations: Observations, span: FrameSpan) -> tuple[str, ...]:
    """Who speaks in a stretch, in order: the names that subtitles gave, or the one that stands for an unnamed voice.

    Who has only a sliver of it is left out, unless nobody has more.
    """
    shares: dict[str, int] = {}
    for event in observations.events:
        if event.kind in VOICES and (shared := event.span.shared(span)):
            name = event.speaker or SPEAKER
            shares[name] = shares.get(name, 0) + shared
    least = min(_HEARD_FRAMES, max(shares.values(), default=0))
    return tuple(name for name, frames in shares.items() if frames >= least)


def _fitting(direction: Direction, emotion: Emotion, camera: Camera) -> list[GestureName]:
    """Gestures that may be added to a shot where the words ask for none: those of its mood that nothing speaks against;
    none where the words ask for stillness."""
    if direction.still:
        return []
    # Nobody who asks for a head tilted to the left wants to see it tilted to the right later on.
    asked = {wish.name for step in direction.steps for wish in step.gestures}
    contrary = {other for name in asked for other in OPPOSITE_GESTURES[name]}
    alone = camera.move not in ("static", "handheld") and camera.amount >= _LARGE_MOVE
    return [
        name
        for name in _IMPLIED_GESTURES[emotion.name]
        if ("gesture", name) not in direction.avoid and name not in contrary and (name in _IN_PLACE or not alone)
    ]


def _implied(
    observations: Observations,
    span: FrameSpan,
    sound: AudioEvent | None,
    fitting: Sequence[GestureName],
    seed: int,
) -> tuple[Gesture, ...]:
    """A small gesture on the voice's accent, one of `fitting`; none in silence and in a shot too short for it."""
    speaking = sound is not None and sound.kind in VOICES
    if not fitting or not speaking or span.seconds < _IMPLIED_SECONDS:
        return ()
    wish = Wish(random.Random(seed).choice(fitting), IMPLIED_AMOUNT)
    begin = accent(observations, span)
    length = min(28, span.stop - begin)
    start = max(span.start, min(begin, span.stop - length))
    return (Gesture(wish.name, FrameSpan(start, start + length), wish.amount),)


def subject_of(direction: Direction) -> str:
    return f"a {direction.subject}"


def pronoun_of(direction: Direction) -> str:
    return {"woman": "she", "man": "he"}.get(direction.subject, "the person")


def _positive(
    direction: Direction,
    emotion: Emotion,
    camera: Camera,
    gestures: Sequence[Gesture],
    sound: AudioEvent | None,
) -> str:
    """The shot in the words that the model was trained on: who does what and how; gestures; camera."""
    kind = sound.kind if sound else "pause"
    # The words decide between speech and song, which hearing tells apart with less certainty than sound from silence.
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
    """An adverb for the intensity, or nothing for the ordinary one."""
    if emotion.name == "neutral":
        return ""
    _, words = min(INTENSITY_WORDS, key=lambda level: abs(level[0] - emotion.intensity))
    return f"{words[0]} " if words[0] else ""


def global_positive(direction: Direction, shots: Sequence[Shot]) -> str:
    """The whole video in one line: who, the emotions in order, and the scene in the user's own words."""
    emotions = dict.fromkeys(EMOTION_WORDS[shot.emotion.name][0] for shot in shots)
    voiced = any(shot.speakers for shot in shots)
    verb = SOUND_WORDS["speech" if voiced else "pause"][0]
    return ", ".join((f"{subject_of(direction)} {verb}, {' then '.join(emotions)}", *direction.scene))
