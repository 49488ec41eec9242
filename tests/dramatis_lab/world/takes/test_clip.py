"""A filmed clip is an mp4 of the asked length; what cannot be filmed is refused."""

from pathlib import Path
from typing import Any

import pytest

from dramatis.errors import UserError
from dramatis.media.video import probe_video
from dramatis_lab.world.takes.clip import render_clip
from tests.raw_assets import ASSETS, needs_assets


@needs_assets
def test_a_clip_has_its_length(tmp_path: Path) -> None:
    caption = render_clip(tmp_path / "clip.mp4", ASSETS, seed=4, seconds=0.4, size=64)
    assert caption
    assert probe_video(tmp_path / "clip.mp4").frames == 10


@pytest.mark.parametrize("wrong", [{"seconds": 0.0}, {"size": 33}, {"people": 4}])
def test_impossible_clips_are_refused(tmp_path: Path, wrong: dict[str, Any]) -> None:
    with pytest.raises(UserError):
        render_clip(tmp_path / "clip.mp4", ASSETS, **wrong)
    assert not list(tmp_path.iterdir())
