"""From a resolved direction to shots: cut on the voice, worded for the model, with what nobody asked for filled in."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dramatis.director.group import CharacterPlan, GroupPlan, lead_speaker, listener_reactions, turns_of
from dramatis.director.language.direction import Direction, GestureWish, Step
from dramatis.director.moments import lasting_gestures, plan_moments
from dramatis.director.negative import shot_negative
from dramatis.director.timeline import cut_into_shots, loudest_frame, place_gestures
from dramatis.director.wording import pronoun_of, shot_positive
from dramatis.runtime.seeds import derive_seed
from dramatis.story.observations import VOICE_KINDS, AudioEvent, AudioObservations
from dramatis.story.storyline import Acting, Shot
from dramatis.story.values import Camera, Emotion, EmotionName, FrameSpan, Gesture, GestureName
from dramatis.story.vocabulary import EMOTION_WORDS, GESTURE_WORDS, OPPOSITE_GESTURES

SPEAKER = "speaker"
"""Who speaks where subtitles give no name."""
_HEARD_FRAMES = 8
"""Least frames of a voice for a shot to count as one in which it is heard."""
IMPLIED_AMOUNT = 0.35
"""Amount of a gesture that nobody asked for."""
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
"""What people do of their own accord while they speak in a mood."""
_IN_PLACE: tuple[GestureName, ...] = ("nod", "raise_brows", "look_down")
"""Gestures that cannot be taken for part of a camera move, as a tilting or leaning head can."""
_AT_SPEAKERS: tuple[GestureName, ...] = ("look_left", "look_right", "turn_left", "turn_right")
_LARGE_MOVE = 0.8
"""Beside a camera move of at least this amount, only gestures in place are added unasked."""
_IMPLIED_SECONDS = 1.6
"""Shots shorter than this get no gestures that nobody asked for."""
_TRAVEL = 1.6
"""How much camera movement the shots of a step may add up to, in full moves of one shot: the picture has edges."""


def plan_shots(
    observations: AudioObservations,
    direction: Direction,
    seed: int,
    characters: tuple[CharacterPlan, ...] = (),
    words: Direction | None = None,
) -> tuple[Shot, ...]:
    """The shots of a direction whose conflicts are resolved; they tile the sound.

    characters: of several people; words: the direction as it was written, before voices filled in emotions.
    """
    spans = cut_into_shots(observations, direction.steps)
    steps = _filled(direction.steps[: len(spans)])
    group = GroupPlan.of(observations, characters, words or direction, spans) if characters else None
    planner = _ShotPlanner(observations, direction, seed, group)
    shots: list[Shot] = []
    for step, step_spans in zip(steps, spans, strict=True):
        shots += planner.shots_of_step(step, step_spans, len(shots))
    return tuple(shots)


def _filled(steps: Sequence[Step]) -> list[Step]:
    """The steps with nothing left open: an emotion lasts until the next one, a camera move until its step ends."""
    filled: list[Step] = []
    emotion = Emotion("neutral", 0.5)
    for step in steps:
        emotion = step.emotion or emotion
        camera = step.camera or Camera("static", 0.5)
        filled.append(Step(emotion, camera, step.gestures, step.at, step.seconds))
    return filled


@dataclass(frozen=True)
class _ShotPlanner:
    """Writes the shots of one direction. group: what the words ask of several people; None for a single person."""

    observations: AudioObservations
    direction: Direction
    seed: int
    group: GroupPlan | None

    def shots_of_step(self, step: Step, spans: Sequence[FrameSpan], first: int) -> list[Shot]:
        """The shots of one step, numbered from `first`."""
        assert step.emotion is not None
        assert step.camera is not None
        camera = _shared_camera(step.camera, len(spans))
        fitting = _fitting(self.direction, step.emotion, step.camera)
        placed = place_gestures(self.observations, spans, step.gestures)
        shots = []
        for index, (span, asked) in enumerate(zip(spans, placed, strict=True), first):
            shot = Shot(index=index, span=span, camera=camera, seed=derive_seed(self.seed, "shot", index))
            if self.group is None:
                shots.append(self._solo_shot(step.emotion, shot, asked, fitting))
            else:
                shots.append(self._group_shot(self.group, step.emotion, shot, asked))
        return shots

    def _solo_shot(
        self, emotion: Emotion, shot: Shot, asked: Sequence[Gesture], fitting: Sequence[GestureName]
    ) -> Shot:
        """A shot of one person."""
        sound = _main_sound(self.observations, shot.span)
        seed = derive_seed(self.seed, "gesture", shot.index)
        gestures = tuple(asked) or _implied(self.observations, shot.span, sound, fitting, seed)
        heard = speakers(self.observations, shot.span) if _voiced(sound) else ()
        acted = shot.model_copy(update={"emotion": emotion, "gestures": gestures, "speakers": heard})
        return self._worded(self.direction, acted, sound)

    def _group_shot(self, group: GroupPlan, speaker_emotion: Emotion, shot: Shot, asked: Sequence[Gesture]) -> Shot:
        """A shot of several people: its emotion, gestures and prompts are those of whoever speaks most.

        speaker_emotion: that of whoever speaks, unless the words say otherwise of them.
        """
        sound = _main_sound(self.observations, shot.span)
        named = _named(self.observations, shot.span) if _voiced(sound) else ()
        shot = shot.model_copy(update={"speakers": named})
        lead = lead_speaker(self.observations, shot.span, shot.speakers)
        # A gesture asked of nobody by name is made by whoever speaks most, or by everybody if nobody speaks.
        parts = {
            character.name: self._part(
                group, character, speaker_emotion, shot, asked if lead in (None, character.name) else ()
            )
            for character in group.characters
        }
        main = parts[lead or group.characters[0].name]
        usual = {name: (main.emotion, main.gestures) if name in shot.speakers else (Emotion(), ()) for name in parts}
        acting = tuple(part for name, part in parts.items() if (part.emotion, part.gestures) != usual[name])
        others = [part for part in parts.values() if part is not main]
        shown = [EMOTION_WORDS[part.emotion.name][0] for part in others]
        shown += [GESTURE_WORDS[gesture.name][0] for part in others for gesture in part.gestures]
        subject = group.character(main.character).direction.subject
        described = self.direction if subject == "person" else replace(self.direction, subject=subject)
        acted = shot.model_copy(update={"emotion": main.emotion, "gestures": main.gestures, "acting": acting})
        return self._worded(described, acted, sound, ", ".join(shown))

    def _part(
        self,
        group: GroupPlan,
        character: CharacterPlan,
        speaker_emotion: Emotion,
        shot: Shot,
        asked: Sequence[Gesture],
    ) -> Acting:
        """What one of several people does in a shot: as asked, else as speakers and listeners do unasked."""
        name, speaks = character.name, character.name in shot.speakers
        seed = derive_seed(self.seed, "gesture", shot.index, name)
        emotion = group.emotion(character, shot.index, speaker_emotion, speaks=speaks)
        direction = replace(
            self.direction,
            still=self.direction.still or character.direction.still,
            avoid=self.direction.avoid | character.direction.avoid,
            steps=self.direction.steps + character.direction.steps,
        )
        fitting = _fitting(direction, emotion, shot.camera)
        gestures = (*group.requested[name][shot.index].gestures, *asked)
        if not gestures and speaks:
            voice = turns_of(self.observations, shot.span, name)
            spoken = FrameSpan(voice[0].start, voice[-1].stop)
            gestures = _implied(self.observations, spoken, _main_sound(self.observations, shot.span), fitting, seed)
        looks = listener_reactions(self.observations, shot.span, group, name, [*fitting, *_looks(direction)], seed)
        gestures += tuple(look for look in looks if not any(look.span.overlaps(other.span) for other in gestures))
        return Acting(character=name, emotion=emotion, gestures=gestures)

    def _worded(self, direction: Direction, shot: Shot, sound: AudioEvent | None, others: str = "") -> Shot:
        """A shot with its prompts and moments. others: what else it shows, which must not be avoided."""
        # The negative prompt must not contain anything that any part of the shot shows.
        everything = shot_positive(direction, shot.emotion, shot.camera, shot.gestures, sound)
        shown = f"{everything} {others}" if others else everything
        negative = shot_negative(shown, shot.emotion, shot.camera, shot.gestures, sound, direction.avoid)
        whole = lasting_gestures(shot.gestures, shot.span)
        passing = [gesture for gesture in shot.gestures if gesture not in whole]
        return shot.model_copy(
            update={
                "positive": shot_positive(direction, shot.emotion, shot.camera, whole, sound),
                "negative": negative,
                "moments": plan_moments(self.observations, shot.span, passing, pronoun_of(direction), shown, negative),
            }
        )


def _looks(direction: Direction) -> list[GestureName]:
    """The ways in which a listener may turn towards the speaker."""
    return [] if direction.still else [name for name in _AT_SPEAKERS if ("gesture", name) not in direction.avoid]


def _voiced(sound: AudioEvent | None) -> bool:
    """Whether a sound is a voice."""
    return sound is not None and sound.kind in VOICE_KINDS


def _shared_camera(camera: Camera, shots: int) -> Camera:
    """The camera move, divided among the shots so that a long step does not run into the edge of the picture."""
    if camera.move in ("static", "handheld") or shots == 1:
        return camera
    return Camera(camera.move, round(min(camera.amount, max(0.1, camera.amount * _TRAVEL / shots)), 3))


def _main_sound(observations: AudioObservations, span: FrameSpan) -> AudioEvent | None:
    """The kind of sound that fills most of a shot, any voice before silence; None if nothing was heard."""
    shares: dict[str, tuple[int, AudioEvent]] = {}
    for event in observations.events:
        if common := event.span.shared(span):
            shares[event.kind] = (shares.get(event.kind, (0, event))[0] + common, event)
    voices = [share for kind, share in shares.items() if kind in VOICE_KINDS]
    heard = [share for share in voices if share[0] >= min(_HEARD_FRAMES, len(span) // 2)] or list(shares.values())
    return max(heard, key=lambda share: share[0])[1] if heard else None


def speakers(observations: AudioObservations, span: FrameSpan) -> tuple[str, ...]:
    """Who speaks within a span, in order: the names from the subtitles, or `SPEAKER` for a voice without a name.

    Anybody who has only a sliver of it is left out, unless nobody has more.
    """
    shares: dict[str, int] = {}
    for event in observations.events:
        if event.kind in VOICE_KINDS and (shared := event.span.shared(span)):
            for name in event.speakers or (SPEAKER,):
                shares[name] = shares.get(name, 0) + shared
    least = min(_HEARD_FRAMES, max(shares.values(), default=0))
    return tuple(name for name, frames in shares.items() if frames >= least)


def _named(observations: AudioObservations, span: FrameSpan) -> tuple[str, ...]:
    """Who of several people speaks within a span; a voice without a name is nobody's."""
    return tuple(name for name in speakers(observations, span) if name != SPEAKER)


