"""From a settled direction to shots: cut on the voice, worded for the model, with what nobody asked for filled in."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from dramatis.director.group import Company, Role, lead_of, reaction, turns_of
from dramatis.director.language.words import Direction, Step, Wish
from dramatis.director.moments import lasting, moments
from dramatis.director.negative import shot_negative
from dramatis.director.timeline import accent, cut, place_gestures
from dramatis.runtime.seeds import derive_seed
from dramatis.story.observations import VOICES, AudioEvent, Observations
from dramatis.story.storyline import Acting, Shot
from dramatis.story.values import Camera, Emotion, EmotionName, FrameSpan, Gesture, GestureName
from dramatis.story.vocabulary import (
    CAMERA_WORDS,
    COMPANY_WORDS,
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
_AT_SPEAKERS: tuple[GestureName, ...] = ("look_left", "look_right", "turn_left", "turn_right")
_LARGE_MOVE = 0.8
"""From this amount on, a camera move has the picture to itself: only gestures in place go with it unasked."""
_IMPLIED_SECONDS = 1.6
"""Shots shorter than this get no gesture that nobody asked for."""
_TRAVEL = 1.6
"""How much of one shot's full camera move all the shots of a step may make together: the picture has edges."""


def draft(
    observations: Observations,
    direction: Direction,
    seed: int,
    roles: tuple[Role, ...] = (),
    words: Direction | None = None,
) -> tuple[Shot, ...]:
    """The shots of a direction whose emotions are settled; they tile the sound.

    roles: of several people; words: the direction as it was written, before voices filled in emotions.
    """
    spans = cut(observations, direction.steps)
    steps = _filled(direction.steps[: len(spans)])
    company = Company.of(observations, roles, words or direction, spans) if roles else None
    shots: list[Shot] = []
    for step, step_spans in zip(steps, spans, strict=True):
        shots += _shots_of_step(observations, direction, step, step_spans, len(shots), seed, company)
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
    company: Company | None,
) -> list[Shot]:
    """The shots of one step, numbered from `first`."""
    assert step.emotion is not None and step.camera is not None
    camera = _shared_camera(step.camera, len(spans))
    fitting = _fitting(direction, step.emotion, step.camera)
    shots = []
    for offset, (span, asked) in enumerate(zip(spans, place_gestures(observations, spans, step.gestures), strict=True)):
        index = first + offset
        sound = _main_sound(observations, span)
        voiced = sound is not None and sound.kind in VOICES
        shot = Shot(index=index, span=span, camera=camera, seed=derive_seed(seed, "shot", index))
        if company is None:
            gestures = tuple(asked) or _implied(observations, span, sound, fitting, derive_seed(seed, "gesture", index))
            heard = speakers(observations, span) if voiced else ()
            acted = shot.model_copy(update={"emotion": step.emotion, "gestures": gestures, "speakers": heard})
            shots.append(_worded(observations, direction, acted, sound))
        else:
            acted = shot.model_copy(update={"speakers": _named(observations, span) if voiced else ()})
            shots.append(_group_shot(observations, direction, company, step.emotion, acted, asked, sound, seed))
    return shots


def _worded(
    observations: Observations, direction: Direction, shot: Shot, sound: AudioEvent | None, others: str = ""
) -> Shot:
    """A shot with its prompts and moments; others: what else is shown in it, which may not be avoided."""
    # Nothing that any part of the shot shows may be avoided in it, so the negative prompt sees it all.
    everything = _positive(direction, shot.emotion, shot.camera, shot.gestures, sound)
    shown = f"{everything} {others}" if others else everything
    negative = shot_negative(shown, shot.emotion, shot.camera, shot.gestures, sound, direction.avoid)
    whole = lasting(shot.gestures, shot.span)
    passing = [gesture for gesture in shot.gestures if gesture not in whole]
    return shot.model_copy(
        update={
            "positive": _positive(direction, shot.emotion, shot.camera, whole, sound),
            "negative": negative,
            "moments": moments(observations, shot.span, passing, pronoun_of(direction), shown, negative),
        }
    )


