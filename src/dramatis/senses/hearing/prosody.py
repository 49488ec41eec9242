"""What the voice does and when: stretches of speech, singing, noise and silence, and its prosody per video frame.

Audio arrives in blocks of any size and is discarded at once; only a few numbers per video frame are kept, so an hour
takes a few megabytes. Voice activity is judged by loudness relative to the recording and by periodicity, without a
model; the director cuts shots on these events.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

from dramatis.media.audio import only_within, stream
from dramatis.motion.prosody import Prosody, ProsodyMeter
from dramatis.story.observations import AudioEvent, AudioObservations, EventKind
from dramatis.story.storyline import Storyline, Voice
from dramatis.story.values import AUDIO_RATE, FPS, FrameSpan

# Loudness (0..1 of the recording's range) at which a voice begins, and below which it has ended: with two thresholds a
# level between them does not chop up a word.
_BEGINS, _ENDS = 0.20, 0.10
_SHORTEST_PAUSE = 6
_SHORTEST_SOUND = 3
_LEAST_VOICED = 0.12
"""A sound with a mean voicing below this is no voice; whispered or fricative stretches of speech stay above it."""
_SUNG_FRAMES = 12
_SUNG_DRIFT = 0.025
"""A sung note is held: at least half a second in which the pitch moves by less than 0.3 semitones a frame."""
_SUNG_SHARE = 0.5


def listen(blocks: Iterable[ArrayLike], frames: int | None = None) -> AudioObservations:
    """Observe mono 16 kHz audio that arrives as (N,) blocks in [-1, 1].

    `frames` defaults to the rounded duration at 25 frames per second, at least 1. Events tile [0, frames).
    Results do not depend on how the audio is cut into blocks; samples that are not numbers count as silence.
    Raises ValueError if there is no audio at all.
    """
    meter = ProsodyMeter()
    samples = 0
    for block in blocks:
        array = np.asarray(block, np.float32).ravel()
        samples += len(array)
        meter.update(array)
    if not samples:
        raise ValueError("There is no audio to listen to; pass at least one sample.")
    seconds = samples / AUDIO_RATE
    count = max(1, round(seconds * FPS)) if frames is None else frames
    prosody = meter.finish(count)
    return AudioObservations(
        frames=count,
        seconds=seconds,
        events=_events(prosody),
        energy=_numbers(prosody.energy),
        pitch=_numbers(prosody.pitch),
        voiced=_numbers(prosody.voiced),
    )


def prosody_of(observations: AudioObservations) -> Prosody:
    """The observed prosody as the arrays that performances are drawn from."""
    tracks = (observations.energy, observations.pitch, observations.voiced)
    return Prosody(*(np.asarray(track, np.float32) for track in tracks))


def prosodies(storyline: Storyline, whole: AudioObservations | None = None) -> list[Prosody]:
    """The prosody of each voice in a storyline's cast. whole: what was heard in the whole sound, if that is known."""
    if len(storyline.cast) == 1 and whole is not None:
        return [prosody_of(whole)]
    return [_prosody_in(storyline.voice_of(character.name), storyline.frames) for character in storyline.cast]


def _prosody_in(voice: Voice, frames: int) -> Prosody:
    if voice.spans == ():
        return Prosody.silence(frames)
    blocks = only_within(stream(voice.path, AUDIO_RATE), voice.spans, AUDIO_RATE)
    return prosody_of(listen(blocks, frames))


def _numbers(track: NDArray[np.float32]) -> tuple[float, ...]:
    # Three decimals are finer than any ear, and keep files small and equal across machines.
    return tuple(np.round(track.astype(np.float64), 3).tolist())


def _events(prosody: Prosody) -> tuple[AudioEvent, ...]:
    """Alternating sounds and pauses that tile the recording."""
    events = []
    for start, stop, sounding in _runs(_activity(prosody.energy)):
        kind: EventKind = _kind(prosody, slice(start, stop)) if sounding else "pause"
        energy = round(float(prosody.energy[start:stop].mean()), 3)
        events.append(AudioEvent(kind=kind, span=FrameSpan(start, stop), energy=energy))
    return tuple(events)


def _activity(energy: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where something sounds: hysteresis on loudness, then gaps and blips too short to matter are removed."""
    active = np.zeros(len(energy), bool)
    for start, stop, audible in _runs(energy > _ENDS):
        active[start:stop] = audible and bool((energy[start:stop] > _BEGINS).any())
    for shortest, value in ((_SHORTEST_PAUSE, True), (_SHORTEST_SOUND, False)):
        for start, stop, sounding in _runs(active):
            inside = start > 0 and stop < len(active)
            if sounding != value and stop - start < shortest and inside:
                active[start:stop] = value
    return active


def _kind(prosody: Prosody, part: slice) -> EventKind:
    """Whether a sounding stretch is speech, singing or noise."""
    voiced, pitch = prosody.voiced[part], prosody.pitch[part]
    if float(voiced.mean()) < _LEAST_VOICED:
        return "noise"
    steady = np.zeros(len(pitch), bool)
    steady[1:] = (np.abs(np.diff(pitch)) < _SUNG_DRIFT) & (voiced[1:] > 0.5) & (voiced[:-1] > 0.5)
    sung = sum(stop - start for start, stop, on in _runs(steady) if on and stop - start >= _SUNG_FRAMES)
    return "singing" if sung > _SUNG_SHARE * len(pitch) else "speech"


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int, bool]]:
    """(start, stop, value) of every stretch of equal flags, in order."""
    edges = np.flatnonzero(np.diff(flags)) + 1
    bounds = [0, *edges.tolist(), len(flags)]
    return [(a, b, bool(flags[a])) for a, b in pairwise(bounds)]
