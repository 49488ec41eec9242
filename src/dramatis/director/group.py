"""Several people in one picture: whose words are whose, who leads a shot, and how the others react to who speaks.

A clause that names a character is that one's, and so is what follows it in the same sentence; everything else is for
all, and camera moves always are. Who speaks acts what the words or the voice say. Who listens is neutral unless the
words say otherwise, looks or turns towards who speaks, and nods now and then where that voice rests or stresses.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from dramatis.director.language.cues import fold, read_cues
from dramatis.director.language.lexicon import ALL_OF_THEM, ALREADY_NAMED, OTHERS, TIME_ALONE
from dramatis.director.language.words import Direction, Step, clauses, read
from dramatis.director.timeline import accent, place_gestures, wanted_seconds
from dramatis.runtime.seeds import derive_seed
from dramatis.story.observations import VOICES, Observations
from dramatis.story.storyline import Character
from dramatis.story.values import FPS, Emotion, FrameSpan, Gesture, GestureName

SHARED_BY_LISTENERS = 0.7
"""How much of an emotion that the words ask of all those show who do not speak."""
_DELAY = (6, 14)
"""Frames until a listener looks at who begins to speak."""
_LOOK, _REST = (45, 90), (25, 60)
"""Frames of a look at who speaks, and between two looks."""
_SHORTEST_LOOK = 15
_LOOKS, _TURNS = 0.8, 0.45
"""Amounts: eyes go far, heads turn slightly."""
_EYES_ALONE = 0.6
"""Share of the looks that only the eyes make."""
_NODS, _NOD_AMOUNT, _NOD_FRAMES = 0.6, 0.3, 26
"""Share of shots in which a listener nods, how much, and for how long."""
_APART = 14
"""Frames by which a nod may come later, so that two listeners do not nod as one."""
_REST_FRAMES = 6
"""Least pause of who speaks that a nod answers."""


@dataclass(frozen=True)
class Role:
    """A character in the director's eyes: where the face is across the picture, 0..1, and the words for it alone."""

    name: str
    x: float
    direction: Direction


@dataclass(frozen=True)
class Acts:
    """What the words ask of one character in one shot."""

    emotion: Emotion | None
    gestures: tuple[Gesture, ...]


@dataclass(frozen=True)
class Company:
    """Everybody who is seen, from the planned shots on.

    asked: of each name and shot. shared: the emotion that the words ask of all in each shot, if any.
    """

    roles: tuple[Role, ...]
    asked: Mapping[str, Sequence[Acts]]
    shared: Sequence[Emotion | None]

    @classmethod
    def of(
        cls, observations: Observations, roles: tuple[Role, ...], words: Direction, spans: Sequence[Sequence[FrameSpan]]
    ) -> Company:
        """The company for the shots `spans` of every step of the words for all."""
        shots = [span for step in spans for span in step]
        emotions = _lasting(words.steps)
        shared = [emotion for emotion, step in zip(emotions, spans, strict=False) for _ in step]
        return cls(roles, {role.name: asked(observations, role, shots) for role in roles}, shared)

    def role(self, name: str) -> Role:
        """The one of that name."""
        return next(role for role in self.roles if role.name == name)

    def emotion(self, role: Role, shot: int, speaks: bool, settled: Emotion) -> Emotion:
        """What somebody shows in a shot; settled: what whoever speaks shows, unless told otherwise."""
        own, shared = self.asked[role.name][shot].emotion, self.shared[shot]
        if own is not None or speaks:
            return own or settled
        if shared is None:
            return Emotion()
        return Emotion(shared.name, round(SHARED_BY_LISTENERS * shared.intensity, 2))


