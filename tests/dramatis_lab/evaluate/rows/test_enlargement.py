"""Super-resolution is judged by the frames that it was given and made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dramatis.backbones.mini import MiniBackbone
from dramatis.media.video import read_frames
from dramatis.story.values import FPS
from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.rows.enlargement import (
    enlarged_clips,
    low_resolution_frames,
    save_low_resolution,
    super_resolution_rows,
)
from tests.dramatis_lab.evaluate import SIDE


def test_low_frames_are_those_that_super_resolution_was_given(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    given = []
    upscale_clip = MiniBackbone.upscale_clip

    def spy(self: MiniBackbone, inputs: Any, low: np.ndarray) -> np.ndarray:
        given.append(low)
        return upscale_clip(self, inputs, low)

    monkeypatch.setattr(MiniBackbone, "upscale_clip", spy)
    film = bench.pipe(bench.cases[0].portrait, bench.long_voice(2)[0], output=bench.work / "o.mp4", workers=1)
    low = np.stack(list(low_resolution_frames(bench.pipe, film)))
    assert len(low) == 2 * FPS
    wanted = np.concatenate([given[0], *(clip[1:] for clip in given[1:])])[: len(low)]
    assert np.array_equal(low, wanted)
    small = save_low_resolution(bench.pipe, film, bench.work / "low.mp4")
    assert next(iter(read_frames(small))).shape == (64, 64, 3)


def test_super_resolution_is_judged_between_the_given_ends(bench: Bench) -> None:
    triples = list(enlarged_clips(bench, bench.cases[0]))
    assert len(triples) == 1
    assert all(frames.shape == (19, SIDE, SIDE, 3) for frames in triples[0])
    rows = super_resolution_rows(bench)
    assert [row.mark for row in rows] != ["-", "-"]
