from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from dramatis.errors import UserError
from dramatis.media.video import VideoWriter
from dramatis.runtime.progress import NullReporter, Progress
from dramatis_lab.annotate import folder as folders
from dramatis_lab.annotate.folder import annotate_folder, annotate_video, find_videos
from dramatis_lab.annotate.parts import PartChoice
from dramatis_lab.annotate.records import MANIFEST, read_annotations
from dramatis_lab.annotate.settings import AnnotationSettings
from dramatis_lab.annotate.units import Frame
from tests.dramatis_lab.annotate.squares import GROUND, HEIGHT, SIDE, WIDTH, parts
from tests.dramatis_lab.annotate.test_embedded import portrait

SETTINGS = AnnotationSettings(least_frames=4, margin=0)


def write(path: Path, frames: list[Frame]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = frames[0].shape[:2]
    with VideoWriter(path, (width, height)) as video:
        for frame in frames:
            video.write(frame)
    return path


def grey(level: int) -> list[Frame]:
    """Six frames with a bright square, without colour: the video's code cannot change what is exact."""
    frame = np.full((HEIGHT, WIDTH, 3), GROUND, np.uint8)
    frame[20 : 20 + SIDE, 20 : 20 + SIDE] = level
    return [frame] * 6


@pytest.fixture
def videos(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three videos in two folders, one that is none, and a text; annotated by squares in this process."""
    monkeypatch.setattr(folders, "open_parts", lambda _: parts())
    root = tmp_path / "videos in"
    write(root / "b.mp4", grey(230))
    write(root / "a" / "c.mp4", grey(200))
    write(root / "a.mp4", grey(220))
    (root / "broken.mp4").write_text("not a video")
    (root / "notes.txt").write_text("no video either")
    return root


def annotate(videos: Path, out: Path, **options: object) -> folders.FolderSummary:
    given = {"settings": SETTINGS, "workers": 1, "reporter": NullReporter()} | options
    return annotate_folder(videos, out, PartChoice(), given["settings"], given["workers"], given["reporter"])  # type: ignore[arg-type]


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_every_video_has_its_lines_in_order(videos: Path, tmp_path: Path) -> None:
    summary = annotate(videos, tmp_path / "out")
    lines = [json.loads(line) for line in (tmp_path / "out" / MANIFEST).read_text().splitlines()]
    assert [line["video"] for line in lines] == ["a.mp4", "a/c.mp4", "b.mp4", "broken.mp4"]
    assert lines[-1]["cause"] == "unreadable"
    assert "cannot be read" in lines[-1]["detail"]
    assert str(tmp_path) not in lines[-1]["detail"]
    assert (summary.videos, summary.made) == (4, 4)
    assert summary.causes["unreadable"] == 1
    assert [found.video for found in read_annotations(tmp_path / "out")] == ["a.mp4", "a/c.mp4", "b.mp4", "broken.mp4"]
    with Image.open(tmp_path / "out" / "overlays" / "a" / "c.mp4.png") as sheet:
        assert sheet.width > WIDTH


def test_a_second_run_makes_only_what_is_missing_or_changed(videos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    annotate(videos, out)
    before = contents(out)
    assert annotate(videos, out).made == 0
    cut_short = out / "videos" / "a.mp4.json"
    cut_short.write_bytes(cut_short.read_bytes()[:40])  # as a full disk would leave a file that is not written whole
    (out / "videos" / "b.mp4.json").unlink()
    assert annotate(videos, out).made == 2
    assert contents(out) == before
    write(videos / "b.mp4", grey(180))
    assert annotate(videos, out).made == 1
    assert annotate(videos, out, settings=AnnotationSettings(least_frames=5, margin=0)).made == 4


def test_a_killed_run_goes_on_and_ends_in_the_same_bytes(
    videos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    annotate(videos, tmp_path / "whole")
    done: list[str] = []

    def stops(*arguments: object) -> folders.VideoOutcome:
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(str(arguments[-1]))
        return annotate_video(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(folders, "annotate_video", stops)
        with pytest.raises(KeyboardInterrupt):
            annotate(videos, tmp_path / "out")
    assert not (tmp_path / "out" / MANIFEST).exists()
    assert annotate(videos, tmp_path / "out").made == 2
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_progress_counts_videos(videos: Path, tmp_path: Path) -> None:
    events: list[Progress] = []

    class Listener(NullReporter):
        def report(self, event: Progress) -> None:
            events.append(event)

    annotate(videos, tmp_path / "out", reporter=Listener())
    assert [event.done for event in events] == [0, 1, 2, 3, 4]
    assert {event.total for event in events} == {4}
    assert events[2].eta is not None
    assert events[-1].detail == "broken.mp4: 0 kept, 1 rejected"


@pytest.mark.timeout(600)  # two processes import everything afresh, which takes minutes where others are at work
def test_processes_give_the_bytes_of_one(tmp_path: Path) -> None:
    """With the embedded parts, as users run it."""
    root = tmp_path / "videos"
    for name, columns in (("a.mp4", 2), ("b.mp4", 1)):
        write(root / name, [np.concatenate([np.roll(portrait(), t, 0)] * columns, 1) for t in range(3)])
    for workers in (1, 2):
        annotate(root, tmp_path / f"out-{workers}", workers=workers, settings=AnnotationSettings(least_frames=3))
    assert contents(tmp_path / "out-1") == contents(tmp_path / "out-2")
    kept = [segment.kept for found in read_annotations(tmp_path / "out-1") for segment in found.segments]
    assert kept == [True] * 3


def test_a_folder_without_videos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="does not exist"):
        find_videos(tmp_path / "none")
    with pytest.raises(UserError, match="holds no videos"):
        find_videos(tmp_path)


def test_an_output_that_is_a_file_is_refused(videos: Path, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("")
    with pytest.raises(UserError, match="is a file"):
        annotate(videos, tmp_path / "out")
