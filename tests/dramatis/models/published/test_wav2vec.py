from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import Wav2Vec2Config, Wav2Vec2FeatureExtractor, Wav2Vec2ForPreTraining, Wav2Vec2Model

from dramatis.errors import UserError
from dramatis.media.loudness import integrated_loudness, loudness_gain
from dramatis.models.published.wav2vec import (
    Level,
    check_wav2vec2,
    feature_windows,
    layer_features,
    layers_in_chunks,
    load_wav2vec2,
    measure_level,
)

CONFIG = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "conv_dim": (8,) * 7,
    "num_conv_pos_embeddings": 16,
    "num_conv_pos_embedding_groups": 2,
}


def tiny_net() -> Wav2Vec2Model:
    torch.manual_seed(0)
    return Wav2Vec2Model(Wav2Vec2Config(**CONFIG)).eval()


def noise(frames: int) -> np.ndarray:
    """(640 frames,) noise whose loudness changes from frame to frame."""
    rng = np.random.default_rng(0)
    samples = 0.1 * rng.standard_normal(640 * frames) * np.repeat(rng.uniform(0.2, 1, frames), 640)
    return (samples + 0.01).astype(np.float32)


@torch.no_grad()
def test_equals_a_straight_line_reference() -> None:
    """The family's recipe, written out with transformers' own feature extractor and encoder layers."""
    net, samples, frames = tiny_net(), noise(30), 30
    normal = (samples * loudness_gain(integrated_loudness(samples, 16_000))).astype(np.float32)
    values = Wav2Vec2FeatureExtractor()(normal, sampling_rate=16_000, return_tensors="pt").input_values
    found = net.feature_extractor(values)[0].T
    places = np.linspace(0, len(found) - 1, frames)
    below = np.minimum(places.astype(int), len(found) - 2)
    share = torch.from_numpy(places - below).float().unsqueeze(1)
    at_25 = (1 - share) * found[below] + share * found[below + 1]
    hidden = net.feature_projection(at_25[None])[0]
    hidden = net.encoder.layer_norm(hidden + net.encoder.pos_conv_embed(hidden))
    expected = []
    for layer in net.encoder.layers:
        out = layer(hidden, attention_mask=None)
        hidden = out[0] if isinstance(out, tuple) else out
        expected.append(hidden[0])

    level = measure_level([samples[:5000], samples[5000:]])
    (heard,) = layers_in_chunks(net, lambda start, stop: samples[start:stop], frames, level)
    assert heard.shape == (frames, 2, 16)
    assert np.abs(heard - torch.stack(expected, 1).numpy()).max() < 4e-3  # float16 of values up to 4
    assert torch.allclose(layer_features(net, level(samples)), torch.stack(expected, 1), atol=1e-4)


def test_the_level_is_that_of_the_whole_sound() -> None:
    samples = noise(50)
    out = measure_level(np.split(samples, 10))(samples)
    assert abs(out.mean()) < 1e-4
    assert out.std() == pytest.approx(1, abs=1e-3)
    silent = measure_level([np.zeros(16_000, np.float32)])
    assert (silent.gain, silent.mean) == (1.0, 0.0)
    assert silent.std == pytest.approx(1e-7**0.5)


def test_pieces_with_context_are_nearly_the_whole() -> None:
    """A random network attends everywhere alike, which is the worst that a cut can meet."""
    net, samples = tiny_net(), noise(240)
    level = measure_level([samples])
    whole = layer_features(net, level(samples)).numpy()

    def error(margin: int) -> float:
        parts = list(layers_in_chunks(net, lambda start, stop: samples[start:stop], 240, level, 60, margin))
        assert [len(part) for part in parts] == [60] * 4
        return float(np.sqrt(np.mean((np.concatenate(parts) - whole) ** 2)) / whole.std())

    assert error(60) < 0.06
    assert error(0) > 1.3 * error(60)


def test_what_is_heard_at_once_depends_on_the_piece_alone() -> None:
    asked: list[int] = []

    def read(start: int, stop: int) -> np.ndarray:
        asked.append(stop - start)
        return np.zeros(stop - start, np.float32)

    level = Level(1.0, 0.0, 1.0)
    parts = list(layers_in_chunks(tiny_net(), read, 133, level, chunk=25, margin=5))
    assert sum(len(part) for part in parts) == 133
    assert max(asked) == 35 * 640
    assert len(list(layers_in_chunks(tiny_net(), read, 35, level, chunk=25, margin=5))) == 1


def test_past_its_end_the_sound_is_silent() -> None:
    net, samples, level = tiny_net(), noise(10), Level(1.0, 0.0, 1.0)
    (heard,) = layers_in_chunks(net, lambda start, stop: samples[start:stop], 12, level)
    padded = np.concatenate([samples, np.zeros(2 * 640, np.float32)])
    assert np.array_equal(heard, layer_features(net, padded).numpy().astype(np.float16))


def test_windows_repeat_the_ends() -> None:
    layers = torch.arange(7.0).view(7, 1, 1)
    out = feature_windows(layers, 0, 7)
    assert out.shape == (7, 5, 1, 1)
    assert out[0].flatten().tolist() == [0, 0, 0, 1, 2]
    assert out[6].flatten().tolist() == [4, 5, 6, 6, 6]
    assert torch.equal(feature_windows(layers, 3, 5), out[3:5])  # a clip hears what lies around it


def test_the_folder_may_hold_the_pretrained_form(tmp_path: Path) -> None:
    """chinese-wav2vec2-base is published with the heads it was trained with."""
    torch.manual_seed(0)
    full = Wav2Vec2ForPreTraining(Wav2Vec2Config(**CONFIG)).eval()
    full.save_pretrained(tmp_path)
    net = load_wav2vec2(tmp_path, layers=2, channels=16)
    samples = noise(5)
    with torch.no_grad():
        expected = layer_features(full.wav2vec2, samples)
    assert torch.equal(layer_features(net, samples), expected)


def test_a_wav2vec2_of_another_size_is_refused(tmp_path: Path) -> None:
    tiny_net().save_pretrained(tmp_path)
    with pytest.raises(UserError, match="2 layers of 16 channels, but the video model reads 12 of 768"):
        check_wav2vec2(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "do_stable_layer_norm": True}))
    with pytest.raises(UserError, match="base layout"):
        check_wav2vec2(tmp_path, layers=2, channels=16)
