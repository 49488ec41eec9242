"""Videos out and in: H.264 and AAC in an mp4 that any browser plays, frame by frame, in equal bytes.

The file appears under its name only when it is whole. Sound is the user's own, decoded and encoded but not resampled,
mixed or levelled (unless AAC cannot hold its rate or channels), and lasts exactly as long as the pictures.
"""

from __future__ import annotations

import errno
import platform
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import av
import numpy as np
from av.audio.fifo import AudioFifo
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation
from numpy.typing import NDArray

from dramatis.errors import UserError
from dramatis.media.audio import decode
from dramatis.media.files import check_input, check_output
from dramatis.runtime.files import publish
from dramatis.story.values import FPS

CRF = 17
"""Constant rate factor: at 17 the encoder loses less than the models' own pictures lack."""
_KEYFRAME_SECONDS = 2  # a browser seeks to within this
_AAC_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000)
_AAC_LAYOUTS = {1: "mono", 2: "stereo", 6: "5.1"}
_AAC_FRAME = 1024
# Chroma is computed exactly and the same on every processor.
_SCALING = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT | Interpolation.FULL_CHR_H_INT


class VideoWriter:
    """Writes RGB frames, and the user's audio beside them, to an mp4; a context manager.

    The file is complete after a normal exit. After an exception nothing of it is left, and a former file at `path` is
    unchanged. Memory does not grow with the length. Equal frames and audio give equal bytes.

    `size` is (width, height), both even. Raises UserError when `path` cannot be written or the disk fills up, and
    ValueError for frames of another shape.
    """

    def __init__(
        self, path: str | Path, size: tuple[int, int], fps: int = FPS, audio: str | Path | None = None
    ) -> None:
        if size[0] % 2 or size[1] % 2:
            raise ValueError(f"H.264 with 4:2:0 chroma needs even sides, not {size[0]}x{size[1]}.")
        self.path = check_output(path)
        self.frames = 0
        self._size = size
        self._fps = fps
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._partial = self.path.with_name(f".{self.path.name}.partial")
        self._container = av.open(
            str(self._partial.absolute()),
            "w",
            format="mp4",
            options={"movflags": "+faststart", "fflags": "+bitexact"},
        )
        self._video = self._add_video()
        self._sound = None if audio is None else _SoundTrack(self._container, check_input(audio, "audio"))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def write(self, frame: NDArray[np.uint8]) -> None:
        """Append one (height, width, 3) uint8 RGB frame and the sound up to its end."""
        width, height = self._size
        if frame.shape != (height, width, 3) or frame.dtype != np.uint8:
            raise ValueError(f"Expected a ({height}, {width}, 3) uint8 frame, but got {frame.shape} {frame.dtype}.")
        picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame), format="rgb24").reformat(
            format="yuv420p",
            dst_colorspace=Colorspace.ITU709,
            dst_color_range=ColorRange.MPEG,
            interpolation=_SCALING,
            threads=1,
        )
        picture.pts = self.frames
        picture.time_base = Fraction(1, self._fps)
        self.frames += 1
        try:
            self._container.mux(self._video.encode(picture))
            if self._sound:
                self._sound.advance(Fraction(self.frames, self._fps))
        except OSError as error:
            raise self._failed(error) from error

    def close(self) -> None:
        """Finish the tracks and give the file its name. Raises ValueError when no frame was written."""
        if not self.frames:
            self.discard()
            raise ValueError(f"No frame was written to {self.path}.")
        try:
            self._container.mux(self._video.encode(None))
            if self._sound:
                self._sound.finish(Fraction(self.frames, self._fps))
            self._container.close()
            publish(self._partial, self.path)
        except OSError as error:
            raise self._failed(error) from error

    def discard(self) -> None:
        """Stop and leave nothing of the file."""
        with suppress(OSError, ValueError):  # the disk is full, or no packet was ever written
            self._container.close()
        self._partial.unlink(missing_ok=True)

    def _add_video(self) -> av.VideoStream:
        stream = self._container.add_stream(
            "libx264",
            rate=self._fps,
            # One thread and bit-exact flags: the bytes must not depend on the machine's number of cores.
            options={"crf": str(CRF), "preset": "medium", "threads": "1", "flags": "+bitexact"} | _steady_encoder(),
        )
        stream.width, stream.height = self._size
        stream.pix_fmt = "yuv420p"
        stream.time_base = Fraction(1, self._fps)
        context = stream.codec_context
        context.gop_size = _KEYFRAME_SECONDS * self._fps
        context.colorspace = Colorspace.ITU709
        context.color_range = ColorRange.MPEG
        context.color_primaries = ColorPrimaries.BT709
        context.color_trc = ColorTrc.BT709
        return stream

    def _failed(self, error: OSError) -> Exception:
        self.discard()
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return UserError(f"The disk filled up while writing {self.path}; free some space and resume.")
        return error


