"""Who disagrees with whom, and who is believed: words before the voice before the picture, unless that cannot be.

A side gives way in spite of its rank where it is unsure and the other is certain, and where what it asks for cannot be
shown: no prompt puts glasses on a face, changes a voice that is heard in the finished video, or lengthens it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from dramatis.director.dialogue import Material, Minutes
from dramatis.director.language.words import Direction, Step
from dramatis.director.timeline import cut
from dramatis.story.dialogue import Claim, Conflict, ExpertName, Side
from dramatis.story.observations import Mood
from dramatis.story.values import EMOTIONS, Emotion, FrameSpan
from dramatis.story.vocabulary import OPPOSITE_EMOTIONS

CERTAIN = 0.8
"""Confidence that overrules a side that is less than `UNSURE`."""
UNSURE = 0.4
WORDS, HEDGED_WORDS = 0.9, 0.3
"""Confidence of what a user wrote, plainly and with "perhaps"."""
SPEAKS_UP = 0.3
"""Least confidence with which a voice or a face may contradict."""
TELLS = 0.5
"""Least confidence with which a voice or a face fills in what the words leave open."""
_RANK: dict[ExpertName, int] = {"text": 2, "audio": 1, "visual": 0}


@dataclass(frozen=True)
class Settled:
    """What the plan is made of: the direction with emotions filled in where voice or face tell them, every conflict,
    and what was filled in."""

    direction: Direction
    conflicts: tuple[Conflict, ...]
    filled: tuple[Claim, ...]


def settle(material: Material, minutes: Minutes, direction: Direction) -> Settled:
    """Compare what was written with what was heard and seen."""
    spans = _step_spans(material, direction.steps)
    steps, conflicts, filled = list(direction.steps), [], []
    for place, span in enumerate(spans):
        steps[place], disputes, claims = _emotion(material, minutes, steps[place], span, first=place == 0)
        conflicts += disputes
        filled += claims
    unseen = list(_with_picture(minutes, direction))
    conflicts += [*_within_words(direction), *_with_sound(material, direction, len(spans)), *unseen]
    # What the picture denies is not asked of the video either.
    denied = [conflict.sides[0].says for conflict in unseen]
    scene = tuple(clause for clause in direction.scene if not any(words in clause for words in denied))
    return Settled(replace(direction, steps=tuple(steps), scene=scene), tuple(dict.fromkeys(conflicts)), tuple(filled))


def winner(sides: Sequence[Side]) -> Side:
    """The side that is believed."""
    first, *others = sorted(sides, key=lambda side: -_RANK.get(side.expert, 0))
    surest = max(others, key=lambda side: side.confidence)
    return surest if first.confidence < UNSURE and surest.confidence >= CERTAIN else first


def sureness(step: Step) -> float:
    """Confidence of what the words say of a step."""
    return HEDGED_WORDS if step.hedged else WORDS


def _step_spans(material: Material, steps: Sequence[Step]) -> list[FrameSpan]:
    """When each step that finds room is played."""
    return [FrameSpan(spans[0].start, spans[-1].stop) for spans in cut(material.heard, steps)]


# Emotion: words, voice and face all have something to say


def _emotion(
    material: Material, minutes: Minutes, step: Step, span: FrameSpan, first: bool
) -> tuple[Step, list[Conflict], list[Claim]]:
    """The step with an emotion if anybody knows one, the disputes about it, and the claim where it was filled in."""
    sides = list(_emotion_sides(material, minutes, step, span, first))
    if not sides:
        return step, [], []
    best = winner(sides) if len(sides) > 1 else sides[0]
    opposed = [side for side in sides if _contradict(side.says, best.says)]
    conflicts = []
    if opposed:
        why = (
            "words come before the voice, and the voice before the picture"
            if _RANK.get(best.expert, 0) == max(_RANK.get(side.expert, 0) for side in sides)
            else "the other is unsure, and this is certain"
        )
        conflicts.append(Conflict(about="emotion", sides=(best, *opposed), settled=best.says, why=why, span=span))
    if best.expert == "text":
        return step, conflicts, []
    amount = _amount(material, best, span)
    filled = Claim(about="emotion", value=best.says, confidence=best.confidence, span=span, inferred=True)
    return replace(step, emotion=Emotion(best.says, amount)), conflicts, [filled]  # type: ignore[arg-type]


def _emotion_sides(material: Material, minutes: Minutes, step: Step, span: FrameSpan, first: bool) -> Iterator[Side]:
    if step.emotion is not None:
        yield Side(expert="text", says=step.emotion.name, confidence=sureness(step))
    least = SPEAKS_UP if step.emotion is not None else TELLS
    heard = heard_emotion(minutes, span, material.heard.frames)
    if heard is not None and heard.confidence >= least and heard.value != "neutral":
        yield Side(expert="audio", says=heard.value, confidence=heard.confidence)
    seen = material.seen
    if first and seen is not None and len(seen.people) == 1:
        person = seen.people[0]
        if person.expression != "neutral" and person.expression_confidence >= least:
            yield Side(expert="visual", says=person.expression, confidence=person.expression_confidence)


def _contradict(a: str, b: str) -> bool:
    return a != b and (a in OPPOSITE_EMOTIONS.get(b, ()) or b in OPPOSITE_EMOTIONS.get(a, ()))


def _amount(material: Material, side: Side, span: FrameSpan) -> float:
    if side.expert != "audio":
        return 0.4
    moods = [mood for mood in material.heard.moods if mood.span.overlaps(span)]
    return round(0.3 + 0.6 * max((mood.arousal for mood in moods), default=0.5), 2)


def heard_emotion(minutes: Minutes, span: FrameSpan, frames: int) -> Claim | None:
    """The audio expert's claim that says most about a span: its confidence times the time it holds there."""
    best, most = None, 0.0
    for _, claim in minutes.claims("emotion", "audio"):
        held = claim.span or FrameSpan(0, frames)
        weight = claim.confidence * held.shared(span)
        if claim.value in EMOTIONS and weight > most:
            best, most = claim, weight
    return best


