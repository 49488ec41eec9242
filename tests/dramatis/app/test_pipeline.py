"""The front door: requests and keyword arguments, and how often a picture is decoded and looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from dramatis import AvatarPipeline, CharacterRequest, PlanRequest, RenderedVideo
from dramatis.backbones.profile_files import SHIPPED, read_profile
from dramatis.errors import UserError
from dramatis.media.image import Pictures
from dramatis.senses.seeing import picture_file
from dramatis.senses.seeing.eye import Face
from dramatis.senses.seeing.finder import person_finder
from dramatis.story.storyline import Storyline
from tests import ROOT
from tests.inputs import MakeAudio, MakeImage
from tests.people import see_a_face_in_every_picture

PORTRAIT = ROOT / "examples" / "portrait.png"


@pytest.fixture
def pipe(model: Path) -> AvatarPipeline:
    return AvatarPipeline.from_pretrained(model)


def test_a_portrait_is_decoded_once_and_looked_at_once_from_plan_to_video(
    pipe: AvatarPipeline, make_audio: MakeAudio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    portrait = tmp_path / "portrait.png"
    portrait.write_bytes(PORTRAIT.read_bytes() + b"new")
    counts = {"decoded": 0, "looked": 0}
    eye = person_finder().eye
    load, look = picture_file.load_image, eye.find

    def counted_load(path: Path) -> object:
        counts["decoded"] += 1
        return load(path)

    def counted_look(frame: Pictures) -> list[Face]:
        counts["looked"] += 1
        return look(frame)

    monkeypatch.setattr(picture_file, "load_image", counted_load)
    monkeypatch.setattr(eye, "find", counted_look)
    request = PlanRequest(portrait, make_audio("voice.wav", 0.4), output=tmp_path / "o.mp4")
    plan = pipe.plan(request)
    video = pipe.render(plan.storyline, request.output, observations=plan.observations, workers=1)
    assert video.video.exists()
    assert counts == {"decoded": 1, "looked": 1}


def test_a_request_and_keyword_arguments_mean_the_same(
    pipe: AvatarPipeline, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    see_a_face_in_every_picture(monkeypatch)
    image, audio = make_image("face.png", (200, 200)), make_audio("voice.wav", 1.0)
    request = PlanRequest(image, audio, "she nods", negative_prompt="blinking", seed=7, output=tmp_path / "a.mp4")
    plan = pipe.plan(request)
    assert plan.storyline.negative.endswith("blinking")
    assert plan == pipe.plan(str(image), str(audio), "she nods", negative_prompt="blinking", seed=7)
    films = []
    video = pipe(request, workers=1)
    assert isinstance(video, RenderedVideo)
    films.append(np.stack(list(video.frames())))
    frames = pipe(
        image,
        audio,
        "she nods",
        negative_prompt="blinking",
        generator=torch.Generator().manual_seed(7),
        output=tmp_path / "b.mp4",
        output_type="frames",
        workers=1,
    )
    films.append(np.stack(list(frames)))
    assert films[0].shape == (25, 64, 64, 3)
    assert np.array_equal(films[0], films[1])


def test_a_storyline_may_be_changed_before_it_is_filmed(
    pipe: AvatarPipeline, make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    see_a_face_in_every_picture(monkeypatch)
    image, audio = make_image("face.png", (200, 200)), make_audio("voice.wav", 0.4)

    def warmer(storyline: Storyline) -> Storyline:
        return storyline.model_copy(update={"positive": "warm light"})

    video = pipe(image, audio, output=tmp_path / "o.mp4", on_storyline=warmer, workers=1)
    assert video.storyline.positive == "warm light"


def test_arguments_that_nobody_knows_are_refused(pipe: AvatarPipeline) -> None:
    with pytest.raises(TypeError, match="unknown arguments: sed, worker"):
        pipe("a.png", "a.wav", worker=2, sed=3)  # type: ignore[call-overload]
    with pytest.raises(TypeError, match="sed"):
        pipe.plan("a.png", "a.wav", sed=3)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="replaces all other arguments"):
        pipe.plan(PlanRequest(Path("a.png")), "a.wav")


def test_a_picture_of_several_people_needs_names(pipe: AvatarPipeline, make_audio: MakeAudio) -> None:
    pair = ROOT / "examples" / "two.png"
    with pytest.raises(UserError, match=r"two.png: 2 people can be seen; say who is who"):
        pipe.plan(pair, make_audio("voice.wav", 1.0))


def test_what_is_written_while_planning_is_said(make_audio: MakeAudio, tmp_path: Path) -> None:
    pipe = AvatarPipeline.from_pretrained("mini")
    voices = [make_audio(f"{name}.wav", 1.0) for name in ("ann", "ben")]
    characters = [CharacterRequest(voice.stem, audio=voice) for voice in voices]
    plan = pipe.plan(ROOT / "examples" / "two.png", characters=characters, output=tmp_path / "o.mp4")
    assert plan.files == (tmp_path / "o.voices.wav",)
    assert plan.files[0].exists()
    assert [character.name for character in plan.storyline.cast] == ["ann", "ben"]
    profile = read_profile(SHIPPED / "mini" / "profile.yaml")
    assert plan.storyline.width % (profile.scale * profile.low.size_multiple) == 0
