from __future__ import annotations

import numpy as np
import torch

from dramatis_lab.data.mels import augment_mel


def test_augmented_sound_keeps_its_shape_and_differs() -> None:
    mel = torch.randn(2, 5, 4, 80, generator=torch.Generator().manual_seed(0))
    other = augment_mel(mel, np.random.default_rng(1))
    assert other.shape == mel.shape
    assert not torch.allclose(other, mel)
