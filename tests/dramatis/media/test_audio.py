"""Voices: every promised container, rate and layout is read alike; what holds no voice is refused."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from dramatis.errors import UserError
from dramatis.media.audio import convert_to_wav, frame_count, load_samples, only_within, probe, stream
from dramatis.media.video import VideoWriter
from dramatis.story.values import FrameSpan
from tests.inputs import MakeAudio, MakeImage


@pytest.mark.parametrize("suffix", ["wav", "mp3", "flac", "ogg", "m4a"])
def test_reads_every_promised_format(make_audio: MakeAudio, suffix: str) -> None:
    path = make_audio(f"voice.{suffix}", seconds=1.5, rate=44_100, channels=2)
    info = probe(path)
    assert info.duration == pytest.approx(1.5, abs=0.06), "mp3 and aac pad to whole frames"
    assert (info.rate, info.channels) == (44_100, 2)
    samples = load_samples(path)
    assert samples.dtype == np.float32
    assert len(samples) == round(info.duration * 16_000)
    assert 0.2 < np.abs(samples).max() < 1.0


@pytest.mark.parametrize(("rate", "channels"), [(8_000, 1), (96_000, 2), (48_000, 6), (16_000, 1), (22_050, 1)])
def test_any_rate_and_layout_becomes_16_khz_mono(make_audio: MakeAudio, rate: int, channels: int) -> None:
    path = make_audio("voice.wav", seconds=1.0, rate=rate, channels=channels)
    assert probe(path).duration == 1.0
    samples = load_samples(path)
    assert samples.shape == (16_000,)
    reference = load_samples(make_audio("reference.wav", seconds=1.0))
    assert np.corrcoef(samples, reference)[0, 1] > 0.98


@pytest.mark.parametrize("channels", [3, 4, 5, 6, 7, 8])
def test_wav_files_that_name_no_channels(tmp_path: Path, channels: int) -> None:
    noise = np.random.default_rng(0).normal(0, 0.1, (8_000, channels))
    soundfile.write(tmp_path / "many.wav", noise, 8_000)
    assert probe(tmp_path / "many.wav").channels == channels
    assert load_samples(tmp_path / "many.wav").shape == (16_000,)


@pytest.mark.parametrize("name", ["voice.wav", "voice.mp3"])
def test_a_part_equals_the_part_of_the_whole(make_audio: MakeAudio, name: str) -> None:
    path = make_audio(name, seconds=2.0, rate=16_000 if name.endswith("wav") else 44_100)
    whole = load_samples(path)
    np.testing.assert_array_equal(load_samples(path, start=0.5, stop=1.25), whole[8_000:20_000])
    assert len(load_samples(path, start=99.0, stop=100.0)) == 0


def test_stream_and_convert_equal_load(make_audio: MakeAudio, tmp_path: Path) -> None:
    path = make_audio("voice.ogg", seconds=1.3, rate=48_000, channels=2)
    whole = load_samples(path)
    blocks = list(stream(path, block=1000))
    assert {len(block) for block in blocks[:-1]} == {1000}
    np.testing.assert_array_equal(np.concatenate(blocks), whole)
    assert convert_to_wav(path, tmp_path / "mono.wav") == len(whole)
    np.testing.assert_array_equal(load_samples(tmp_path / "mono.wav", start=0.25, stop=0.5), whole[4_000:8_000])


def test_streaming_is_flat_in_duration(make_audio: MakeAudio) -> None:
    def peak(seconds: float) -> int:
        path = make_audio("voice.flac", seconds=seconds, rate=16_000)
        tracemalloc.start()
        for _ in stream(path, rate=8_000):
            pass
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return peak

    peak(1)  # what is loaded once
    assert peak(40) < 1.2 * peak(10)


def test_cover_art_is_not_a_video(make_audio: MakeAudio, make_image: MakeImage, tmp_path: Path) -> None:
    import av

    path = tmp_path / "song.m4a"
    with av.open(str(make_audio("voice.m4a"))) as source, av.open(str(path), "w", format="mp4") as target:
        copied = target.add_stream_from_template(source.streams.audio[0])
        with av.open(str(make_image("cover.png"))) as picture:
            cover = target.add_stream_from_template(picture.streams.video[0])
            cover.disposition = av.stream.Disposition.attached_pic
            packet = next(picture.demux())
            packet.stream = cover
            target.mux(packet)
        for heard in source.demux(source.streams.audio[0]):
            if heard.dts is not None:
                heard.stream = copied
                target.mux(heard)
    assert probe(path).duration == pytest.approx(1.0, abs=0.07)


def test_truncated_file_is_read_as_far_as_it_goes(make_audio: MakeAudio) -> None:
    path = make_audio("voice.mp3", seconds=3.0, rate=44_100)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert 1.0 < probe(path).duration < 2.0


def _nan(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    samples[100] = np.nan
    return samples


def _float_wav(path: Path, samples: NDArray[np.float64]) -> None:
    soundfile.write(path, samples, 16_000, subtype="FLOAT")


def _video(path: Path, frames: Iterable[NDArray[np.uint8]], audio: Path | None = None) -> None:
    with VideoWriter(path, (96, 64), audio=audio) as writer:
        for frame in frames:
            writer.write(frame)


@pytest.mark.parametrize(
    ("name", "make", "word"),
    [
        ("absent.wav", lambda _: None, "does not exist"),
        ("folder", lambda p: p.mkdir(), "folder"),
        ("empty.wav", lambda p: p.write_bytes(b""), "empty"),
        ("notes.wav", lambda p: p.write_text("dear diary, " * 90), "no sound"),
        ("notes.mp3", lambda p: p.write_text("dear diary, " * 9000), "no sound|damaged"),
        ("notes.m4a", lambda p: p.write_text("#EXTM3U\n#EXTINF:1,\nother.wav\n"), "no sound"),
        (
            "noise.mp3",
            lambda p: p.write_bytes(np.random.default_rng(0).bytes(4000)),
            "no sound|damaged|lasts",
        ),
        ("nothing.wav", lambda p: _float_wav(p, np.zeros(0)), "too short"),
        ("blink.wav", lambda p: _float_wav(p, 0.3 * np.ones(800)), r"0\.05 s, too short"),
        ("silent.wav", lambda p: _float_wav(p, np.zeros(16_000)), "silent"),
        ("floor.wav", lambda p: _float_wav(p, 5e-4 * np.sin(np.arange(16_000))), "silent"),
        ("nan.wav", lambda p: _float_wav(p, _nan(0.1 * np.ones(16_000))), "not numbers"),
        ("infinite.wav", lambda p: _float_wav(p, np.full(16_000, np.inf)), "not numbers"),
    ],
)
def test_bad_audio_is_refused_in_one_sentence(
    tmp_path: Path, name: str, make: Callable[[Path], object], word: str
) -> None:
    make(tmp_path / name)
    with pytest.raises(UserError, match=word) as error:
        probe(tmp_path / name)
    text = str(error.value)
    assert text[0].isupper()
    assert text.endswith(".")
    assert "\n" not in text
    assert ";" in text


def test_videos_and_pictures_are_no_audio(
    tmp_path: Path, frames: NDArray[np.uint8], make_audio: MakeAudio, make_image: MakeImage
) -> None:
    _video(tmp_path / "talk.mp4", frames, make_audio())
    with pytest.raises(UserError, match="is a video; extract its sound"):
        probe(tmp_path / "talk.mp4")
    with pytest.raises(UserError, match="no sound"):
        probe(make_image())


def test_a_long_pause_is_not_silence(tmp_path: Path) -> None:
    samples = np.zeros(16_000 * 3)
    samples[-4_000:] = 0.2 * np.sin(np.arange(4_000) * 0.1)
    soundfile.write(tmp_path / "late.wav", samples, 16_000, subtype="PCM_16")
    assert probe(tmp_path / "late.wav").duration == 3.0


def test_shortest_voice_is_five_frames(make_audio: MakeAudio) -> None:
    assert probe(make_audio(seconds=0.2)).frames == 5


@given(st.integers(5, 90_000))
def test_frame_count_is_the_nearest_whole_number(frames: int) -> None:
    assert frame_count(frames / 25) == frames
    assert frame_count((frames + 0.49) / 25) == frames
    assert frame_count((frames - 0.49) / 25) == frames


@given(st.lists(st.integers(0, 60), min_size=0, max_size=8, unique=True), st.integers(300, 7000))
def test_a_voice_is_cut_out_of_a_recording_where_it_is_heard(edges: list[int], block: int) -> None:
    edges = sorted(edges)[: len(edges) // 2 * 2]
    spans = [FrameSpan(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True)]
    whole = np.random.default_rng(0).uniform(-1, 1, 40 * 640).astype(np.float32)
    blocks = (whole[start : start + block] for start in range(0, len(whole), block))
    cut = np.concatenate(list(only_within(blocks, spans)))
    assert cut.shape == whole.shape
    assert cut.dtype == np.float32
    inside = np.zeros(len(whole), bool)
    for span in spans:
        inside[span.start * 640 : span.stop * 640] = True
        middle = slice(span.start * 640 + 160, min(span.stop * 640, len(whole)) - 160)
        if span.stop <= 40:
            assert np.array_equal(cut[middle], whole[middle])
    assert not cut[~inside].any()
    assert (np.abs(cut) <= np.abs(whole)).all()


def test_without_spans_a_recording_is_as_it_is() -> None:
    whole = np.ones(100, np.float32)
    assert next(only_within([whole], None)) is whole
    assert not next(only_within([whole], ())).any()
