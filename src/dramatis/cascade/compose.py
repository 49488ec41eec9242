"""The last stage: finished sub-clips, in order, become one mp4 with the user's own sound.

Frames stream from the store to the encoder, one clip at a time and as soon as all clips before it are there, so memory
does not grow with the length of the video.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dramatis.cascade.context import JobContext, read_frames_of
from dramatis.cascade.plan import ClipPlan
from dramatis.cascade.render_inputs import RenderInputs
from dramatis.cascade.tone_curve import restore_tones
from dramatis.cascade.whole_frame import whole_frames
from dramatis.media.image import Pictures
from dramatis.media.sheet import contact_sheet
from dramatis.media.video import VideoWriter
from dramatis.motion.group import face_shares, mouth_shares
from dramatis.runtime.files import publish
from dramatis.runtime.progress import StageProgress

SHEET_PICTURES = 24
_BLOCK = 25
"""Frames that are prepared together."""
_HEAD_GRID = 2
"""Low-resolution pixels to a cell in which it is asked what belongs to a head."""


def compose(
    job: JobContext, clips: ClipPlan, clip_keys: Sequence[str], finished_keys: Iterable[str], audio: Path, out: Path
) -> None:
    """Write the video, and a contact sheet of evenly spaced frames beside it.

    clip_keys: artifacts of the sub-clips in order. finished_keys: artifacts of any stage as they are finished, in any
    order; iterating over it is what drives the work.
    """
    total = job.plan.frames
    shown = set(np.linspace(0, total - 1, min(SHEET_PICTURES, total)).round().astype(int).tolist())
    sheet_frames: list[Pictures] = []
    labels: list[str] = []
    height, width = job.inputs.frame_size
    with (
        StageProgress(job.reporter, "video", total) as progress,
        VideoWriter(out, (width, height), audio=audio) as writer,
    ):
        films = frames_in_order(job, clips, clip_keys, finished_keys)
        for number, frame in enumerate(finished_frames(job.inputs, films)):
            writer.write(frame)
            if number in shown:
                sheet_frames.append(frame)
                labels.append(f"{number / 25:.2f} s")
            progress.advance()
        assert writer.frames == total, f"{writer.frames} frames were written, {total} were planned"
    _save_sheet(sheet_frames, labels, out.with_suffix(".sheet.png"))


def finished_frames(inputs: RenderInputs, films: Iterable[Pictures]) -> Iterator[Pictures]:
    """The frames of the video, of which `films` are what the networks filmed, all in order."""
    films = (restore_tones(film, inputs.gamma) for film in films)
    if inputs.whole is None:
        return iter(films)
    acted = (restore_tones(picture, inputs.gamma) for picture in _acted(inputs))
    return whole_frames(inputs.whole, films, acted, _heads(inputs))


def _acted(inputs: RenderInputs) -> Iterator[Pictures]:
    """What the portrait in the window does in every frame."""
    for rows in _blocks(inputs.frames):
        acting = inputs.acting(rows)
        assert acting is not None
        yield from acting.frames(inputs.performances(rows))


def _heads(inputs: RenderInputs) -> Iterator[NDArray[np.float32]]:
    """(2, h, w) how much of the window belongs to heads, and to mouths, in every frame."""
    grid = inputs.size[0] // _HEAD_GRID, inputs.size[1] // _HEAD_GRID
    for rows in _blocks(inputs.frames):
        anchors = inputs.anchors(rows)
        shares = (face_shares(anchors, inputs.size, grid), mouth_shares(anchors, inputs.size, grid))
        yield from np.stack(shares, 1)


def _blocks(frames: int) -> Iterator[NDArray[np.int64]]:
    """Frame numbers, some at a time."""
    for first in range(0, frames, _BLOCK):
        yield np.arange(first, min(first + _BLOCK, frames))


def frames_in_order(
    job: JobContext, clips: ClipPlan, clip_keys: Sequence[str], finished_keys: Iterable[str]
) -> Iterator[Pictures]:
    """Every frame of the video, (H, W, 3) uint8: at a shared keyframe the earlier clip keeps it."""
    waited_for = set(clip_keys)
    ready = set()
    index = 0
    for key in finished_keys:
        if key in waited_for:
            ready.add(key)
        while index < len(clip_keys) and clip_keys[index] in ready:
            clip = clips.clips[index]
            yield from read_frames_of(job, clip_keys[index])[clip.emit.start - clip.first : clip.emit.stop - clip.first]
            index += 1


def _save_sheet(frames: list[Pictures], labels: list[str], path: Path) -> None:
    partial = path.with_name(f".{path.name}.partial")
    contact_sheet([Image.fromarray(frame) for frame in frames], labels).save(partial, format="PNG", compress_level=1)
    publish(partial, path)
