"""Takes of several people: who speaks when."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis.story.values import AUDIO_RATE
from dramatis_lab.world.takes.take import Grouping, make_take, silence_outside
from dramatis_lab.world.voices.phones import PAUSE
from dramatis_lab.world.voices.speech import Utterance
from tests.raw_assets import ASSETS, needs_assets


def test_an_utterance_can_be_kept_to_a_turn() -> None:
    audio = np.ones(2 * AUDIO_RATE, np.float32)
    phonemes = ((0.0, 0.9, "aa"), (0.9, 1.6, "m"), (1.6, 2.0, PAUSE))
    said = silence_outside(Utterance(audio, phonemes, np.ones(200, np.float32), "ah", "en", "x"), 0.5, 1.2)
    heard = np.flatnonzero(said.audio) / AUDIO_RATE
    assert heard.min() >= 0.5
    assert heard.max() <= 1.2
    assert len(said.audio) == len(audio)
    assert said.phonemes == ((0.0, 0.5, PAUSE), (0.5, 0.9, "aa"), (0.9, 1.2, "m"), (1.2, 2.0, PAUSE))
    assert np.flatnonzero(said.loudness).tolist() == list(range(50, 120))


@needs_assets
@pytest.mark.parametrize("conversation", [False, True])
def test_everybody_speaks_in_a_conversation_and_only_the_first_otherwise(*, conversation: bool) -> None:
    spoke = []
    for seed in (1, 2):
        take = make_take(seed, "train", ASSETS, (32, 64), Grouping(2, conversation=conversation), faultless=True)
        assert all(len(track.utterance.audio) == 640 * take.frames for track in take.tracks)
        spoke.append([bool(track.utterance.audio.any()) and track.opening.max() > 0.1 for track in take.tracks])
    assert all(first for first, _ in spoke)
    assert all(second == conversation for _, second in spoke)
