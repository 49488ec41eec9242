"""The director without a language model: what was heard and a few words of direction become a storyline.

The same input gives the same storyline, in a fraction of a second. What the words leave open is filled in, and said so
in the storyline's `dialogue`; what contradicts is settled, and said so in `conflicts`. The dialogue of three experts
that the report describes (section 3.2) takes its place here: it fills the same values.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from dramatis.director.negative import global_negative, shot_negative
from dramatis.director.timeline import accent, cut, place_gestures
from dramatis.director.words import Direction, Step, Wish, check_prompt, read
from dramatis.runtime.seeds import derive_seed
from dramatis.story import (
    AudioEvent,
    Camera,
    Character,
    Conflict,
    Emotion,
    FrameSpan,
    Gesture,
    GestureName,
    Observations,
    Shot,
    Storyline,
    Turn,
)
from dramatis.vocabulary import (
    CAMERA_WORDS,
    EMOTION_WORDS,
    GESTURE_WORDS,
    INTENSITY_WORDS,
    SOUND_WORDS,
)

__all__ = ["check_prompt", "direct"]

SPEAKER = "speaker"
_IMPLIED_GESTURES: tuple[GestureName, ...] = ("nod", "raise_brows", "tilt_left", "tilt_right")
_IMPLIED_AMOUNT = 0.35
_IMPLIED_SECONDS = 1.6
"""Shots shorter than this get no gesture that nobody asked for."""
_TRAVEL = 1.6
"""How much of one shot's full camera move all the shots of a step may make together: the picture has edges."""


def direct(
    observations: Observations,
    prompt: str,
    seed: int = 0,
    *,
    image: str,
    audio: str,
    width: int = 128,
    height: int = 128,
) -> Storyline:
    """Plan the video of what was heard in `audio`, spoken by the person in `image`, as `prompt` directs.

    Raises UserError if the prompt is too long. Equal arguments give an equal storyline.
    """
    direction = read(prompt)
    spans = cut(observations, direction.steps)
    steps = _filled(direction.steps[: len(spans)], direction)
    shots: list[Shot] = []
    for step, step_spans in zip(steps, spans, strict=True):
        shots += _shots_of_step(observations, direction, step, step_spans, len(shots), seed)
    emotions = tuple(dict.fromkeys(shot.emotion.name for shot in shots))
    positive = _global_positive(direction, shots)
    return Storyline(
        image=image,
        audio=audio,
        prompt=prompt,
        frames=observations.frames,
        width=width,
        height=height,
        seed=seed,
        characters=(Character(name=SPEAKER, image=image, audio=audio, description=_subject(direction)),),
        events=observations.events,
        positive=positive,
        negative=global_negative(positive, emotions, direction.avoid),
        dialogue=_dialogue(observations, direction, shots),
        conflicts=_conflicts(observations, direction, len(spans)),
        shots=tuple(shots),
    )


