"""Who is heard when: in a track for each character, or in one sound in which subtitles name who speaks.

The result is one sound for the video and one observation of it, whose events name their speakers. Nobody gets a voice
by a guess: a character without one is silent and listens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from dramatis.app.requests import CharacterRequest
from dramatis.errors import UserError
from dramatis.media import audio as sound
from dramatis.media.audio import AudioInfo
from dramatis.media.mixing import mix_down
from dramatis.media.subtitles import Cue, read_subtitles
from dramatis.senses.hearing.listening import Transcribe, observe_audio
from dramatis.senses.hearing.speakers import attribute_speakers, combine_tracks
from dramatis.senses.hearing.words import Recogniser
from dramatis.story.observations import AudioObservations
from dramatis.story.values import AUDIO_RATE

TRACK_TAIL_SECONDS = 0.5
"""Seconds by which a character's track may outlast the sound of the whole: the end of a room's echo."""


@dataclass(frozen=True)
class VoiceTracks:
    """Where everybody is heard; the files are checked, but not listened to yet.

    tracks: of the characters who have one with a voice in it. whole: the sound for the video; None where the tracks are
    to be mixed into one. cues: what is said by whom, as far as there are subtitles.
    """

    tracks: Mapping[str, AudioInfo] = field(default_factory=dict)
    whole: AudioInfo | None = None
    cues: tuple[Cue, ...] = ()


def check_voices(requests: Sequence[CharacterRequest], audio: Path | None, subtitles: Path | None) -> VoiceTracks:
    """Read and compare all files without listening to them.

    A track that is silent throughout, or holds less than 0.2 s, leaves its character silent. `audio` is the sound of
    the video; where characters have tracks it may be left out, and is their sum. Raises UserError for files that cannot
    be used, for names that are nobody's, and where it is not clear who speaks.
    """
    infos = {request.name: sound.scan(request.audio) for request in requests if request.audio is not None}
    tracks = {name: info for name, info in infos.items() if not info.silent and info.duration >= sound.MIN_SECONDS}
    if infos and not tracks:
        paths = ", ".join(str(info.path) for info in infos.values())
        raise UserError(f"Nobody speaks: {paths} hold no voice; give one that does.")
    cues = _cues(subtitles, [request.name for request in requests]) if subtitles else ()
    if audio is None:
        if not tracks:
            raise UserError("There is no voice; give --audio, or audio= to a --character.")
        return VoiceTracks(tracks, next(iter(tracks.values())) if len(tracks) == 1 else None, _of_tracks(cues, tracks))
    whole = sound.probe(audio)
    for name, info in tracks.items():
        if info.duration > whole.duration + TRACK_TAIL_SECONDS:
            raise UserError(
                f"The track {info.path} of {name!r} lasts {info.duration:.2f} s but {audio} only {whole.duration:.2f} "
                "s; give a sound as long as the longest track, or leave --audio out to have the tracks mixed."
            )
    if tracks:
        return VoiceTracks(tracks, whole, _of_tracks(cues, tracks))
    if cues:
        return VoiceTracks({}, whole, cues)
    if len(requests) == 1:
        return VoiceTracks({requests[0].name: whole}, whole)
    raise UserError(
        f"Nothing says who speaks when in {audio}; give each --character its own audio=, or --subtitles whose lines "
        f"begin with a name, such as '{requests[0].name}: '."
    )


def _cues(path: Path, names: Sequence[str]) -> tuple[Cue, ...]:
    """Subtitles every line of which names one of the characters."""
    cues = read_subtitles(path, names)
    others = re.compile(rf"(?:^|[\s-])({'|'.join(map(re.escape, names))})\s*:\s", re.IGNORECASE)
    for cue in cues:
        start = f"the line at {cue.start:.2f} s, {cue.text[:30]!r},"
        if cue.speaker is None:
            raise UserError(f"{path}: {start} names nobody; begin it with a character's name, such as '{names[0]}: '.")
        if cue.speaker not in names:
            raise UserError(
                f"{path}: {start} is said by {cue.speaker!r}, but the characters are {', '.join(names)}; "
                "correct the name, or name that person with --character."
            )
        if others.search(cue.text):
            raise UserError(f"{path}: {start} holds the words of two characters; give each a line with its own times.")
    return cues


def _of_tracks(cues: tuple[Cue, ...], tracks: Mapping[str, AudioInfo]) -> tuple[Cue, ...]:
    for cue in cues:
        if cue.speaker not in tracks:
            raise UserError(
                f"The subtitles give {cue.speaker!r} words at {cue.start:.2f} s but no track has that voice; "
                "give every character who speaks a track, or none and one --audio."
            )
    return cues


def mix_tracks(voices: VoiceTracks, mix: Path) -> AudioInfo:
    """The sound for the video; where there is none the tracks are mixed into the wav file `mix`."""
    if voices.whole is not None:
        return voices.whole
    infos = list(voices.tracks.values())
    mix_down([info.path for info in infos], mix, max(info.rate for info in infos))
    return sound.probe(mix)


def observe_voices(
    voices: VoiceTracks, whole: AudioInfo, transcribe: Transcribe = "auto", recogniser: Recogniser | None = None
) -> AudioObservations:
    """Everything that is heard in a sound for the video, with the names of those who speak."""

    def observe(info: AudioInfo, cues: Sequence[Cue]) -> AudioObservations:
        return observe_audio(
            lambda: sound.stream(info.path, AUDIO_RATE),
            min(info.frames, whole.frames),
            cues=cues,
            transcribe=transcribe,
            recogniser=recogniser,
        )

    if not voices.tracks:
        return attribute_speakers(observe(whole, voices.cues), voices.cues)
    cues = {name: [cue for cue in voices.cues if cue.speaker == name] for name in voices.tracks}
    tracks = {name: observe(info, cues[name]) for name, info in voices.tracks.items()}
    return combine_tracks(tracks, whole.frames, whole.duration)
