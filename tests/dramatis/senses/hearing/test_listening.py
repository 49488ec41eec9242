"""All of hearing together: words, moods, beats and who speaks, on the bundled voice and on made ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import soundfile

from dramatis.media.subtitles import Cue
from dramatis.senses.hearing.listening import observe_audio, split_by_speaker
from dramatis.story.observations import AudioEvent, AudioObservations, Word
from dramatis.story.values import FrameSpan
from tests import ROOT

RATE = 16_000
SPEECH = ROOT / "examples" / "speech.wav"
SAID = "give me a face and voice and a few words of direction"


@pytest.fixture(scope="module")
def speech() -> np.ndarray:
    return soundfile.read(SPEECH, dtype="float32")[0]


@pytest.fixture(scope="module")
def heard(speech: np.ndarray) -> AudioObservations:
    return observe_audio(lambda: [speech])


def test_english_is_recognised_with_its_times(heard: AudioObservations) -> None:
    assert heard.language == "English"
    assert len(heard.words) >= 20
    assert any(SAID in (event.text or "") for event in heard.of_kind("speech"))
    assert all(a.span.start <= b.span.start for a, b in zip(heard.words, heard.words[1:], strict=False))
    rest = next(word for word in heard.words if word.text == "rest")
    last = heard.of_kind("speech")[-1]
    assert rest.span.overlaps(last.span)
    assert abs(rest.span.stop - last.span.stop) < 8


def test_moods_cover_the_voice_and_guess_little(heard: AudioObservations) -> None:
    assert len(heard.moods) == len(heard.of_kind("speech"))
    assert 2.5 < heard.rate < 6
    assert all(mood.intent == "tell" and mood.confidence < 0.3 and 0.2 < mood.arousal < 1 for mood in heard.moods)
    assert heard.beats == ()


def test_nothing_is_recognised_where_nobody_wants_it_or_knows_the_language(speech: np.ndarray) -> None:
    silent = observe_audio(lambda: [speech[: 3 * RATE]], transcribe="never")
    assert silent.words == ()
    assert silent.language is None
    backwards = observe_audio(lambda: [np.ascontiguousarray(speech[::-1])], transcribe="always")
    assert backwards.words == ()
    assert backwards.language is None


def test_subtitles_come_first_and_name_speakers(speech: np.ndarray) -> None:
    cues = (Cue(0.5, 3.0, "Guten Tag zusammen", "Ann"), Cue(3.9, 7.0, "und auf Wiedersehen", "Ann"))
    heard = observe_audio(lambda: [speech], cues=cues)
    assert [word.text for word in heard.words] == ["Guten", "Tag", "zusammen", "und", "auf", "Wiedersehen"]
    assert heard.of_kind("speech")[0].text == "Guten Tag zusammen"
    assert {event.speaker for event in heard.of_kind("speech")[:2]} == {"Ann"}
    assert heard.language is None


def test_a_stretch_of_speech_is_cut_where_subtitles_change_the_speaker() -> None:
    events = (
        AudioEvent(kind="pause", span=FrameSpan(0, 20)),
        AudioEvent(kind="speech", span=FrameSpan(20, 150), energy=0.5),
        AudioEvent(kind="noise", span=FrameSpan(150, 200), energy=0.2),
    )
    cues = (Cue(0.8, 2.0, "Hello", "Ann"), Cue(2.4, 4.0, "Hi", "Bob"), Cue(4.0, 5.8, "there", "Bob"))
    cut = split_by_speaker(events, (*cues, Cue(5.9, 7.5, "Bye", "Ann"), Cue(1.0, 1.2, "(laughs)")))
    assert [(event.kind, event.span.start, event.span.stop) for event in cut] == [
        ("pause", 0, 20),
        ("speech", 20, 60),
        ("speech", 60, 150),  # what would be left of the last turn is too short
        ("noise", 150, 200),
    ]
    assert (
        split_by_speaker(events, ())
        == events
        == split_by_speaker(events, (Cue(0.8, 2.0, "Hello"), Cue(2.4, 4.0, "Hi")))
    )


def test_who_has_most_of_a_stretch_is_its_speaker(speech: np.ndarray) -> None:
    turns = (Cue(0.5, 3.0, "Guten Tag", "Ann"), Cue(2.9, 3.2, "Ja", "Bob"), Cue(3.9, 7.0, "und auf Wiedersehen", "Bob"))
    heard = observe_audio(lambda: [speech], cues=turns)
    assert [event.speaker for event in heard.of_kind("speech")[:2]] == ["Ann", "Bob"]


def test_another_recogniser_can_be_given(speech: np.ndarray) -> None:
    class French:
        def __call__(self, samples: np.ndarray) -> list[tuple[str, float, float, float]]:
            return [("bonjour", 0.1, 0.4, 0.9)]

        def language(self, words: Sequence[Word]) -> str | None:
            return "French"

    heard = observe_audio(lambda: [speech], recogniser=French())
    assert {word.text for word in heard.words} == {"bonjour"}
    assert heard.language == "French"
    assert len(heard.words) == len(heard.of_kind("speech"))


def test_results_do_not_depend_on_blocks(speech: np.ndarray, heard: AudioObservations) -> None:
    pieces = observe_audio(lambda: np.array_split(speech, 23))
    assert [event.span for event in pieces.events] == [event.span for event in heard.events]
    assert [word.text for word in pieces.words] == [word.text for word in heard.words]


def song(seconds: int) -> np.ndarray:
    """Held notes, each with a loud beginning, two a second: a melody with a beat."""
    time = np.arange(RATE // 2) / RATE
    notes = []
    for number in range(2 * seconds):
        hertz = (220, 262, 330, 262)[number % 4]
        tone = sum(np.sin(2 * np.pi * k * hertz * time) / k for k in range(1, 12))
        notes.append(tone * (0.35 + 0.65 * np.exp(-12 * time)))
    return (0.2 * np.concatenate(notes)).astype(np.float32)


def test_beats_are_found_where_somebody_sings() -> None:
    from dramatis.senses.hearing.beats import find_beats
    from dramatis.story.observations import AudioEvent
    from dramatis.story.values import FrameSpan

    events = (AudioEvent(kind="singing", span=FrameSpan(0, 200), energy=0.5),)
    found = find_beats([song(8)], events, 200)
    gaps = np.diff(found)
    assert len(found) >= 8
    assert np.median(gaps) == pytest.approx(12.5, abs=1)
    on_beat = [abs((frame + 6.25) % 12.5 - 6.25) for frame in found]
    assert np.mean(on_beat) < 2
    assert find_beats([song(8)], (events[0].model_copy(update={"kind": "speech"}),), 200) == ()
