from __future__ import annotations

import numpy as np
import pytest

from dramatis.media.lossless import pack_frames, unpack_frames


@pytest.mark.parametrize("shape", [(2, 16, 16, 3), (21, 64, 80, 3), (5, 18, 30, 3)])
def test_frames_come_back_bit_for_bit(shape: tuple[int, ...]) -> None:
    frames = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    packed = pack_frames(frames)
    assert np.array_equal(unpack_frames(packed), frames)
    assert pack_frames(frames.copy()) == packed


def test_smooth_pictures_take_less_than_half() -> None:
    x = np.linspace(0, 3, 64)
    picture = (127 + 100 * np.sin(x[:, None, None] + x[None, :, None] + np.arange(3))).astype(np.uint8)
    frames = np.stack([np.roll(picture, step, 1) for step in range(21)])
    assert len(pack_frames(frames)) < frames.nbytes / 2
