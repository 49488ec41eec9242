"""Layers that give the portrait back, and whose soft edges carry the person's colour alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from dramatis.media.image import Pictures
from dramatis.sampling.portrait_layers import split_portrait

SIDE = 128
PERSON, SCENE = np.array([200, 60, 40.0]), np.array([40, 80, 200.0])


def soft_disc() -> NDArray[np.float32]:
    y, x = np.mgrid[:SIDE, :SIDE]
    return np.clip((40 - np.hypot(x - 64, y - 70)) / 8 + 0.5, 0, 1).astype(np.float32)


def portrait(share: NDArray[np.float32]) -> Pictures:
    mixed = share[..., None] * PERSON + (1 - share[..., None]) * SCENE
    return (mixed + 0.5).astype(np.uint8)


def test_the_layers_give_the_portrait_back() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (SIDE, SIDE, 3)).astype(np.uint8)
    layers = split_portrait(picture, soft_disc())
    together = layers.people[..., :3] + (1 - layers.people[..., 3:]) * layers.background
    assert np.abs(255 * together - picture).max() < 0.01
    assert layers.background.min() >= 0
    assert layers.background.max() <= 1


def test_soft_edges_carry_the_persons_own_colour() -> None:
    share = soft_disc()
    layers = split_portrait(portrait(share), share)
    edge = (share > 0.2) & (share < 0.8)
    colours = 255 * layers.people[edge, :3] / layers.people[edge, 3:]
    assert np.abs(colours - PERSON).mean() < 6
    assert np.abs(255 * layers.background - SCENE)[share > 0].mean() < 6


def test_hair_that_the_outline_misses_moves_with_the_person() -> None:
    share = soft_disc()
    picture = portrait(share)
    picture[25:27, 62:66] = PERSON
    layers = split_portrait(picture, share)
    assert share[25:27, 62:66].max() < 0.02
    assert layers.people[25:27, 62:66, 3].min() > 0.8
    assert np.abs(255 * layers.background[25:27, 62:66] - SCENE).max() < 30


def test_without_anybody_all_is_background() -> None:
    picture = portrait(soft_disc())
    layers = split_portrait(picture, np.zeros((SIDE, SIDE), np.float32))
    assert not layers.people.any()
    assert np.array_equal((255 * layers.background + 0.5).astype(np.uint8), picture)
