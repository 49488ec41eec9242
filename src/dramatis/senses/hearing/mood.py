"""How a voice sounds: agitation, pace and manner, judged by loudness and melody.

The tone of a voice shows agitation well and emotion badly, so guesses at emotion carry little confidence: enough to
raise a question, too little to decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dramatis.motion.prosody import Prosody
from dramatis.story.observations import VOICE_KINDS, AudioEvent, Intent, Mood, Word
from dramatis.story.values import FPS, EmotionName, FrameSpan

_LONGEST_SECONDS = 6.0
"""Stretches of one voice less than half a second apart are one mood, up to this length."""
_JOIN_FRAMES = 12
_WHISPERED = 0.15
"""Speech with a mean voicing below this is whispered."""
_RISE_FRAMES, _RISE_OCTAVES = 10, 0.12
"""A question rises by more than a semitone and a half in its last voiced frames."""
_QUESTION_WORDS = frozenset(
    "who what where when why how which whose whom do does did is are can could would will".split()  # noqa: SIM905
)
GUESS = 0.25
"""Confidence in an emotion from tone alone: worth reporting, too little to contradict anybody."""


def find_moods(prosody: Prosody, events: Sequence[AudioEvent], words: Sequence[Word] = ()) -> tuple[Mood, ...]:
    """One mood for each stretch of a voice."""
    return tuple(_mood(prosody, span, kind, words) for span, kind in _stretches(events))


def syllable_rate(prosody: Prosody, events: Sequence[AudioEvent]) -> float:
    """Syllables a second, counted as peaks of loudness, while somebody speaks; 0 if nobody does."""
    peaks, frames = 0, 0
    for event in events:
        if event.kind == "speech":
            energy = prosody.energy[event.span.start : event.span.stop]
            peaks += len(_peaks(energy))
            frames += len(energy)
    return round(peaks / (frames / FPS), 2) if frames >= FPS else 0.0


def _stretches(events: Sequence[AudioEvent]) -> list[tuple[FrameSpan, str]]:
    stretches: list[tuple[FrameSpan, str]] = []
    for event in events:
        if event.kind not in VOICE_KINDS:
            continue
        if stretches and stretches[-1][1] == event.kind:
            joined = FrameSpan(stretches[-1][0].start, event.span.stop)
            if event.span.start - stretches[-1][0].stop < _JOIN_FRAMES and joined.seconds <= _LONGEST_SECONDS:
                stretches[-1] = (joined, event.kind)
                continue
        stretches.append((event.span, event.kind))
    return stretches


def _mood(prosody: Prosody, span: FrameSpan, kind: str, words: Sequence[Word]) -> Mood:
    part = slice(span.start, span.stop)
    energy, pitch, voiced = prosody.energy[part], prosody.pitch[part], prosody.voiced[part]
    melody = pitch[voiced > 0.5]
    reach = float(np.percentile(melody, 90) - np.percentile(melody, 10)) if len(melody) > 4 else 0.0
    high = float(melody.mean()) if len(melody) else 0.0
    rate = len(_peaks(energy)) / max(span.seconds, 0.2)
    loud = float(energy[energy > 0.1].mean()) if (energy > 0.1).any() else 0.0
    arousal = float(np.clip(0.35 * loud + 0.5 * min(reach, 1.0) + 0.06 * rate + 0.5 * high, 0, 1))
    emotion, confidence = _guess(arousal, high, rate)
    return Mood(
        span=span,
        arousal=round(arousal, 3),
        emotion=emotion,
        confidence=confidence,
        intent=_intent(kind, voiced, energy, melody, [word.text for word in words if word.span.overlaps(span)]),
    )


def _guess(arousal: float, high: float, rate: float) -> tuple[EmotionName, float]:
    if arousal > 0.75:
        return ("happy" if high > 0.1 else "angry"), GUESS
    if arousal < 0.3 and rate < 3.5:
        return "sad", GUESS
    return "neutral", GUESS


def _intent(
    kind: str, voiced: NDArray[np.float32], energy: NDArray[np.float32], melody: NDArray[np.float32], words: list[str]
) -> Intent:
    if kind == "singing":
        return "sing"
    sounding = voiced[energy > 0.1]
    if len(sounding) and float(sounding.mean()) < _WHISPERED:
        return "whisper"
    if words and words[-1].endswith(("?", "？")):
        return "ask"
    # A melody that rises at the end asks a question, unless the words say otherwise.
    rises = (
        len(melody) > 2 * _RISE_FRAMES
        and float(melody[-_RISE_FRAMES // 2 :].mean() - melody[-2 * _RISE_FRAMES : -_RISE_FRAMES].mean())
        > _RISE_OCTAVES
    )
    opens = not words or words[0].casefold().strip(".,!?") in _QUESTION_WORDS
    return "ask" if rises and opens and not (words and words[-1].endswith((".", "!", "。", "！"))) else "tell"


def _peaks(energy: NDArray[np.float32]) -> list[int]:
    """Frames at which loudness peaks by more than an eighth above the dip before it."""
    turns = [0, *(np.flatnonzero(np.diff(np.sign(np.diff(energy))) != 0) + 1).tolist(), len(energy) - 1]
    peaks, dip = [], float(energy[0]) if len(energy) else 0.0
    for before, here in pairwise(turns):
        if energy[here] > energy[before] and energy[here] - dip > 0.12:
            peaks.append(here)
            dip = float(energy[here])
        dip = min(dip, float(energy[here]))
    return peaks
