"""Pictures to tensors and back."""

from __future__ import annotations

import numpy as np
import torch

from dramatis.models.pictures import to_pictures, to_tensor


def test_every_colour_survives_the_way_there_and_back() -> None:
    frames = np.arange(256, dtype=np.uint8).repeat(3).reshape(4, 8, 8, 3)
    video = to_tensor(frames)
    assert video.shape == (1, 3, 4, 8, 8)
    assert video.min() == -1
    assert video.max() == 1
    assert np.array_equal(to_pictures(video), frames)


def test_colours_out_of_range_are_clamped() -> None:
    video = torch.tensor([-3.0, 0.0, 3.0]).view(1, 3, 1, 1, 1)
    assert to_pictures(video).ravel().tolist() == [0, 128, 255]
