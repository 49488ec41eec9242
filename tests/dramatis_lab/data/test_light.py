from __future__ import annotations

import numpy as np
import torch

from dramatis_lab.data.light import vary_camera, vary_light


def test_another_camera_changes_the_look_and_no_place() -> None:
    video = (torch.rand(3, 5, 24, 24, generator=torch.Generator().manual_seed(0)) > 0.5).float() * 2 - 1
    seen = [vary_camera(video, np.random.default_rng(seed)) for seed in range(6)]
    for clip in seen:
        assert clip.shape == video.shape
        assert clip.min() >= -1
        assert clip.max() <= 1
        assert np.corrcoef(clip.mean(0).flatten(), video.mean(0).flatten())[0, 1] > 0.7
    assert not torch.allclose(seen[0], seen[1])
    still = video[:, :1].expand(-1, 5, -1, -1)
    assert vary_camera(still, np.random.default_rng(0)).diff(dim=1).abs().max() < 1e-6


def test_light_is_varied_the_same_in_all_frames() -> None:
    video = torch.linspace(-1, 1, 60).view(1, 1, 6, 10).expand(3, 5, 6, 10).contiguous()
    made = [vary_light(video, np.random.default_rng(seed)) for seed in range(30)]
    assert all(one.shape == video.shape and one.min() >= -1 and one.max() <= 1 for one in made)
    assert all(torch.allclose(one[:, 0], one[:, -1], atol=1e-5) for one in made)
    same = [torch.equal(one, video) for one in made]
    assert 0.1 < np.mean(same) < 0.6
    assert any(one.mean() > video.mean() + 0.1 for one in made), "dark faces are filmed lighter"
