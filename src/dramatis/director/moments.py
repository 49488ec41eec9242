"""Plans finer than shots: what happens in only a part of one, in words for the sub-clips that film it.

Report, section 3.2: segment plans aligned with the audio.
"""

from __future__ import annotations

from collections.abc import Sequence

from dramatis.director.negative import without_overlap
from dramatis.story.observations import Observations
from dramatis.story.storyline import Moment
from dramatis.story.values import GRID, FrameSpan, Gesture
from dramatis.story.vocabulary import DAMAGE_WORDS, GESTURE_WORDS, SOUND_WORDS

SHORTEST = 12
"""Frames of a moment: half a sub-clip, so that some sub-clip is mostly its own."""
PAUSE_SECONDS = 0.6


def lasting(gestures: Sequence[Gesture], span: FrameSpan) -> tuple[Gesture, ...]:
    """The gestures that fill most of a shot: they belong into its own words."""
    return tuple(gesture for gesture in gestures if 4 * len(gesture.span) >= 3 * len(span))


def moments(
    observations: Observations, span: FrameSpan, gestures: Sequence[Gesture], who: str, positive: str, negative: str
) -> tuple[Moment, ...]:
    """What happens in only a part of a shot: gestures that pass, and silence between words.

    who: "she", "he" or "the person". positive, negative: the shot's own words, which no moment repeats or contradicts.
    """
    quiet = _pauses(observations, span)
    out = []
    for part in _parts(span, [gesture.span for gesture in gestures] + quiet):
        names = list(dict.fromkeys(gesture.name for gesture in gestures if Moment(span=part).fills(gesture.span)))
        shown = [GESTURE_WORDS[name][0] for name in names]
        silent = any(Moment(span=part).fills(pause) for pause in quiet)
        if silent:
            shown.append(SOUND_WORDS["pause"][2])
        if not shown:
            continue
        words = f"{who} {' and '.join(shown)}"
        faults = [SOUND_WORDS["speech"][1]] if silent else []
        faults += [DAMAGE_WORDS["frozen"][0]] if names else []
        avoided = [term for term in without_overlap(faults, f"{positive} {words}") if term not in negative.split(", ")]
        out.append(Moment(span=part, positive=f"{words[:1].upper()}{words[1:]}.", negative=", ".join(avoided)))
    return tuple(out)


def _pauses(observations: Observations, span: FrameSpan) -> list[FrameSpan]:
    """Long silences within a shot that is not silent as a whole."""
    out = []
    for event in observations.events:
        if event.kind in ("pause", "noise") and event.span.overlaps(span):
            part = FrameSpan(max(event.span.start, span.start), min(event.span.stop, span.stop))
            if part.seconds >= PAUSE_SECONDS and 2 * len(part) < len(span):
                out.append(part)
    return out


def _parts(span: FrameSpan, wanted: Sequence[FrameSpan]) -> list[FrameSpan]:
    """The shot, cut where something begins or ends, on the grid; no part is shorter than `SHORTEST`."""
    borders = [span.start]
    for frame in sorted(GRID * round(edge / GRID) for part in wanted for edge in (part.start, part.stop)):
        if frame - borders[-1] >= SHORTEST and span.stop - frame >= SHORTEST:
            borders.append(frame)
    return [FrameSpan(a, b) for a, b in zip(borders, [*borders[1:], span.stop], strict=True)]