def _filled(steps: Sequence[Step], direction: Direction) -> list[Step]:
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
    shots = []
    for offset, (span, asked) in enumerate(zip(spans, place_gestures(observations, spans, step.gestures), strict=True)):
        index = first + offset
        sound = _main_sound(observations, span)
        gestures = tuple(asked) or _implied(observations, direction, span, sound, derive_seed(seed, "gesture", index))
        positive = _positive(direction, step.emotion, camera, gestures, sound)
        voiced = sound is not None and sound.kind != "pause"
        shots.append(
            Shot(
                index=index,
                span=span,
                positive=positive,
                negative=shot_negative(positive, step.emotion, camera, gestures, sound, direction.avoid),
                emotion=step.emotion,
                camera=camera,
                gestures=gestures,
                speakers=(SPEAKER,) if voiced else (),
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
        if event.span.overlaps(span):
            common = min(event.span.stop, span.stop) - max(event.span.start, span.start)
            shares[event.kind] = (shares.get(event.kind, (0, event))[0] + common, event)
    voices = [share for kind, share in shares.items() if kind in ("speech", "singing")]
    heard = [share for share in voices if share[0] >= min(8, len(span) // 2)] or list(shares.values())
    return max(heard, key=lambda share: share[0])[1] if heard else None


def _implied(
    observations: Observations, direction: Direction, span: FrameSpan, sound: AudioEvent | None, seed: int
) -> tuple[Gesture, ...]:
    """A small gesture on the voice's accent, where the words ask for none and do not ask for stillness."""
    speaking = sound is not None and sound.kind in ("speech", "singing")
    allowed = [name for name in _IMPLIED_GESTURES if ("gesture", name) not in direction.avoid]
    if direction.still or not speaking or span.seconds < _IMPLIED_SECONDS or not allowed:
        return ()
    wish = Wish(random.Random(seed).choice(allowed), _IMPLIED_AMOUNT)
    begin = accent(observations, span)
    length = min(28, span.stop - begin)
    start = max(span.start, min(begin, span.stop - length))
    return (Gesture(wish.name, FrameSpan(start, start + length), wish.amount),)


def _subject(direction: Direction) -> str:
    return f"a {direction.subject}"


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
    sentences = [f"{_subject(direction)} {verb}, {_degree(emotion)}{EMOTION_WORDS[emotion.name][0]}"]
    names = list(dict.fromkeys(gesture.name for gesture in gestures))
    if names:
        pronoun = {"woman": "she", "man": "he"}.get(direction.subject, "the person")
        sentences.append(f"{pronoun} {' and '.join(GESTURE_WORDS[name][0] for name in names)}")
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


def _global_positive(direction: Direction, shots: Sequence[Shot]) -> str:
    """The whole video in one line: who, the emotions in order, and the scene in the user's own words."""
    emotions = dict.fromkeys(EMOTION_WORDS[shot.emotion.name][0] for shot in shots)
    voiced = any(shot.speakers for shot in shots)
    verb = SOUND_WORDS["speech" if voiced else "pause"][0]
    return ", ".join((f"{_subject(direction)} {verb}, {' then '.join(emotions)}", *direction.scene))


def _dialogue(observations: Observations, direction: Direction, shots: Sequence[Shot]) -> tuple[Turn, ...]:
    """What was heard, what was read and what was filled in, as the experts' turns."""
    counts = {kind: sum(e.kind == kind for e in observations.events) for kind in ("speech", "singing", "pause")}
    heard = ", ".join(f"{number} of {kind}" for kind, number in counts.items() if number) or "only noise"
    turns = [
        Turn(expert="audio", thought=f"{observations.seconds:.2f} s of sound; stretches: {heard}"),
        Turn(
            expert="text",
            thought="the direction as read",
            claims=tuple(_step_claim(number, step) for number, step in enumerate(direction.steps, 1) if not step.empty),
        ),
    ]
    filled = []
    if direction.steps[0].emotion is None:
        filled.append("nothing is said of the emotion at first: a neutral face")
    if any(step.camera is None for step in direction.steps):
        filled.append("nothing is said of the camera for some or all of the video: it stands still there")
    implied = sum(gesture.amount == _IMPLIED_AMOUNT for shot in shots for gesture in shot.gestures)
    if implied:
        filled.append(f"small gestures on the voice's accents where none were asked for: {implied}")
    if filled:
        turns.append(Turn(expert="director", round=1, thought="filling in", claims=tuple(filled), inferred=True))
    return tuple(turns)


def _step_claim(number: int, step: Step) -> str:
    parts = []
    if step.emotion:
        parts.append(f"emotion {step.emotion.name} {step.emotion.intensity:g}")
    if step.camera:
        parts.append(f"camera {step.camera.move} {step.camera.amount:g}")
    parts += [f"gesture {wish.name}" for wish in step.gestures]
    return f"step {number}: {', '.join(parts)}"


def _conflicts(observations: Observations, direction: Direction, steps: int) -> tuple[Conflict, ...]:
    """Contradictions within the words, and between the words and the sound."""
    found = [
        Conflict(parties=(f"text: {kept}", f"text: {dropped}"), settled=kept, why="both cannot be shown at once")
        for kept, dropped in direction.clashes
    ]
    if steps < len(direction.steps):
        found.append(
            Conflict(
                parties=(f"text: {len(direction.steps)} steps", f"audio: {observations.seconds:.2f} s"),
                settled=f"the first {steps} steps are played",
                why="the audio is too short for more",
            )
        )
    sung = bool(observations.of_kind("singing"))
    if direction.sound == "pause" and (sung or observations.of_kind("speech")):
        found.append(
            Conflict(
                parties=("text: silent", f"audio: {'singing' if sung else 'speech'}"),
                settled="the lips follow the audio",
                why="the voice is heard in the finished video, whatever the words ask for",
            )
        )
    if direction.sound == "singing" and observations.of_kind("speech") and not sung:
        found.append(
            Conflict(
                parties=("text: singing", "audio: speech"),
                settled="singing",
                why="the words know better than the ear what the voice does",
            )
        )
    return tuple(found)
