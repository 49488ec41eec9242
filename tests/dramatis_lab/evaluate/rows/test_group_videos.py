"""The measure of several people's mouths: on true videos it tells everybody's own voice, also where faces touch."""

from __future__ import annotations

import numpy as np
import pytest

from dramatis.models.loading import load_model
from dramatis.models.perception import PerceptionNet
from dramatis.senses.seeing.own_eye import WEIGHTS
from dramatis_lab.evaluate.cases.group_scenes import GroupScene, scenes_folder
from dramatis_lab.evaluate.rows.group_videos import GroupVideo, group_mouths, true_heads


@pytest.mark.parametrize("name", ["two_a", "three_close"])
def test_everybody_has_their_own_voice_in_the_true_video(name: str) -> None:
    scene = GroupScene.load(scenes_folder() / name)
    perception = load_model(PerceptionNet, WEIGHTS)
    openings = group_mouths(perception, scene.frames, true_heads(perception, scene))
    video = GroupVideo(scene, tuple(range(scene.people)), openings)
    assert all(video.right_voice)
    assert min(video.own_voice_sync) > 0.75
    shifted = GroupVideo(scene, tuple(np.roll(range(scene.people), 1)), openings)
    assert not any(shifted.right_voice), "with each other's voices nobody is right"
