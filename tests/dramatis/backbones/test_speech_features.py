from __future__ import annotations

import numpy as np
import pytest
import torch

from dramatis.backbones import speech_features as hearing
from dramatis.backbones.mini import MiniBackbone
from dramatis.story.values import FrameSpan
from tests.inputs import MakeAudio
from tests.tiny import write_model


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> MiniBackbone:
    return MiniBackbone(write_model(tmp_path_factory.mktemp("model")), dtype=torch.float32)


@pytest.mark.parametrize("block", [1, 7, 32])
def test_sound_heard_in_blocks_equals_sound_heard_whole(
    backbone: MiniBackbone, make_audio: MakeAudio, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    path = make_audio("voice.wav", 3.1)
    features, openings = backbone.encode_speech(path, 78)
    assert features.shape == (78, 12)
    assert features.dtype == np.float16
    assert openings.shape == (78,)
    monkeypatch.setattr(hearing, "BLOCK_FRAMES", block)
    in_blocks = backbone.encode_speech(path, 78)
    assert np.allclose(in_blocks[0], features, atol=2e-3)
    assert np.allclose(in_blocks[1], openings, atol=1e-4)


def test_frames_past_the_end_of_the_sound_are_silent(backbone: MiniBackbone, make_audio: MakeAudio) -> None:
    features, _ = backbone.encode_speech(make_audio("voice.wav", 1.0), 80)
    assert features.shape == (80, 12)
    late = features[50:70].astype(np.float32)
    assert np.allclose(late, late[0], atol=2e-3)
    assert not np.allclose(features[5], features[60], atol=0.05)


def test_one_of_several_voices_is_heard_only_where_it_speaks(backbone: MiniBackbone, make_audio: MakeAudio) -> None:
    path = make_audio("voices.wav", 4.0)
    whole, _ = backbone.encode_speech(path, 100)
    own, openings = backbone.encode_speech(path, 100, (FrameSpan(30, 70),))
    silent, shut = backbone.encode_speech(path, 100, ())
    assert np.allclose(own[:20], silent[:20], atol=2e-3)
    assert np.allclose(own[82:], silent[82:], atol=2e-3)
    assert not np.allclose(own[40:60], silent[40:60], atol=0.05)
    assert np.allclose(openings[:20], shut[:20], atol=1e-3)
    assert not np.allclose(whole[5:20], silent[5:20], atol=0.05)
