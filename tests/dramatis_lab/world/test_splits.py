"""The seeds of people and backdrops belong to one split, whatever seed they are asked for with."""

from __future__ import annotations

import pytest

from dramatis_lab.world.splits import HELD_OUT_REMAINDER, SPLITS, seed_in_split


@pytest.mark.parametrize("split", SPLITS)
def test_a_seed_stays_near_and_in_its_split(split: str) -> None:
    for seed in range(500):
        chosen = seed_in_split(seed, split)
        assert abs(chosen - seed) < 10
        assert (chosen % 10 == HELD_OUT_REMAINDER) == (split == "test")


def test_every_remainder_of_training_is_drawn() -> None:
    assert {seed_in_split(seed, "train") % 10 for seed in range(1000)} == set(range(HELD_OUT_REMAINDER))
