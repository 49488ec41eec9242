"""What landmarks tell: every frame is read once, zoom and pan are told apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dramatis.models.perception import FaceReading, PerceptionNet
from dramatis_lab.evaluate.measures.landmarks import face_readings, mouth_openings, zoom_and_pan
from tests.tiny import canonical_sight


def test_framing_tells_zoom_and_pan_apart() -> None:
    sight = canonical_sight()
    centre = np.array([32.0, 32.0], np.float32)

    def filmed(zoom: float, pan: float) -> list[FaceReading]:
        moves = np.linspace(0, 1, 25)
        return [
            replace(sight, landmarks=centre + (sight.landmarks - centre) * np.exp(zoom * t) + [64 * pan * t, 0])
            for t in moves
        ]

    size = (64, 64)
    assert zoom_and_pan(filmed(0, 0), size) == pytest.approx((0, 0), abs=1e-6)
    zoom, pan = zoom_and_pan(filmed(0.3, 0), size)
    assert zoom == pytest.approx(0.3 * 5 / 6, abs=0.01)
    assert abs(pan) < 0.01
    zoom, pan = zoom_and_pan(filmed(0, -0.2), size)
    assert abs(zoom) < 1e-6
    assert pan == pytest.approx(-0.2 * 5 / 6, abs=0.01)


def test_every_frame_is_read_once_in_any_batches(frames: np.ndarray) -> None:
    net = PerceptionNet(widths=(4, 4, 4, 4)).eval()
    whole, parts = face_readings(net, frames[:5]), face_readings(net, frames[:5], batch=2)
    assert len(whole) == len(parts) == 5
    assert np.allclose(mouth_openings(whole), mouth_openings(parts), atol=1e-3)
    assert mouth_openings(whole).shape == (5,)
