"""An animatic from a storyline to an mp4: size, length, sound, who speaks, and what is refused."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from dramatis.app.animatic import animatic_size, film_animatic
from dramatis.errors import UserError
from dramatis.media.video import read_frames
from dramatis.models.perception import mouth_opening
from dramatis.senses.seeing.finder import person_finder
from dramatis.senses.seeing.picture_file import open_picture
from dramatis.story.observations import AudioEvent
from dramatis.story.storyline import Character, Shot, Storyline
from dramatis.story.values import FrameSpan
from tests import ROOT
from tests.inputs import MakeAudio

EXAMPLES = ROOT / "examples"
FRAMES = 10


def storyline(image: Path, audio: Path, characters: tuple[Character, ...] = (), width: int = 256) -> Storyline:
    return Storyline(
        image=str(image),
        audio=str(audio),
        frames=FRAMES,
        width=width,
        height=256,
        characters=characters,
        events=(AudioEvent(kind="speech", span=FrameSpan(0, FRAMES)),),
        shots=(Shot(index=0, span=FrameSpan(0, FRAMES), speakers=tuple(one.name for one in characters[:1])),),
    )


def test_a_portrait_plays_its_sound_at_the_size_that_is_asked_for(make_audio: MakeAudio, tmp_path: Path) -> None:
    voice = make_audio("voice.wav", 0.4)
    video = film_animatic(storyline(EXAMPLES / "portrait.png", voice), tmp_path / "p.mp4", side=96)
    frames = list(read_frames(video))
    assert len(frames) == FRAMES
    assert frames[0].shape == (96, 96, 3)
    with av.open(str(video)) as container:
        assert len(container.streams.audio) == 1
    portrait = open_picture(EXAMPLES / "portrait.png").fitted((96, 96)).astype(int)
    assert np.abs(frames[0].astype(int) - portrait).mean() < 12, "it is the portrait that moves"


def test_whose_track_sounds_is_whose_mouth_moves(make_audio: MakeAudio, tmp_path: Path) -> None:
    """Everybody's face is given in the picture's shares; the one without a voice only listens."""
    picture, voice = EXAMPLES / "two.png", make_audio("voice.wav", 0.4)
    faces = [person.face for person in person_finder().everybody(open_picture(picture))]
    characters = (Character(name="ann", face=faces[0], audio=str(voice)), Character(name="ben", face=faces[1]))
    video = film_animatic(storyline(picture, voice, characters, width=512), tmp_path / "two.mp4", side=96)
    frames = list(read_frames(video))
    assert frames[0].shape == (96, 192, 3)
    eye = person_finder().own_eye
    gaps = np.array([[mouth_opening(face.landmarks) for face in eye.find(frame)] for frame in frames])
    assert gaps[-1, 0] > gaps[0, 0] + 0.02, "a voice opens a mouth"
    assert gaps[-1, 1] <= gaps[0, 1], "and silence shuts one"


def test_another_sound_than_the_planned_one_is_refused(make_audio: MakeAudio, tmp_path: Path) -> None:
    other = make_audio("long.wav", 1.0)
    with pytest.raises(UserError, match="it lasts 25 frames but the storyline has 10; plan again"):
        film_animatic(storyline(EXAMPLES / "portrait.png", other), tmp_path / "p.mp4")
    assert list(tmp_path.glob("*.mp4")) == []


@pytest.mark.parametrize(
    ("video", "picture", "size"),
    [
        ((256, 256), (1024, 1024), (512, 512)),
        ((256, 448), (2000, 3500), (512, 896)),
        ((256, 256), (300, 300), (300, 300)),
        ((256, 256), (100, 100), (256, 256)),
    ],
)
def test_no_animatic_is_larger_than_its_picture(
    video: tuple[int, int], picture: tuple[int, int], size: tuple[int, int]
) -> None:
    assert animatic_size(video, picture, 512) == size
