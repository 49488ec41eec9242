from __future__ import annotations

import numpy as np

from dramatis_lab.annotate.cuts import mark_cuts, thumbnail
from dramatis_lab.annotate.settings import AnnotationSettings
from tests.dramatis_lab.annotate.squares import frame_of, walk


def begins(frames: list[np.ndarray]) -> list[int]:
    return [number for number, (cut, _) in enumerate(mark_cuts(frames, AnnotationSettings())) if cut]


def test_a_shot_without_a_cut_begins_once() -> None:
    assert begins(walk()) == [0]
    assert begins([]) == []


def test_a_cut_begins_a_shot_and_another_after_it() -> None:
    other = [frame_of({2: (60, 10)}, ground=150)] * 5
    assert begins(walk(10) + other + walk(10)) == [0, 10, 15]


def test_what_always_moves_is_no_cut() -> None:
    rng = np.random.default_rng(0)
    ground = rng.integers(0, 256, (96, 400, 3)).astype(np.uint8).repeat(4, 1)
    assert begins([ground[:, 12 * t : 12 * t + 160] for t in range(30)]) in ([0], [0, 1])


def test_cells_hold_mean_colours_at_any_size() -> None:
    frame = np.zeros((50, 70, 3), np.uint8)
    frame[:, 35:] = 100
    small = thumbnail(frame)
    assert small.shape == (24, 24, 3)
    assert small[:, :11].max() == 0.0
    assert small[:, 13:].min() == 100.0
    assert np.array_equal(thumbnail(frame[:9, :9]), frame[:9, :9].astype(np.float32))
