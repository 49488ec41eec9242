"""The textual expert: reads the user's words and the other experts' turns, asks, objects, and writes the plan."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from dramatis.director.dialogue import PlanningInputs, Transcript
from dramatis.director.group import CharacterPlan, joined_camera, plan_characters
from dramatis.director.language.direction import Direction, Step
from dramatis.director.language.reader import PromptReader, ReadingContext, RuleReader
from dramatis.director.plan import IMPLIED_AMOUNT, plan_shots
from dramatis.director.settle import WORDS, ResolvedDirection, resolve_conflicts, step_confidence
from dramatis.story.dialogue import Claim, Conflict, Evidence, ExpertName, Objection, Position, Question, Turn
from dramatis.story.storyline import Character, Shot

GUESSED = 0.5
"""Confidence in what is filled in only because something has to be."""


class TextExpert:
    """Reads in the first round, plans in the second, and closes once nobody insists on more.

    `resolved` and `shots` hold the plan from the first round on.
    """

    name: ExpertName = "text"
    resolved: ResolvedDirection
    shots: tuple[Shot, ...]

    def __init__(self, seed: int, characters: Sequence[Character] = (), reader: PromptReader | None = None) -> None:
        """reader: who understands the words for everybody; the rules, unless told otherwise."""
        self.seed = seed
        self.direction = Direction(steps=(Step(),))
        self.character_plans: tuple[CharacterPlan, ...] = ()
        self._characters = characters
        self._reader = reader or RuleReader()

    def speak(self, inputs: PlanningInputs, transcript: Transcript, round_: int) -> Turn | None:
        """See `Expert`."""
        if round_ == 0:
            note = self._read(inputs, transcript)
            self._plan(inputs, transcript)
            usual = "the direction as read" if inputs.prompt.strip() else "nothing is written: all is left open"
            return Turn(
                expert=self.name,
                round=round_,
                thought=note or usual,
                claims=(*_claims(self.direction), *_character_claims(self.character_plans)),
                questions=tuple(_questions(self.direction)),
            )
        if round_ == 1:
            self._plan(inputs, transcript)
            return self._propose(round_)
        insisted = any(turn.round == round_ and turn.expert in ("audio", "visual") for turn in transcript.turns)
        if round_ == 2 and insisted:
            return Turn(expert=self.name, round=round_, thought="everybody was heard; the plan stands")
        return None

    def _read(self, inputs: PlanningInputs, transcript: Transcript) -> str:
        """Read the words for everybody, and those for each character; returns the reader's note."""
        shared, self.character_plans = plan_characters(self._characters, inputs.prompt)
        reading = self._reader.read(shared, ReadingContext(inputs, transcript))
        self.direction = reading.direction
        if self.character_plans:
            joined = joined_camera(self.direction, self.character_plans)
            self.direction = replace(joined, people=len(self.character_plans))
        return reading.note

    def _plan(self, inputs: PlanningInputs, transcript: Transcript) -> None:
        self.resolved = resolve_conflicts(inputs, transcript, self.direction)
        self.shots = plan_shots(inputs.heard, self.resolved.direction, self.seed, self.character_plans, self.direction)

    def _propose(self, round_: int) -> Turn:
        conflicts = self.resolved.conflicts
        objections = tuple(
            Objection(to=side.expert, about=conflict.about, text=f"{side.says}; but settled: {conflict.settled}")
            for conflict in conflicts
            for side in conflict.sides
            if side.expert in ("audio", "visual") and _overruled(side, conflict)
        )
        involved = [conflict for conflict in conflicts if self.name in {side.expert for side in conflict.sides}]
        lost = [
            conflict.about
            for conflict in involved
            if conflict.settled not in {side.says for side in conflict.sides if side.expert == self.name}
        ]
        gives_way = f"; gives way on {', '.join(dict.fromkeys(lost))}" if lost else ""
        count = len(self.shots)
        return Turn(
            expert=self.name,
            round=round_,
            thought=f"a plan of {count} shot{'s' if count > 1 else ''}; what nobody asked for is filled in{gives_way}",
            claims=(*self.resolved.filled, *_inferred(self.resolved.direction, self.shots)),
            objections=objections,
        )


def _overruled(side: Position, conflict: Conflict) -> bool:
    """Whether a conflict was settled in favour of somebody else."""
    return any(other.says == conflict.settled for other in conflict.sides if other is not side)


def _claims(direction: Direction) -> Iterator[Claim]:
    """What the words ask for, step by step, and what they refuse."""
    for number, step in enumerate(direction.steps, 1):
        for about, value in _wishes(step):
            yield Claim(about=about, value=f"step {number}: {value}", confidence=step_confidence(step))
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


def _character_claims(plans: Sequence[CharacterPlan]) -> Iterator[Claim]:
    """What the words ask of each of several people."""
    for plan in plans:
        for number, step in enumerate(plan.direction.steps, 1):
            for about, value in _wishes(step):
                yield Claim(about=about, value=f"{plan.name}, step {number}: {value}", confidence=step_confidence(step))
        for kind, name in sorted(plan.direction.avoid):
            yield Claim(about=kind, value=f"{plan.name}: not {name}", confidence=WORDS)


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
    """What was filled in because nobody knew any better."""
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
