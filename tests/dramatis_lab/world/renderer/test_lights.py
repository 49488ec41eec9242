"""Lights that suit their backdrop."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis_lab.world.renderer.lights import light_direction, random_lights, warmth_colour


def test_directions_are_unit_vectors_from_the_camera_to_the_side_and_up() -> None:
    assert light_direction(0.0, 0.0) == pytest.approx([0.0, 0.0, 1.0])
    assert light_direction(90.0, 0.0) == pytest.approx([1.0, 0.0, 0.0], abs=1e-6)
    assert light_direction(0.0, 90.0) == pytest.approx([0.0, 1.0, 0.0], abs=1e-6)


def test_warm_light_is_red_and_cool_light_blue_at_equal_brightness() -> None:
    warm, cool = warmth_colour(1.0), warmth_colour(-1.0)
    assert warm[0] > warm[2]
    assert cool[0] < cool[2]
    assert [warm.mean(), cool.mean()] == pytest.approx([1.0, 1.0])


def test_the_key_light_comes_mostly_from_the_bright_side() -> None:
    backdrop = np.full((8, 8, 3), 0.05, np.float32)
    backdrop[:, 4:] = 0.8
    sides = [random_lights(np.random.default_rng(seed), backdrop).directions[0, 0] > 0 for seed in range(40)]
    assert np.mean(sides) > 0.9


def test_no_direction_receives_negative_light() -> None:
    backdrop = np.random.default_rng(0).random((8, 8, 3)).astype(np.float32) ** 8
    for seed in range(20):
        ambient = random_lights(np.random.default_rng(seed), backdrop).ambient
        assert (ambient[0] - np.linalg.norm(ambient[1:], axis=0) > -1e-6).all()
