"""Several people in one picture: which words are about whom, who leads a shot, and how listeners react to the speaker.

A clause that names a character belongs to that character, and so does what follows it in the same sentence. Everything
else is about everybody, and so are camera moves in any case. The speaker acts what the words or the voice say. A
listener is neutral unless the words say otherwise, looks or turns towards the speaker, and nods now and then where the
voice rests or stresses.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dramatis.director.language.cues import fold, read_cues
from dramatis.director.language.direction import Direction, Step
from dramatis.director.language.lexicon import lexicon
from dramatis.director.language.parser import clauses, read_direction
from dramatis.director.timeline import loudest_frame, place_gestures, wanted_seconds
from dramatis.runtime.seeds import derive_seed
from dramatis.story.observations import VOICE_KINDS, AudioObservations
from dramatis.story.storyline import Character
from dramatis.story.values import FPS, Emotion, FrameSpan, Gesture, GestureName

LISTENER_INTENSITY = 0.7
"""How much of an emotion that the words ask of everybody is shown by those who do not speak."""
_DELAY = (6, 14)
"""Frames until a listener looks at whoever begins to speak."""
_LOOK, _REST = (45, 90), (25, 60)
"""Frames of a look at the speaker, and between two looks."""
_SHORTEST_LOOK = 15
_LOOKS, _TURNS = 0.8, 0.45
"""Amounts: eyes move far, heads turn slightly."""
_EYES_ALONE = 0.6
"""Share of looks made with the eyes alone."""
_NODS, _NOD_AMOUNT, _NOD_FRAMES = 0.6, 0.3, 26
"""Share of shots in which a listener nods, the amount, and the frames that it takes."""
_APART = 14
"""Frames by which a nod may be delayed, so that two listeners do not nod in unison."""
_REST_FRAMES = 6
"""Least frames of a speaker's pause that a nod answers."""


@dataclass(frozen=True)
class CharacterPlan:
    """One character: the horizontal position of the face in the picture, 0..1, and what the words say of it alone."""

    name: str
    x: float
    direction: Direction


@dataclass(frozen=True)
class RequestedActing:
    """What the words ask of one character in one shot."""

    emotion: Emotion | None
    gestures: tuple[Gesture, ...]


@dataclass(frozen=True)
class GroupPlan:
    """What the words ask of several people in each of the planned shots.

    requested: of each character, by name, in each shot. shared: the emotion asked of everybody in each shot, if any.
    """

    characters: tuple[CharacterPlan, ...]
    requested: Mapping[str, Sequence[RequestedActing]]
    shared: Sequence[Emotion | None]

    @classmethod
    def of(
        cls,
        observations: AudioObservations,
        characters: tuple[CharacterPlan, ...],
        words: Direction,
        spans: Sequence[Sequence[FrameSpan]],
    ) -> GroupPlan:
        """The plan for the shots in `spans`, which are listed by the steps of `words`, the direction for everybody."""
        shots = [span for step in spans for span in step]
        emotions = _lasting(words.steps)
        shared = [emotion for emotion, step in zip(emotions, spans, strict=False) for _ in step]
        requested = {character.name: requested_acting(observations, character, shots) for character in characters}
        return cls(characters, requested, shared)

    def character(self, name: str) -> CharacterPlan:
        """The character of that name."""
        return next(character for character in self.characters if character.name == name)

    def emotion(self, character: CharacterPlan, shot: int, speaker_emotion: Emotion, *, speaks: bool) -> Emotion:
        """What a character shows in a shot. speaker_emotion: what a speaker shows unless the words say otherwise."""
        requested, shared = self.requested[character.name][shot].emotion, self.shared[shot]
        if requested is not None or speaks:
            return requested or speaker_emotion
        if shared is None:
            return Emotion()
        return Emotion(shared.name, round(LISTENER_INTENSITY * shared.intensity, 2))


