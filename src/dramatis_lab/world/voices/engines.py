"""Calls the speech engines: words and a speaker in, 16 kHz sound and timed phones out.

espeak-ng, flite and festival are separate programs that the user installs (Debian: espeak-ng, flite, festival
and its voices). They are needed to make training data and for nothing else. Each runs outside this process,
under a time limit.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

import numpy as np
import soundfile
import soxr

from dramatis.errors import UserError
from dramatis.story.values import AUDIO_RATE
from dramatis_lab.world.arrays import F32
from dramatis_lab.world.voices import espeak, phones
from dramatis_lab.world.voices.phones import TimedPhone


class EngineError(UserError):
    """A speech engine is not installed, or failed on what it was given."""


@dataclass(frozen=True)
class TimedSpeech:
    """What an engine said: (N,) float32 mono at 16 kHz, -1..1, and the phones that tile it."""

    audio: F32
    phonemes: list[TimedPhone]


@dataclass(frozen=True)
class SpeakingStyle:
    """How to speak. tempo: above 1 is faster.  pitch: semitones from the speaker's own.  liveliness: 1 is as usual."""

    tempo: float = 1.0
    pitch: float = 0.0
    liveliness: float = 1.0


@dataclass(frozen=True)
class SungWord:
    """A sung word: a pitch in hertz and a duration in seconds for each syllable; without a word, a rest."""

    word: str
    hertz: tuple[float, ...]
    seconds: tuple[float, ...]


def engine_available(engine: str) -> bool:
    """Whether the program behind `engine` ('espeak', 'flite', 'festival') is installed."""
    return shutil.which({"espeak": "espeak-ng"}.get(engine, engine)) is not None


def espeak_speech(
    texts: Sequence[str], speaker: str, manner: SpeakingStyle, *, ssml: bool = False
) -> list[TimedSpeech]:
    """Texts spoken by an espeak-ng voice such as 'en-us+f3'; Mandarin ('cmn-latn-pinyin') takes numbered pinyin."""
    voice = espeak.EspeakVoice(
        name=speaker,
        rate=int(np.clip(165 * manner.tempo, 80, 400)),
        pitch=int(np.clip(50 + 5 * manner.pitch, 0, 99)),
        pitch_range=int(np.clip(50 * manner.liveliness, 0, 99)),
    )
    try:
        spoken = espeak.engine().speak(texts, voice, ssml=ssml)
    except espeak.EspeakError as error:
        raise EngineError(str(error)) from error
    return [_from_espeak(part) for part in spoken]


def _from_espeak(spoken: espeak.EspeakSpeech) -> TimedSpeech:
    audio = np.frombuffer(spoken.pcm, np.int16).astype(np.float32) / 32768.0
    total = len(audio) / spoken.rate
    starts = [sample / spoken.rate for sample, _ in spoken.phonemes]
    # Language switches are reported as '(en)' and last a few milliseconds.
    labels = [phones.from_ipa("" if label.startswith("(") else label) for _, label in spoken.phonemes]
    first = starts[0] if starts else total
    rows: list[tuple[float, float, tuple[str, ...]]] = [(0.0, first, (phones.PAUSE,))]
    rows += zip(starts, [*starts[1:], total], labels, strict=True)
    return TimedSpeech(_at_rate(audio, spoken.rate), phones.tidy_phones(rows))


def flite_speech(text: str, speaker: str, manner: SpeakingStyle, timeout_s: float = 20.0) -> TimedSpeech:
    """One sentence by a flite voice: slt, rms, awb or kal."""
    with tempfile.TemporaryDirectory(prefix="speech-") as folder:
        wave = Path(folder) / "speech.wav"
        command = ["flite", "-voice", speaker, "-psdur", "--setf", f"duration_stretch={1 / manner.tempo:.4f}"]
        listing = _output([*command, "-t", text, "-o", str(wave)], timeout_s)
        audio = _wave(wave)
    ends = [(label, float(end)) for label, _, end in (word.rpartition(":") for word in listing.split()) if label]
    return _from_ends(audio, ends, phones.from_arpabet)


_FESTIVAL_SPEAK = """(voice_{voice})
(Parameter.set 'Duration_Stretch {stretch:.4f})
(define (dramatis_keep u n)
  (utt.save.wave u (format nil "{folder}/%d.wav" n) 'riff)
  (format t "UTTERANCE %d\\n" n)
  (mapcar (lambda (s) (format t "%s %f\\n" (item.name s) (item.feat s 'end))) (utt.relation.items u
  'Segment)))
"""
_FESTIVAL_SING = """(require 'singing-mode)
(set! dramatis_count 0)
(set! tts_hooks (list utt.synth (lambda (u) (dramatis_keep u dramatis_count)
  (set! dramatis_count (+ dramatis_count 1)) u)))
(tts_file "{folder}/score.xml" 'singing)
"""
_SCORE_HEAD = """<?xml version="1.0"?>
<!DOCTYPE SINGING PUBLIC "-//SINGING//DTD SINGING mark up//EN" "Singing.v0_1.dtd" []>
"""


