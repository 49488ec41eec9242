"""Groups from annotations: the example's portrait and its mirror image, drifting to the right."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from dramatis.errors import UserError
from dramatis.media.masks import encode_mask
from dramatis.motion.face import fit_head
from dramatis.motion.performance import CONTROL_NAMES, EMOTION_COLUMNS, Performance
from dramatis.runtime.files import write_whole
from dramatis.runtime.progress import NullReporter
from dramatis.senses.seeing.eye import Eye
from dramatis.story.values import FrameSpan
from dramatis_lab.annotate.groups import (
    SAMPLE_SPAN,
    complete_stretches,
    follow_faces,
    least_head_distance,
    sample_indices,
    video_samples,
    write_groups,
    write_video,
)
from dramatis_lab.annotate.records import Annotation, Segment, VideoShot
from dramatis_lab.data.shards import ShardDataset
from dramatis_lab.world.takes.dataset import WINDOW_FRAMES
from tests.dramatis_lab.annotate.test_embedded import SIDE, pair
from tests.dramatis_lab.annotate.test_folder import write

FRAMES = 31


def annotation_of(eye: Eye, kept: tuple[FrameSpan, FrameSpan], unclaimed: int = 0, key: str = "1") -> Annotation:
    masks = eye.outlines(pair(), eye.find(pair())) > 0.5
    segments = tuple(
        Segment(
            person=person,
            span=span,
            kept=True,
            masks=tuple(encode_mask(np.roll(masks[person], frame // 2, 1)) for frame in span),
        )
        for person, span in enumerate(kept)
    )
    shots = (VideoShot(span=FrameSpan(0, FRAMES), people=2, unclaimed=unclaimed),)
    size = 2 * SIDE, SIDE
    return Annotation(key=key, video="pair.mp4", frames=FRAMES, size=size, fps=25.0, shots=shots, segments=segments)


@pytest.fixture(scope="module")
def videos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("videos")
    write(folder / "pair.mp4", [pair(frame // 2) for frame in range(FRAMES)])
    return folder


@pytest.fixture(scope="module")
def annotation(eye: Eye) -> Annotation:
    return annotation_of(eye, (FrameSpan(0, FRAMES), FrameSpan(1, FRAMES)))


def test_stretches_are_where_everybody_is_kept(eye: Eye, annotation: Annotation) -> None:
    (stretch,) = complete_stretches(annotation)
    assert stretch.span == FrameSpan(1, FRAMES)
    owners = stretch.owners(20)
    assert set(np.unique(owners)) == {0, 1, 2}
    assert np.array_equal(owners == 2, annotation.segments[1].pixels()[19])
    assert not list(complete_stretches(annotation_of(eye, (FrameSpan(0, 5), FrameSpan(9, 12))))), "one after the other"
    assert not list(complete_stretches(annotation_of(eye, (FrameSpan(0, 9), FrameSpan(0, 9)), unclaimed=1))), (
        "somebody else"
    )


def test_frames_are_drawn_at_25_a_second() -> None:
    (dense,) = sample_indices(FrameSpan(7, 7 + WINDOW_FRAMES), 25.0)
    assert dense.tolist() == [7, *range(7, 7 + WINDOW_FRAMES)]
    assert not list(sample_indices(FrameSpan(0, WINDOW_FRAMES - 1), 25.0))
    first, second = sample_indices(FrameSpan(10, 10 + SAMPLE_SPAN + WINDOW_FRAMES), 25.0)
    assert len(first) == 2 * WINDOW_FRAMES + 1
    assert first[-1] == 10 + SAMPLE_SPAN - 1
    assert second[0] == 10 + SAMPLE_SPAN
    (fast,) = sample_indices(FrameSpan(0, 2 * WINDOW_FRAMES), 50.0)
    assert fast.tolist() == [0, *range(0, 2 * WINDOW_FRAMES, 2)]
    (slow,) = sample_indices(FrameSpan(0, WINDOW_FRAMES), 20.0)
    assert len(slow) == WINDOW_FRAMES + 1
    assert slow[-1] < WINDOW_FRAMES


def test_a_sample_tells_where_everybody_is_and_how_heads_move(eye: Eye, videos: Path, annotation: Annotation) -> None:
    ((arrays, row),) = video_samples(eye, videos / "pair.mp4", annotation)
    assert row == {"caption": "", "whole_caption": "", "people": 2, "close": False, "video": "pair.mp4", "frame": 1}
    count, size = WINDOW_FRAMES + 1, (SIDE, 2 * SIDE)
    shapes = {
        "frames": (count, *size, 3), "index": (count,), "person": (count, *size), "landmarks": (2, count, 68, 2),
        "anchors": (2, count, 9, 2), "controls": (2, count, len(CONTROL_NAMES)),
    }  # fmt: skip
    assert {name: array.shape for name, array in arrays.items()} == shapes, "and no voices, for nobody said whose"
    moved = arrays["landmarks"].astype(float).mean(2)
    assert np.abs(moved[:, -1] - moved[:, 0] - [15, 0]).max() < 1.5
    nose = arrays["landmarks"][:, :, 30].astype(float)
    owner = [[arrays["person"][t, int(y), int(x)] for t, (x, y) in enumerate(own)] for own in nose]
    assert np.array_equal(owner, [[1] * count, [2] * count])
    for person in range(2):
        acted = Performance.from_controls(arrays["controls"][person].astype(np.float32))
        scale = fit_head(arrays["landmarks"][person, 0].astype(float)).scale
        assert acted.head[-1, 3] == pytest.approx(15 / scale, abs=0.03)
        assert np.abs(acted.head[:, :3]).max() < 0.15
        assert not arrays["controls"][person][:, EMOTION_COLUMNS].any(), "left open"


def test_a_sample_in_which_a_face_is_lost_is_left_out(eye: Eye, tmp_path: Path, annotation: Annotation) -> None:
    frames = [pair(frame // 2) for frame in range(FRAMES)]
    frames[20] = np.full_like(frames[20], 90)
    assert not list(video_samples(eye, write(tmp_path / "pair.mp4", frames), annotation))


def test_a_face_outside_its_mask_is_nobodys(eye: Eye) -> None:
    owners = np.zeros((SIDE, 2 * SIDE), np.uint8)
    owners[:, :SIDE], owners[:, SIDE:] = 1, 2
    faces = follow_faces(eye, pair(), owners, 2, None)
    assert faces is not None
    assert faces[0].centre[0] < SIDE < faces[1].centre[0]
    assert least_head_distance([fit_head(face.landmarks) for face in faces]) > 1.15
    assert follow_faces(eye, pair(), np.where(owners == 2, 0, owners).astype(np.uint8), 2, faces) is None


def test_a_video_that_ends_too_early_is_named(eye: Eye, tmp_path: Path, annotation: Annotation) -> None:
    short = write(tmp_path / "pair.mp4", [pair()] * 9)
    with pytest.raises(UserError, match="ends before frame 29, which was annotated; annotate it again"):
        list(video_samples(eye, short, annotation))


def test_videos_are_done_once_and_anew_when_annotated_anew(
    eye: Eye, videos: Path, annotation: Annotation, tmp_path: Path
) -> None:
    write_whole(tmp_path / "notes" / "videos" / "pair.mp4.json", annotation.model_dump_json())
    write_whole(tmp_path / "notes" / "videos" / "gone.mp4.json", annotation.model_dump_json())
    made = [write_groups(videos, tmp_path / "notes", tmp_path / "out", NullReporter()) for _ in range(2)]
    assert made == [1, 0]
    data = ShardDataset(tmp_path / "out" / "people2")
    assert len(data) == 1
    assert data.row(0)["video"] == "pair.mp4"
    assert not data.has(0, "audio")
    again = annotation_of(eye, (FrameSpan(2, FRAMES), FrameSpan(1, FRAMES)), key="2")
    assert write_video(eye, videos, again, tmp_path / "out") == 1
    (row,) = [json.loads(path.read_text())[0] for path in (tmp_path / "out" / "people2").glob("*.json")]
    assert row["frame"] == 2


def test_what_cannot_be_written_is_refused(videos: Path, annotation: Annotation, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="file is a file; give a folder"):
        write_groups(videos, tmp_path, tmp_path / "file", NullReporter())
    write_whole(
        tmp_path / "videos" / "other.mp4.json", annotation.model_copy(update={"video": "other.mp4"}).model_dump_json()
    )
    with pytest.raises(UserError, match=r"pair.mp4 has no annotation in .*; annotate it first"):
        write_groups(videos, tmp_path, tmp_path / "out", NullReporter())
