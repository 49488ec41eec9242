"""Annotates whole folders of videos in several processes, each video once.

Each video becomes one file under `videos/`, written whole or not at all, with a key made of the video's content, the
parts and the settings. A run that was killed resumes where it stopped. The manifest is assembled from these files in
the order of the videos, so it does not depend on which process annotated what, or when.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dramatis.backbones.base import one_thread
from dramatis.errors import UserError
from dramatis.media.video import probe_video, read_frames
from dramatis.runtime.executor import Task, Workers, open_executor
from dramatis.runtime.files import hash_file, write_whole
from dramatis.runtime.progress import Reporter, StageProgress
from dramatis.runtime.store import ArtifactStore
from dramatis_lab.annotate.overlay import Overlay
from dramatis_lab.annotate.parts import PartChoice, open_parts
from dramatis_lab.annotate.pipeline import annotate_frames
from dramatis_lab.annotate.records import ANNOTATION_FORMAT, MANIFEST, Annotation, annotation_path, read_annotation
from dramatis_lab.annotate.settings import AnnotationSettings
from dramatis_lab.annotate.units import Frame, Parts
from dramatis_lab.annotate.verdicts import Cause

VIDEO_SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".m4v", ".avi")
OVERLAYS = "overlays"


@dataclass(frozen=True)
class VideoOutcome:
    """The result for one video. lines: its part of the manifest.  made: annotated in this run, not before."""

    video: str
    lines: tuple[dict[str, object], ...]
    made: bool

    @property
    def summary(self) -> str:
        """One line for the progress display."""
        kept = sum(bool(line["kept"]) for line in self.lines)
        return f"{self.video}: {kept} kept, {len(self.lines) - kept} rejected"


@dataclass(frozen=True)
class FolderSummary:
    """The result for a folder. causes: how many lines of the manifest were rejected for each cause."""

    manifest: Path
    videos: int
    made: int
    kept: int
    frames: int
    causes: dict[str, int]


def find_videos(folder: str | Path) -> list[str]:
    """The videos in a folder and its sub-folders, as sorted relative paths. Raises UserError if there are none."""
    root = Path(folder)
    if not root.is_dir():
        raise UserError(f"The folder {root} does not exist or is a file; give the folder that holds the videos.")
    files = (path for path in root.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES and path.is_file())
    videos = sorted(path.relative_to(root).as_posix() for path in files)
    if not videos:
        raise UserError(f"The folder {root} holds no videos; put {', '.join(VIDEO_SUFFIXES)} files into it.")
    return videos


def check_output_folder(output: Path, what: str) -> None:
    """Raise UserError if `output` is a file, so that `what` ("groups") cannot be written into it."""
    if output.exists() and not output.is_dir():
        raise UserError(f"The output {output} is a file; give a folder to write the {what} into.")


def annotate_folder(
    folder: Path, output: Path, choice: PartChoice, settings: AnnotationSettings, workers: int, reporter: Reporter
) -> FolderSummary:
    """Annotate every video of `folder` into `output`; the bytes written do not depend on `workers`.

    Raises UserError for a folder without videos, an output that cannot be written and parts that cannot be opened. A
    video that cannot be read is rejected in the manifest.
    """
    videos = find_videos(folder)
    check_output_folder(output, "annotations")
    open_parts(choice)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The output {output} cannot be made ({error.strerror}); choose another place.") from error
    work = partial(annotate_video, folder, output, choice, settings)
    outcomes: dict[str, VideoOutcome] = {}
    with (
        open_executor(Workers.PROCESSES, workers, one_thread) as executor,
        StageProgress(reporter, "annotation", len(videos)) as stage,
    ):
        for result in executor.map(Task(video, work, (video,)) for video in videos):
            outcome = outcomes[result.key] = result.value
            (stage.advance if outcome.made else stage.skip)(detail=outcome.summary)
    lines = [line for video in videos for line in outcomes[video].lines]
    write_whole(output / MANIFEST, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    return summarise(output / MANIFEST, lines, outcomes)


def summarise(manifest: Path, lines: list[dict[str, object]], outcomes: dict[str, VideoOutcome]) -> FolderSummary:
    """Counts over all lines of a manifest."""
    kept = [line for line in lines if line["kept"]]
    causes = Counter(str(line["cause"]) for line in lines if not line["kept"])
    made = sum(outcome.made for outcome in outcomes.values())
    frames = sum(int(str(line["stop"])) - int(str(line["start"])) for line in kept)
    return FolderSummary(manifest, len(outcomes), made, len(kept), frames, dict(causes.most_common()))


def annotate_video(
    folder: Path, output: Path, choice: PartChoice, settings: AnnotationSettings, video: str
) -> VideoOutcome:
    """Annotate one video unless that has been done; its file is written last, after its overlay."""
    parts = open_parts(choice)
    key = ArtifactStore.key(
        {
            "format": ANNOTATION_FORMAT,
            "video": hash_file(folder / video),
            "parts": parts.identity,
            "settings": settings.model_dump(),
        }
    )
    path = annotation_path(output, video)
    earlier = read_annotation(path)
    if earlier is not None and earlier.key == key and earlier.video == video:
        return VideoOutcome(video, tuple(earlier.lines()), made=False)
    overlay = Overlay()
    annotation = _annotate(folder / video, Annotation(key=key, video=video), parts, settings, overlay)
    sheet = overlay.draw(annotation.segments)
    if sheet is not None:
        picture = io.BytesIO()
        sheet.save(picture, "PNG")
        write_whole(output / OVERLAYS / f"{video}.png", picture.getvalue())
    write_whole(path, annotation.model_dump_json() + "\n")
    return VideoOutcome(video, tuple(annotation.lines()), made=True)


class _Unreadable(Exception):
    """Why a video could not be read to its end."""


def _annotate(
    path: Path, blank: Annotation, parts: Parts, settings: AnnotationSettings, overlay: Overlay
) -> Annotation:
    try:
        info = probe_video(path)
        shots, segments = annotate_frames(_steady(path), parts, settings, overlay.add)
    except (UserError, _Unreadable) as error:
        return blank.model_copy(update={"cause": Cause.UNREADABLE, "detail": _without(path, str(error))})
    facts = {"frames": shots[-1].span.stop, "size": info.size, "fps": info.fps}
    nobody = {} if segments else {"cause": Cause.NOBODY, "detail": "nobody was detected in any frame"}
    return blank.model_copy(update={**facts, **nobody, "shots": tuple(shots), "segments": tuple(segments)})


def _steady(path: Path) -> Iterator[Frame]:
    """The frames of a video; raises _Unreadable if there are none or if their sizes differ."""
    size = None
    for frame in read_frames(path):
        if size not in (None, frame.shape):
            raise _Unreadable("The frames change their size; convert the video to one size.")
        size = frame.shape
        yield frame
    if size is None:
        raise _Unreadable("The video holds no frames; export or download it again.")


def _without(path: Path, text: str) -> str:
    """The text without the folder of the video, which may be moved; the manifest names the video itself."""
    return text.replace(f"{path} ", "").replace(str(path), path.name)
