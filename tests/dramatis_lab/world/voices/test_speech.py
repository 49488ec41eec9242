"""Utterances: exact phone times, reproducible sound, and voices kept apart."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from dramatis.story.values import AUDIO_RATE
from dramatis_lab.world.voices import acoustics, engines, espeak, phones, texts
from dramatis_lab.world.voices.speech import (
    HELD_OUT_VOICES,
    SYNTHETIC_VOICES,
    Utterance,
    draw_utterance,
    draw_voice,
    synthesise,
)
from tests.dramatis_lab.world.voices.alignment import measure_alignment

needs_espeak = pytest.mark.skipif(not engines.engine_available("espeak"), reason="espeak-ng is not installed")
needs_flite = pytest.mark.skipif(not engines.engine_available("flite"), reason="flite is not installed")
needs_festival = pytest.mark.skipif(not engines.engine_available("festival"), reason="festival is not installed")
SENTENCE = "My mama bakes five warm loaves of bread."


def check_tiling(utterance: Utterance) -> None:
    starts = [start for start, _, _ in utterance.phonemes]
    ends = [end for _, end, _ in utterance.phonemes]
    assert starts[0] == pytest.approx(0.0, abs=0.005)
    assert ends[-1] == pytest.approx(utterance.seconds, abs=0.005)
    assert np.allclose(starts[1:], ends[:-1])
    assert all(phone in phones.PHONES for _, _, phone in utterance.phonemes)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        ("tʃ", ("ch",)), ("aɪ", ("aa", "ih")), ("ɑː", ("aa",)), ("tɕh", ("ch",)), ("ts.h", ("ch",)),
        ("i.", ("ix",)),
        ("onɡ", ("ow", "ng")), ("ä", ("aa",)), ("ç", ("h",)), ("ɯᵝ", ("ix",)), ("ʲ", ("y",)), ("", ("pau",)),
    ],
)  # fmt: skip
def test_ipa_labels(label: str, expected: tuple[str, ...]) -> None:
    assert phones.from_ipa(label) == expected


def test_a_short_silence_before_a_stop_is_its_closure() -> None:
    rows = [(0.0, 0.1, ("aa",)), (0.1, 0.15, ("pau",)), (0.15, 0.17, ("p",)), (0.17, 0.3, ("iy",))]
    assert phones.tidy_phones(rows) == [(0.0, 0.1, "aa"), (0.1, 0.17, "p"), (0.17, 0.3, "iy")]


def test_every_language_has_sentences() -> None:
    for language in texts.LANGUAGES:
        assert len(texts.sentence(np.random.default_rng(0), language)) > 8
    with pytest.raises(ValueError, match="xx"):
        texts.sentence(np.random.default_rng(0), "xx")


def test_loudness_is_high_where_there_is_sound() -> None:
    audio = np.zeros(16000, np.float32)
    audio[8000:] = np.sin(np.arange(8000) * 0.1)
    level = acoustics.loudness(audio)
    assert level.shape == (100,)
    assert level[:48].max() == 0.0
    assert level[52:].min() > 0.9


def test_a_room_does_not_delay_the_voice() -> None:
    rng = np.random.default_rng(1)
    dry = np.zeros(16000, np.float32)
    dry[4000:8000] = rng.standard_normal(4000) * 0.1
    wet = acoustics.simulate_recording(dry, acoustics.RecordingConditions(room_s=0.4, wet=0.3), rng)
    assert len(wet) == len(dry)
    assert np.abs(wet[:4000]).max() < 1e-4
    assert np.abs(wet[4000:4100]).max() > 1e-3


def test_names_are_unique_and_splits_are_disjoint() -> None:
    names = [voice.name for voice in SYNTHETIC_VOICES]
    assert len(set(names)) == len(names)
    assert set(names) >= HELD_OUT_VOICES
    held_out = {voice.speaker.rpartition("+")[2] for voice in SYNTHETIC_VOICES if voice.name in HELD_OUT_VOICES}
    used = {voice.speaker.rpartition("+")[2] for voice in SYNTHETIC_VOICES if voice.name not in HELD_OUT_VOICES}
    assert not held_out & used


@needs_espeak
def test_drawn_voices_respect_the_split() -> None:
    rng = np.random.default_rng(2)
    for split, held_out in (("train", False), ("test", True)):
        for sex in ("female", "male"):
            voices = [draw_voice(rng, split, sex) for _ in range(50)]
            assert all((voice.name in HELD_OUT_VOICES) == held_out and voice.sex == sex for voice in voices)


@needs_espeak
@pytest.mark.parametrize(
    ("name", "text"),
    [("espeak/en-us", SENTENCE), ("espeak/cmn-latn-pinyin+f2", "ma1 ma5 qi2 ma3, wo3 men5 qu4 bei3 jing1.")],
)
def test_espeak_phones_fit_the_sound(name: str, text: str) -> None:
    utterance = synthesise(text, name, seed=1)
    check_tiling(utterance)
    assert utterance.audio.dtype == np.float32
    fit = measure_alignment(utterance)
    print(name, fit)
    assert fit.vowels > 0.7
    assert abs(fit.shift_s) <= 0.03
    assert "m" in [phone for _, _, phone in utterance.phonemes]


@needs_espeak
def test_equal_seeds_sound_equal_whatever_was_said_before() -> None:
    first = synthesise(SENTENCE, "espeak/en-us+f3", seed=3)
    synthesise("Something else.", "espeak/de+klatt", seed=4)
    again = synthesise(SENTENCE, "espeak/en-us+f3", seed=3)
    assert np.array_equal(first.audio, again.audio)
    assert first.phonemes == again.phonemes


@needs_espeak
def test_an_unknown_voice_is_named_and_the_engine_lives_on() -> None:
    with pytest.raises(ValueError, match="nobody"):
        synthesise(SENTENCE, "espeak/nobody")
    with pytest.raises(espeak.EspeakError, match="nobody"):
        espeak.engine().speak(["word"], espeak.EspeakVoice("nobody"))
    assert len(espeak.engine().speak(["word"], espeak.EspeakVoice("en-us"))[0].pcm) > 1000


@needs_espeak
def test_a_hung_engine_is_replaced() -> None:
    with pytest.raises(espeak.EspeakError, match="too long"):
        espeak.engine().speak([SENTENCE], espeak.EspeakVoice("en-us"), timeout_s=0.0)
    assert espeak.engine().speak(["word"], espeak.EspeakVoice("en-us"))[0].phonemes


@needs_espeak
def test_every_espeak_language_is_known_to_the_engine() -> None:
    base = [voice for voice in SYNTHETIC_VOICES if voice.engine == "espeak" and "+" not in voice.speaker]
    for voice in base:
        assert espeak.engine().speak(["ma"], espeak.EspeakVoice(voice.speaker))[0].pcm


@needs_flite
def test_flite_phones_fit_the_sound() -> None:
    utterance = synthesise(SENTENCE, "flite/slt", seed=5)
    check_tiling(utterance)
    fit = measure_alignment(utterance)
    assert fit.vowels > 0.7
    assert fit.pauses < 0.2
    assert abs(fit.shift_s) <= 0.03


@needs_festival
def test_festival_sings_the_notes_it_is_given() -> None:
    notes = [
        engines.SungWord("moon", (200.0,), (0.8,)),
        engines.SungWord("", (), (0.4,)),
        engines.SungWord("me", (150.0,), (0.6,)),
    ]
    song = engines.festival_song(notes, "kal_diphone")
    vowels = [end - start for part in song for start, end, phone in part.phonemes if phone in ("uw", "iy")]
    assert max(vowels) > 0.25
    assert sum(len(part.audio) for part in song) / AUDIO_RATE > 1.4


@needs_espeak
def test_utterances_are_tiled_bounded_and_reproducible() -> None:
    for seed in range(12):
        utterance = draw_utterance(seed, 3.0, 5.0)
        check_tiling(utterance)
        assert 3.0 <= utterance.seconds <= 5.0
        assert np.abs(utterance.audio).max() <= 1.0
        assert len(utterance.loudness) == pytest.approx(utterance.seconds * 100, abs=1)
        assert utterance.phonemes[0][2] == "pau"
    again = draw_utterance(seed, 3.0, 5.0)
    assert np.array_equal(utterance.audio, again.audio)


@needs_espeak
def test_fresh_processes_agree() -> None:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as pool:
        sounds = list(pool.map(_peak_of, (7, 7)))
    assert sounds[0] == sounds[1] == _peak_of(7)


def _peak_of(seed: int) -> float:
    return float(np.abs(draw_utterance(seed, 1.0, 2.0, "test").audio).sum())
