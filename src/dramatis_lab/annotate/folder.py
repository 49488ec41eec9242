"""Thousands of videos: found, annotated by several processes, and never annotated twice.

Each video becomes one file under `videos/`, written whole or not at all, under a key of the video's content, the parts
and the settings. A run that was killed goes on where it stopped. The manifest is put together from these files, in the
order of the videos, so that it does not depend on who annotated what and when.
"""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dramatis.errors import UserError
from dramatis.media.video import probe_video, read_frames
from dramatis.runtime.executor import Task, Workers, open_executor
from dramatis.runtime.files import hash_file, write_whole
from dramatis.runtime.progress import Reporter, Stage
from dramatis.runtime.store import ArtifactStore
from dramatis_lab.annotate.overlay import Overlay
from dramatis_lab.annotate.parts import Choice, open_parts
from dramatis_lab.annotate.pipeline import annotate_frames
from dramatis_lab.annotate.records import FORMAT, MANIFEST, Annotation, annotation_path, read_annotation
from dramatis_lab.annotate.settings import Settings
from dramatis_lab.annotate.units import Frame, Parts
from dramatis_lab.annotate.validate import Cause

SUFFIXES = (".mp4", ".mov", ".mkv", ".webm", ".m4v", ".avi")
OVERLAYS = "overlays"


@dataclass(frozen=True)
class Outcome:
    """What became of one video. made: annotated now, not in an earlier run.  lines: its part of the manifest."""

    video: str
    made: bool
    lines: tuple[dict[str, object], ...]

    @property
    def said(self) -> str:
        """For the progress."""
        kept = sum(bool(line["kept"]) for line in self.lines)
        return f"{self.video}: {kept} kept, {len(self.lines) - kept} rejected"


@dataclass(frozen=True)
class Summary:
    """What became of a folder. causes: how many lines of the manifest were rejected for each."""

    manifest: Path
    videos: int
    made: int
    kept: int
    frames: int
    causes: dict[str, int]


def find_videos(folder: str | Path) -> list[str]:
    """The videos in a folder and its sub-folders, as paths relative to it, in order. UserError if there is none."""
    root = Path(folder)
    if not root.is_dir():
        raise UserError(f"The folder {root} does not exist or is a file; give the folder that holds the videos.")
    files = (path for path in root.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    videos = sorted(path.relative_to(root).as_posix() for path in files)
    if not videos:
        raise UserError(f"The folder {root} holds no videos; put {', '.join(SUFFIXES)} files into it.")
    return videos


def check_output(output: Path, what: str) -> None:
    """Raise UserError where `what` cannot be written into a folder `output`, for it is a file."""
    if output.exists() and not output.is_dir():
        raise UserError(f"The output {output} is a file; give a folder to write the {what} into.")


def annotate_folder(
    folder: Path, output: Path, choice: Choice, settings: Settings, workers: int, reporter: Reporter
) -> Summary:
    """Annotate every video of `folder` into `output`; the bytes written do not depend on `workers`.

    Raises UserError for a folder without videos, an output that cannot be written, and parts that cannot be opened. A
    video that cannot be read is rejected in the manifest.
    """
    videos = find_videos(folder)
    check_output(output, "annotations")
    open_parts(choice)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"The output {output} cannot be made ({error.strerror}); choose another place.") from error
    work = partial(annotate_video, folder, output, choice, settings)
    outcomes: dict[str, Outcome] = {}
    with (
        open_executor(Workers.PROCESSES, workers, ready_worker) as executor,
        Stage(reporter, "annotation", len(videos)) as stage,
    ):
        for result in executor.map(Task(video, work, (video,)) for video in videos):
            outcome = outcomes[result.key] = result.value
            (stage.advance if outcome.made else stage.skip)(detail=outcome.said)
    lines = [line for video in videos for line in outcomes[video].lines]
    write_whole(output / MANIFEST, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
    return summarise(output / MANIFEST, lines, outcomes)


def summarise(manifest: Path, lines: list[dict[str, object]], outcomes: dict[str, Outcome]) -> Summary:
    """Counts over all lines of a manifest."""
    kept = [line for line in lines if line["kept"]]
    causes = Counter(str(line["cause"]) for line in lines if not line["kept"])
    made = sum(outcome.made for outcome in outcomes.values())
    frames = sum(int(str(line["stop"])) - int(str(line["start"])) for line in kept)
    return Summary(manifest, len(outcomes), made, len(kept), frames, dict(causes.most_common()))


def ready_worker() -> None:
    """One computing thread in each process: sums in another order would be other bytes."""
    import torch

    torch.set_num_threads(1)


def annotate_video(folder: Path, output: Path, choice: Choice, settings: Settings, video: str) -> Outcome:
    """Annotate one video, unless that has been done; its file is written last, when its overlay is there."""
    parts = open_parts(choice)
    key = ArtifactStore.key(
        {
            "format": FORMAT,
            "video": hash_file(folder / video),
            "parts": parts.identity,
            "settings": settings.model_dump(),
        }
    )
    path = annotation_path(output, video)
    found = read_annotation(path)
    if found is not None and found.key == key and found.video == video:
        return Outcome(video, False, tuple(found.lines()))
    overlay = Overlay()
    annotation = _annotate(folder / video, Annotation(key=key, video=video), parts, settings, overlay)
    sheet = overlay.draw(annotation.segments)
    if sheet is not None:
        picture = io.BytesIO()
        sheet.save(picture, "PNG")
        write_whole(output / OVERLAYS / f"{video}.png", picture.getvalue())
    write_whole(path, annotation.model_dump_json() + "\n")
    return Outcome(video, True, tuple(annotation.lines()))


class _Unreadable(Exception):
    """Why a video could not be read to its end."""


def _annotate(path: Path, blank: Annotation, parts: Parts, settings: Settings, overlay: Overlay) -> Annotation:
    try:
        info = probe_video(path)
        shots, segments = annotate_frames(_steady(path), parts, settings, overlay.watch)
    except (UserError, _Unreadable) as error:
        return blank.model_copy(update={"cause": Cause.UNREADABLE, "detail": _without(path, str(error))})
    facts = {"frames": shots[-1].span.stop, "size": info.size, "fps": info.fps}
    nobody = {} if segments else {"cause": Cause.NOBODY, "detail": "nobody was detected in any frame"}
    return blank.model_copy(update={**facts, **nobody, "shots": tuple(shots), "segments": tuple(segments)})


def _steady(path: Path) -> Iterator[Frame]:
    """The frames of a video that has some, all of one size."""
    size = None
    for frame in read_frames(path):
        if size not in (None, frame.shape):
            raise _Unreadable("the pictures change their size; convert the video to one size.")
        size = frame.shape
        yield frame
    if size is None:
        raise _Unreadable("the video holds no frames; export or download it again.")


def _without(path: Path, text: str) -> str:
    """The text without the place of the video, which the manifest names itself and which may move."""
    return text.replace(f"{path} ", "").replace(str(path), path.name)
