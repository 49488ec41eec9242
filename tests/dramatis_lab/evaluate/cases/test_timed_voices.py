"""The voices with exact phone times that lie in the checkout."""

from __future__ import annotations

import numpy as np
import pytest
import soundfile

from dramatis.story.values import AUDIO_RATE, FPS
from dramatis_lab.evaluate.cases.timed_voices import load_voices
from dramatis_lab.evaluate.measures.mesh_lips import closures
from dramatis_lab.world.voices.phones import PHONES
from dramatis_lab.world.voices.speech import HELD_OUT_VOICES


def test_phones_tile_the_sound_and_the_mouth_obeys_them() -> None:
    voices = load_voices()
    assert len(voices) == 8
    for voice in voices:
        sound = soundfile.info(voice.path)
        assert sound.samplerate == AUDIO_RATE
        assert len(voice.opening) == pytest.approx(sound.duration * FPS)
        starts, ends, phones = zip(*voice.phonemes, strict=True)
        assert (starts[0], ends[-1]) == (0, pytest.approx(sound.duration, abs=1e-3))
        assert starts[1:] == ends[:-1]
        assert set(phones) <= set(PHONES)
        assert np.all(voice.opening >= 0)
        assert all(closures(voice.opening, voice.phonemes)), "the phones' own mouth shuts for every m, b and p"


def test_no_training_has_heard_them() -> None:
    import json

    named = {json.loads(voice.path.with_suffix(".json").read_text())["voice"] for voice in load_voices()}
    assert named <= HELD_OUT_VOICES
    assert len(named) > 5