def _fitting(direction: Direction, emotion: Emotion, camera: Camera) -> list[GestureName]:
    """Gestures that may be added to a shot for which the words ask for none: those of its mood that nothing rules out.

    If the words ask for stillness, there are none.
    """
    if direction.still:
        return []
    # Whoever asks for a head tilted to the left does not want to see it tilted to the right later.
    asked = {wish.name for step in direction.steps for wish in step.gestures}
    contrary = {other for name in asked for other in OPPOSITE_GESTURES[name]}
    alone = camera.move not in ("static", "handheld") and camera.amount >= _LARGE_MOVE
    return [
        name
        for name in _IMPLIED_GESTURES[emotion.name]
        if ("gesture", name) not in direction.avoid and name not in contrary and (name in _IN_PLACE or not alone)
    ]


def _implied(
    observations: AudioObservations,
    span: FrameSpan,
    sound: AudioEvent | None,
    fitting: Sequence[GestureName],
    seed: int,
) -> tuple[Gesture, ...]:
    """A small gesture on an accent of the voice, one of `fitting`; none in silence, or in a shot too short for it."""
    if not fitting or not _voiced(sound) or span.seconds < _IMPLIED_SECONDS:
        return ()
    wish = GestureWish(random.Random(seed).choice(fitting), IMPLIED_AMOUNT)
    begin = loudest_frame(observations, span)
    length = min(28, span.stop - begin)
    start = max(span.start, min(begin, span.stop - length))
    return (Gesture(wish.name, FrameSpan(start, start + length), wish.amount),)