class _SoundTrack:
    """The AAC track of a writer: decodes the user's file as far as the pictures reach, never further."""

    def __init__(self, container: av.container.OutputContainer, audio: Path) -> None:
        self._container = container
        self._source = decode(audio)
        first = next(self._source, None)
        if first is None:
            raise UserError(f"The audio {audio} holds no sound; record or export it again.")
        self.rate = min(_AAC_RATES, key=lambda rate: (abs(rate - first.sample_rate), -rate))
        layout = _AAC_LAYOUTS.get(first.layout.nb_channels, "stereo")
        self._resampler = AudioResampler(format="fltp", layout=layout, rate=self.rate)
        self._stream = container.add_stream(
            "aac", rate=self.rate, layout=layout, options={"threads": "1", "flags": "+bitexact"}
        )
        channels = self._stream.codec_context.channels
        # 128 kbit/s a channel, or less at low rates, where the format allows 6144 bits a channel and frame.
        self._stream.bit_rate = channels * min(128_000, self.rate * 6144 // _AAC_FRAME)
        self._fifo = AudioFifo()
        self._queued = 0
        self._encoded = 0
        self._queue(first)

    def advance(self, seconds: Fraction) -> None:
        """Encode whole AAC frames up to a moment of the video."""
        self._fill(int(seconds * self.rate))
        while self._encoded + _AAC_FRAME <= int(seconds * self.rate):
            self._encode(_AAC_FRAME)

    def finish(self, seconds: Fraction) -> None:
        """Encode the rest, cut or padded with silence to the video's exact duration, and close the track."""
        total = round(seconds * self.rate)
        self._fill(total)
        while self._encoded < total:
            self._encode(min(_AAC_FRAME, total - self._encoded))
        self._container.mux(self._stream.encode(None))

    def _fill(self, needed: int) -> None:
        while self._queued < needed:
            frame = next(self._source, None)
            if frame is not None:
                self._queue(frame)
                continue
            for rest in self._resampler.resample(None):
                self._push(rest)
            if self._queued < needed:
                self._push(self._silence(needed - self._queued))

    def _queue(self, frame: AudioFrame) -> None:
        frame.pts = None  # the fifo counts samples itself; gaps in the file's own stamps are not gaps in its sound
        for part in self._resampler.resample(frame):
            self._push(part)

    def _push(self, frame: AudioFrame) -> None:
        frame.pts = None
        self._fifo.write(frame)
        self._queued += frame.samples

    def _silence(self, samples: int) -> AudioFrame:
        context = self._stream.codec_context
        frame = AudioFrame.from_ndarray(
            np.zeros((context.channels, samples), np.float32), format="fltp", layout=context.layout.name
        )
        frame.sample_rate = self.rate
        return frame

    def _encode(self, samples: int) -> None:
        frame = cast(AudioFrame, self._fifo.read(samples))
        frame.pts = self._encoded
        frame.time_base = Fraction(1, self.rate)
        self._encoded += samples
        self._container.mux(self._stream.encode(frame))


def _steady_encoder() -> dict[str, str]:
    """Options that keep x264 from its AVX-512 code, which now and then encodes equal frames to other bytes.

    From SSSE3 to AVX2 its bytes are always the same; SSE4.2 is what every x86 processor has that runs torch.
    """
    on_x86 = platform.machine().lower() in ("x86_64", "amd64")
    return {"x264-params": "asm=SSE4.2"} if on_x86 else {}


@dataclass(frozen=True)
class VideoInfo:
    """A video's number of frames, (width, height), frames a second, and seconds of sound or None."""

    frames: int
    size: tuple[int, int]
    fps: float
    sound: float | None


def probe_video(path: str | Path) -> VideoInfo:
    """Describe a video from its headers. Raises UserError for what is missing or not a video."""
    with _open_video(check_input(path, "video")) as container:
        stream = container.streams.video[0]
        sound = container.streams.audio[0] if container.streams.audio else None
        seconds = None
        if sound is not None and sound.duration is not None and sound.time_base is not None:
            seconds = float(sound.duration * sound.time_base)
        return VideoInfo(stream.frames, (stream.width, stream.height), float(stream.average_rate or FPS), seconds)


def read_frames(path: str | Path) -> Iterator[NDArray[np.uint8]]:
    """The video's frames in order as (height, width, 3) uint8 RGB. Raises UserError if it is not a video."""
    path = check_input(path, "video")
    with _open_video(path) as container:
        stream = container.streams.video[0]
        stream.thread_type = "NONE"
        try:
            for frame in container.decode(stream):
                rgb = frame.reformat(format="rgb24", interpolation=_SCALING, threads=1)
                yield cast(NDArray[np.uint8], rgb.to_ndarray())
        except av.error.FFmpegError as error:
            raise UserError(f"The video {path} is damaged or cut short; export or download it again.") from error


def _open_video(path: Path) -> av.container.InputContainer:
    try:
        container = av.open(f"file:{path}", options={"protocol_whitelist": "file"})
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise UserError(f"The video {path} cannot be read; give an mp4, mov, mkv or webm file.") from error
    if not container.streams.video:
        container.close()
        raise UserError(f"The video {path} holds no pictures; give an mp4, mov, mkv or webm file.")
    return container
