"""Draws utterances in which the time of every phone is known exactly.

They come from many engines, speakers, throats, rooms and languages, so that a network that learns lips from them
cannot rely on a single voice. An utterance is drawn from a seed alone: equal seeds give equal samples. The voices
of HELD_OUT_VOICES are never drawn for training. The engines are separate programs (see
`dramatis_lab.world.voices.engines`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from dramatis.story.values import AUDIO_RATE
from dramatis_lab.world.arrays import F32
from dramatis_lab.world.splits import SPLITS
from dramatis_lab.world.voices import acoustics, engines, texts
from dramatis_lab.world.voices.engines import SpeakingStyle, SungWord, TimedSpeech
from dramatis_lab.world.voices.phones import PAUSE, TimedPhone

_SINGING_SHARE, _SILENT_SHARE, _HESITANT_SHARE = 0.10, 0.03, 0.10
_LOOP_S = 24.0
"""Longer utterances repeat their sentences (in changing order) after this much new speech, to stay quick."""


@dataclass(frozen=True)
class VoiceProfile:
    """A speaker of an engine in a language of `texts.LANGUAGES`; `sings` voices follow a score."""

    name: str
    engine: str
    speaker: str
    language: str
    sings: bool = False

    @property
    def sex(self) -> str:
        """'female' or 'male', as the voice sounds before its throat is changed."""
        base = self.speaker.rpartition("+")[2]
        return "female" if base in _FEMALE_SPEAKERS else "male"


@dataclass(frozen=True)
class Utterance:
    """Sound and its phones.

    audio: (N,) float32 mono at 16 kHz, -1..1.  phonemes: (start s, end s, symbol of phones.PHONES), tiling
    the audio. loudness: (M,) float32 0..1 every 10 ms, of the voice before room and noise.  kind: speech,
    singing or silent.
    """

    audio: F32
    phonemes: tuple[TimedPhone, ...]
    loudness: F32
    text: str
    language: str
    voice: str
    kind: str = "speech"

    @property
    def seconds(self) -> float:
        return len(self.audio) / AUDIO_RATE


_ESPEAK_LANGUAGES: dict[str, tuple[str, ...]] = {
    "en": ("en-us", "en", "en-gb-x-rp", "en-gb-scotland", "en-029", "en-us-nyc"),
    "cmn": ("cmn-latn-pinyin",),
    # Catalan is kept for the held-out festival voice.
    **{language: (language,) for language in texts.LANGUAGES if language not in ("en", "cmn", "ca")},
}
_TRAIN_VARIANTS = (
    "", "f1", "f2", "f3", "f5", "m1", "m2", "m3", "m4", "m6", "m7", "m8", "klatt", "klatt2", "klatt3",
    "klatt6", "croak", "grandma", "grandpa", "steph", "linda", "Annie", "Michael", "max", "ed", "Lee", "david",
    "rob", "adam", "Alicia", "Denis", "Diogo", "Hugo", "marcelo", "miguel", "paul", "quincy", "shelby", "zac",
    "norbert", "whisper",
)  # fmt: skip
_HELD_OUT_VARIANTS = ("f4", "m5", "klatt4", "anika", "Andy", "belinda", "Mario", "aunty")
_FEMALE_SPEAKERS = frozenset((
    "f1", "f2", "f3", "f4", "f5", "grandma", "steph", "linda", "Annie", "Alicia", "anika", "belinda", "aunty",
    "slt", "cmu_us_slt_arctic_hts", "upc_ca_ona_hts",
))  # fmt: skip


def _espeak_voices(variants: Sequence[str]) -> list[VoiceProfile]:
    voices = []
    for language, names in _ESPEAK_LANGUAGES.items():
        for name in names:
            speakers = [f"{name}+{variant}" if variant else name for variant in variants]
            voices += [VoiceProfile(f"espeak/{speaker}", "espeak", speaker, language) for speaker in speakers]
    return voices


_TRAIN_RECORDED = (
    VoiceProfile("flite/slt", "flite", "slt", "en"),
    VoiceProfile("flite/rms", "flite", "rms", "en"),
    VoiceProfile("flite/kal", "flite", "kal", "en"),
    VoiceProfile("festival/kal_diphone", "festival", "kal_diphone", "en"),
    VoiceProfile("festival/cmu_us_slt_arctic_hts", "festival", "cmu_us_slt_arctic_hts", "en"),
)
_HELD_OUT_RECORDED = (
    VoiceProfile("flite/awb", "flite", "awb", "en"),
    VoiceProfile("festival/upc_ca_ona_hts", "festival", "upc_ca_ona_hts", "ca"),
)
_SINGERS = (
    VoiceProfile("singing/kal_diphone", "festival", "kal_diphone", "en", sings=True),
    *(VoiceProfile(f"singing/{s}", "espeak", s, "en", sings=True) for s in ("en-us+f2", "en+m3", "en-us+klatt2")),
)
_HELD_OUT_SINGERS = tuple(VoiceProfile(f"singing/{s}", "espeak", s, "en", sings=True) for s in ("en-us+f4", "en+m5"))

SYNTHETIC_VOICES: tuple[VoiceProfile, ...] = (
    *_espeak_voices(_TRAIN_VARIANTS), *_TRAIN_RECORDED, *_SINGERS,
    *_espeak_voices(_HELD_OUT_VARIANTS), *_HELD_OUT_RECORDED, *_HELD_OUT_SINGERS,
)  # fmt: skip
HELD_OUT_VOICES: frozenset[str] = frozenset(
    voice.name for voice in (*_espeak_voices(_HELD_OUT_VARIANTS), *_HELD_OUT_RECORDED, *_HELD_OUT_SINGERS)
)
_BY_NAME = {voice.name: voice for voice in SYNTHETIC_VOICES}


def synthesise(text: str, voice: str | VoiceProfile, seed: int = 0) -> Utterance:
    """`text` spoken cleanly by a voice, given by name or whole; the seed draws tempo, pitch and throat.

    Mandarin voices take numbered pinyin. Raises EngineError if the engine is missing, ValueError for an unknown name.
    """
    if isinstance(voice, str) and voice not in _BY_NAME:
        raise ValueError(
            f"The voice {voice!r} is unknown; SYNTHETIC_VOICES lists the {len(SYNTHETIC_VOICES)} known ones."
        )
    chosen = _BY_NAME[voice] if isinstance(voice, str) else voice
    rng = np.random.default_rng(seed)
    spoken = _throat(_spoken([text], chosen, _manner(rng)), _throat_factor(rng, chosen))
    speech = _joined(spoken)
    return _utterance(speech, text, chosen, "speech")


def draw_utterance(seed: int, min_s: float, max_s: float, split: str = "train", sex: str | None = None) -> Utterance:
    """An utterance of `min_s` to `max_s` seconds for a split ('train' or 'test'), recorded somewhere by someone.

    Sentences with pauses of 0.2 to 1 s; one in ten sung, one in ten halting with pauses of seconds, a few
    silent. Voices whose engine is not installed are left out. sex: 'female' or 'male' (None: any). Raises
    EngineError if no engine is installed.
    """
    if split not in SPLITS:
        raise ValueError(f"The split {split!r} is unknown; choose one of {SPLITS}.")
    rng = np.random.default_rng(seed)
    target = float(rng.uniform(min_s, max_s))
    draw = rng.random()
    if draw < _SILENT_SHARE:
        return _silent(target, rng)
    singing = draw < _SILENT_SHARE + _SINGING_SHARE
    voice = draw_voice(rng, split, sex, singing=singing)
    pauses = (1.0, 3.5) if draw > 1.0 - _HESITANT_SHARE else (0.2, 1.0)
    speech, text = _performance(voice, min(target, _LOOP_S), rng)
    dry = _laid_out(speech, target, pauses, rng)
    utterance = _utterance(dry, text, voice, "singing" if singing else "speech")
    return replace(utterance, audio=acoustics.simulate_recording(dry.audio, acoustics.draw_conditions(rng), rng))


def draw_voice(rng: np.random.Generator, split: str, sex: str | None = None, *, singing: bool = False) -> VoiceProfile:
    """A voice of the split whose engine is installed.

    Half of them are English or Mandarin by espeak-ng, a third recorded speakers, the rest other languages.
    """
    groups = _voice_groups(split, sex, singing=singing)
    weights = np.array([weight for weight, _ in groups])
    _, voices = groups[int(rng.choice(len(groups), p=weights / weights.sum()))]
    return voices[int(rng.integers(len(voices)))]


@lru_cache(maxsize=16)
def _voice_groups(split: str, sex: str | None, *, singing: bool) -> list[tuple[float, list[VoiceProfile]]]:
    installed = {engine for engine in ("espeak", "flite", "festival") if engines.engine_available(engine)}
    usable = [
        voice
        for voice in SYNTHETIC_VOICES
        if voice.engine in installed
        and voice.sings == singing
        and (voice.name in HELD_OUT_VOICES) == (split == "test")
        and sex in (None, voice.sex)
    ]
    if not usable:
        raise engines.EngineError("No speech engine is installed; install espeak-ng, flite or festival.")
    kinds: list[tuple[float, Callable[[VoiceProfile], bool]]] = [
        (0.34, lambda voice: voice.engine == "espeak" and voice.language == "en"),
        (0.16, lambda voice: voice.engine == "espeak" and voice.language == "cmn"),
        (0.18, lambda voice: voice.engine == "espeak" and voice.language not in ("en", "cmn")),
        (0.26, lambda voice: voice.engine == "flite"),
        (0.06, lambda voice: voice.engine == "festival"),
    ]
    groups = [(weight, [voice for voice in usable if test(voice)]) for weight, test in kinds]
    return [(weight, voices) for weight, voices in groups if voices]


def _manner(rng: np.random.Generator) -> SpeakingStyle:
    return SpeakingStyle(
        tempo=float(np.exp(rng.normal(0.0, 0.14))),
        pitch=float(rng.normal(0.0, 3.0)),
        liveliness=float(rng.uniform(0.5, 1.7)),
    )


def _throat_factor(rng: np.random.Generator, voice: VoiceProfile) -> float:
    # Few recorded speakers must stand for many: they are bent further than the hundreds of espeak-ng's.
    spread = 0.05 if voice.engine == "espeak" else 0.11
    return float(np.clip(np.exp(rng.normal(0.0, spread)), 0.78, 1.28))


def _throat(speech: Sequence[TimedSpeech], factor: float) -> list[TimedSpeech]:
    return [TimedSpeech(*acoustics.scale_throat(part.audio, part.phonemes, factor)) for part in speech]


def _spoken(sentences: Sequence[str], voice: VoiceProfile, manner: SpeakingStyle) -> list[TimedSpeech]:
    if voice.engine == "espeak":
        return engines.espeak_speech(sentences, voice.speaker, manner)
    if voice.engine == "flite":
        return [engines.flite_speech(text, voice.speaker, manner) for text in sentences]
    return engines.festival_speech(sentences, voice.speaker, manner)


def _performance(voice: VoiceProfile, seconds: float, rng: np.random.Generator) -> tuple[list[TimedSpeech], str]:
    """Sentences (or phrases of a song) of about `seconds` altogether, without silence around each, and their words."""
    manner, factor = _manner(rng), _throat_factor(rng, voice)
    count = max(1, int(np.ceil(seconds / 2.6)))
    if voice.sings:
        speech, words = _song(voice, count, rng)
    else:
        words = [texts.sentence(rng, voice.language) for _ in range(count)]
        speech = _spoken(words, voice, manner)
    trimmed = [TimedSpeech(*acoustics.trim_silence(part.audio, part.phonemes)) for part in _throat(speech, factor)]
    return [part for part in trimmed if len(part.audio)], " ".join(words)


def _song(voice: VoiceProfile, phrases: int, rng: np.random.Generator) -> tuple[list[TimedSpeech], list[str]]:
    tonic = float(rng.uniform(95.0, 160.0))
    lyrics = [texts.sung_words(rng, int(rng.integers(2, 6))) for _ in range(phrases)]
    words = [" ".join(word for word, _ in phrase) for phrase in lyrics]
    if voice.engine == "espeak":
        scores = [_espeak_score(phrase, rng) for phrase in lyrics]
        return engines.espeak_speech(scores, voice.speaker, SpeakingStyle(liveliness=0.0), ssml=True), words
    notes: list[SungWord] = []
    for phrase in lyrics:
        notes += [_sung(word, syllables, tonic, rng) for word, syllables in phrase]
        notes.append(SungWord("", (), (float(rng.uniform(0.2, 0.8)),)))
    return engines.festival_song(notes, voice.speaker), words


_SCALE = np.array([0, 2, 4, 7, 9, 12])


def _sung(word: str, syllables: int, tonic: float, rng: np.random.Generator) -> SungWord:
    steps = rng.choice(_SCALE, size=syllables)
    beats = rng.choice([0.3, 0.45, 0.6, 0.9], size=syllables)
    return SungWord(word, tuple(tonic * 2 ** (steps / 12)), tuple(float(beat) for beat in beats))


def _espeak_score(phrase: Sequence[tuple[str, int]], rng: np.random.Generator) -> str:
    notes = []
    for word, _ in phrase:
        pitch = int(70 + 9 * rng.choice(_SCALE))
        rate = int(rng.choice([35, 45, 60]))
        notes.append(f'<prosody pitch="{pitch}%" range="0%" rate="{rate}%">{word}</prosody>')
    return f"<speak>{' '.join(notes)}</speak>"


def _joined(speech: Sequence[TimedSpeech]) -> TimedSpeech:
    audio, segments, at = [], [], 0.0
    for part in speech:
        audio.append(part.audio)
        segments += [(start + at, end + at, phone) for start, end, phone in part.phonemes]
        at += len(part.audio) / AUDIO_RATE
    return TimedSpeech(np.concatenate(audio) if audio else np.zeros(0, np.float32), _tiled(segments, at))


def _laid_out(
    speech: Sequence[TimedSpeech], seconds: float, pauses: tuple[float, float], rng: np.random.Generator
) -> TimedSpeech:
    """The sentences with pauses between them, cut or padded with silence to `seconds`."""
    total = round(seconds * AUDIO_RATE)
    audio = np.zeros(total, np.float32)
    segments: list[TimedPhone] = []
    # Long enough for a closed mouth in frame 0.
    at = int(rng.uniform(0.16, 0.6) * AUDIO_RATE)
    order = list(range(len(speech)))
    while speech and at < total - int(0.3 * AUDIO_RATE):
        order = order or [int(i) for i in rng.permutation(len(speech))]
        part = speech[order.pop(0)]
        stop = min(at + len(part.audio), total)
        audio[at:stop] = part.audio[: stop - at]
        segments += [(start + at / AUDIO_RATE, end + at / AUDIO_RATE, phone) for start, end, phone in part.phonemes]
        at = stop + int(rng.uniform(*pauses) * AUDIO_RATE)
    fade = min(320, total)
    audio[total - fade :] *= np.linspace(1.0, 0.0, fade, dtype=np.float32)
    return TimedSpeech(audio, _tiled(segments, total / AUDIO_RATE))


def _tiled(segments: Sequence[TimedPhone], seconds: float) -> list[TimedPhone]:
    """The segments with pauses in the gaps, from 0 to `seconds` exactly; neighbouring pauses become one."""
    tiles: list[TimedPhone] = []
    at = 0.0
    cut = [(min(start, seconds), min(end, seconds), phone) for start, end, phone in segments]
    for start, end, phone in [*cut, (seconds, seconds, PAUSE)]:
        for tile in ((at, start, PAUSE), (max(at, start), end, phone)):
            if tile[1] - tile[0] < 1e-6:
                continue
            if tiles and tile[2] == tiles[-1][2] == PAUSE:
                tiles[-1] = (tiles[-1][0], tile[1], PAUSE)
            else:
                tiles.append(tile)
        at = max(at, end)
    return tiles


def _utterance(speech: TimedSpeech, text: str, voice: VoiceProfile, kind: str) -> Utterance:
    level = acoustics.loudness(speech.audio)
    return Utterance(speech.audio, tuple(speech.phonemes), level, text, voice.language, voice.name, kind)


def _silent(seconds: float, rng: np.random.Generator) -> Utterance:
    """Nobody speaks: room noise, or digital silence now and then."""
    silence = np.zeros(round(seconds * AUDIO_RATE), np.float32)
    audio = silence
    if rng.random() < 0.8:
        hiss = acoustics.RecordingConditions(level_db=-20.0, noise_db=float(rng.uniform(15.0, 50.0)), noise="pink")
        audio = acoustics.simulate_recording(silence, hiss, rng)
    end = len(silence) / AUDIO_RATE
    return Utterance(audio, ((0.0, end, PAUSE),), acoustics.loudness(silence), "", "", "silent", "silent")
