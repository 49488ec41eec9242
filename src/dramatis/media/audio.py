"""Voices: wav, mp3, flac, ogg and m4a files as mono samples for the models, in a stream of any length.

Every reading goes through one decoder (FFmpeg by way of PyAV), and one scan, `probe`, refuses what cannot be
spoken to before any model loads: too short, silent, not numbers, not audio.
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
from dramatis.story.values import FPS, FrameSpan

FEATURE_RATE = 16_000
MIN_SECONDS = 0.2
_MAX_CHANNELS = 8
SILENCE = 10.0 ** (-60.0 / 20.0)
"""A file whose loudest sample stays below -60 dBFS holds no voice, only a noise floor."""
FADE_SECONDS = 0.01
"""Over which a voice that is cut out of a recording comes and goes: no click, no lost consonant."""
# Only these demuxers are let near a user's file: others (playlists, text art) may open further files.
_CONTAINERS = "wav,w64,aiff,caf,mp3,flac,ogg,mov,mp4,m4a,aac,matroska,webm,avi"
_REMEDY = "give a wav, mp3, flac, ogg or m4a file"


@dataclass(frozen=True)
class AudioInfo:
    """What a scan of the whole file found: seconds, samples a second, largest sample (full scale 1), LUFS."""

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
        """Whether no voice can be in it."""
        return self.peak < SILENCE


def frame_count(seconds: float) -> int:
    """Frames of video for a duration: the nearest whole number at 25 fps, halves up."""
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
    """Decode the whole file once and describe it, though it may be silent or hold no sample at all.

    Raises UserError for what is missing, empty, not audio, a video or not numbers.
    """
    path = check_input(path, "audio")
    samples, peak, rate, layout, channels = 0, 0.0, 0, "", 0
    meter: LoudnessMeter | None = None
    for frame in decode(path):
        if meter is None:
            rate, layout, channels = frame.sample_rate, frame.layout.name, frame.layout.nb_channels
            meter = LoudnessMeter(rate)
        block = samples_of(frame)
        largest = float(np.abs(block).max(initial=0.0))
        if not math.isfinite(largest):
            raise UserError(f"The audio {path} holds samples that are not numbers; export it again as 16-bit wav.")
        peak = max(peak, largest)
        samples += len(block)
        meter.add(_mixdown(frame, block))
    duration = samples / rate if rate else 0.0
    return AudioInfo(path, duration, rate, channels, layout, peak, meter.integrated() if meter else -math.inf)


def load(
    path: str | Path, rate: int = FEATURE_RATE, start: float | None = None, stop: float | None = None
) -> NDArray[np.float32]:
    """(n,) mono float32 samples at `rate`, of the whole file or of [start, stop) seconds.

    A part reaching past the end is shorter. A part equals the same part of the whole, bit for bit. Decoding
    runs from the beginning unless the file is a mono wav at `rate` already (see `convert`).
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


def stream(path: str | Path, rate: int = FEATURE_RATE, block: int = 16_000) -> Iterator[NDArray[np.float32]]:
    """Mono float32 samples at `rate` in blocks of `block` samples, the last one shorter.

    In all exactly round(duration * rate) samples. Channels are mixed as for dialogue, the centre strongest.
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


def heard_in(
    blocks: Iterable[NDArray[np.float32]], spans: Iterable[FrameSpan] | None, rate: int = FEATURE_RATE
) -> Iterator[NDArray[np.float32]]:
    """Blocks of samples with silence everywhere but in spans of video frames, faded at both ends; None: all as is."""
    if spans is None:
        yield from blocks
        return
    edges = np.array([(span.start, span.stop) for span in spans], np.float64).reshape(-1, 2) * rate / FPS
    at = 0
    for block in blocks:
        inside = edges[(edges[:, 1] > at) & (edges[:, 0] < at + len(block))]
        places = at + np.arange(len(block))[:, None]
        # How far inside a span every sample lies, in lengths of the fade.
        depth = np.minimum(places - inside[:, 0], inside[:, 1] - places).max(1, initial=0.0) / (FADE_SECONDS * rate)
        yield (block * depth.clip(0, 1)).astype(np.float32)
        at += len(block)


def convert(path: str | Path, wav: str | Path, rate: int = FEATURE_RATE) -> int:
    """Stream a file into a mono float32 wav at `rate`, whose parts load at once; returns its samples."""
    count = 0
    with soundfile.SoundFile(wav, "w", rate, 1, subtype="FLOAT", format="WAV") as file:
        for block in stream(path, rate):
            file.write(block)
            count += len(block)
    return count


def write_wav(path: str | Path, samples: NDArray[np.floating], rate: int) -> None:
    """Write (n,) or (n, channels) samples in [-1, 1] as 16-bit wav."""
    soundfile.write(path, samples, rate, subtype="PCM_16", format="WAV")


def decode(path: Path) -> Iterator[AudioFrame]:
    """The file's own samples as interleaved float32 frames at its own rate and channel layout, in order.

    A damaged packet is skipped, as players do, unless most of the file is damaged: then UserError.
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


def samples_of(frame: AudioFrame) -> NDArray[np.float32]:
    """(n, channels) float32 samples of a frame that `decode` gave."""
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
            except ValueError as error:  # the resampler holds on to the first frame's layout and rate
                raise UserError(
                    f"The audio {path} changes its channels or rate on the way; export it again as wav."
                ) from error
    if bad > good:
        raise UserError(f"The audio {path} is damaged or not audio at all; {_REMEDY}.")


def _resampled(path: Path, rate: int) -> Iterator[NDArray[np.float32]]:
    """Mono blocks at `rate`, trimmed or padded so that their sum is round(duration * rate)."""
    resampler: soxr.ResampleStream | None = None
    native, read, given = rate, 0, 0
    for frame in decode(path):
        mono = _mixdown(frame, samples_of(frame))
        read += len(mono)
        if frame.sample_rate == rate:
            given += len(mono)
            yield mono
            continue
        if resampler is None:
            native = frame.sample_rate
            resampler = soxr.ResampleStream(native, rate, 1, dtype="float32")
        out = resampler.resample_chunk(mono)
        given += len(out)
        yield out
    if resampler is not None:
        tail = resampler.resample_chunk(np.zeros(0, np.float32), last=True)
        missing = max(0, round(read * rate / native) - given)
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
    """Album art is a video stream by name only."""
    return bool(stream.disposition & av.stream.Disposition.attached_pic)


def _is_direct(path: Path, rate: int) -> bool:
    if path.suffix.lower() != ".wav":
        return False
    try:
        info = soundfile.info(path)
    except soundfile.LibsndfileError:
        return False
    return bool(info.samplerate == rate and info.channels == 1 and info.format in ("WAV", "WAVEX"))
