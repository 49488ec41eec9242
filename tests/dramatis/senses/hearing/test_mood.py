"""How a voice sounds: agitation grows with loudness and melody, whispers and questions are told."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis.motion.prosody import Prosody
from dramatis.senses.hearing.mood import find_moods, syllable_rate
from dramatis.story.observations import AudioEvent, Word
from dramatis.story.values import FrameSpan

FRAMES = 100
TIME = np.arange(FRAMES) / 25


def prosody(loud: float = 0.6, reach: float = 0.2, voiced: float = 1.0, rise: float = 0.0, pace: float = 4) -> Prosody:
    energy = loud * (0.55 + 0.45 * np.sin(2 * np.pi * pace * TIME))
    pitch = reach * np.sin(2 * np.pi * 0.8 * TIME) + rise * np.clip((np.arange(FRAMES) - 85) / 10, 0, 1)
    return Prosody(*(np.asarray(track, np.float32) for track in (energy, pitch, np.full(FRAMES, voiced))))


def event(kind: str = "speech", start: int = 0, stop: int = FRAMES) -> AudioEvent:
    return AudioEvent(kind=kind, span=FrameSpan(start, stop), energy=0.5)


def words(text: str) -> list[Word]:
    parts = text.split()
    return [Word(text=part, span=FrameSpan(10 * place, 10 * place + 8)) for place, part in enumerate(parts)]


def test_agitation_grows_with_loudness_and_melody() -> None:
    limp, lively = (find_moods(sound, [event()])[0] for sound in (prosody(0.2, 0.02), prosody(1.0, 0.5)))
    assert limp.arousal < 0.45 < lively.arousal <= 1


@pytest.mark.parametrize(("pace", "rate"), [(2, 2), (5, 5)])
def test_syllables_are_peaks_of_loudness(pace: float, rate: float) -> None:
    assert syllable_rate(prosody(pace=pace), [event()]) == pytest.approx(rate, abs=0.6)
    assert syllable_rate(prosody(), [event("pause")]) == 0


def test_intents() -> None:
    def intent(sound: Prosody, text: str = "", kind: str = "speech") -> str:
        return find_moods(sound, [event(kind)], words(text))[0].intent

    assert intent(prosody(), kind="singing") == "sing"
    assert intent(prosody(voiced=0.05)) == "whisper"
    assert intent(prosody(), "you are here?") == "ask"
    assert intent(prosody(reach=0.0, rise=0.4), "where are you") == "ask"
    assert intent(prosody(reach=0.0, rise=0.4), "so it is.") == "tell"
    assert intent(prosody(reach=0.0), "where are you") == "tell"


def test_stretches_close_to_each_other_are_one_mood() -> None:
    near = [event("speech", 0, 40), event("pause", 40, 48), event("speech", 48, 100)]
    far = [event("speech", 0, 40), event("pause", 40, 60), event("speech", 60, 100)]
    assert [mood.span for mood in find_moods(prosody(), near)] == [FrameSpan(0, 100)]
    assert len(find_moods(prosody(), far)) == 2
    assert find_moods(prosody(), [event("noise")]) == ()