def festival_speech(
    texts: Sequence[str], speaker: str, manner: SpeakingStyle, timeout_s: float = 60.0
) -> list[TimedSpeech]:
    """Each text by a festival voice such as 'kal_diphone', 'cmu_us_slt_arctic_hts' or 'upc_ca_ona_hts'."""

    def script(folder: Path) -> str:
        lines = [_FESTIVAL_SPEAK.format(voice=speaker, folder=folder, stretch=1 / manner.tempo)]
        for index, text in enumerate(texts):
            quoted = text.replace("\\", " ").replace('"', " ")
            lines.append(f'(dramatis_keep (utt.synth (Utterance Text "{quoted}")) {index})')
        return "\n".join(lines)

    return _festival(script, speaker, timeout_s)


def festival_song(notes: Sequence[SungWord], speaker: str, timeout_s: float = 60.0) -> list[TimedSpeech]:
    """The notes sung by a diphone voice of festival, as one piece or several."""

    def script(folder: Path) -> str:
        (folder / "score.xml").write_text(_SCORE_HEAD + _score(notes), encoding="utf-8")
        return _FESTIVAL_SPEAK.format(voice=speaker, folder=folder, stretch=1.0) + _FESTIVAL_SING.format(folder=folder)

    return _festival(script, speaker, timeout_s)


def _score(notes: Sequence[SungWord]) -> str:
    rows = []
    for note in notes:
        seconds = ",".join(f"{value:.3f}" for value in note.seconds)
        if not note.word:
            rows.append(f'<REST SECONDS="{seconds}"></REST>')
            continue
        hertz = ",".join(f"{value:.1f}" for value in note.hertz)
        word = f'<DURATION SECONDS="{seconds}">{escape(note.word)}</DURATION>'
        rows.append(f'<PITCH FREQ="{hertz}">{word}</PITCH>')
    return f'<SINGING BPM="60">{"".join(rows)}</SINGING>\n'


def _festival(script: Callable[[Path], str], speaker: str, timeout_s: float) -> list[TimedSpeech]:
    reader = phones.from_catalan if "_ca_" in speaker else phones.from_arpabet
    # Festival's Catalan voice reads Latin-1.
    encoding = "latin-1" if "_ca_" in speaker else "ascii"
    with tempfile.TemporaryDirectory(prefix="speech-") as folder:
        program = Path(folder) / "speak.scm"
        program.write_text(script(Path(folder)), encoding=encoding, errors="replace")
        listing = _output(["festival", "-b", str(program)], timeout_s)
        speech = []
        for block in listing.split("UTTERANCE ")[1:]:
            number, *rows = block.splitlines()
            ends = [(label, float(end)) for label, _, end in (row.partition(" ") for row in rows) if end]
            speech.append(_from_ends(_wave(Path(folder) / f"{int(number)}.wav"), ends, reader))
    if not speech:
        raise EngineError(f"Festival spoke nothing with the voice {speaker}; install that voice.")
    return speech


def _from_ends(audio: F32, ends: Sequence[tuple[str, float]], reader: Callable[[str], tuple[str, ...]]) -> TimedSpeech:
    rows: list[tuple[float, float, tuple[str, ...]]] = []
    start = 0.0
    for label, end in ends:
        rows.append((start, end, reader(label)))
        start = max(start, end)
    total = len(audio) / AUDIO_RATE
    rows.append((start, max(total, start), (phones.PAUSE,)))
    return TimedSpeech(audio, phones.tidy_phones(rows))


def _output(command: list[str], timeout_s: float) -> str:
    try:
        done = subprocess.run(command, capture_output=True, timeout=timeout_s, check=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise EngineError(f"The program {command[0]} is not installed; install the package of that name.") from error
    except (subprocess.SubprocessError, OSError) as error:
        raise EngineError(f"The program {command[0]} failed ({error}); run the command again.") from error
    return done.stdout.decode("latin-1")


def _wave(path: Path) -> F32:
    try:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, RuntimeError) as error:
        raise EngineError("The speech engine left no readable sound; install its voices again.") from error
    return _at_rate(audio.mean(1), rate)


def _at_rate(audio: F32, rate: int) -> F32:
    if rate == AUDIO_RATE or not len(audio):
        return audio.astype(np.float32)
    return np.asarray(soxr.resample(audio, rate, AUDIO_RATE, quality="MQ"), np.float32)
