"""Hiring models: what fits together, who sees the picture, who hears the sound."""

from __future__ import annotations

import io

import pytest
import soundfile
from PIL import Image

from dramatis.app.llm_experts import PICTURE_SIDE, SOUND_SECONDS, experts_from_options
from dramatis.errors import UserError
from tests import ROOT

EXAMPLES = ROOT / "examples"
FILES = (EXAMPLES / "portrait.png", EXAMPLES / "speech.wav")
ADDRESS = "http://127.0.0.1:9/v1"


def test_nobody_is_hired_unless_asked_for() -> None:
    assert experts_from_options(None, None, (), *FILES) is None


def test_one_model_reads_and_warns() -> None:
    crew = experts_from_options(ADDRESS, "small", (), *FILES)
    assert crew is not None
    assert set(crew.models) == {"text", "negative"}
    assert crew.models["text"] is crew.models["negative"], "one model, one budget"
    assert crew.picture is None
    assert crew.sound is None


def test_only_experts_that_look_and_listen_get_files() -> None:
    crew = experts_from_options(ADDRESS, None, ("visual=eye", "audio=ear"), *FILES)
    assert crew is not None
    assert set(crew.models) == {"visual", "audio"}
    assert crew.picture is not None
    assert crew.sound is not None
    assert max(Image.open(io.BytesIO(crew.picture)).size) <= PICTURE_SIDE
    samples, rate = soundfile.read(io.BytesIO(crew.sound))
    assert 5 < len(samples) / rate <= SOUND_SECONDS


@pytest.mark.parametrize(
    ("address", "model", "experts", "message"),
    [
        (None, "small", (), "give its address with --llm"),
        (None, None, ("text=small",), "give its address with --llm"),
        (ADDRESS, None, (), "name one with --llm-model"),
        (ADDRESS, None, ("director=small",), "cannot be read"),
        (ADDRESS, None, ("text",), "cannot be read"),
        ("127.0.0.1:9", "small", (), "begin it with http"),
    ],
)
def test_what_does_not_fit_is_said(
    address: str | None, model: str | None, experts: tuple[str, ...], message: str
) -> None:
    with pytest.raises(UserError, match=message):
        experts_from_options(address, model, experts, *FILES)
