"""Who contradicts whom, and who is believed: the words before the voice, and the voice before the picture.

A position gives way in spite of its rank if it is unsure and the other is certain, or if what it asks for cannot be
shown: no prompt puts glasses on a face, changes a voice that is heard in the finished video, or lengthens the video.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dramatis.director.dialogue import PlanningInputs, Transcript
from dramatis.director.language.direction import Direction, Step
from dramatis.director.timeline import cut_into_shots
from dramatis.story.dialogue import Claim, Conflict, ExpertName, Position
from dramatis.story.observations import Mood
from dramatis.story.values import EMOTIONS, Emotion, FrameSpan
from dramatis.story.vocabulary import OPPOSITE_EMOTIONS

CERTAIN = 0.8
"""Confidence that overrules a position held with less than `UNSURE`."""
UNSURE = 0.4
WORDS, HEDGED_WORDS = 0.9, 0.3
"""Confidence in what a user wrote, plainly and with "perhaps"."""
MIN_TO_CONTRADICT = 0.3
"""Least confidence with which a voice or a face may contradict the words."""
MIN_TO_FILL_IN = 0.5
"""Least confidence with which a voice or a face fills in what the words leave open."""
_RANK: dict[ExpertName, int] = {"text": 2, "audio": 1, "visual": 0}


@dataclass(frozen=True)
class ResolvedDirection:
    """What the plan is made of: the direction with what was filled in, every conflict, and the claims filled in.

    Emotions are filled in where the voice or the face shows them.
    """

    direction: Direction
    conflicts: tuple[Conflict, ...]
    filled: tuple[Claim, ...]


def resolve_conflicts(inputs: PlanningInputs, transcript: Transcript, direction: Direction) -> ResolvedDirection:
    """Compare what was written with what was heard and seen."""
    spans = _step_spans(inputs, direction.steps)
    steps, conflicts, filled = list(direction.steps), [], []
    for index, span in enumerate(spans):
        steps[index], disputes, claims = _emotion(inputs, transcript, steps[index], span, first=index == 0)
        conflicts += disputes
        filled += claims
    unseen = list(_with_picture(transcript, direction))
    conflicts += [*_within_words(direction), *_with_sound(inputs, direction, len(spans)), *unseen]
    # The video is not asked for what the picture does not show.
    denied = [conflict.sides[0].says for conflict in unseen]
    scene = tuple(clause for clause in direction.scene if not any(words in clause for words in denied))
    return ResolvedDirection(
        replace(direction, steps=tuple(steps), scene=scene), tuple(dict.fromkeys(conflicts)), tuple(filled)
    )


def prevailing_position(positions: Sequence[Position]) -> Position:
    """The position that is believed, of two or more."""
    first, *others = sorted(positions, key=lambda position: -_RANK.get(position.expert, 0))
    surest = max(others, key=lambda position: position.confidence)
    return surest if first.confidence < UNSURE and surest.confidence >= CERTAIN else first


def step_confidence(step: Step) -> float:
    """Confidence in what the words say about a step."""
    return HEDGED_WORDS if step.hedged else WORDS


def _step_spans(inputs: PlanningInputs, steps: Sequence[Step]) -> list[FrameSpan]:
    """When each step that there is time for is played."""
    return [FrameSpan(spans[0].start, spans[-1].stop) for spans in cut_into_shots(inputs.heard, steps)]


# Emotion: the words, the voice and the face may each show one


def _emotion(
    inputs: PlanningInputs, transcript: Transcript, step: Step, span: FrameSpan, *, first: bool
) -> tuple[Step, list[Conflict], list[Claim]]:
    """The step with its emotion if anybody knows one, the conflicts about it, and the claim if it was filled in."""
    positions = list(_emotion_positions(inputs, transcript, step, span, first=first))
    if not positions:
        return step, [], []
    best = prevailing_position(positions) if len(positions) > 1 else positions[0]
    opposed = [position for position in positions if _contradict(position.says, best.says)]
    conflicts = []
    if opposed:
        why = (
            "words come before the voice, and the voice before the picture"
            if _RANK.get(best.expert, 0) == max(_RANK.get(position.expert, 0) for position in positions)
            else "the other is unsure, and this is certain"
        )
        conflicts.append(Conflict(about="emotion", sides=(best, *opposed), settled=best.says, why=why, span=span))
    if best.expert == "text":
        return step, conflicts, []
    amount = _amount(inputs, best, span)
    filled = Claim(about="emotion", value=best.says, confidence=best.confidence, span=span, inferred=True)
    return replace(step, emotion=Emotion(best.says, amount)), conflicts, [filled]  # type: ignore[arg-type]


def _emotion_positions(
    inputs: PlanningInputs, transcript: Transcript, step: Step, span: FrameSpan, *, first: bool
) -> Iterator[Position]:
    if step.emotion is not None:
        yield Position(expert="text", says=step.emotion.name, confidence=step_confidence(step))
    least = MIN_TO_CONTRADICT if step.emotion is not None else MIN_TO_FILL_IN
    heard = heard_emotion(transcript, span, inputs.heard.frames)
    if heard is not None and heard.confidence >= least and heard.value != "neutral":
        yield Position(expert="audio", says=heard.value, confidence=heard.confidence)
    seen = inputs.seen
    if first and seen is not None and len(seen.people) == 1:
        person = seen.people[0]
        if person.expression != "neutral" and person.expression_confidence >= least:
            yield Position(expert="visual", says=person.expression, confidence=person.expression_confidence)


def _contradict(a: str, b: str) -> bool:
    return a != b and (a in OPPOSITE_EMOTIONS.get(b, ()) or b in OPPOSITE_EMOTIONS.get(a, ()))


def _amount(inputs: PlanningInputs, position: Position, span: FrameSpan) -> float:
    """How strong an emotion is that was filled in: as agitated as the voice, or moderate if only the face shows it."""
    if position.expert != "audio":
        return 0.4
    moods = [mood for mood in inputs.heard.moods if mood.span.overlaps(span)]
    return round(0.3 + 0.6 * max((mood.arousal for mood in moods), default=0.5), 2)


def heard_emotion(transcript: Transcript, span: FrameSpan, frames: int) -> Claim | None:
    """The audio expert's claim that weighs most within a span: its confidence times the frames that it covers there."""
    best, most = None, 0.0
    for _, claim in transcript.claims("emotion", "audio"):
        covered = claim.span or FrameSpan(0, frames)
        weight = claim.confidence * covered.shared(span)
        if claim.value in EMOTIONS and weight > most:
            best, most = claim, weight
    return best