# What contradicts itself


def _within_words(direction: Direction) -> Iterator[Conflict]:
    for kept, dropped in direction.clashes:
        sides = tuple(Side(expert="text", says=says, confidence=WORDS) for says in (kept, dropped))
        yield Conflict(about="words", sides=sides, settled=kept, why="both cannot be shown at once")
    gestures = [wish.name for step in direction.steps for wish in step.gestures]
    if direction.still and gestures:
        sides = (Side(expert="text", says="stays still"), Side(expert="text", says=gestures[0]))
        yield Conflict(about="words", sides=sides, settled=gestures[0], why="a gesture by name is the clearer wish")


# What the sound does not allow


def _with_sound(material: Material, direction: Direction, played: int) -> Iterator[Conflict]:
    heard = material.heard
    length = Side(expert="audio", says=f"{heard.seconds:.2f} s of sound", confidence=1.0)
    if played < len(direction.steps):
        yield Conflict(
            about="length",
            sides=(Side(expert="text", says=f"{len(direction.steps)} steps"), length),
            settled=f"the first {played} steps are played",
            why="the audio is too short for more",
        )
    late = [step.at for step in direction.steps if step.seconds and step.at is not None and step.at >= heard.seconds]
    if late:
        yield Conflict(
            about="length",
            sides=(Side(expert="text", says=f"something at {late[0]:g} s"), length),
            settled="it is played as late as the audio allows",
            why="the video ends with its sound",
        )
    yield from _with_voice(material, direction)


def _with_voice(material: Material, direction: Direction) -> Iterator[Conflict]:
    heard = material.heard
    lasts = {kind: sum(len(event.span) for event in heard.of_kind(kind)) for kind in ("speech", "singing")}
    voice = max(lasts, key=lambda kind: lasts[kind]) if any(lasts.values()) else None
    if direction.sound == "pause" and voice:
        yield Conflict(
            about="sound",
            sides=(Side(expert="text", says="silent"), Side(expert="audio", says=voice, confidence=1.0)),
            settled="the lips follow the audio",
            why="the voice is heard in the finished video, whatever the words ask for",
        )
    if direction.sound == "singing" and voice == "speech":
        yield Conflict(
            about="sound",
            sides=(Side(expert="text", says="singing"), Side(expert="audio", says="speech", confidence=0.6)),
            settled="singing",
            why="the words know better than the ear what the voice does",
        )
    if voice is None and direction.sound != "pause" and (direction.sound == "singing" or direction.manner):
        asked = direction.sound or str(direction.manner)
        yield Conflict(
            about="sound",
            sides=(Side(expert="text", says=asked), Side(expert="audio", says="no voice", confidence=0.9)),
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
                    Side(expert="text", says=str(direction.manner)),
                    Side(expert="audio", says=mood.intent, confidence=0.8),
                ),
                settled=f"as heard: {mood.intent}",
                why="the voice is heard in the finished video, whatever the words ask for",
                span=mood.span,
            )
            return


# What the picture does not allow


def _with_picture(minutes: Minutes, direction: Direction) -> Iterator[Conflict]:
    for topic, words in direction.mentions:
        about = "light" if topic in ("dark", "bright") else topic
        for _, claim in minutes.claims(about, "visual"):
            if _denied(topic, claim):
                yield Conflict(
                    about=about,
                    sides=(
                        Side(expert="text", says=words),
                        Side(expert="visual", says=f"{about}: {claim.value}", confidence=claim.confidence),
                    ),
                    settled=f"as in the picture: {claim.value}",
                    why="the video shows what the picture shows",
                )
                break


def _denied(topic: str, claim: Claim) -> bool:
    if claim.confidence < TELLS:
        return False
    if topic == "people":
        return claim.value in ("0", "1")
    if topic in ("dark", "bright"):
        return not claim.value.startswith("dark") if topic == "dark" else claim.value.startswith("dark")
    return claim.value.startswith("not ")
