"""Fixtures that many tests share: sounds and pictures in every format that the project reads, tiny model folders."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest
import soundfile
import torch
from av.audio.stream import AudioStream
from numpy.typing import NDArray
from PIL import Image

from dramatis.story.values import NumberFormat
from tests.inputs import MakeAudio, MakeImage, voice
from tests.tiny import write_model

torch.set_num_threads(1)  # tiny networks gain nothing from more, and several test processes share the cores

_CODECS = {".wav": "pcm_s16le", ".mp3": "libmp3lame", ".flac": "flac", ".m4a": "aac"}


@pytest.fixture(params=list(NumberFormat)[1:], ids=str)
def dtype(request: pytest.FixtureRequest) -> NumberFormat:
    """Both number formats that films are computed in, whichever this machine is fast at."""
    return NumberFormat(request.param)


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with tiny untrained networks; tests that change a folder copy it first."""
    return write_model(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="session")
def model_twice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same whose video has twice the sides of what it films."""
    return write_model(tmp_path_factory.mktemp("model_twice"), scale=2)


@pytest.fixture
def make_audio(tmp_path: Path) -> MakeAudio:
    """make_audio(name, seconds, rate, channels) -> path of an audio file; its suffix chooses the codec."""

    def make(name: str = "voice.wav", seconds: float = 1.0, rate: int = 16_000, channels: int = 1) -> Path:
        path = tmp_path / name
        layout = {1: "mono", 2: "stereo", 6: "5.1"}[channels]
        samples = voice(seconds, rate, channels)
        if path.suffix == ".ogg":  # FFmpeg's own Vorbis encoder is experimental
            soundfile.write(path, samples, rate)
            return path
        with av.open(str(path), "w") as container:
            stream = cast(AudioStream, container.add_stream(_CODECS[path.suffix], rate=rate, layout=layout))
            whole = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.T), format="fltp", layout=layout)
            whole.sample_rate = rate
            whole.pts = 0
            whole.time_base = Fraction(1, rate)
            size = stream.codec_context.frame_size or 1024
            resampler = av.AudioResampler(
                stream.codec_context.format.name,
                layout,
                rate,
                frame_size=0 if path.suffix == ".wav" else size,
            )
            for frame in [*resampler.resample(whole), *resampler.resample(None)]:
                container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
        return path

    return make


@pytest.fixture
def make_image(tmp_path: Path) -> MakeImage:
    """make_image(name, size, mode, **save options) -> path of a picture: red left, blue right."""

    def make(name: str = "face.png", size: tuple[int, int] = (96, 128), mode: str = "RGB", **options: Any) -> Path:
        image = Image.new("RGB", size, (200, 40, 40))
        image.paste((40, 40, 200), (size[0] // 2, 0, *size))
        path = tmp_path / name
        image.convert(mode).save(path, **options)
        return path

    return make


@pytest.fixture
def frames() -> NDArray[np.uint8]:
    """(30, 64, 96, 3) uint8: a bright square that moves over a coloured ground."""
    video = np.empty((30, 64, 96, 3), np.uint8)
    video[:] = (180, 70, 50)
    for index, frame in enumerate(video):
        frame[20:40, index : index + 20] = (230, 230, 40)
    return video