def divide(prompt: str, names: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The words for all, and those for each name, each in sentences as they were written."""
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
        if TIME_ALONE.match(rest):
            when = f"{rest}, "
            continue
        if subjects:
            about, waiting = waiting + subjects, []
        elif OTHERS.search(rest):
            about = [name for name in names if name not in about]
        elif (new and not ALREADY_NAMED.match(rest)) or ALL_OF_THEM.search(rest):
            about = []
        cues = read_cues(rest)
        cameras = bool(cues) and all(cue.kind == "camera" for cue in cues)
        scenery = not cues and not subjects and not ALREADY_NAMED.match(rest)
        for name in [None] if cameras or scenery or not about else about:
            parts[name].append((when + rest, new or bool(subjects)))
        when = ""
    return _joined(parts[None]), {name: _joined(parts[name]) for name in names}


def roles_of(characters: Sequence[Character], prompt: str) -> tuple[str, tuple[Role, ...]]:
    """The words for all, and the characters, each with the words for it; characters without faces have none."""
    seen = [(character.name, character.face) for character in characters if character.face]
    if not seen:
        return prompt, ()
    places = {name: (face[0] + face[2]) / 2 for name, face in seen}
    shared, own = divide(prompt, list(places))
    turned = {name: _towards(words, name, places) for name, words in own.items()}
    return shared, tuple(Role(name, x, read(turned[name])) for name, x in places.items())


def joined_camera(direction: Direction, roles: Sequence[Role]) -> Direction:
    """The direction with a camera move that stood beside somebody's name, where the words for all have none."""
    cameras = [step.camera for role in roles for step in role.direction.steps if step.camera]
    if not cameras or any(step.camera for step in direction.steps):
        return direction
    return replace(direction, steps=tuple(replace(step, camera=cameras[0]) for step in direction.steps))


def asked(observations: Observations, role: Role, shots: Sequence[FrameSpan]) -> list[Acts]:
    """What the words ask of a character, shot by shot: an emotion lasts until the next one."""
    steps = role.direction.steps
    begins = [seconds * FPS for seconds in wanted_seconds(steps, observations.seconds)]
    of_shot = [max(k for k, begin in enumerate(begins) if k == 0 or 2 * begin <= s.start + s.stop) for s in shots]
    gestures: list[list[Gesture]] = []
    for place, (first, stop) in enumerate(pairwise([*(_first(of_shot, k) for k in range(len(steps))), len(shots)])):
        if first < stop:
            gestures += place_gestures(observations, shots[first:stop], steps[place].gestures)
    emotions = _lasting(steps)
    return [Acts(emotions[step], tuple(moves)) for step, moves in zip(of_shot, gestures, strict=True)]


def lead_of(observations: Observations, span: FrameSpan, speakers: Sequence[str]) -> str | None:
    """Who speaks most of a stretch, the first of those who speak alike; None where nobody does."""
    shares = {name: sum(len(part) for part in turns_of(observations, span, name)) for name in speakers}
    return max(speakers, key=lambda name: shares[name], default=None)


def reaction(
    observations: Observations, span: FrameSpan, company: Company, name: str, fitting: Sequence[GestureName], seed: int
) -> tuple[Gesture, ...]:
    """How somebody follows the others while they speak: looks that begin a moment after a voice, towards where that one
    is, and now and then a small nod.

    fitting: the gestures that nothing speaks against. Equal seeds, equal reactions.
    """
    dice = random.Random(derive_seed(seed, "reaction", name))
    out: list[Gesture] = []
    # What is shorter is the onset of a turn that belongs to the next shot, or a sound in passing.
    heard = [turn for turn in _others(observations, span, name) if sum(map(len, turn[1])) >= _SHORTEST_LOOK]
    for speaker, voice in heard:
        side = "left" if company.role(speaker).x < company.role(name).x else "right"
        at, stop = voice[0].start + dice.randint(*_DELAY), min(span.stop, voice[-1].stop + _DELAY[0])
        while stop - at >= _SHORTEST_LOOK:
            eyes = dice.random() < _EYES_ALONE
            look: GestureName = f"{'look' if eyes else 'turn'}_{side}"  # type: ignore[assignment]
            end = min(stop, at + dice.randint(*_LOOK))
            if look in fitting:
                out.append(Gesture(look, FrameSpan(at, end), _LOOKS if eyes else _TURNS))
            at = end + dice.randint(*_REST)
    if heard and dice.random() < _NODS and "nod" in fitting:
        voice = max((voice for _, voice in heard), key=lambda voice: sum(map(len, voice)))
        out.append(_nod(observations, voice, dice.randint(0, _APART)))
    return tuple(out)


def _nod(observations: Observations, voice: Sequence[FrameSpan], late: int) -> Gesture:
    """A nod where who speaks pauses longest, else on the loudest syllable, or some frames later; not longer than the
    voice lasts."""
    whole = FrameSpan(voice[0].start, voice[-1].stop)
    rests = [FrameSpan(a.stop, b.start) for a, b in pairwise(voice) if b.start - a.stop >= _REST_FRAMES]
    start = max(rests, key=len).start if rests else accent(observations, whole)
    start = max(whole.start, min(start + late, whole.stop - _NOD_FRAMES))
    return Gesture("nod", FrameSpan(start, min(whole.stop, start + _NOD_FRAMES)), _NOD_AMOUNT)


def _others(observations: Observations, span: FrameSpan, name: str) -> list[tuple[str, list[FrameSpan]]]:
    """The turns of others within a stretch while somebody is silent: who speaks, and the parts in which that is heard,
    across pauses but not across anybody else's voice."""
    out: list[tuple[str, list[FrameSpan]]] = []
    broken = True
    for event in observations.events:
        if event.kind not in VOICES or not event.speaker or not event.span.overlaps(span):
            continue
        if name in event.speakers:
            broken = True
            continue
        part = FrameSpan(max(event.span.start, span.start), min(event.span.stop, span.stop))
        if broken or out[-1][0] != event.speaker:
            out.append((event.speaker, []))
        out[-1][1].append(part)
        broken = False
    return out


def turns_of(observations: Observations, span: FrameSpan, name: str) -> list[FrameSpan]:
    """The parts of a stretch in which somebody is heard."""
    return [
        FrameSpan(max(event.span.start, span.start), min(event.span.stop, span.stop))
        for event in observations.events
        if event.kind in VOICES and name in event.speakers and event.span.overlaps(span)
    ]


def _lasting(steps: Sequence[Step]) -> list[Emotion | None]:
    """The emotion of every step: what it says, or what the last one before it said."""
    out: list[Emotion | None] = []
    for step in steps:
        out.append(step.emotion or (out[-1] if out else None))
    return out


def _first(steps: Sequence[int], step: int) -> int:
    """The first shot that belongs to a step or a later one."""
    return next((shot for shot, own in enumerate(steps) if own >= step), len(steps))


# Reading whom words are about


def _clauses(prompt: str, names: Sequence[str]) -> list[tuple[str, bool]]:
    """The clauses of a prompt, cut again where "and" begins to tell of somebody else: "ann smiles and bob nods"."""
    border = re.compile(rf" and (?={_any(names)})")
    out: list[tuple[str, bool]] = []
    for fragment, new in clauses(prompt):
        begin = 0
        for match in border.finditer(fragment):
            if re.search(r"\w", re.sub(rf"{_any(names)}|\band\b", "", fragment[begin : match.start()])):
                out.append((fragment[begin : match.start()], new and begin == 0))
                begin = match.end()
        out.append((fragment[begin:], new and begin == 0))
    return out


def _subjects(fragment: str, known: dict[str, str]) -> tuple[list[str], str]:
    """Whom a clause is about, the first name and those joined to it, and the clause without them."""
    name = _any(list(known))
    match = re.search(rf"{name}(?:'s)?(?:\s+(?:and|&)\s+{name}(?:'s)?)*", fragment)
    if match is None:
        return [], fragment
    subjects = [known[found] for found in re.findall(name, match.group())]
    rest = re.sub(r"^\s*and\b", "", f"{fragment[: match.start()]} {fragment[match.end() :]}")
    return subjects, " ".join(rest.split())


def _towards(words: str, name: str, places: dict[str, float]) -> str:
    """The words for somebody with the others' names replaced by where they are: "looks to the left"."""
    for other, x in places.items():
        if other != name:
            side = "left" if x < places[name] else "right"
            words = re.sub(rf"(?:(?:over )?(?:at|to|towards?) )?{_any([fold(other)])}", f"to the {side}", words)
    return words


def _any(names: Sequence[str]) -> str:
    """A pattern for any of the folded names; a name of letters is not found within a longer word."""
    longest = sorted(names, key=len, reverse=True)
    return rf"(?<![a-z0-9])(?:{'|'.join(map(re.escape, longest))})(?![a-z0-9])"


def _joined(parts: Sequence[tuple[str, bool]]) -> str:
    return "".join(f"{'. ' if new else ', '}{words}" for words, new in parts)[2:]
