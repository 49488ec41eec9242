"""The textual expert: reads the user's words and the others' turns, asks, objects, and writes the plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dramatis.director.dialogue import Material, Minutes
from dramatis.director.group import Role, joined_camera, roles_of
from dramatis.director.language.words import Direction, Step, read
from dramatis.director.plan import IMPLIED_AMOUNT, draft
from dramatis.director.settle import WORDS, Settled, settle, sureness
from dramatis.story.dialogue import Claim, Conflict, Evidence, ExpertName, Objection, Question, Side, Turn
from dramatis.story.storyline import Character, Shot

GUESSED = 0.5
"""Confidence of what is filled in because something has to be."""


class TextExpert:
    """Reads in the first round, plans in the second, and closes once nobody insists on more.

    `settled` and `shots` hold the plan from the second round on.
    """

    name: ExpertName = "text"
    settled: Settled
    shots: tuple[Shot, ...]

    def __init__(self, seed: int, characters: Sequence[Character] = ()) -> None:
        self.seed = seed
        self.direction = Direction(steps=(Step(),))
        self.roles: tuple[Role, ...] = ()
        self._characters = characters

    def speak(self, material: Material, minutes: Minutes, round_: int) -> Turn | None:
        if round_ == 0:
            self._listen(material, minutes)
            self._plan(material, minutes)
            return Turn(
                expert=self.name,
                round=round_,
                thought="the direction as read" if material.prompt.strip() else "nothing is written: all is left open",
                claims=(*_claims(self.direction), *_own_claims(self.roles)),
                questions=tuple(_questions(self.direction)),
            )
        if round_ == 1:
            self._plan(material, minutes)
            return self._propose(round_)
        insisted = any(turn.round == round_ and turn.expert in ("audio", "visual") for turn in minutes.turns)
        if round_ == 2 and insisted:
            return Turn(expert=self.name, round=round_, thought="everybody was heard; the plan stands")
        return None

    def _listen(self, material: Material, minutes: Minutes) -> None:
        """Read the words for all, and those for each of several people."""
        shared, self.roles = roles_of(self._characters, material.prompt)
        self.direction = self.read(replace(material, prompt=shared), minutes)
        if self.roles:
            self.direction = replace(joined_camera(self.direction, self.roles), people=len(self.roles))

    def read(self, material: Material, minutes: Minutes) -> Direction:
        """The user's words, understood."""
        return read(material.prompt)

    def _plan(self, material: Material, minutes: Minutes) -> None:
        self.settled = settle(material, minutes, self.direction)
        self.shots = draft(material.heard, self.settled.direction, self.seed, self.roles, self.direction)

    def _propose(self, round_: int) -> Turn:
        conflicts = self.settled.conflicts
        objections = tuple(
            Objection(to=side.expert, about=conflict.about, text=f"{side.says}; but settled: {conflict.settled}")
            for conflict in conflicts
            for side in conflict.sides
            if side.expert in ("audio", "visual") and _overruled(side, conflict)
        )
        own = [conflict for conflict in conflicts if self.name in {side.expert for side in conflict.sides}]
        lost = [c.about for c in own if c.settled not in {side.says for side in c.sides if side.expert == self.name}]
        gives_way = f"; gives way on {', '.join(dict.fromkeys(lost))}" if lost else ""
        count = len(self.shots)
        return Turn(
            expert=self.name,
            round=round_,
            thought=f"a plan of {count} shot{'s' if count > 1 else ''}; what nobody asked for is filled in{gives_way}",
            claims=(*self.settled.filled, *_inferred(self.settled.direction, self.shots)),
            objections=objections,
        )


def _overruled(side: Side, conflict: Conflict) -> bool:
    """Whether somebody else's words were settled on."""
    return any(other.says == conflict.settled for other in conflict.sides if other is not side)


def _claims(direction: Direction) -> Iterator[Claim]:
    """What the words ask for, step by step, and what they refuse."""
    for number, step in enumerate(direction.steps, 1):
        for about, value in _wishes(step):
            yield Claim(about=about, value=f"step {number}: {value}", confidence=sureness(step))
    for kind, name in sorted(direction.avoid):
        yield Claim(about=kind, value=f"not {name}", confidence=WORDS)
    if direction.sound:
        yield Claim(about="sound", value=direction.sound, confidence=WORDS)
    if direction.manner:
        yield Claim(about="manner", value=direction.manner, confidence=WORDS)
    for topic, words in direction.mentions:
        yield Claim(about=topic, value="mentioned", confidence=WORDS, evidence=(Evidence(words=words),))
    for scene in direction.scene:
        yield Claim(about="scene", value=scene[:200], confidence=WORDS, evidence=(Evidence(words=scene[:2000]),))


def _own_claims(roles: Sequence[Role]) -> Iterator[Claim]:
    """What the words ask of each of several people."""
    for role in roles:
        for number, step in enumerate(role.direction.steps, 1):
            for about, value in _wishes(step):
                yield Claim(about=about, value=f"{role.name}, step {number}: {value}", confidence=sureness(step))
        for kind, name in sorted(role.direction.avoid):
            yield Claim(about=kind, value=f"{role.name}: not {name}", confidence=WORDS)


def _wishes(step: Step) -> Iterator[tuple[str, str]]:
    if step.emotion:
        yield "emotion", f"{step.emotion.name} {step.emotion.intensity:g}"
    if step.camera:
        yield "camera", f"{step.camera.move} {step.camera.amount:g}"
    for wish in step.gestures:
        yield "gesture", f"{wish.name} {wish.amount:g}"


def _questions(direction: Direction) -> Iterator[Question]:
    if any(step.emotion is None for step in direction.steps):
        yield Question(to="audio", about="intent", text="The words leave the emotion open: how is it said?")
    if any(step.seconds for step in direction.steps):
        yield Question(to="audio", about="length", text="The words name a time: how long is the sound?")
    for topic, words in direction.mentions:
        about = "light" if topic in ("dark", "bright") else topic
        yield Question(to="visual", about=about, text=f"The words say {words[:200]!r}: does the picture show it?")


def _inferred(direction: Direction, shots: tuple[Shot, ...]) -> Iterator[Claim]:
    """What was filled in because nobody knew better."""
    if direction.steps[0].emotion is None:
        yield Claim(about="emotion", value="neutral", confidence=GUESSED, inferred=True)
    if any(step.camera is None for step in direction.steps):
        yield Claim(about="camera", value="static where nothing is said", confidence=GUESSED, inferred=True)
    if any(acting.character not in shot.speakers for shot in shots for acting in shot.acting):
        yield Claim(about="listeners", value="they follow who speaks", confidence=GUESSED, inferred=True)
    for shot in shots:
        for gesture in shot.gestures:
            if gesture.amount == IMPLIED_AMOUNT:
                yield Claim(about="gesture", value=gesture.name, confidence=GUESSED, span=gesture.span, inferred=True)
