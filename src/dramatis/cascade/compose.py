"""The last stage: finished sub-clips, in order, become one mp4 with the user's own sound.

Frames stream from the store to the encoder, one clip at a time, so memory does not know the video's length.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image
from PIL.Image import Resampling

from dramatis.cascade.backbone import Pictures
from dramatis.cascade.blueprint import stored_frames
from dramatis.cascade.context import Set
from dramatis.cascade.plan import ClipPlan
from dramatis.media.sheet import contact_sheet
from dramatis.media.video import VideoWriter
from dramatis.runtime.files import publish
from dramatis.runtime.progress import Stage

SHEET_PICTURES = 24


def emitted_frames(stage: Set, clips: ClipPlan, made: list[str]) -> Iterator[Pictures]:
    """Every frame of the video in order, (H, W, 3) uint8: at a shared keyframe the earlier clip keeps it."""
    for clip, key in zip(clips.clips, made, strict=True):
        frames = stored_frames(stage, key)
        yield from frames[clip.emit.start - clip.first : clip.emit.stop - clip.first]


def compose(stage: Set, clips: ClipPlan, made: list[str], audio: Path, out: Path) -> None:
    """Write the video, and a contact sheet of evenly spaced frames beside it."""
    total = stage.plan.frames
    shown = set(np.linspace(0, total - 1, min(SHEET_PICTURES, total)).round().astype(int).tolist())
    kept: list[Pictures] = []
    labels: list[str] = []
    height, width = stage.material.size
    with (
        Stage(stage.reporter, "video", total) as progress,
        VideoWriter(out, (width, height), audio=audio) as writer,
    ):
        for number, frame in enumerate(emitted_frames(stage, clips, made)):
            writer.write(frame)
            if number in shown:
                kept.append(frame)
                labels.append(f"{number / 25:.2f} s")
            progress.advance()
        assert writer.frames == total, f"{writer.frames} frames were written, {total} were planned"
    _save_sheet(kept, labels, out.with_suffix(".sheet.png"))


def _save_sheet(frames: list[Pictures], labels: list[str], path: Path) -> None:
    twice = [Image.fromarray(f).resize((2 * f.shape[1], 2 * f.shape[0]), Resampling.BICUBIC) for f in frames]
    partial = path.with_name(f".{path.name}.partial")
    contact_sheet(twice, labels).save(partial, format="PNG")
    publish(partial, path)
