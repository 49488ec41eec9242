"""Videos: what is written plays, lasts as long as its frames, is equal every time, and whole or absent."""

from __future__ import annotations

import resource
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from dramatis.errors import UserError
from dramatis.media.video import VideoWriter, probe_video, read_frames
from tests.inputs import MakeAudio


def write(path: Path, frames: np.ndarray, audio: Path | None = None) -> Path:
    with VideoWriter(path, (frames.shape[2], frames.shape[1]), audio=audio) as writer:
        for frame in frames:
            writer.write(frame)
    return path


def decoded(path: Path) -> np.ndarray:
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)


def test_frames_and_colours_survive(tmp_path: Path, frames: NDArray[np.uint8]) -> None:
    path = write(tmp_path / "out.mp4", frames)
    back = np.stack(list(read_frames(path)))
    assert back.shape == frames.shape
    flat = back[:, :10].astype(int) - frames[:, :10]
    assert np.abs(flat).max() <= 4, "limited-range BT.709, tagged as such"
    error = np.mean((back.astype(float) - frames) ** 2)
    assert 10 * np.log10(255**2 / error) > 32


def test_it_plays_in_a_browser(tmp_path: Path, frames: NDArray[np.uint8], make_audio: MakeAudio) -> None:
    path = write(tmp_path / "out.mp4", frames, make_audio(seconds=1.2))
    data = path.read_bytes()
    assert 0 < data.find(b"moov") < data.find(b"mdat"), "the index comes first, so that playing starts at once"
    with av.open(str(path)) as container:
        video, audio = container.streams.video[0], container.streams.audio[0]
        assert (video.codec_context.name, video.codec_context.pix_fmt) == ("h264", "yuv420p")
        assert audio.codec_context.name == "aac"
        assert video.average_rate == 25


def test_equal_input_gives_equal_bytes(tmp_path: Path, frames: NDArray[np.uint8], make_audio: MakeAudio) -> None:
    voice = make_audio("voice.mp3", seconds=1.2, rate=44_100, channels=2)
    first = write(tmp_path / "one.mp4", frames, voice).read_bytes()
    assert write(tmp_path / "two.mp4", frames, voice).read_bytes() == first


def test_bytes_stay_equal_however_often_it_is_encoded(tmp_path: Path) -> None:
    """x264's AVX-512 code gave other bytes in every third encoding of frames like these."""
    rng = np.random.default_rng(0)
    y, x = np.mgrid[0:80, 0:64]
    smooth = np.stack([128 + 60 * np.sin(x / 9 + band) * np.cos(y / 11 + band) for band in range(3)], -1)
    frames = np.clip(smooth + rng.integers(-9, 10, (75, 80, 64, 3)), 0, 255).astype(np.uint8)
    seen = set()
    for _ in range(16):
        other = [np.full(int(rng.integers(1_000, 400_000)), 1, np.uint8) for _ in range(50)]  # it depends on memory
        seen.add(write(tmp_path / "out.mp4", frames).read_bytes())
        del other
    assert len(seen) == 1


@pytest.mark.parametrize("seconds", [0.5, 1.2, 3.0])
@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (44_100, 2), (48_000, 6), (96_000, 1)])
def test_sound_keeps_rate_and_channels_and_lasts_as_long_as_the_frames(
    tmp_path: Path, frames: NDArray[np.uint8], make_audio: MakeAudio, seconds: float, rate: int, channels: int
) -> None:
    path = write(tmp_path / "out.mp4", frames, make_audio(seconds=seconds, rate=rate, channels=channels))
    info = probe_video(path)
    assert (info.frames, info.size, info.fps) == (30, (96, 64), 25.0)
    assert info.sound == pytest.approx(30 / 25, abs=1 / rate)
    with av.open(str(path)) as container:
        context = container.streams.audio[0].codec_context
        assert (context.sample_rate, context.channels) == (rate, channels)


def test_sound_is_the_users_own_and_in_time(tmp_path: Path, frames: NDArray[np.uint8], make_audio: MakeAudio) -> None:
    voice = make_audio(seconds=1.2, rate=44_100)
    with av.open(str(voice)) as container:
        original = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)[0] / 32768
    heard = decoded(write(tmp_path / "out.mp4", frames, voice))[0][: len(original)]
    assert len(heard) == len(original)
    assert np.corrcoef(original, heard)[0, 1] > 0.999


def test_rates_that_aac_lacks_are_resampled(tmp_path: Path, frames: NDArray[np.uint8], make_audio: MakeAudio) -> None:
    path = write(tmp_path / "out.mp4", frames, make_audio(seconds=1.2, rate=37_800))
    assert probe_video(path).sound == pytest.approx(1.2, abs=1e-3)


def test_failure_leaves_nothing_and_spares_the_old_file(tmp_path: Path, frames: NDArray[np.uint8]) -> None:
    path = write(tmp_path / "out.mp4", frames[:5])
    before = path.read_bytes()

    def fail() -> None:
        with VideoWriter(path, (96, 64)) as writer:
            writer.write(frames[0])
            raise RuntimeError("stage failed")

    with pytest.raises(RuntimeError, match="stage failed"):
        fail()
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["out.mp4"]


def test_bad_audio_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "notes.wav").write_text("dear diary " * 90)
    with pytest.raises(UserError, match="no sound"):
        VideoWriter(tmp_path / "out.mp4", (96, 64), audio=tmp_path / "notes.wav")
    assert [file.name for file in tmp_path.iterdir()] == ["notes.wav"]


def test_no_frames_and_wrong_frames_are_errors(tmp_path: Path, frames: NDArray[np.uint8]) -> None:
    with pytest.raises(ValueError, match="No frame"), VideoWriter(tmp_path / "out.mp4", (96, 64)):
        pass
    with pytest.raises(ValueError, match="Expected"), VideoWriter(tmp_path / "out.mp4", (96, 64)) as writer:
        writer.write(frames[0][:32])
    with pytest.raises(ValueError, match="even"):
        VideoWriter(tmp_path / "out.mp4", (95, 64))
    assert not list(tmp_path.iterdir())


def test_memory_is_flat(tmp_path: Path, frames: NDArray[np.uint8], make_audio: MakeAudio) -> None:
    voice = make_audio("voice.flac", seconds=60, rate=48_000, channels=2)
    write(tmp_path / "warm.mp4", frames[:10], voice)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with VideoWriter(tmp_path / "out.mp4", (96, 64), audio=voice) as writer:
        for index in range(1500):
            writer.write(frames[index % 30])
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 40_000, f"{grown} kB for a minute"


def test_no_video_is_refused(tmp_path: Path, make_audio: MakeAudio) -> None:
    with pytest.raises(UserError, match="no pictures"):
        next(read_frames(make_audio()))
    (tmp_path / "notes.mp4").write_text("dear diary " * 90)
    with pytest.raises(UserError, match="cannot be read"):
        probe_video(tmp_path / "notes.mp4")
