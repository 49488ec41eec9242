"""A picture of each shot's framing before anything is filmed."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from dramatis.app import preview
from dramatis.director import direct
from dramatis.story.storyline import Storyline
from tests.dramatis.director.planning import observe
from tests.inputs import MakeImage
from tests.people import see_a_face_in_every_picture

HEARD = observe(300, 3)


@pytest.fixture
def storyline(make_image: MakeImage, monkeypatch: pytest.MonkeyPatch) -> Storyline:
    see_a_face_in_every_picture(monkeypatch)
    image = str(make_image(size=(128, 96)))
    return direct(HEARD, "first static, then strong pan left", 0, image=image, audio="voice.wav", width=128, height=96)


def test_every_shot_is_drawn_as_its_camera_moves(storyline: Storyline) -> None:
    drawn = preview.thumbnails(storyline, HEARD)
    assert len(drawn) == len(storyline.shots) > 1
    pictures = [np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int) for png in drawn]
    assert {picture.shape for picture in pictures} == {(preview.THUMBNAIL_SIDE * 96 // 128, preview.THUMBNAIL_SIDE, 3)}
    # The picture's left half is red and its right half blue; the edge between them moves with the camera.
    moves = [shot.camera.move for shot in storyline.shots]
    edges = [float((picture[..., 0] > picture[..., 2]).mean()) for picture in pictures]
    still, panned = (
        [edge for edge, move in zip(edges, moves, strict=True) if (move == "static") == wanted]
        for wanted in (True, False)
    )
    assert still
    assert panned
    assert min(abs(a - b) for a in still for b in panned) > 0.01


def test_very_many_shots_are_not_drawn(storyline: Storyline, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "MAX_THUMBNAILS", len(storyline.shots) - 1)
    assert preview.thumbnails(storyline, HEARD) == []
