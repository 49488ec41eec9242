"""Which utterances real pictures speak with."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis_lab.evaluate.cases.make_voices import usable
from dramatis_lab.world.voices.phones import PAUSE, TimedPhone
from dramatis_lab.world.voices.speech import Utterance

LEAD: list[TimedPhone] = [(0.0, 0.3, PAUSE)]
WORDS: list[TimedPhone] = [
    (0.3 + 0.1 * k, 0.4 + 0.1 * k, phone) for k, phone in enumerate(["m", "aa", "b", "aa", "p", "aa", "m"])
]


@pytest.mark.parametrize(
    ("phonemes", "kind", "expected"),
    [
        ([*LEAD, *WORDS, (1.0, 1.4, PAUSE), (1.4, 2.0, "aa")], "speech", True),
        ([*LEAD, *WORDS, (1.0, 1.4, PAUSE), (1.4, 2.0, "aa")], "singing", False),
        ([*LEAD, *WORDS, (1.0, 1.2, PAUSE), (1.2, 2.0, "aa")], "speech", False),
        ([*LEAD, *WORDS, (1.0, 2.0, PAUSE)], "speech", False),
        ([*LEAD, *WORDS[2:], (1.0, 1.4, PAUSE), (1.4, 2.0, "aa")], "speech", False),
    ],
    ids=["usable", "sung", "short pause", "pause at the end", "few labials"],
)
def test_speech_with_a_pause_inside_and_some_labials(phonemes: list[TimedPhone], kind: str, expected: bool) -> None:
    silence = np.zeros(32_000, np.float32)
    assert usable(Utterance(silence, tuple(phonemes), silence[:200], "", "en", "someone", kind)) is expected
