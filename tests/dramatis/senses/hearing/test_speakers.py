"""Several voices as one observation: events name everybody who is heard, and tile the sound."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dramatis.media.subtitles import Cue
from dramatis.senses.hearing.speakers import attribute_speakers, combine_tracks
from dramatis.story.observations import VOICE_KINDS, AudioEvent, AudioObservations, EventKind, Mood, Word
from dramatis.story.values import FrameSpan


def track(*stretches: tuple[EventKind, int], loud: float = 1.0, words: tuple[Word, ...] = ()) -> AudioObservations:
    """A recording of stretches (kind, frames), as loud as `loud` in its voices."""
    events, at = [], 0
    for kind, frames in stretches:
        events.append(AudioEvent(kind=kind, span=FrameSpan(at, at + frames)))
        at += frames
    energy = [loud if event.kind in VOICE_KINDS else 0.0 for event in events for _ in event.span]
    return AudioObservations(
        frames=at,
        seconds=at / 25,
        events=tuple(events),
        energy=tuple(energy),
        pitch=tuple(loud * value for value in energy),
        voiced=tuple(energy),
        words=words,
        moods=(Mood(span=FrameSpan(0, at), arousal=loud, emotion="neutral", confidence=0.4),),
        beats=(at // 2,),
        rate=4 * loud,
        language="English",
    )


def said(events: tuple[AudioEvent, ...]) -> list[tuple[str, int, int, tuple[str, ...]]]:
    return [(event.kind, event.span.start, event.span.stop, event.speakers) for event in events]


def test_turns_and_voices_at_once() -> None:
    ann = track(("speech", 40), ("pause", 20), ("speech", 20), words=(Word(text="hello", span=FrameSpan(2, 10)),))
    bob = track(("pause", 30), ("singing", 60), loud=0.6, words=(Word(text="la", span=FrameSpan(33, 37)),))
    whole = combine_tracks({"ann": ann, "bob": bob}, 100, 4.0)
    assert said(whole.events) == [
        ("speech", 0, 30, ("ann",)),
        ("speech", 30, 40, ("ann", "bob")),
        ("singing", 40, 60, ("bob",)),
        ("speech", 60, 80, ("bob", "ann")),
        ("singing", 80, 90, ("bob",)),
        ("pause", 90, 100, ()),
    ]
    assert [event.text for event in whole.events] == ["hello", "la", None, None, None, None]
    assert [word.text for word in whole.words] == ["hello", "la"]
    assert (whole.energy[0], whole.energy[50], whole.energy[95]) == (1.0, 0.6, 0.0)
    assert whole.pitch[35] == 1.0, "of who is loudest"
    assert whole.pitch[50] == pytest.approx(0.36), "of who is loudest"
    assert (whole.beats, whole.rate, whole.language, len(whole.moods)) == ((40, 45), 3.2, "English", 2)


def test_noise_is_nobodys() -> None:
    whole = combine_tracks({"ann": track(("noise", 10), ("pause", 10)), "bob": track(("pause", 20))}, 20, 0.8)
    assert said(whole.events) == [("noise", 0, 10, ()), ("pause", 10, 20, ())]


def test_subtitles_say_whose_a_mixed_voice_is() -> None:
    heard = track(("pause", 5), ("speech", 60), ("pause", 10), ("speech", 25), ("pause", 40), ("speech", 10))
    cues = (Cue(0.4, 1.0, "one two", "bob"), Cue(1.6, 3.2, "three", "ann"), Cue(2.8, 3.8, "four", "bob"))
    events = attribute_speakers(heard, cues).events
    assert said(events) == [
        ("pause", 0, 5, ()),
        ("speech", 5, 33, ("bob",)),
        ("speech", 33, 65, ("ann",)),
        ("pause", 65, 75, ()),
        ("speech", 75, 80, ("bob", "ann")),
        ("speech", 80, 100, ("bob",)),
        ("pause", 100, 140, ()),
        ("speech", 140, 150, ()),
    ], "a voice between two cues goes with the nearer one, and one far from all with nobody"
    assert events[1].text == "one two"


@given(st.lists(st.lists(st.tuples(st.sampled_from(["speech", "pause", "noise", "singing"]), st.integers(1, 30)),
                         min_size=1, max_size=5), min_size=1, max_size=3))  # fmt: skip
def test_everybody_is_named_in_exactly_the_frames_of_their_own_voice(plays: list[list[tuple[EventKind, int]]]) -> None:
    tracks = {name: track(*stretches) for name, stretches in zip("abc", plays, strict=False)}
    frames = max(one.frames for one in tracks.values()) + 3
    whole = combine_tracks(tracks, frames, frames / 25)
    for name, own in tracks.items():
        voice, named = np.zeros(frames, bool), np.zeros(frames, bool)
        for event in own.events:
            voice[event.span.start : event.span.stop] = event.kind in VOICE_KINDS
        for event in whole.events:
            named[event.span.start : event.span.stop] = name in event.speakers
        assert np.array_equal(voice, named)
