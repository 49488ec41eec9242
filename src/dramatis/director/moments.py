"""Plans finer than shots: what happens in only part of one, in words for the sub-clips that film it.

Report, section 3.2: segment plans aligned with the audio.
"""

from __future__ import annotations

from collections.abc import Sequence

from dramatis.director.negative import without_overlap
from dramatis.story.observations import AudioObservations
from dramatis.story.storyline import Moment
from dramatis.story.values import GRID, FrameSpan, Gesture
from dramatis.story.vocabulary import DAMAGE_WORDS, GESTURE_WORDS, SOUND_WORDS

SHORTEST_MOMENT = 12
"""Least frames of a moment: half a sub-clip, so that it fills most of some sub-clip."""
PAUSE_SECONDS = 0.6
"""Silences at least this long are moments."""


def lasting_gestures(gestures: Sequence[Gesture], span: FrameSpan) -> tuple[Gesture, ...]:
    """The gestures that fill most of a shot, and so belong in the shot's own prompt."""
    return tuple(gesture for gesture in gestures if 4 * len(gesture.span) >= 3 * len(span))


def plan_moments(
    observations: AudioObservations,
    span: FrameSpan,
    gestures: Sequence[Gesture],
    who: str,
    positive: str,
    negative: str,
) -> tuple[Moment, ...]:
    """What happens in only part of a shot: passing gestures, and silence between words.

    who: "she", "he" or "the person". positive, negative: the shot's prompts, which no moment repeats or contradicts.
    """
    pauses = _pauses(observations, span)
    planned = []
    for part in _parts(span, [gesture.span for gesture in gestures] + pauses):
        names = list(dict.fromkeys(gesture.name for gesture in gestures if Moment(span=part).fills(gesture.span)))
        shown = [GESTURE_WORDS[name][0] for name in names]
        silent = any(Moment(span=part).fills(pause) for pause in pauses)
        if silent:
            shown.append(SOUND_WORDS["pause"][2])
        if not shown:
            continue
        words = f"{who} {' and '.join(shown)}"
        faults = [SOUND_WORDS["speech"][1]] if silent else []
        faults += [DAMAGE_WORDS["frozen"][0]] if names else []
        avoided = [term for term in without_overlap(faults, f"{positive} {words}") if term not in negative.split(", ")]
        planned.append(Moment(span=part, positive=f"{words[:1].upper()}{words[1:]}.", negative=", ".join(avoided)))
    return tuple(planned)


def _pauses(observations: AudioObservations, span: FrameSpan) -> list[FrameSpan]:
    """Long silences within a shot that is not mostly silent."""
    pauses = []
    for event in observations.events:
        if event.kind in ("pause", "noise") and event.span.overlaps(span):
            part = FrameSpan(max(event.span.start, span.start), min(event.span.stop, span.stop))
            if part.seconds >= PAUSE_SECONDS and 2 * len(part) < len(span):
                pauses.append(part)
    return pauses


def _parts(span: FrameSpan, wanted: Sequence[FrameSpan]) -> list[FrameSpan]:
    """The shot cut on the grid wherever something begins or ends; no part is shorter than `SHORTEST_MOMENT`."""
    borders = [span.start]
    for frame in sorted(GRID * round(edge / GRID) for part in wanted for edge in (part.start, part.stop)):
        if frame - borders[-1] >= SHORTEST_MOMENT and span.stop - frame >= SHORTEST_MOMENT:
            borders.append(frame)
    return [FrameSpan(a, b) for a, b in zip(borders, [*borders[1:], span.stop], strict=True)]
