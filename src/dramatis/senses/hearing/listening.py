"""Everything that is heard in one recording: events and prosody, words, moods and beats (report, section 3.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Literal

from numpy.typing import ArrayLike

from dramatis.media.subtitles import Cue
from dramatis.senses.hearing.beats import beats
from dramatis.senses.hearing.mood import moods, syllable_rate
from dramatis.senses.hearing.prosody import listen, prosody_of
from dramatis.senses.hearing.voice import voice_probability, with_voices
from dramatis.senses.hearing.words import Pocketsphinx, Recogniser, recognised_words, words_of_cues
from dramatis.story.observations import VOICES, AudioEvent, Observations, Word
from dramatis.story.values import FPS, FrameSpan

Transcribe = Literal["auto", "always", "never"]
SHORT_SECONDS = 60.0
"""Up to this length a recording is transcribed without being asked for: recognition takes a fifth of it."""
SHORTEST_TURN = 8
"""Frames: what is shorter belongs to the turn around it."""


def hear(
    sound: Callable[[], Iterable[ArrayLike]],
    frames: int | None = None,
    *,
    cues: Sequence[Cue] = (),
    transcribe: Transcribe = "auto",
    recogniser: Recogniser | None = None,
) -> Observations:
    """Observe a recording.

    sound: opens the mono 16 kHz blocks anew, for each pass over them. cues: the user's subtitles, which come before
    anything that is recognised. recogniser: instead of the embedded one, and for recordings of any length. Words that
    are not sure to be words are dropped, since a wrong transcript is worse than none. Raises ValueError where there is
    no audio at all.
    """
    heard = listen(sound(), frames)
    events = with_voices(heard.events, voice_probability(sound(), heard.frames))
    words: tuple[Word, ...] = ()
    language = None
    if cues:
        words = words_of_cues(cues, heard.frames)
    elif transcribe == "always" or (transcribe == "auto" and (recogniser or heard.seconds <= SHORT_SECONDS)):
        recogniser = recogniser or Pocketsphinx()
        found = recognised_words(sound(), events, heard.frames, recogniser)
        language = recogniser.language(found)
        words = found if language else ()
    prosody = prosody_of(heard)
    return heard.model_copy(
        update={
            "events": tuple(_with_text(event, words, cues) for event in by_turns(events, cues)),
            "words": words,
            "language": language,
            "moods": moods(prosody, events, words),
            "beats": beats(sound(), events, heard.frames),
            "rate": syllable_rate(prosody, events),
        }
    )


def by_turns(events: Sequence[AudioEvent], cues: Sequence[Cue]) -> tuple[AudioEvent, ...]:
    """The events, those with a voice cut where subtitles say that somebody else goes on; they tile the same frames."""
    named = sorted((cue for cue in cues if cue.speaker), key=lambda cue: cue.start)
    turns = [round(after.start * FPS) for before, after in pairwise(named) if before.speaker != after.speaker]
    out = []
    for event in events:
        start = event.span.start
        for turn in turns if event.kind in VOICES else ():
            if start + SHORTEST_TURN <= turn <= event.span.stop - SHORTEST_TURN:
                out.append(event.model_copy(update={"span": FrameSpan(start, turn)}))
                start = turn
        out.append(event.model_copy(update={"span": FrameSpan(start, event.span.stop)}))
    return tuple(out)


def _with_text(event: AudioEvent, words: Sequence[Word], cues: Sequence[Cue]) -> AudioEvent:
    """An event with what is said in it, and by whom where subtitles tell: whoever has most of it."""
    if event.kind not in VOICES:
        return event
    middle = [word for word in words if (word.span.start + word.span.stop) // 2 in event.span]
    shares: dict[str, float] = {}
    for cue in cues:
        shared = min(cue.stop, event.span.stop / FPS) - max(cue.start, event.span.start / FPS)
        if cue.speaker and shared > 0:
            shares[cue.speaker] = shares.get(cue.speaker, 0.0) + shared
    speaker = max(shares, key=lambda name: shares[name], default=None)
    return event.model_copy(update={"text": " ".join(word.text for word in middle) or None, "speaker": speaker})
