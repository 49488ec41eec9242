"""The words of a recording as captions, each line with its speaker."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import replace
from itertools import groupby

from dramatis.media.subtitles import Cue, captions
from dramatis.story.observations import AudioObservations
from dramatis.story.storyline import Storyline
from dramatis.story.values import FPS


def spoken_lines(storyline: Storyline, observations: AudioObservations) -> list[Cue]:
    """The words as captions.

    Of several people, each line is given to whoever is named for its stretch of the sound, or for the nearest one.
    """
    words = [(word.text, word.span.start / FPS, word.span.stop / FPS) for word in observations.words]
    named = [event for event in observations.events if event.speaker]
    if len(storyline.cast) == 1 or not named:
        return list(captions(words))
    starts = [event.span.start / FPS for event in named]

    def speaker(word: tuple[str, float, float]) -> str | None:
        middle = (word[1] + word[2]) / 2
        last = bisect_right(starts, middle)
        near = named[max(0, last - 1) : last + 1]
        return min(near, key=lambda event: max(event.span.start / FPS - middle, middle - event.span.stop / FPS)).speaker

    turns = groupby(words, speaker)
    return [replace(line, speaker=name) for name, turn in turns for line in captions(turn)]
