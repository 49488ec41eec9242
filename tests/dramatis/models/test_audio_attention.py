from __future__ import annotations

import torch

from dramatis.models.audio_attention import FrameAudioProjection


@torch.no_grad()
def test_a_latent_frame_hears_its_own_four_frames_and_one_either_side() -> None:
    torch.manual_seed(0)
    net = FrameAudioProjection(3, 5)
    audio = torch.randn(1, 9, 3)
    tokens = net(audio)
    assert tokens.shape == (1, 3, 6, 5)
    for frame, heard_by in ((0, {0, 1}), (2, {1}), (4, {1, 2}), (5, {1, 2}), (8, {2})):
        changed = audio.clone()
        changed[0, frame] += 1
        touched = {t for t in range(3) if not torch.equal(net(changed)[0, t], tokens[0, t])}
        assert touched == heard_by, frame
