"""Turns annotated videos into training groups: samples in the form of the rendered ones (`world.takes.dataset`).

What an annotation does not hold is measured in the video: landmarks and heads by the perception network, frame by
frame, and the motion of a head from its landmarks. Nothing tells who speaks, so samples have no voices, and trainers
treat their sound as unknown. Expressions and cameras are left out too; the control maps attribute all motion to heads.

    dramatis-lab annotate VIDEOS -o OUT --groups GROUPS
    python -m dramatis_lab.data.precompute_groups --data GROUPS/people2 --model RUNS/mini --out RUNS/windows/own2
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dramatis.errors import UserError
from dramatis.media.masks import decode_mask
from dramatis.media.video import read_frames
from dramatis.motion.face import HeadFit, fit_head, head_motion, project
from dramatis.motion.performance import EMOTION_COLUMNS, Performance
from dramatis.runtime.files import write_whole
from dramatis.runtime.progress import Reporter, StageProgress
from dramatis.senses.seeing.eye import Eye, Face
from dramatis.senses.seeing.finder import person_finder
from dramatis.story.values import FPS, FrameSpan
from dramatis_lab.annotate.folder import check_output_folder, find_videos
from dramatis_lab.annotate.records import Annotation, Segment, VideoShot, annotation_path, read_annotation
from dramatis_lab.world.takes.dataset import FRAME_STRIDES, WINDOW_FRAMES, Arrays, Sample, write_samples

MAX_HEIGHT = 384
"""Largest height of a stored frame, px: twice that of the largest frames used in training."""
CLOSE_HEADS = 1.15
"""Head heights between the centres of two heads below which a group counts as close. Rendered groups whose people hide
parts of each other have 0.57 to 1.01, the others 1.28 and more."""
SAMPLE_SPAN = (WINDOW_FRAMES - 1) * FRAME_STRIDES[0] + 1
"""Frames at 25 a second that one sample spans, if the stretch is long enough."""
NumberedFrames = Iterator[tuple[int, NDArray[np.uint8]]]
"""The frames (H, W, 3) of a video with their numbers; each is read once."""


@dataclass(frozen=True)
class Stretch:
    """Frames of a shot in which every person has a kept mask. segments: one for each person, from the left."""

    span: FrameSpan
    segments: tuple[Segment, ...]

    def owners(self, frame: int) -> NDArray[np.uint8]:
        """(H, W) the person at each pixel of a frame of the video: 0 is the background, k the k-th person."""
        masks = [decode_mask(segment.masks[frame - segment.span.start]) for segment in self.segments]
        return np.sum([number * mask for number, mask in enumerate(masks, 1)], 0, dtype=np.uint8)


@dataclass(frozen=True)
class LabelledFrame:
    """One frame at the size of the sample. frame: (H, W, 3).  owners: (H, W).  landmarks: (N, 68, 2) px."""

    frame: NDArray[np.uint8]
    owners: NDArray[np.uint8]
    landmarks: NDArray[np.float32]

    @classmethod
    def shrunk(cls, frame: NDArray[np.uint8], owners: NDArray[np.uint8], faces: Sequence[Face]) -> LabelledFrame:
        """A frame of the video at no more than `MAX_HEIGHT`."""
        height, width = owners.shape
        scale = min(1.0, MAX_HEIGHT / height)
        size = round(width * scale), round(height * scale)
        picture = Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS)
        mask = Image.fromarray(owners).resize(size, Image.Resampling.NEAREST)
        change = np.array([size[0] / width, size[1] / height], np.float32)
        return cls(np.asarray(picture), np.asarray(mask), np.stack([face.landmarks for face in faces]) * change)


def complete_stretches(annotation: Annotation) -> Iterator[Stretch]:
    """Where two or more people, all of a shot, are kept at once and nobody else was seen."""
    for shot in annotation.shots:
        if shot.people > 1 and not shot.unclaimed:
            yield from _stretches_of_shot(shot, annotation.segments)


def _stretches_of_shot(shot: VideoShot, segments: Sequence[Segment]) -> Iterator[Stretch]:
    inside = [
        segment for segment in segments if segment.kept and shot.span.start <= segment.span.start < shot.span.stop
    ]
    borders = sorted({border for segment in inside for border in (segment.span.start, segment.span.stop)})
    for start, stop in pairwise(borders):
        present = [segment for segment in inside if segment.span.start <= start and stop <= segment.span.stop]
        if len(present) == shot.people:
            people = sorted(present, key=lambda segment: segment.person)
            yield Stretch(FrameSpan(start, stop), tuple(people))


def sample_indices(span: FrameSpan, fps: float) -> Iterator[NDArray[np.int64]]:
    """Frames of the video for each sample of a stretch, at 25 a second.

    A sample has the first frame, `WINDOW_FRAMES` consecutive ones and, if the stretch is long enough, as many strided
    ones.
    """
    count = int((span.stop - span.start - 1) * FPS / fps) + 1
    row = np.arange(WINDOW_FRAMES)
    short = np.concatenate([row[:1], row])
    long = np.concatenate([short, FRAME_STRIDES[0] * row])
    for start in range(0, count - WINDOW_FRAMES + 1, SAMPLE_SPAN):
        steps = start + (long if start + SAMPLE_SPAN <= count else short)
        yield span.start + np.round(steps * fps / FPS).astype(int)


def video_samples(eye: Eye, video: Path, annotation: Annotation) -> Iterator[Sample]:
    """Every sample of a video except those in which the network loses a face.

    Raises UserError for a video that is shorter than its annotation.
    """
    frames = enumerate(read_frames(video))
    for stretch in complete_stretches(annotation):
        for index in sample_indices(stretch.span, annotation.fps):
            looks = label_frames(eye, frames, stretch, index)
            if looks is not None:
                yield build_sample(looks, index, annotation)


def label_frames(
    eye: Eye, frames: NumberedFrames, stretch: Stretch, index: NDArray[np.int64]
) -> list[LabelledFrame] | None:
    """The labelled frames `index`, or None if a face is lost. frames: not yet read beyond the first of them."""
    first, last = int(index[0]), int(index.max())
    faces: list[Face] | None = None
    looks: dict[int, LabelledFrame] = {}
    for number, frame in frames:
        if number < first:
            continue
        owners = stretch.owners(number)
        faces = follow_faces(eye, frame, owners, len(stretch.segments), faces)
        if faces is None:
            return None
        if number in index:
            looks[number] = LabelledFrame.shrunk(frame, owners, faces)
        if number == last:
            return [looks[int(number)] for number in index]
    raise UserError(f"The video ends before frame {last}, which was annotated; annotate it again.")


def follow_faces(
    eye: Eye,
    frame: NDArray[np.uint8],
    owners: NDArray[np.uint8],
    people: int,
    before: Sequence[Face] | None,
) -> list[Face] | None:
    """The faces of so many people in the order of `owners` (H, W), or None if one is not seen.

    before: their faces in the frame before; None searches the whole frame.
    """
    faces_by_person: dict[int, Face] = {}
    candidates = eye.find(frame) if before is None else [eye.face_in(frame, face.crop_box) for face in before]
    for face in sorted((face for face in candidates if face is not None), key=lambda face: face.radius):
        x, y = face.centre.round().astype(int)
        if 0 <= y < owners.shape[0] and 0 <= x < owners.shape[1]:
            faces_by_person[int(owners[y, x])] = face
    return (
        [faces_by_person[person] for person in range(1, people + 1)]
        if set(faces_by_person) >= set(range(1, people + 1))
        else None
    )


def build_sample(looks: Sequence[LabelledFrame], index: NDArray[np.int64], annotation: Annotation) -> Sample:
    """The arrays of one sample and its row of the manifest."""
    frames = np.stack([look.frame for look in looks])
    landmarks = np.stack([look.landmarks for look in looks], 1)
    heads = [[fit_head(marks) for marks in of_person] for of_person in landmarks]
    performances = [head_performance(of_person) for of_person in heads]
    anchors = [
        project(of_person[0], performance, frames.shape[1:3])
        for of_person, performance in zip(heads, performances, strict=True)
    ]
    arrays: Arrays = {
        "frames": frames,
        "index": index.astype(np.int32),
        "person": np.stack([look.owners for look in looks]),
        "landmarks": landmarks.astype(np.float16),
        "anchors": np.array(anchors, np.float16),
        "controls": np.stack([control_vectors(performance) for performance in performances]).astype(np.float16),
    }
    row = {
        "caption": "",
        "whole_caption": "",
        "people": len(heads),
        "close": least_head_distance([of_person[0] for of_person in heads]) < CLOSE_HEADS,
        "video": annotation.video,
        "frame": int(index[0]),
    }
    return arrays, row


def head_performance(heads: Sequence[HeadFit]) -> Performance:
    """The performance of a head with this motion, with everything else at rest."""
    return replace(Performance.still(len(heads)), head=head_motion(heads))


def control_vectors(performance: Performance) -> NDArray[np.float32]:
    """(F, 26) control vectors of a performance without its emotion."""
    controls = performance.pack_controls()
    controls[:, EMOTION_COLUMNS] = 0
    return controls


def least_head_distance(heads: Sequence[HeadFit]) -> float:
    """Distance between the centres of the two nearest heads, in head heights."""
    return min(
        float(np.hypot(*(head.centre - other.centre)) / np.sqrt(head.scale * other.scale))
        for number, head in enumerate(heads)
        for other in heads[:number]
    )


def write_video(eye: Eye, videos: Path, annotation: Annotation, out: Path) -> int | None:
    """Write each sample of one video as a shard, then a record of it; the number of samples, or None if it was done."""
    name = hashlib.sha256(annotation.video.encode()).hexdigest()[:12]
    done = out / "videos" / f"{name}.json"
    if done.exists() and json.loads(done.read_text())["key"] == annotation.key:
        return None
    for old in out.glob(f"people*/shard-{name}-*"):
        old.unlink()
    count = 0
    for arrays, row in video_samples(eye, videos / annotation.video, annotation):
        count += 1
        tensors = out / f"people{row['people']}" / f"shard-{name}-{row['frame']:06d}.safetensors"
        tensors.parent.mkdir(parents=True, exist_ok=True)
        write_samples(tensors, [(arrays, row)])
    write_whole(done, json.dumps({"video": annotation.video, "key": annotation.key, "samples": count}))
    return count


def write_groups(folder: Path, annotations: Path, out: Path, reporter: Reporter) -> int:
    """Write the samples of every video of `folder` that has not been done, and return how many were written.

    annotations: the folder that `annotate_folder` wrote.  out: gets one folder for each number of people.  Raises
    UserError if `out` is a file, for an annotation that is damaged or missing, and for a video that has changed.
    """
    check_output_folder(out, "groups")
    videos, eye, made = find_videos(folder), person_finder().eye, 0
    with StageProgress(reporter, "groups", len(videos)) as stage:
        for video in videos:
            annotation = read_annotation(annotation_path(annotations, video))
            if annotation is None:
                raise UserError(f"The video {video} has no annotation in {annotations}; annotate it first.")
            count = write_video(eye, folder, annotation, out)
            if count is None:
                stage.skip(detail=video)
            else:
                made += count
                stage.advance(detail=f"{video}: {count} samples")
    return made
