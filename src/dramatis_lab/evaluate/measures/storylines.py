"""Whether a storyline does what its case expects: items that landed, conflicts, speakers, cuts, prompts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dramatis.story.dialogue import Conflict, ExpertName
from dramatis.story.storyline import Storyline
from dramatis.story.values import FPS
from dramatis_lab.evaluate.cases.recordings import KnownRecording, true_pauses
from dramatis_lab.evaluate.cases.written import Expectation, Forbidden

NAMED_FRAMES = round(0.5 * FPS)
"""A shot with this much of a voice must name its speaker."""
_SETTLED: tuple[tuple[str, ExpertName], ...] = (
    ("picture", "visual"), ("audio", "audio"), ("as heard", "audio"), ("lips stay closed", "audio"),
    ("are played", "audio"),
)  # fmt: skip
"""Words that tell who was believed where the settlement repeats the words of no side."""


def planned_instead(item: Expectation, storyline: Storyline) -> str:
    """What is planned in place of an expected item; empty where the item has landed."""
    if item.never is not None:
        return ", ".join(_refused(item.never, storyline))
    if item.kind == "gesture":
        return _no_gesture(item, storyline)
    assert item.at is not None
    shot = storyline.shot_at(min(storyline.frames - 1, int(item.at * storyline.frames)))
    name: str = shot.camera.move if item.kind == "camera" else shot.emotion.name
    amount = shot.camera.amount if item.kind == "camera" else shot.emotion.intensity
    landed = name in (*item.emotion, *item.camera) and item.least <= amount <= item.most
    return "" if landed else f"{name} {amount:.2f}"


def _no_gesture(item: Expectation, storyline: Storyline) -> str:
    gestures = [
        (gesture, gesture.span.start / storyline.frames) for shot in storyline.shots for gesture in shot.gestures
    ]
    for gesture, begin in gestures:
        named = gesture.name in item.gesture or "any" in item.gesture
        if named and item.begin <= begin <= item.end and item.least <= gesture.amount <= item.most:
            return ""
    texts = [f"{gesture.name} {gesture.amount:.2f} at {begin:.2f}" for gesture, begin in gestures]
    return ", ".join(texts) or "no gesture"


def _refused(never: Forbidden, storyline: Storyline) -> Iterator[str]:
    """What the storyline has although the case forbids it."""
    for shot in storyline.shots:
        if shot.emotion.name in never.emotion:
            yield f"{shot.emotion.name} in shot {shot.index}"
        if shot.camera.move in never.camera:
            yield f"{shot.camera.move} in shot {shot.index}"
        for gesture in shot.gestures:
            if gesture.name in never.gesture or "any" in never.gesture:
                yield f"{gesture.name} in shot {shot.index}"


def believed_expert(conflict: Conflict) -> ExpertName | None:
    """The expert whose view settled a conflict; None where the words of the settlement do not tell."""
    for side in conflict.sides:
        if conflict.settled == side.says:
            return side.expert
    return next((expert for words, expert in _SETTLED if words in conflict.settled), None)


def shared_terms(positive: str, negative: str) -> list[str]:
    """Terms of a negative prompt, between commas, that stand in the positive prompt as whole words."""
    terms = dict.fromkeys(" ".join(term.lower().split()) for term in negative.split(","))
    text = " ".join(positive.lower().split())
    return [term for term in terms if term and re.search(rf"(?<!\w){re.escape(term)}(?!\w)", text)]


def speaker_faults(storyline: Storyline, recording: KnownRecording) -> tuple[int, list[str]]:
    """(number of shots judged, faults found). A shot that holds only a little of a voice is not judged."""
    voiced = recording.spoken & ~recording.pauses
    judged, faults = 0, []
    for shot in storyline.shots:
        voice = int(voiced[shot.span.start : shot.span.stop].sum())
        if 0 < voice < NAMED_FRAMES:
            continue
        judged += 1
        if bool(shot.speakers) != bool(voice):
            faults.append(f"shot {shot.index}: {'nobody speaks' if voice else 'a speaker in silence'}")
    return judged, faults


def cut_distances(storyline: Storyline, recording: KnownRecording) -> list[float]:
    """Seconds from every interior shot boundary to the nearest true pause; 0 within one."""
    pauses = true_pauses(recording.opening)
    cuts = [shot.span.start for shot in storyline.shots[1:]]
    return [min(max(start - cut, cut - stop, 0) for start, stop in pauses) / FPS for cut in cuts]
