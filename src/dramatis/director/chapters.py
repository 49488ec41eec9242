"""Plans coarser than shots: chapters of long videos, whose words stand for the whole video's (report, section 3.2)."""

from __future__ import annotations

from collections.abc import Sequence

from dramatis.director.language.words import Direction
from dramatis.director.negative import global_negative
from dramatis.director.plan import emotions_of, global_positive
from dramatis.story.observations import Observations
from dramatis.story.storyline import Chapter, Shot
from dramatis.story.values import FPS, GRID, FrameSpan

CHAPTER_SECONDS = (30.0, 75.0)
LONG_SECONDS = 90.0
"""From this length on a video has chapters."""


def chapters(observations: Observations, direction: Direction, shots: Sequence[Shot]) -> tuple[Chapter, ...]:
    """Half a minute to a bit more than a minute each, cut at shots: at the longest pauses, and where moods turn.

    None for a short video.
    """
    if observations.seconds < LONG_SECONDS:
        return ()
    out, first = [], 0
    while first < len(shots):
        stop = _chapter_end(observations, shots, first)
        part = shots[first:stop]
        words = global_positive(direction, part)
        out.append(
            Chapter(
                span=FrameSpan(part[0].span.start, part[-1].span.stop),
                positive=words,
                negative=global_negative(words, emotions_of(part), direction.avoid),
            )
        )
        first = stop
    return tuple(out)


def _chapter_end(observations: Observations, shots: Sequence[Shot], first: int) -> int:
    """The shot after the last of the chapter that begins with shot `first`."""
    least, most = (round(seconds * FPS) for seconds in CHAPTER_SECONDS)
    begin = shots[first].span.start
    if observations.frames - begin <= most:
        return len(shots)
    able = [
        number
        for number in range(first + 1, len(shots))
        if least <= shots[number].span.start - begin <= most and observations.frames - shots[number].span.start >= least
    ]
    if not able:
        return next((n for n in range(first + 1, len(shots)) if shots[n].span.start - begin >= least), len(shots))
    return max(able, key=lambda number: (_turn(shots, number) + _rest(observations, shots[number].span.start), -number))


def _turn(shots: Sequence[Shot], number: int) -> float:
    """Seconds of pause that a change of emotion is worth."""
    return 2.0 if shots[number].emotion.name != shots[number - 1].emotion.name else 0.0


def _rest(observations: Observations, frame: int) -> float:
    """Seconds of the pause in which a frame lies, or that ends or begins beside it."""
    near = FrameSpan(max(0, frame - GRID), frame + GRID)
    rests = [event.span.seconds for event in observations.of_kind("pause") if event.span.overlaps(near)]
    return max(rests, default=0.0)
