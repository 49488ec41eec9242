"""The judge's own errors."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis_lab.evaluate.bench import Bench
from dramatis_lab.evaluate.rows.real_films import RealBench
from dramatis_lab.evaluate.rows.real_judge import JudgeErrors, still_gaps
from tests.dramatis.senses.seeing.conftest import skip_without_library


def test_a_straight_line_is_no_error_and_sealed_lips_show_the_bias() -> None:
    opening = np.linspace(0, 0.3, 301)
    errors = JudgeErrors.of(0.4 * opening + 0.01, opening)
    assert [errors.r, errors.slope, errors.error] == pytest.approx([1, 0.4, 0])
    assert errors.sealed == pytest.approx(0.0122, abs=1e-4)
    assert np.isnan(JudgeErrors.of(opening, opening + 0.1).sealed)


def test_a_photograph_that_is_moved_about_hardly_opens_its_mouth(bench: Bench) -> None:
    skip_without_library()
    real = RealBench(bench, most=0)
    still, moved = (still_gaps(real, sway) for sway in (0.0, 1.0))
    assert still.std() < 0.001
    assert moved.std() < 0.004
    assert still.mean() == pytest.approx(moved.mean(), abs=0.006)
