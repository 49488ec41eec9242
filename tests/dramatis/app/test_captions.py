"""Captions: who is given which words."""

from __future__ import annotations

from dramatis.app.captions import spoken_lines
from dramatis.story.observations import AudioEvent, AudioObservations, Word
from dramatis.story.storyline import Character, Shot, Storyline
from dramatis.story.values import FrameSpan

FRAMES = 100


def observed(*events: AudioEvent) -> AudioObservations:
    """ "Good evening" in the first second, "is it" in the third."""
    spans = {"Good": (2, 10), "evening": (11, 24), "is": (52, 58), "it": (60, 70)}
    words = tuple(Word(text=text, span=FrameSpan(*span)) for text, span in spans.items())
    flat = (0.5,) * FRAMES
    return AudioObservations(
        frames=FRAMES, seconds=4.0, events=events, energy=flat, pitch=flat, voiced=flat, words=words
    )


def storyline(*names: str) -> Storyline:
    boxes = [(0.1, 0.2, 0.4, 0.7), (0.6, 0.2, 0.9, 0.7)]
    return Storyline(
        image="a.png",
        audio="a.wav",
        frames=FRAMES,
        width=64,
        height=64,
        characters=tuple(Character(name=name, face=box) for name, box in zip(names, boxes, strict=False)),
        shots=(Shot(index=0, span=FrameSpan(0, FRAMES)),),
    )


def speech(start: int, stop: int, speaker: str | None) -> AudioEvent:
    return AudioEvent(kind="speech", span=FrameSpan(start, stop), speaker=speaker)


def test_of_one_person_nobody_is_named() -> None:
    lines = spoken_lines(storyline(), observed(speech(0, FRAMES, None)))
    assert " ".join(line.text for line in lines) == "Good evening is it"
    assert {line.speaker for line in lines} == {None}


def test_of_several_people_each_line_has_the_speaker_of_its_stretch() -> None:
    heard = observed(speech(0, 30, "ann"), AudioEvent(kind="pause", span=FrameSpan(30, 50)), speech(50, 100, "bob"))
    lines = spoken_lines(storyline("ann", "bob"), heard)
    assert [(line.speaker, line.text) for line in lines] == [("ann", "Good evening"), ("bob", "is it")]


def test_words_beside_all_stretches_go_to_the_nearest() -> None:
    heard = observed(
        AudioEvent(kind="noise", span=FrameSpan(0, 28)),
        speech(28, 40, "ann"),
        AudioEvent(kind="noise", span=FrameSpan(40, 66)),
        speech(66, 100, "bob"),
    )
    lines = spoken_lines(storyline("ann", "bob"), heard)
    assert [(line.speaker, line.text) for line in lines] == [("ann", "Good evening"), ("bob", "is it")]
