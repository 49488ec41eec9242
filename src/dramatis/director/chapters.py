"""Plans coarser than shots: chapters of long videos, whose prompts replace the whole video's (report, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence

from dramatis.director.language.direction import Direction
from dramatis.director.negative import global_negative
from dramatis.director.wording import emotions_of, global_positive
from dramatis.story.observations import AudioObservations
from dramatis.story.storyline import Chapter, Shot
from dramatis.story.values import FPS, GRID, FrameSpan

CHAPTER_SECONDS = (30.0, 75.0)
LONG_SECONDS = 90.0
"""Videos of at least this length have chapters."""


def plan_chapters(observations: AudioObservations, direction: Direction, shots: Sequence[Shot]) -> tuple[Chapter, ...]:
    """Chapters of half a minute to a little over a minute, cut between shots: at long pauses, and where moods change.

    A short video has none.
    """
    if observations.seconds < LONG_SECONDS:
        return ()
    planned, first = [], 0
    while first < len(shots):
        stop = _chapter_end(observations, shots, first)
        part = shots[first:stop]
        words = global_positive(direction, part)
        planned.append(
            Chapter(
                span=FrameSpan(part[0].span.start, part[-1].span.stop),
                positive=words,
                negative=global_negative(words, emotions_of(part), direction.avoid),
            )
        )
        first = stop
    return tuple(planned)


def _chapter_end(observations: AudioObservations, shots: Sequence[Shot], first: int) -> int:
    """One past the last shot of the chapter that begins with shot `first`."""
    least, most = (round(seconds * FPS) for seconds in CHAPTER_SECONDS)
    begin = shots[first].span.start
    if observations.frames - begin <= most:
        return len(shots)
    candidates = [
        number
        for number in range(first + 1, len(shots))
        if least <= shots[number].span.start - begin <= most and observations.frames - shots[number].span.start >= least
    ]
    if not candidates:
        return next((n for n in range(first + 1, len(shots)) if shots[n].span.start - begin >= least), len(shots))
    return max(
        candidates,
        key=lambda number: (_turn(shots, number) + _pause_seconds(observations, shots[number].span.start), -number),
    )


def _turn(shots: Sequence[Shot], number: int) -> float:
    """Seconds of pause that a change of emotion is worth."""
    return 2.0 if shots[number].emotion.name != shots[number - 1].emotion.name else 0.0


def _pause_seconds(observations: AudioObservations, frame: int) -> float:
    """Seconds of the pause that a frame lies in, or that begins or ends beside it."""
    near = FrameSpan(max(0, frame - GRID), frame + GRID)
    pauses = [event.span.seconds for event in observations.of_kind("pause") if event.span.overlaps(near)]
    return max(pauses, default=0.0)
