"""The record of an annotated video: its shots, and every segment with its masks or the cause of its rejection."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from dramatis.errors import UserError
from dramatis.media.masks import Rle, decode_mask
from dramatis.story.values import FrameSpan, Value
from dramatis_lab.annotate.settings import AnnotationSettings
from dramatis_lab.annotate.verdicts import Cause, MaskVerdict

ANNOTATION_FORMAT: Literal[1] = 1
"""Format of the files; a change of format annotates every video again."""
VIDEOS = "videos"
MANIFEST = "manifest.jsonl"


class Segment(Value):
    """One person in consecutive frames of a shot, kept for training or rejected.

    person: number within the shot, from the left.  span: frames of the video.  cause, detail: why it was rejected.
    masks: one for each frame of a kept segment, in COCO's compressed form; none for a rejected one.
    """

    person: int
    span: FrameSpan
    kept: bool
    cause: Cause | None = None
    detail: str = ""
    masks: tuple[Rle, ...] = ()

    def pixels(self) -> NDArray[np.bool_]:
        """The masks, (F, H, W)."""
        return np.stack([decode_mask(mask) for mask in self.masks])


class VideoShot(Value):
    """Frames between two cuts, or until a newcomer is followed.

    people: found in its first frame.  unclaimed: frames with more people than masks.
    """

    span: FrameSpan
    people: int
    unclaimed: int = 0


class Annotation(Value):
    """Everything about one video. key: hash of the video and of all that annotated it.  size: (width, height).

    cause, detail: why the whole video was rejected, if it was.
    """

    format: Literal[1] = ANNOTATION_FORMAT
    key: str
    video: str
    frames: int = 0
    size: tuple[int, int] = (0, 0)
    fps: float = 0.0
    shots: tuple[VideoShot, ...] = ()
    segments: tuple[Segment, ...] = ()
    cause: Cause | None = None
    detail: str = ""

    def lines(self) -> Iterator[dict[str, object]]:
        """Its lines of the manifest: one for each segment, or a single one if it has none."""
        if not self.segments:
            yield {"video": self.video, "kept": False, "cause": self.cause, "detail": self.detail}
        for segment in self.segments:
            yield {
                "video": self.video,
                "person": segment.person,
                "start": segment.span.start,
                "stop": segment.span.stop,
                "kept": segment.kept,
                "cause": segment.cause,
                "detail": segment.detail,
            }


def read_annotations(folder: str | Path) -> Iterator[Annotation]:
    """Everything that `dramatis-lab annotate` wrote into a folder, in the order of the manifest.

    Raises UserError for a folder without annotations and for a file that is damaged.
    """
    root = Path(folder) / VIDEOS
    paths = sorted(root.rglob("*.json"), key=lambda path: path.relative_to(root).as_posix().removesuffix(".json"))
    if not paths:
        raise UserError(f"The folder {folder} holds no annotations; run `dramatis-lab annotate VIDEOS -o {folder}`.")
    for path in paths:
        annotation = read_annotation(path)
        if annotation is None:
            raise UserError(f"The annotation {path} is damaged; delete it and annotate again.")
        yield annotation


def annotation_path(folder: Path, video: str) -> Path:
    """The file of a video in a folder of annotations. video: its path in the folder of videos."""
    return folder / VIDEOS / f"{video}.json"


def read_annotation(path: Path) -> Annotation | None:
    """One annotation, or None if its file is missing, cut short or of another format."""
    try:
        return Annotation.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def cut_segments(
    person: int, start: int, verdicts: Sequence[MaskVerdict], masks: Sequence[Rle], settings: AnnotationSettings
) -> list[Segment]:
    """The frames of one person in a shot that begins at frame `start`, as segments that cover all of them.

    Sound frames become kept segments, less the margins next to a fault, where enough of them are left; the frames
    between are rejected with their commonest cause.
    """
    kept = kept_frames(np.array([verdict.cause is None for verdict in verdicts], bool), settings)
    borders = [0, *(np.flatnonzero(np.diff(kept)) + 1).tolist(), len(kept)]
    segments = []
    for first, stop in pairwise(borders):
        span = FrameSpan(start + first, start + stop)
        if kept[first]:
            segments.append(Segment(person=person, span=span, kept=True, masks=tuple(masks[first:stop])))
        else:
            cause, detail = commonest_cause(verdicts[first:stop], settings)
            segments.append(Segment(person=person, span=span, kept=False, cause=cause, detail=detail))
    return segments


def kept_frames(sound: NDArray[np.bool_], settings: AnnotationSettings) -> NDArray[np.bool_]:
    """(F,) which frames are kept: sound ones, not next to a fault, in runs that are long enough."""
    kept = sound.copy()
    for fault in np.flatnonzero(~sound):
        kept[max(0, fault - settings.margin) : fault + settings.margin + 1] = False
    borders = np.flatnonzero(np.diff(kept.astype(int), prepend=0, append=0)).reshape(-1, 2)
    for first, stop in borders:
        if stop - first < settings.least_frames:
            kept[first:stop] = False
    return kept


def commonest_cause(verdicts: Sequence[MaskVerdict], settings: AnnotationSettings) -> tuple[Cause, str]:
    """The commonest cause of frames that are not kept; how many have it, and their median value."""
    faults = [(verdict.cause, verdict.value) for verdict in verdicts if verdict.cause is not None]
    if not faults:
        return Cause.TOO_SHORT, f"{len(verdicts)} frames, fewer than {settings.least_frames}"
    cause, count = Counter(cause for cause, _ in faults).most_common(1)[0]
    middle = float(np.median([value for other, value in faults if other is cause]))
    return cause, f"{count} of {len(verdicts)} frames, median {middle:.2f}"
