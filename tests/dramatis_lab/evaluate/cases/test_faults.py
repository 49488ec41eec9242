"""Planted faults are as wrong as they say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from dramatis_lab.annotate.units import Masks, mask_iou
from dramatis_lab.evaluate.cases.faults import (
    FAULTS_FROM_ONSET,
    FAULTS_FROM_START,
    LEAK,
    LEAKS,
    onto_a_neighbour,
    onto_furniture,
    onto_the_wall,
    with_holes,
)


def two_people() -> np.ndarray:
    masks = np.zeros((2, 120, 200), bool)
    masks[0, 40:, 20:80] = masks[1, 30:, 110:170] = True
    return masks


@pytest.mark.parametrize("fault", [onto_the_wall, onto_furniture])
def test_leaks_grow_as_far_as_they_say_and_spare_others(fault: Callable[[Masks], Masks]) -> None:
    masks = two_people()
    leaked = fault(masks)
    for person in (0, 1):
        assert mask_iou(leaked[person], masks[person]) == pytest.approx(1 / (1 + LEAK), abs=0.03)
        assert (leaked[person] >= masks[person]).all()
        assert not (leaked[person] & masks[1 - person]).any()


def test_a_leak_onto_a_neighbour_takes_the_lower_half() -> None:
    masks = two_people()
    leaked = onto_a_neighbour(masks)
    assert leaked[0, 110, 140]
    assert not leaked[0, 40, 140]


def test_holes_are_holes() -> None:
    masks = two_people()
    holed = with_holes(masks)
    assert (holed <= masks).all()
    assert 0.6 < holed.sum() / masks.sum() < 0.9


def test_every_leak_is_planted() -> None:
    assert set(LEAKS) <= {*FAULTS_FROM_ONSET, *FAULTS_FROM_START}
