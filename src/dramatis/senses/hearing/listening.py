"""Everything that is heard in one recording: events and prosody, words, moods and beats (report, section 3.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Literal

from numpy.typing import ArrayLike

from dramatis.media.subtitles import Cue
from dramatis.senses.hearing.beats import find_beats
from dramatis.senses.hearing.mood import find_moods, syllable_rate
from dramatis.senses.hearing.prosody import listen, prosody_of
from dramatis.senses.hearing.voice import voice_probability, with_voices
from dramatis.senses.hearing.words import Pocketsphinx, Recogniser, recognised_words, words_of_cues
from dramatis.story.observations import VOICE_KINDS, AudioEvent, AudioObservations, Word
from dramatis.story.values import FPS, FrameSpan

Transcribe = Literal["auto", "always", "never"]
SHORT_SECONDS = 60.0
"""Recordings up to this length are transcribed without being asked for: recognition takes a fifth of their duration."""
SHORTEST_TURN = 8
"""Frames: anything shorter belongs to the turn around it."""


def observe_audio(
    sound: Callable[[], Iterable[ArrayLike]],
    frames: int | None = None,
    *,
    cues: Sequence[Cue] = (),
    transcribe: Transcribe = "auto",
    recogniser: Recogniser | None = None,
) -> AudioObservations:
    """Everything that is heard in a recording.

    sound: opens the mono 16 kHz blocks again for each pass over them. cues: the user's subtitles, which take precedence
    over recognised words. recogniser: used in place of the embedded one, and for recordings of any length. Doubtful
    words are dropped, since a wrong transcript is worse than none. Raises ValueError if there is no audio at all.
    """
    heard = listen(sound(), frames)
    events = with_voices(heard.events, voice_probability(sound(), heard.frames))
    words: tuple[Word, ...] = ()
    language = None
    if cues:
        words = words_of_cues(cues, heard.frames)
    elif transcribe == "always" or (transcribe == "auto" and (recogniser or heard.seconds <= SHORT_SECONDS)):
        recogniser = recogniser or Pocketsphinx()
        recognised = recognised_words(sound(), events, heard.frames, recogniser)
        language = recogniser.language(recognised)
        words = recognised if language else ()
    prosody = prosody_of(heard)
    return heard.model_copy(
        update={
            "events": tuple(_with_text(event, words, cues) for event in split_by_speaker(events, cues)),
            "words": words,
            "language": language,
            "moods": find_moods(prosody, events, words),
            "beats": find_beats(sound(), events, heard.frames),
            "rate": syllable_rate(prosody, events),
        }
    )


def split_by_speaker(events: Sequence[AudioEvent], cues: Sequence[Cue]) -> tuple[AudioEvent, ...]:
    """The events, with those of a voice cut where subtitles change the speaker; they tile the same frames."""
    named = sorted((cue for cue in cues if cue.speaker), key=lambda cue: cue.start)
    turns = [round(after.start * FPS) for before, after in pairwise(named) if before.speaker != after.speaker]
    parts = []
    for event in events:
        start = event.span.start
        for turn in turns if event.kind in VOICE_KINDS else ():
            if start + SHORTEST_TURN <= turn <= event.span.stop - SHORTEST_TURN:
                parts.append(event.model_copy(update={"span": FrameSpan(start, turn)}))
                start = turn
        parts.append(event.model_copy(update={"span": FrameSpan(start, event.span.stop)}))
    return tuple(parts)


def _with_text(event: AudioEvent, words: Sequence[Word], cues: Sequence[Cue]) -> AudioEvent:
    """An event with what is said in it and, if subtitles tell, who says it: whoever has most of it."""
    if event.kind not in VOICE_KINDS:
        return event
    middle = [word for word in words if (word.span.start + word.span.stop) // 2 in event.span]
    shares: dict[str, float] = {}
    for cue in cues:
        shared = min(cue.stop, event.span.stop / FPS) - max(cue.start, event.span.start / FPS)
        if cue.speaker and shared > 0:
            shares[cue.speaker] = shares.get(cue.speaker, 0.0) + shared
    speaker = max(shares, key=lambda name: shares[name], default=None)
    return event.model_copy(update={"text": " ".join(word.text for word in middle) or None, "speaker": speaker})
