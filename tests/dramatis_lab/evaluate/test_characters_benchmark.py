"""The measure of several people's mouths: on true videos it tells everybody's own voice, also where faces touch."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from dramatis.models.loading import load_model
from dramatis.models.perception import PerceptionNet
from dramatis.senses.seeing.people import WEIGHTS


@pytest.fixture
def characters(load_benchmark: Callable[[str], ModuleType]) -> ModuleType:
    return load_benchmark("characters")


@pytest.mark.parametrize("name", ["two_a", "three_close"])
def test_everybody_has_their_own_voice_in_the_true_video(characters: ModuleType, name: str) -> None:
    scene = characters.Scene.load(characters.SCENES / name)
    bench = SimpleNamespace(eye=load_model(PerceptionNet, WEIGHTS))
    seen = characters.mouths(bench, scene.frames, characters.true_heads(bench, scene))
    take = characters.Take(scene, tuple(range(scene.people)), seen)
    assert all(take.right)
    assert min(take.own) > 0.75
    shifted = characters.Take(scene, tuple(np.roll(range(scene.people), 1)), seen)
    assert not any(shifted.right), "with each other's voices nobody is right"
