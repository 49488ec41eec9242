"""The last stage: finished sub-clips, in order, become one mp4 with the user's own sound.

Frames stream from the store to the encoder, one clip at a time and as soon as all clips before it are there, so memory
does not grow with the length of the video.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from dramatis.cascade.context import JobContext, read_frames_of
from dramatis.cascade.plan import ClipPlan
from dramatis.cascade.tone_curve import restore_tones
from dramatis.media.image import Pictures
from dramatis.media.sheet import contact_sheet
from dramatis.media.video import VideoWriter
from dramatis.runtime.files import publish
from dramatis.runtime.progress import StageProgress

SHEET_PICTURES = 24


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
    height, width = job.inputs.portrait.shape[:2]
    with (
        StageProgress(job.reporter, "video", total) as progress,
        VideoWriter(out, (width, height), audio=audio) as writer,
    ):
        for number, stored_frame in enumerate(frames_in_order(job, clips, clip_keys, finished_keys)):
            frame = restore_tones(stored_frame, job.inputs.gamma)
            writer.write(frame)
            if number in shown:
                sheet_frames.append(frame)
                labels.append(f"{number / 25:.2f} s")
            progress.advance()
        assert writer.frames == total, f"{writer.frames} frames were written, {total} were planned"
    _save_sheet(sheet_frames, labels, out.with_suffix(".sheet.png"))


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
    contact_sheet([Image.fromarray(frame) for frame in frames], labels).save(partial, format="PNG")
    publish(partial, path)