def _group_shot(
    observations: Observations,
    direction: Direction,
    company: Company,
    settled: Emotion,
    shot: Shot,
    asked: Sequence[Gesture],
    sound: AudioEvent | None,
    seed: int,
) -> Shot:
    """A shot of several people: its own emotion and gestures are those of who speaks most, in words about that one.

    shot: with its speakers; settled: the emotion of who speaks, where nothing else is said of them.
    """
    lead = lead_of(observations, shot.span, shot.speakers)
    # What nobody is named for is done by who speaks, or by everybody where nobody does.
    parts = {
        role.name: _part(
            observations, direction, company, settled, shot, role,
            asked if lead in (None, role.name) else (), sound, derive_seed(seed, "gesture", shot.index, role.name),
        )
        for role in company.roles
    }  # fmt: skip
    main = parts[lead or company.roles[0].name]
    usual = {name: (main.emotion, main.gestures) if name in shot.speakers else (Emotion(), ()) for name in parts}
    acting = tuple(part for name, part in parts.items() if (part.emotion, part.gestures) != usual[name])
    others = [part for part in parts.values() if part is not main]
    shown = [EMOTION_WORDS[part.emotion.name][0] for part in others]
    shown += [GESTURE_WORDS[gesture.name][0] for part in others for gesture in part.gestures]
    subject = company.role(main.character).direction.subject
    told = direction if subject == "person" else replace(direction, subject=subject)
    acted = shot.model_copy(update={"emotion": main.emotion, "gestures": main.gestures, "acting": acting})
    return _worded(observations, told, acted, sound, ", ".join(shown))


def _part(
    observations: Observations,
    direction: Direction,
    company: Company,
    settled: Emotion,
    shot: Shot,
    role: Role,
    asked: Sequence[Gesture],
    sound: AudioEvent | None,
    seed: int,
) -> Acting:
    """What one of several people does in a shot: what is asked, else what who speaks or who listens does unasked."""
    speaks = role.name in shot.speakers
    emotion = company.emotion(role, shot.index, speaks, settled)
    told = replace(
        direction,
        still=direction.still or role.direction.still,
        avoid=direction.avoid | role.direction.avoid,
        steps=direction.steps + role.direction.steps,
    )
    fitting = _fitting(told, emotion, shot.camera)
    gestures = (*company.asked[role.name][shot.index].gestures, *asked)
    if not gestures and speaks:
        voice = turns_of(observations, shot.span, role.name)
        gestures = _implied(observations, FrameSpan(voice[0].start, voice[-1].stop), sound, fitting, seed)
    unasked = reaction(observations, shot.span, company, role.name, [*fitting, *_looks(told)], seed)
    gestures += tuple(one for one in unasked if not any(one.span.overlaps(other.span) for other in gestures))
    return Acting(character=role.name, emotion=emotion, gestures=gestures)


def _looks(direction: Direction) -> list[GestureName]:
    """The ways in which a listener may turn to who speaks."""
    return [] if direction.still else [name for name in _AT_SPEAKERS if ("gesture", name) not in direction.avoid]


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
            for name in event.speakers or (SPEAKER,):
                shares[name] = shares.get(name, 0) + shared
    least = min(_HEARD_FRAMES, max(shares.values(), default=0))
    return tuple(name for name, frames in shares.items() if frames >= least)


def _named(observations: Observations, span: FrameSpan) -> tuple[str, ...]:
    """Who speaks in a stretch of several people's sound; a voice without a name is nobody's."""
    return tuple(name for name in speakers(observations, span) if name != SPEAKER)


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
    """Who is seen, as captions of the training say it: the one whom a clip is about, and how many others."""
    others = ("", *COMPANY_WORDS)
    return f"a {direction.subject}{others[min(direction.people, len(others)) - 1]}"


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


def emotions_of(shots: Sequence[Shot]) -> tuple[EmotionName, ...]:
    """Every emotion that anybody shows, in order."""
    shown = (name for shot in shots for name in (shot.emotion.name, *(part.emotion.name for part in shot.acting)))
    return tuple(dict.fromkeys(shown))


def global_positive(direction: Direction, shots: Sequence[Shot]) -> str:
    """The whole video in one line: who, the emotions in order, and the scene in the user's own words."""
    emotions = dict.fromkeys(EMOTION_WORDS[shot.emotion.name][0] for shot in shots)
    voiced = any(shot.speakers for shot in shots)
    verb = SOUND_WORDS["speech" if voiced else "pause"][0]
    return ", ".join((f"{subject_of(direction)} {verb}, {' then '.join(emotions)}", *direction.scene))
