"""From a request to a storyline and the files that show it."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from dramatis.app.planning import frame_size, plan_storyline, write_plan
from dramatis.app.requests import CharacterRequest, PlanRequest
from dramatis.app.storyline_files import read_storyline
from dramatis.app.video_size import VideoSize
from dramatis.backbones.mini import MiniBackbone
from dramatis.backbones.profile import Framing, Profile
from dramatis.errors import UserError
from tests import ROOT
from tests.inputs import MakeAudio, MakeImage
from tests.people import see_a_face_in_every_picture


def test_a_plan_is_written_with_a_page_and_captions(
    model: Path, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    see_a_face_in_every_picture(monkeypatch)
    backbone = MiniBackbone(model)
    said = tmp_path / "said.srt"
    said.write_text("1\n00:00:00,100 --> 00:00:00,900\nGood evening\n", encoding="utf-8")
    request = PlanRequest(make_image("face.png", (200, 200)), make_audio("voice.wav", 1.0), subtitles=said)
    plan = plan_storyline(request, backbone)
    assert plan.files == ()
    files = write_plan(plan, tmp_path / "s.yaml")
    assert [path.name for path in files] == ["s.yaml", "s.html", "s.srt", "s.vtt"]
    assert all(path.is_file() for path in files)
    assert read_storyline(files[0]) == plan.storyline
    silent = plan.observations.model_copy(update={"words": ()})
    assert len(write_plan(type(plan)(plan.storyline, silent), tmp_path / "t.yaml")) == 2


@pytest.mark.parametrize("characters", [(), (CharacterRequest("ann"),)])
def test_without_any_voice_nothing_is_planned(
    characters: tuple[CharacterRequest, ...], model: Path, make_image: MakeImage
) -> None:
    request = PlanRequest(make_image("face.png", (200, 200)), characters=characters)
    with pytest.raises(UserError, match="There is no voice; give --audio"):
        plan_storyline(request, MiniBackbone(model))


def test_a_frame_has_the_shape_of_the_picture_and_the_area_of_the_profile() -> None:
    profile = Profile(family="mini", name="any")
    assert frame_size(profile, (500, 500)) == (128, 128)
    width, height = frame_size(profile, (900, 600))
    assert width / height == pytest.approx(1.5, rel=0.1)
    assert width * height == pytest.approx(128 * 128, rel=0.2)
    assert (width % 16, height % 16) == (0, 0)
    with pytest.raises(UserError, match="films at a size of its own; leave --size out"):
        frame_size(profile, (900, 600), asked=VideoSize(512))


def test_a_model_that_films_windows_makes_videos_of_any_size() -> None:
    profile = Profile(family="mini", name="m", framing=Framing(target_interocular_px=31))
    assert frame_size(profile, (3000, 2000)) == (768, 512)
    assert frame_size(profile, (3000, 2000), asked=VideoSize(exact=(720, 1280))) == (720, 1280)


def test_the_largest_of_two_speaks_and_the_other_listens(model: Path, make_audio: MakeAudio, tmp_path: Path) -> None:
    portrait = Image.open(ROOT / "examples" / "portrait.png").convert("RGB").resize((256, 256))
    together = Image.new("RGB", (512, 256), (90, 90, 90))
    together.paste(portrait, (0, 0))
    together.paste(portrait.resize((140, 140)), (320, 116))
    together.save(tmp_path / "both.png")
    request = PlanRequest(tmp_path / "both.png", make_audio("voice.wav", 1.0), output=tmp_path / "o.mp4")
    plan = plan_storyline(request, MiniBackbone(model))
    speaker, listener = plan.storyline.characters
    assert (speaker.name, listener.name) == ("person 1", "person 2")
    assert speaker.audio is not None
    assert listener.audio is None
    assert {name for shot in plan.storyline.shots for name in shot.speakers} <= {"person 1"}
    assert any("person 1 from the left is by far the largest and speaks" in note for note in plan.notes)
