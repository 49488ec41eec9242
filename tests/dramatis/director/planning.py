"""Recordings made up for the director's tests, and what every storyline must satisfy."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise

from dramatis.director import direct
from dramatis.director.chapters import LONG_SECONDS
from dramatis.director.moments import SHORTEST_MOMENT
from dramatis.director.negative import without_overlap
from dramatis.story.observations import AudioEvent, AudioObservations
from dramatis.story.storyline import Storyline
from dramatis.story.storyline_yaml import from_yaml, to_yaml
from dramatis.story.values import FPS, FrameSpan

PROMPTS = (
    "",
    "😀",
    "warm, leans in, slow push-in",
    "first very sad, then happy, then angry and shakes her head",
    "no smile, not sad, without nodding; static camera",
    "pan left. pan right. nods. looks up at the end, surprised",
    "她很高兴，然后有点难过",
    "keeps nodding throughout, hand-held",
    "stays still, neutral",
    "after 2 seconds she leans back",
)


def observe(frames: int, seed: int = 0, pause: int = 12, speech: int = 60) -> AudioObservations:
    """Speech and pauses of random length over `frames` frames."""
    generator = random.Random(seed)
    events: list[AudioEvent] = []
    energy: list[float] = []
    at = 0
    while at < frames:
        speaks = len(events) % 2 == 1
        stop = min(frames, at + generator.randint(1, 2 * (speech if speaks else pause)))
        events.append(AudioEvent(kind="speech" if speaks else "pause", span=FrameSpan(at, stop), energy=0.5 * speaks))
        energy += [speaks * (0.4 + 0.6 * generator.random()) for _ in range(at, stop)]
        at = stop
    flat = (0.0,) * frames
    return AudioObservations(
        frames=frames,
        seconds=frames / FPS,
        events=tuple(events),
        energy=tuple(energy),
        pitch=flat,
        voiced=flat,
    )


def talk(turns: Sequence[tuple[str | None, int]]) -> AudioObservations:
    """People who speak one after the other without a pause: (name, frames)."""
    frames = sum(length for _, length in turns)
    events, at = [], 0
    for name, length in turns:
        events.append(AudioEvent(kind="speech", span=FrameSpan(at, at + length), energy=0.5, speaker=name))
        at += length
    return observe(frames).model_copy(update={"events": tuple(events), "energy": (0.5,) * frames})


def plan(prompt: str, frames: int = 300, seed: int = 0) -> Storyline:
    return direct(observe(frames, seed), prompt, seed, image="her.png", audio="speech.wav")


def check(story: Storyline) -> None:
    for shot in story.shots:
        assert without_overlap(shot.negative.split(", "), shot.positive) == shot.negative.split(", ")
        assert shot.positive
        assert shot.negative
        for moment in shot.moments:
            positive, negative = (
                getattr(shot, name) + ", " + getattr(moment, name) for name in ("positive", "negative")
            )
            terms = [term for term in negative.split(", ") if term]
            assert without_overlap(terms, positive) == terms
            assert len(moment.span) >= SHORTEST_MOMENT or moment.span == shot.span
        assert all(a.span.start <= b.span.start for a, b in pairwise(shot.gestures))
    assert bool(story.chapters) == (story.seconds >= LONG_SECONDS)
    assert all(chapter.span.seconds >= 20 for chapter in story.chapters)
    assert from_yaml(to_yaml(story)) == story
