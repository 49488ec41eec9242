"""Several voices as one observation: who is heard when, one after another or at once.

Events tile the sound and so cannot overlap. If several people are heard at the same time, one event names them all:
`speaker` is whoever spoke just before, or else the first of them, and `also` the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from dramatis.media.subtitles import Cue
from dramatis.senses.hearing.words import words_of_cues
from dramatis.story.observations import VOICE_KINDS, AudioEvent, AudioObservations, EventKind, Word
from dramatis.story.values import FPS, FrameSpan

_WordsByName = Mapping[str, Sequence[Word]]
NEAR_SECONDS = 1.0
"""A voice outside all subtitles belongs to the nearest ones within this time, and beyond it to nobody."""


def combine_tracks(tracks: Mapping[str, AudioObservations], frames: int, seconds: float) -> AudioObservations:
    """What was heard in the characters' separate tracks, all of which begin together, as one sound of `frames`.

    Loudness is that of the loudest track, each relative to itself, so that a quiet voice has its accents too; pitch and
    voicing are those of the loudest. Shorter tracks end in silence.
    """
    names = list(tracks)
    energy, pitch, voiced = (
        np.stack([_padded(getattr(tracks[name], track), frames) for name in names])
        for track in ("energy", "pitch", "voiced")
    )
    active = {name: _frames_of(tracks[name].events, VOICE_KINDS, frames) for name in names}
    sung = np.stack([_frames_of(tracks[name].events, ("singing",), frames) for name in names]).any(0)
    said = np.stack([_frames_of(tracks[name].events, ("speech",), frames) for name in names]).any(0)
    noise = np.stack([_frames_of(tracks[name].events, ("noise",), frames) for name in names]).any(0)
    kinds = np.where(said, "speech", np.where(sung, "singing", np.where(noise, "noise", "pause")))
    loudest = energy.argmax(0)[None]
    languages = {track.language for track in tracks.values() if track.language}
    rates = [track.rate for track in tracks.values() if track.rate]
    return AudioObservations(
        frames=frames,
        seconds=seconds,
        events=_tiled(active, kinds, energy.max(0), {name: tracks[name].words for name in names}),
        energy=tuple(energy.max(0).tolist()),
        pitch=tuple(np.take_along_axis(pitch, loudest, 0)[0].tolist()),
        voiced=tuple(np.take_along_axis(voiced, loudest, 0)[0].tolist()),
        words=tuple(sorted((w for t in tracks.values() for w in t.words), key=lambda word: word.span)),
        moods=tuple(sorted((m for t in tracks.values() for m in t.moods), key=lambda mood: mood.span)),
        beats=tuple(sorted({beat for track in tracks.values() for beat in track.beats})),
        rate=round(sum(rates) / len(rates), 3) if rates else 0.0,
        language=languages.pop() if len(languages) == 1 else None,
    )


def attribute_speakers(heard: AudioObservations, cues: Sequence[Cue]) -> AudioObservations:
    """One mixed sound, its voices attributed to the speakers of the subtitles, one after another or at once.

    A voice outside every cue belongs to the cues nearest in time.
    """
    names = list(dict.fromkeys(cue.speaker for cue in cues if cue.speaker))
    named = {name: [cue for cue in cues if cue.speaker == name] for name in names}
    away = np.stack([_distance(named[name], heard.frames) for name in names])
    voices = _frames_of(heard.events, VOICE_KINDS, heard.frames)
    nearest = np.arange(len(names))[:, None] == away.argmin(0)
    near = ((away == 0) | (nearest & (away <= NEAR_SECONDS * FPS) & (away.min(0) > 0))) & voices
    kinds = np.concatenate([np.repeat(event.kind, len(event.span)) for event in heard.events])
    words = {name: words_of_cues(named[name], heard.frames) for name in names}
    active = dict(zip(names, near, strict=True))
    return heard.model_copy(update={"events": _tiled(active, kinds, np.asarray(heard.energy), words)})


def _tiled(
    active: Mapping[str, NDArray[np.bool_]], kinds: NDArray[np.str_], energy: NDArray[np.float64], words: _WordsByName
) -> tuple[AudioEvent, ...]:
    """Events cut wherever the kind of sound or the set of speakers changes."""
    sets = np.stack(list(active.values()))
    changes = np.flatnonzero((sets[:, 1:] != sets[:, :-1]).any(0) | (kinds[1:] != kinds[:-1])) + 1
    events: list[AudioEvent] = []
    for start, stop in pairwise([0, *changes.tolist(), len(kinds)]):
        span = FrameSpan(start, stop)
        kind: EventKind = str(kinds[start])  # type: ignore[assignment]
        heard = [name for name in active if active[name][start]] if kind in VOICE_KINDS else []
        if events and events[-1].speaker in heard:
            heard.sort(key=lambda name: name != events[-1].speaker)
        text = " ".join(word.text for name in heard for word in words[name] if _middle(word.span) in span)
        events.append(
            AudioEvent(
                kind=kind,
                span=span,
                text=text or None,
                energy=round(float(energy[start:stop].mean()), 3),
                speaker=heard[0] if heard else None,
                also=tuple(heard[1:]),
            )
        )
    return tuple(events)


def _frames_of(events: Sequence[AudioEvent], kinds: Sequence[EventKind], frames: int) -> NDArray[np.bool_]:
    """(frames,) whether an event of one of these kinds is heard."""
    on = np.zeros(frames, bool)
    for event in events:
        on[event.span.start : event.span.stop] |= event.kind in kinds
    return on


def _distance(cues: Sequence[Cue], frames: int) -> NDArray[np.float64]:
    """(frames,) distance of each frame from the nearest cue, 0 within one."""
    at = np.arange(frames) + 0.5
    away = [np.maximum(np.maximum(cue.start * FPS - at, at - cue.stop * FPS), 0.0) for cue in cues]
    return np.asarray(np.min(away, axis=0))


def _middle(span: FrameSpan) -> int:
    return (span.start + span.stop) // 2


def _padded(track: Sequence[float], frames: int) -> NDArray[np.float64]:
    values = np.asarray(track[:frames], np.float64)
    return np.pad(values, (0, frames - len(values)))