def divide_by_character(prompt: str, names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The words about everybody, and those about each name, in sentences as they were written."""
    known = {fold(name): name for name in names}
    parts: dict[str | None, list[tuple[str, bool]]] = {None: []} | {name: [] for name in names}
    about: list[str] = []
    waiting: list[str] = []
    when = ""
    for fragment, new in _clauses(prompt, list(known)):
        subjects, rest = _subjects(fragment, known)
        if subjects and not re.search(r"\w", rest):
            waiting += subjects  # "ann, bob and cyd smile"
            continue
        if lexicon().only_a_time.match(rest):
            when = f"{rest}, "
            continue
        if subjects:
            about, waiting = waiting + subjects, []
        elif lexicon().others.search(rest):
            about = [name for name in names if name not in about]
        elif (new and not lexicon().already_named.match(rest)) or lexicon().all_of_them.search(rest):
            about = []
        cues = read_cues(rest)
        cameras = bool(cues) and all(cue.kind == "camera" for cue in cues)
        scenery = not cues and not subjects and not lexicon().already_named.match(rest)
        for name in [None] if cameras or scenery or not about else about:
            parts[name].append((when + rest, new or bool(subjects)))
        when = ""
    return _joined(parts[None]), {name: _joined(parts[name]) for name in names}


def plan_characters(characters: Sequence[Character], prompt: str) -> tuple[str, tuple[CharacterPlan, ...]]:
    """The words about everybody, and a plan for each character from the words about it.

    Without faces there are no plans: all words are about everybody.
    """
    seen = [(character.name, character.face) for character in characters if character.face]
    if not seen:
        return prompt, ()
    places = {name: (face[0] + face[2]) / 2 for name, face in seen}
    shared, about_each = divide_by_character(prompt, list(places))
    towards = {name: _towards(words, name, places) for name, words in about_each.items()}
    return shared, tuple(CharacterPlan(name, x, read_direction(towards[name])) for name, x in places.items())


def joined_camera(direction: Direction, characters: Sequence[CharacterPlan]) -> Direction:
    """The direction with a camera move from the words about a character, if the words about everybody name none."""
    cameras = [step.camera for character in characters for step in character.direction.steps if step.camera]
    if not cameras or any(step.camera for step in direction.steps):
        return direction
    return replace(direction, steps=tuple(replace(step, camera=cameras[0]) for step in direction.steps))


def requested_acting(
    observations: AudioObservations, character: CharacterPlan, shots: Sequence[FrameSpan]
) -> list[RequestedActing]:
    """What the words ask of a character, shot by shot: an emotion lasts until the next one."""
    steps = character.direction.steps
    begins = [seconds * FPS for seconds in wanted_seconds(steps, observations.seconds)]
    of_shot = [max(k for k, begin in enumerate(begins) if k == 0 or 2 * begin <= s.start + s.stop) for s in shots]
    gestures: list[list[Gesture]] = []
    for step_index, (first, stop) in enumerate(
        pairwise([*(_first(of_shot, k) for k in range(len(steps))), len(shots)])
    ):
        if first < stop:
            gestures += place_gestures(observations, shots[first:stop], steps[step_index].gestures)
    emotions = _lasting(steps)
    return [RequestedActing(emotions[step], tuple(moves)) for step, moves in zip(of_shot, gestures, strict=True)]


def lead_speaker(observations: AudioObservations, span: FrameSpan, speakers: Sequence[str]) -> str | None:
    """Who speaks most within a span, the first of several who speak equally long; None if nobody does."""
    shares = {name: sum(len(part) for part in turns_of(observations, span, name)) for name in speakers}
    return max(speakers, key=lambda name: shares[name], default=None)


def listener_reactions(
    observations: AudioObservations,
    span: FrameSpan,
    group: GroupPlan,
    name: str,
    fitting: Sequence[GestureName],
    seed: int,
) -> tuple[Gesture, ...]:
    """How a listener follows others while they speak: looks towards the speaker, and now and then a small nod.

    Looks begin a moment after the voice. fitting: gestures that nothing rules out. Equal seeds give equal reactions.
    """
    dice = random.Random(derive_seed(seed, "reaction", name))
    reactions: list[Gesture] = []
    # Anything shorter is a passing sound, or the onset of a turn that belongs to the next shot.
    heard = [turn for turn in _others(observations, span, name) if sum(map(len, turn[1])) >= _SHORTEST_LOOK]
    for speaker, voice in heard:
        side = "left" if group.character(speaker).x < group.character(name).x else "right"
        at, stop = voice[0].start + dice.randint(*_DELAY), min(span.stop, voice[-1].stop + _DELAY[0])
        while stop - at >= _SHORTEST_LOOK:
            eyes = dice.random() < _EYES_ALONE
            look: GestureName = f"{'look' if eyes else 'turn'}_{side}"  # type: ignore[assignment]
            end = min(stop, at + dice.randint(*_LOOK))
            if look in fitting:
                reactions.append(Gesture(look, FrameSpan(at, end), _LOOKS if eyes else _TURNS))
            at = end + dice.randint(*_REST)
    if heard and dice.random() < _NODS and "nod" in fitting:
        voice = max((voice for _, voice in heard), key=lambda voice: sum(map(len, voice)))
        reactions.append(_nod(observations, voice, dice.randint(0, _APART)))
    return tuple(reactions)


def _nod(observations: AudioObservations, voice: Sequence[FrameSpan], late: int) -> Gesture:
    """A nod in the speaker's longest pause, else on the loudest syllable, `late` frames later; within the turn."""
    whole = FrameSpan(voice[0].start, voice[-1].stop)
    rests = [FrameSpan(a.stop, b.start) for a, b in pairwise(voice) if b.start - a.stop >= _REST_FRAMES]
    start = max(rests, key=len).start if rests else loudest_frame(observations, whole)
    start = max(whole.start, min(start + late, whole.stop - _NOD_FRAMES))
    return Gesture("nod", FrameSpan(start, min(whole.stop, start + _NOD_FRAMES)), _NOD_AMOUNT)


def _others(observations: AudioObservations, span: FrameSpan, name: str) -> list[tuple[str, list[FrameSpan]]]:
    """The turns of others within a span while a character is silent: who speaks, and the spans of that voice.

    A turn goes on across pauses, but not across anybody else's voice.
    """
    turns: list[tuple[str, list[FrameSpan]]] = []
    broken = True
    for event in observations.events:
        if event.kind not in VOICE_KINDS or not event.speaker or not event.span.overlaps(span):
            continue
        if name in event.speakers:
            broken = True
            continue
        part = FrameSpan(max(event.span.start, span.start), min(event.span.stop, span.stop))
        if broken or turns[-1][0] != event.speaker:
            turns.append((event.speaker, []))
        turns[-1][1].append(part)
        broken = False
    return turns


def turns_of(observations: AudioObservations, span: FrameSpan, name: str) -> list[FrameSpan]:
    """The parts of a span in which a character is heard."""
    return [
        FrameSpan(max(event.span.start, span.start), min(event.span.stop, span.stop))
        for event in observations.events
        if event.kind in VOICE_KINDS and name in event.speakers and event.span.overlaps(span)
    ]


def _lasting(steps: Sequence[Step]) -> list[Emotion | None]:
    """The emotion of every step: its own, or that of the last step that has one."""
    emotions: list[Emotion | None] = []
    for step in steps:
        emotions.append(step.emotion or (emotions[-1] if emotions else None))
    return emotions


def _first(steps: Sequence[int], step: int) -> int:
    """The first shot that belongs to a step or to a later one."""
    return next((shot for shot, shot_step in enumerate(steps) if shot_step >= step), len(steps))


# Whom the words are about


def _clauses(prompt: str, names: Sequence[str]) -> list[tuple[str, bool]]:
    """The clauses of a prompt, cut again where "and" goes on to somebody else: "ann smiles and bob nods"."""
    border = re.compile(rf" and (?={_any(names)})")
    parts: list[tuple[str, bool]] = []
    for fragment, new in clauses(prompt):
        begin = 0
        for match in border.finditer(fragment):
            if re.search(r"\w", re.sub(rf"{_any(names)}|\band\b", "", fragment[begin : match.start()])):
                parts.append((fragment[begin : match.start()], new and begin == 0))
                begin = match.end()
        parts.append((fragment[begin:], new and begin == 0))
    return parts


def _subjects(fragment: str, known: dict[str, str]) -> tuple[list[str], str]:
    """Whom a clause is about (the first name and those joined to it), and the clause without the names."""
    name = _any(list(known))
    match = re.search(rf"{name}(?:'s)?(?:\s+(?:and|&)\s+{name}(?:'s)?)*", fragment)
    if match is None:
        return [], fragment
    subjects = [known[matched] for matched in re.findall(name, match.group())]
    rest = re.sub(r"^\s*and\b", "", f"{fragment[: match.start()]} {fragment[match.end() :]}")
    return subjects, " ".join(rest.split())


def _towards(words: str, name: str, places: dict[str, float]) -> str:
    """The words about a character, with the others' names replaced by where they are: "looks to the left"."""
    for other, x in places.items():
        if other != name:
            side = "left" if x < places[name] else "right"
            words = re.sub(rf"(?:(?:over )?(?:at|to|towards?) )?{_any([fold(other)])}", f"to the {side}", words)
    return words


def _any(names: Sequence[str]) -> str:
    """A pattern for any of the folded names; a name in Latin letters is not found within a longer word."""
    longest = sorted(names, key=len, reverse=True)
    return rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, longest))})(?![a-z0-9])"


def _joined(parts: Sequence[tuple[str, bool]]) -> str:
    return "".join(f"{'. ' if new else ', '}{words}" for words, new in parts)[2:]
