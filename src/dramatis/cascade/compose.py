"""The last stage: finished sub-clips, in order, become one mp4 with the user's own sound.

Frames stream from the store to the encoder, one clip at a time and as soon as all clips before it are there, so memory
does not know the video's length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from dramatis.cascade.context import Set, stored
from dramatis.cascade.plan import ClipPlan
from dramatis.cascade.tone_curve import restored
from dramatis.media.image import Pictures
from dramatis.media.sheet import contact_sheet
from dramatis.media.video import VideoWriter
from dramatis.runtime.files import publish
from dramatis.runtime.progress import Stage

SHEET_PICTURES = 24


def compose(stage: Set, clips: ClipPlan, finished: Sequence[str], made: Iterable[str], audio: Path, out: Path) -> None:
    """Write the video, and a contact sheet of evenly spaced frames beside it.

    finished: artifacts of the sub-clips in order. made: artifacts of any stage as they come to be there, in any order;
    reading it is what drives the work.
    """
    total = stage.plan.frames
    shown = set(np.linspace(0, total - 1, min(SHEET_PICTURES, total)).round().astype(int).tolist())
    kept: list[Pictures] = []
    labels: list[str] = []
    height, width = stage.material.portrait.shape[:2]
    with (
        Stage(stage.reporter, "video", total) as progress,
        VideoWriter(out, (width, height), audio=audio) as writer,
    ):
        for number, filmed in enumerate(frames_in_order(stage, clips, finished, made)):
            frame = restored(filmed, stage.material.lift)
            writer.write(frame)
            if number in shown:
                kept.append(frame)
                labels.append(f"{number / 25:.2f} s")
            progress.advance()
        assert writer.frames == total, f"{writer.frames} frames were written, {total} were planned"
    _save_sheet(kept, labels, out.with_suffix(".sheet.png"))


def frames_in_order(stage: Set, clips: ClipPlan, finished: Sequence[str], made: Iterable[str]) -> Iterator[Pictures]:
    """Every frame of the video, (H, W, 3) uint8: at a shared keyframe the earlier clip keeps it."""
    waited_for = set(finished)
    there = set()
    place = 0
    for key in made:
        if key in waited_for:
            there.add(key)
        while place < len(finished) and finished[place] in there:
            clip = clips.clips[place]
            yield from stored(stage, finished[place])[clip.emit.start - clip.first : clip.emit.stop - clip.first]
            place += 1


def _save_sheet(frames: list[Pictures], labels: list[str], path: Path) -> None:
    partial = path.with_name(f".{path.name}.partial")
    contact_sheet([Image.fromarray(frame) for frame in frames], labels).save(partial, format="PNG")
    publish(partial, path)
