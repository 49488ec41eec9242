from __future__ import annotations

import torch

from dramatis.models.speech import SpeechEncoder, log_mel
from dramatis.story.values import SAMPLES_PER_FRAME


def test_log_mel_has_four_hops_a_frame_and_hears_a_tone_where_it_is() -> None:
    samples = torch.zeros(1, 10 * SAMPLES_PER_FRAME)
    tone = 0.1 * torch.sin(2 * torch.pi * 440 * torch.arange(2 * SAMPLES_PER_FRAME) / 16_000)
    samples[0, 4 * SAMPLES_PER_FRAME : 6 * SAMPLES_PER_FRAME] = tone
    mel = log_mel(samples)
    assert mel.shape == (1, 10, 4, 80)
    loudness = mel.amax((2, 3))[0]
    assert set(loudness.topk(2).indices.tolist()) == {4, 5}
    # A window reaches half its length past the frame, not further.
    assert torch.equal(mel[0, :3], mel[0, :1].expand(3, -1, -1))


@torch.no_grad()
def test_features_reach_exactly_as_far_as_they_say() -> None:
    torch.manual_seed(0)
    net = SpeechEncoder(channels=8, blocks=(2, 2)).eval()
    for parameter in net.parameters():
        parameter.add_(0.1 * torch.randn_like(parameter))
    mel = torch.randn(1, 60, 4, 80)
    changed = mel.clone()
    changed[0, 30] += 3.0
    touched = (net(mel) - net(changed)).abs().amax((0, 2)) > 1e-7
    frames = touched.nonzero().flatten().tolist()
    assert 30 in frames
    assert min(frames) >= 30 - net.reach
    assert max(frames) <= 30 + net.reach


def test_heads_have_the_classes_they_were_built_for() -> None:
    net = SpeechEncoder(channels=8, blocks=(1, 1), visemes=16, shapes=6)
    visemes, shapes = net.heads(net(torch.zeros(2, 5, 4, 80)))
    assert visemes.shape == (2, 5, 16)
    assert shapes.shape == (2, 5, 6)
