from __future__ import annotations

import numpy as np
import pytest
import torch

from dramatis.models.perception import FaceReading, PerceptionNet, expected_position, read_faces


def test_soft_argmax_finds_a_peak() -> None:
    heat = torch.full((1, 1, 8, 8), -20.0)
    heat[0, 0, 2, 5] = 20.0
    assert torch.allclose(expected_position(heat)[0, 0], torch.tensor([5.5, 2.5]), atol=1e-4)


@pytest.mark.parametrize(("height", "width"), [(128, 128), (96, 160), (256, 192)])
def test_any_picture_size_is_seen_in_its_own_pixels(height: int, width: int) -> None:
    torch.manual_seed(0)
    net = PerceptionNet(widths=(4, 4, 4, 4)).eval()
    sights = read_faces(net, torch.zeros(2, 3, height, width))
    assert len(sights) == 2
    assert sights[0].landmarks.shape == (68, 2)
    assert sights[0].person.shape == (height // 2, width // 2)
    side = max(height, width)
    assert np.abs(sights[0].landmarks - np.array([width / 2, height / 2])).max() <= side / 2 + 1


def test_mouth_opening_is_measured_in_interocular_distances() -> None:
    marks = np.zeros((68, 2), np.float32)
    marks[36], marks[45] = (10, 10), (50, 10)
    marks[62], marks[66] = (30, 40), (30, 48)
    blank = np.zeros((4, 4), np.float32)
    assert FaceReading(marks, blank, blank, 1.0).mouth_opening == pytest.approx(0.2)
