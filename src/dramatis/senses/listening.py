"""Everything that is heard in one recording: events and prosody, words, moods and beats (report, section 3.2)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from numpy.typing import ArrayLike

from dramatis.media.subtitles import Cue
from dramatis.observed import AudioEvent, Observations, Word
from dramatis.senses.beats import beats
from dramatis.senses.hearing import listen, prosody_of
from dramatis.senses.mood import moods, syllable_rate
from dramatis.senses.voice import voice_probability, with_voices
from dramatis.senses.words import Pocketsphinx, Recogniser, recognised_words, words_of_cues
from dramatis.values import FPS

Transcribe = Literal["auto", "always", "never"]
SHORT_SECONDS = 60.0
"""Up to this length a recording is transcribed without being asked for: recognition takes a fifth of it."""


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
            "events": tuple(_with_text(event, words, cues) for event in events),
            "words": words,
            "language": language,
            "moods": moods(prosody, events, words),
            "beats": beats(sound(), events, heard.frames),
            "rate": syllable_rate(prosody, events),
        }
    )


def _with_text(event: AudioEvent, words: Sequence[Word], cues: Sequence[Cue]) -> AudioEvent:
    """An event with what is said in it, and by whom where subtitles tell."""
    middle = [word for word in words if (word.span.start + word.span.stop) // 2 in event.span]
    speakers = {
        cue.speaker
        for cue in cues
        if cue.speaker and cue.start < event.span.stop / FPS and cue.stop > event.span.start / FPS
    }
    update = {
        "text": " ".join(word.text for word in middle) or None,
        "speaker": speakers.pop() if len(speakers) == 1 else None,
    }
    return event.model_copy(update=update) if event.kind in ("speech", "singing") else event
