"""Turned heads that speak: the mouth moves, the rest of the picture stands still."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dramatis_lab.evaluate.cases import turned_heads
from dramatis_lab.evaluate.cases.timed_voices import load_voices
from dramatis_lab.evaluate.cases.turned_heads import TRUE_EVERY, render_turned_head
from dramatis_lab.evaluate.measures.sync import correlation
from tests.raw_assets import ASSETS, needs_assets


@needs_assets
def test_only_the_face_moves_and_as_the_voice_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turned_heads, "_SIDE", 96)
    voice = load_voices()[0]
    head = render_turned_head(1, 30, voice, ASSETS, tmp_path)
    assert len(head.truth) == -(-len(voice.opening) // TRUE_EVERY)
    assert correlation(head.opening, voice.opening) > 0.8
    portrait = np.asarray(Image.open(head.portrait)).astype(int)
    changed = np.abs(np.stack(head.truth) - portrait).max((0, 3)) > 8
    assert changed.any()
    assert changed.mean() < 0.25
    assert not changed[:16].any()
