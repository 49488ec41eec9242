"""PSNR of known errors."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis_lab.evaluate.measures.fidelity import frames_psnr


def test_psnr_of_a_known_error_and_of_chosen_pixels() -> None:
    a = np.full((2, 4, 6, 3), 100, np.uint8)
    b = a + np.uint8(51)
    assert frames_psnr(a, b) == frames_psnr(b, a) == pytest.approx(-20 * np.log10(0.2))
    where = np.zeros((2, 4, 6), bool)
    where[:, :2] = True
    b[:, :2] = a[:, :2]
    assert frames_psnr(a, b, where) == 100.0
    assert frames_psnr(a, b, ~where) == pytest.approx(-20 * np.log10(0.2))