# Words that contradict one another


def _within_words(direction: Direction) -> Iterator[Conflict]:
    for believed, dropped in direction.clashes:
        sides = tuple(Position(expert="text", says=says, confidence=WORDS) for says in (believed, dropped))
        yield Conflict(about="words", sides=sides, settled=believed, why="both cannot be shown at once")
    gestures = [wish.name for step in direction.steps for wish in step.gestures]
    if direction.still and gestures:
        sides = (Position(expert="text", says="stays still"), Position(expert="text", says=gestures[0]))
        yield Conflict(about="words", sides=sides, settled=gestures[0], why="a gesture by name is the clearer wish")


# What the sound does not allow


def _with_sound(inputs: PlanningInputs, direction: Direction, played: int) -> Iterator[Conflict]:
    heard = inputs.heard
    length = Position(expert="audio", says=f"{heard.seconds:.2f} s of sound", confidence=1.0)
    if played < len(direction.steps):
        yield Conflict(
            about="length",
            sides=(Position(expert="text", says=f"{len(direction.steps)} steps"), length),
            settled=f"the first {played} steps are played",
            why="the audio is too short for more",
        )
    late = [step.at for step in direction.steps if step.seconds and step.at is not None and step.at >= heard.seconds]
    if late:
        yield Conflict(
            about="length",
            sides=(Position(expert="text", says=f"something at {late[0]:g} s"), length),
            settled="it is played as late as the audio allows",
            why="the video ends with its sound",
        )
    yield from _with_voice(inputs, direction)


def _with_voice(inputs: PlanningInputs, direction: Direction) -> Iterator[Conflict]:
    heard = inputs.heard
    lasts = {kind: sum(len(event.span) for event in heard.of_kind(kind)) for kind in ("speech", "singing")}
    voice = max(lasts, key=lambda kind: lasts[kind]) if any(lasts.values()) else None
    if direction.sound == "pause" and voice:
        yield Conflict(
            about="sound",
            sides=(Position(expert="text", says="silent"), Position(expert="audio", says=voice, confidence=1.0)),
            settled="the lips follow the audio",
            why="the voice is heard in the finished video, whatever the words ask for",
        )
    if direction.sound == "singing" and voice == "speech":
        yield Conflict(
            about="sound",
            sides=(Position(expert="text", says="singing"), Position(expert="audio", says="speech", confidence=0.6)),
            settled="singing",
            why="the words know better than the ear what the voice does",
        )
    if voice is None and direction.sound != "pause" and (direction.sound == "singing" or direction.manner):
        asked = direction.sound or str(direction.manner)
        yield Conflict(
            about="sound",
            sides=(Position(expert="text", says=asked), Position(expert="audio", says="no voice", confidence=0.9)),
            settled="the lips stay closed",
            why="there is no voice to follow",
        )
    yield from _with_manner(heard.moods, direction)


def _with_manner(moods: Sequence[Mood], direction: Direction) -> Iterator[Conflict]:
    loud, low = {"shout"}, {"whisper"}
    contrary = {"whisper": loud, "shout": low}.get(direction.manner or "", set())
    for mood in moods:
        if mood.intent in contrary:
            yield Conflict(
                about="manner",
                sides=(
                    Position(expert="text", says=str(direction.manner)),
                    Position(expert="audio", says=mood.intent, confidence=0.8),
                ),
                settled=f"as heard: {mood.intent}",
                why="the voice is heard in the finished video, whatever the words ask for",
                span=mood.span,
            )
            return


# What the picture does not allow


def _with_picture(transcript: Transcript, direction: Direction) -> Iterator[Conflict]:
    for topic, words in direction.mentions:
        about = "light" if topic in ("dark", "bright") else topic
        for _, claim in transcript.claims(about, "visual"):
            if _denied(topic, claim):
                yield Conflict(
                    about=about,
                    sides=(
                        Position(expert="text", says=words),
                        Position(expert="visual", says=f"{about}: {claim.value}", confidence=claim.confidence),
                    ),
                    settled=f"as in the picture: {claim.value}",
                    why="the video shows what the picture shows",
                )
                break


def _denied(topic: str, claim: Claim) -> bool:
    """Whether a claim about the picture says that what the words mention is not there."""
    if claim.confidence < MIN_TO_FILL_IN:
        return False
    if topic == "people":
        return claim.value in ("0", "1")
    if topic in ("dark", "bright"):
        return not claim.value.startswith("dark") if topic == "dark" else claim.value.startswith("dark")
    return claim.value.startswith("not ")
