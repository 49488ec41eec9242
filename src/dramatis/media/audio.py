"""Voices: wav, mp3, flac, ogg and m4a files as mono samples for the models, streamed at any length.

All reading goes through one decoder (FFmpeg by way of PyAV), and one scan, `probe`, refuses unusable files before any
model loads: those that are too short, silent, not audio, or hold values that are not numbers.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import numpy as np
import soundfile
import soxr
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from numpy.typing import NDArray

from dramatis.errors import UserError
from dramatis.media.files import check_input
from dramatis.media.loudness import LoudnessMeter
from dramatis.story.values import AUDIO_RATE, FPS, FrameSpan

MIN_SECONDS = 0.2
_MAX_CHANNELS = 8
SILENCE = 10.0 ** (-60.0 / 20.0)
"""A file whose loudest sample stays below -60 dBFS contains no voice, only a noise floor."""
FADE_SECONDS = 0.01
"""Length of the fades at both ends of a voice that is cut out of a recording: no click, no lost consonant."""
# Only these demuxers may read a user's file: others (playlists, text art) may open further files.
_CONTAINERS = "wav,w64,aiff,caf,mp3,flac,ogg,mov,mp4,m4a,aac,matroska,webm,avi"
_REMEDY = "give a wav, mp3, flac, ogg or m4a file"


@dataclass(frozen=True)
class AudioInfo:
    """The result of a scan of the whole file.

    duration: seconds. rate: samples a second. peak: the largest sample, full scale 1. loudness: LUFS.
    """

    path: Path
    duration: float
    rate: int
    channels: int
    layout: str
    peak: float
    loudness: float

    @property
    def frames(self) -> int:
        """Video frames the audio lasts at 25 fps."""
        return frame_count(self.duration)

    @property
    def silent(self) -> bool:
        """Whether it is too quiet to contain a voice."""
        return self.peak < SILENCE


def frame_count(seconds: float) -> int:
    """Frames of video for a duration: the nearest whole number at 25 fps, halves rounded up."""
    return math.floor(seconds * FPS + 0.5 + 1e-9)


def probe(path: str | Path) -> AudioInfo:
    """Decode the whole file once and describe it.

    Raises UserError for what is missing, empty, not audio, a video, shorter than 0.2 s, silent throughout
    or not numbers.
    """
    info = scan(path)
    if info.duration < MIN_SECONDS:
        raise UserError(
            f"The audio {path} lasts {info.duration:.2f} s, too short to speak in; give at least {MIN_SECONDS} s."
        )
    if info.silent:
        raise UserError(f"The audio {path} is silent throughout; give a recording with a voice in it.")
    return info


def scan(path: str | Path) -> AudioInfo:
    """Decode the whole file once and describe it, even if it is silent or contains no sample at all.

    Raises UserError for what is missing, empty, not audio, a video or not numbers.
    """
    path = check_input(path, "audio")
    samples, peak, rate, layout, channels = 0, 0.0, 0, "", 0
    meter: LoudnessMeter | None = None
    for frame in decode(path):
        if meter is None:
            rate, layout, channels = frame.sample_rate, frame.layout.name, frame.layout.nb_channels
            meter = LoudnessMeter(rate)
        block = frame_samples(frame)
        largest = float(np.abs(block).max(initial=0.0))
        if not math.isfinite(largest):
            raise UserError(f"The audio {path} holds samples that are not numbers; export it again as 16-bit wav.")
        peak = max(peak, largest)
        samples += len(block)
        meter.add(_mixdown(frame, block))
    duration = samples / rate if rate else 0.0
    return AudioInfo(path, duration, rate, channels, layout, peak, meter.integrated() if meter else -math.inf)


def load_samples(
    path: str | Path, rate: int = AUDIO_RATE, start: float | None = None, stop: float | None = None
) -> NDArray[np.float32]:
    """(n,) mono float32 samples at `rate`, of the whole file or of [start, stop) seconds.

    A part that reaches past the end is shorter. A part equals the same part of the whole, bit for bit. Decoding runs
    from the beginning unless the file is a mono wav at `rate` already (see `convert_to_wav`).
    """
    path = check_input(path, "audio")
    first = round((start or 0.0) * rate)
    last = None if stop is None else max(first, round(stop * rate))
    if _is_direct(path, rate):
        samples, _ = soundfile.read(path, start=first, stop=last, dtype="float32")
        return samples
    parts: list[NDArray[np.float32]] = []
    position = 0
    for block in stream(path, rate):
        parts.append(block[max(0, first - position) : None if last is None else max(0, last - position)])
        position += len(block)
        if last is not None and position >= last:
            break
    return np.concatenate(parts) if parts else np.zeros(0, np.float32)


def stream(path: str | Path, rate: int = AUDIO_RATE, block: int = AUDIO_RATE) -> Iterator[NDArray[np.float32]]:
    """Mono float32 samples at `rate` in blocks of `block` samples, the last one shorter.

    In total exactly round(duration * rate) samples. Channels are mixed as for dialogue, the centre strongest.
    """
    path = check_input(path, "audio")
    pending = np.zeros(0, np.float32)
    for part in _resampled(path, rate):
        pending = np.concatenate([pending, part])
        while len(pending) >= block:
            yield pending[:block]
            pending = pending[block:]
    if len(pending):
        yield pending


def only_within(
    blocks: Iterable[NDArray[np.float32]], spans: Iterable[FrameSpan] | None, rate: int = AUDIO_RATE
) -> Iterator[NDArray[np.float32]]:
    """Blocks of samples, silenced outside the given spans of video frames, which fade in and out.

    spans: None for everything unchanged.
    """
    if spans is None:
        yield from blocks
        return
    edges = np.array([(span.start, span.stop) for span in spans], np.float64).reshape(-1, 2) * rate / FPS
    position = 0
    for block in blocks:
        near = edges[(edges[:, 1] > position) & (edges[:, 0] < position + len(block))]
        samples = position + np.arange(len(block))[:, None]
        # How far inside a span every sample lies, in lengths of the fade.
        depth = np.minimum(samples - near[:, 0], near[:, 1] - samples).max(1, initial=0.0) / (FADE_SECONDS * rate)
        yield (block * depth.clip(0, 1)).astype(np.float32)
        position += len(block)


def convert_to_wav(path: str | Path, wav: str | Path, rate: int = AUDIO_RATE) -> int:
    """Stream a file into a mono float32 wav at `rate`, whose parts load fast; returns the number of samples."""
    count = 0
    with soundfile.SoundFile(wav, "w", rate, 1, subtype="FLOAT", format="WAV") as file:
        for block in stream(path, rate):
            file.write(block)
            count += len(block)
    return count


def decode(path: Path) -> Iterator[AudioFrame]:
    """The file's own samples as interleaved float32 frames at its own rate and channel layout, in order.

    A damaged packet is skipped, as players do. Raises UserError if most of the file is damaged.
    """
    try:
        container = av.open(f"file:{path}", options={"format_whitelist": _CONTAINERS, "protocol_whitelist": "file"})
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise UserError(f"The audio {path} holds no sound that can be read; {_REMEDY}.") from error
    with container:
        if any(not _is_cover(stream) for stream in container.streams.video):
            raise UserError(f"The audio {path} is a video; extract its sound first and {_REMEDY}.")
        if not container.streams.audio:
            raise UserError(f"The audio {path} holds no sound that can be read; {_REMEDY}.")
        source = container.streams.audio[0]
        if source.codec_context.channels > _MAX_CHANNELS:
            raise UserError(f"The audio {path} has more than {_MAX_CHANNELS} channels; mix it down to stereo.")
        yield from _decode_packets(container, source, path)


def frame_samples(frame: AudioFrame) -> NDArray[np.float32]:
    """(n, channels) float32 samples of a frame of `decode`."""
    # Interleaved on purpose: PyAV 18 reads past its table of planes when planar frames have eight channels.
    return cast(NDArray[np.float32], frame.to_ndarray()).reshape(-1, frame.layout.nb_channels)


def _decode_packets(container: av.container.InputContainer, source: av.AudioStream, path: Path) -> Iterator[AudioFrame]:
    as_float = AudioResampler(format="flt")  # sample format only: rate and layout follow the first frame
    good = bad = 0
    packets = container.demux(source)
    while True:
        try:
            packet = next(packets, None)
            if packet is None:
                break
            frames = packet.decode()
            good += len(frames)
        except (av.error.InvalidDataError, av.error.EOFError):
            bad += 1
            if bad > 100 and bad > good:
                break
            continue
        except av.error.FFmpegError as error:
            raise UserError(f"The audio {path} cannot be decoded ({error.strerror}); {_REMEDY}.") from error
        for frame in frames:
            try:
                yield from as_float.resample(frame)
            except ValueError as error:  # the resampler keeps the first frame's layout and rate
                raise UserError(
                    f"The audio {path} changes its channels or rate half-way; export it again as wav."
                ) from error
    if bad > good:
        raise UserError(f"The audio {path} is damaged or not audio at all; {_REMEDY}.")


def _resampled(path: Path, rate: int) -> Iterator[NDArray[np.float32]]:
    """Mono blocks at `rate`, trimmed or padded so that their sum is round(duration * rate)."""
    resampler: soxr.ResampleStream | None = None
    native, read, written = rate, 0, 0
    for frame in decode(path):
        mono = _mixdown(frame, frame_samples(frame))
        read += len(mono)
        if frame.sample_rate == rate:
            written += len(mono)
            yield mono
            continue
        if resampler is None:
            native = frame.sample_rate
            resampler = soxr.ResampleStream(native, rate, 1, dtype="float32")
        out = resampler.resample_chunk(mono)
        written += len(out)
        yield out
    if resampler is not None:
        tail = resampler.resample_chunk(np.zeros(0, np.float32), last=True)
        missing = max(0, round(read * rate / native) - written)
        yield np.pad(tail[:missing], (0, missing - min(missing, len(tail))))


_WEIGHTS = {"FC": 1.0, "FL": 0.7071, "FR": 0.7071, "LFE": 0.0, "LFE2": 0.0}
# The order of wav files that name no channels.
_UNNAMED_SURROUND = ("FL", "FR", "FC", "LFE", "BL", "BR", "SL", "SR")


def _mixdown(frame: AudioFrame, block: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, channels) -> (n,), weighted for dialogue: centre 1, sides 0.71, surround 0.5, subwoofer 0."""
    channels = block.shape[1]
    if channels == 1:
        return block[:, 0]
    names: Sequence[str] = [channel.name for channel in frame.layout.channels]
    if frame.layout.name.endswith("channels") and channels >= 6:
        names = _UNNAMED_SURROUND
    weights = np.array([_WEIGHTS.get(name, 0.5) for name in names[:channels]], np.float32)
    return block @ (weights / weights.sum())


def _is_cover(stream: av.VideoStream) -> bool:
    """Whether a video stream is album art, a single picture."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _is_direct(path: Path, rate: int) -> bool:
    if path.suffix.lower() != ".wav":
        return False
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError:
        return False
    return bool(info.samplerate == rate and info.channels == 1 and info.format in ("WAV", "WAVEX"))
