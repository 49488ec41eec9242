"""What was annotated, as groups to learn from: samples in the form of the rendered ones (`world.dataset`).

What an annotation does not hold is measured: landmarks and heads by the perception network, frame by frame, and how a
head moves from its landmarks. Nobody says who of a video speaks, so samples have no voices: trainers take them as sound
unknown. Expressions and cameras are left out, too; the maps then put all motion down to heads.

    dramatis-lab annotate VIDEOS -o OUT --groups GROUPS
    python -m dramatis_lab.train.group_windows --data GROUPS/people2 --model RUNS/mini --out RUNS/windows/own2
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
from dramatis.runtime.progress import Reporter, Stage
from dramatis.senses.seeing.people import Eye, Face
from dramatis.story.values import FPS, FrameSpan
from dramatis_lab.annotate.folder import check_output, find_videos
from dramatis_lab.annotate.records import Annotation, Segment, Shot, annotation_path, read_annotation
from dramatis_lab.world.takes.dataset import STRIDES, WINDOW, Arrays, Sample, write_samples

HEIGHT = 384
"""Largest height of what is kept of a frame, px: twice that of the largest frames that are learnt from."""
CLOSE = 1.15
"""Head heights between the centres of two heads: nearer, people hide parts of each other. Rendered groups that do have
0.57 to 1.01, the others 1.28 and more."""
SPAN = (WINDOW - 1) * STRIDES[0] + 1
"""Frames at 25 a second from which one sample is taken, where a stretch is that long."""
Frames = Iterator[tuple[int, NDArray[np.uint8]]]
"""A video's frames (H, W, 3) and their numbers, each read once."""


@dataclass(frozen=True)
class Stretch:
    """Frames of a shot in which everybody is kept, and the segments that hold them, from the left."""

    span: FrameSpan
    segments: tuple[Segment, ...]

    def owners(self, frame: int) -> NDArray[np.uint8]:
        """Whose each pixel of a frame of the video is, (H, W): 0 the background, k the k-th person."""
        masks = [decode_mask(segment.masks[frame - segment.span.start]) for segment in self.segments]
        return np.sum([number * mask for number, mask in enumerate(masks, 1)], 0, dtype=np.uint8)


@dataclass(frozen=True)
class Look:
    """One frame, as large as it is kept. frame: (H, W, 3).  owners: (H, W).  landmarks: (N, 68, 2) px."""

    frame: NDArray[np.uint8]
    owners: NDArray[np.uint8]
    landmarks: NDArray[np.float32]

    @classmethod
    def shrunk(cls, frame: NDArray[np.uint8], owners: NDArray[np.uint8], faces: Sequence[Face]) -> Look:
        """A frame of the video, no higher than `HEIGHT`."""
        height, width = owners.shape
        scale = min(1.0, HEIGHT / height)
        size = round(width * scale), round(height * scale)
        picture = Image.fromarray(frame).resize(size, Image.Resampling.LANCZOS)
        mask = Image.fromarray(owners).resize(size, Image.Resampling.NEAREST)
        change = np.array([size[0] / width, size[1] / height], np.float32)
        return cls(np.asarray(picture), np.asarray(mask), np.stack([face.landmarks for face in faces]) * change)


def stretches(annotation: Annotation) -> Iterator[Stretch]:
    """Where all people of a shot are kept at once, two or more, and nobody else was seen."""
    for shot in annotation.shots:
        if shot.people > 1 and not shot.unclaimed:
            yield from _of_shot(shot, annotation.segments)


def _of_shot(shot: Shot, segments: Sequence[Segment]) -> Iterator[Stretch]:
    inside = [one for one in segments if one.kept and shot.span.start <= one.span.start < shot.span.stop]
    borders = sorted({border for one in inside for border in (one.span.start, one.span.stop)})
    for start, stop in pairwise(borders):
        there = [one for one in inside if one.span.start <= start and stop <= one.span.stop]
        if len(there) == shot.people:
            yield Stretch(FrameSpan(start, stop), tuple(sorted(there, key=lambda one: one.person)))


def sampled(span: FrameSpan, fps: float) -> Iterator[NDArray[np.int64]]:
    """Frames of the video for each sample of a stretch, at 25 a second: the first, `WINDOW` consecutive ones and, where
    the stretch is long enough, as many strided ones."""
    count = int((span.stop - span.start - 1) * FPS / fps) + 1
    row = np.arange(WINDOW)
    short = np.concatenate([row[:1], row])
    long = np.concatenate([short, STRIDES[0] * row])
    for start in range(0, count - WINDOW + 1, SPAN):
        places = start + (long if start + SPAN <= count else short)
        yield span.start + np.round(places * fps / FPS).astype(int)


def samples_of(eye: Eye, video: Path, annotation: Annotation) -> Iterator[Sample]:
    """Every sample of a video, without those in which the network loses somebody's face. Raises UserError for a video
    that ends before its annotation does."""
    frames = enumerate(read_frames(video))
    for stretch in stretches(annotation):
        for index in sampled(stretch.span, annotation.fps):
            looks = looks_at(eye, frames, stretch, index)
            if looks is not None:
                yield sample(looks, index, annotation)


def looks_at(eye: Eye, frames: Frames, stretch: Stretch, index: NDArray[np.int64]) -> list[Look] | None:
    """What the frames `index` show, of `frames` that have not been read beyond the first of them; None where somebody's
    face is lost."""
    first, last = int(index[0]), int(index.max())
    faces: list[Face] | None = None
    looks: dict[int, Look] = {}
    for number, frame in frames:
        if number < first:
            continue
        owners = stretch.owners(number)
        faces = follow(eye, frame, owners, len(stretch.segments), faces)
        if faces is None:
            return None
        if number in index:
            looks[number] = Look.shrunk(frame, owners, faces)
        if number == last:
            return [looks[int(number)] for number in index]
    raise UserError(f"The video ends before frame {last}, which was annotated; annotate it again.")


def follow(
    eye: Eye, frame: NDArray[np.uint8], owners: NDArray[np.uint8], people: int, before: Sequence[Face] | None
) -> list[Face] | None:
    """The face of each of so many people, in the order of `owners` (H, W); None where one is not seen. before: their
    faces in the frame before, None to look for them."""
    own: dict[int, Face] = {}
    seen = eye.find(frame) if before is None else [eye.at(frame, face.closer) for face in before]
    for face in sorted(seen, key=lambda face: face.radius):
        x, y = face.centre.round().astype(int)
        if face.is_face() and 0 <= y < owners.shape[0] and 0 <= x < owners.shape[1]:
            own[int(owners[y, x])] = face
    return [own[person] for person in range(1, people + 1)] if set(own) >= set(range(1, people + 1)) else None


def sample(looks: Sequence[Look], index: NDArray[np.int64], annotation: Annotation) -> Sample:
    """The arrays and the row of one sample."""
    frames = np.stack([look.frame for look in looks])
    landmarks = np.stack([look.landmarks for look in looks], 1)
    heads = [[fit_head(marks) for marks in own] for own in landmarks]
    acted = [acted_by(own) for own in heads]
    anchors = [project(own[0], moved, frames.shape[1:3]) for own, moved in zip(heads, acted, strict=True)]
    arrays: Arrays = {
        "frames": frames,
        "index": index.astype(np.int32),
        "person": np.stack([look.owners for look in looks]),
        "landmarks": landmarks.astype(np.float16),
        "anchors": np.array(anchors, np.float16),
        "controls": np.stack([controls_of(moved) for moved in acted]).astype(np.float16),
    }
    row = {
        "caption": "",
        "whole_caption": "",
        "people": len(heads),
        "close": nearest([own[0] for own in heads]) < CLOSE,
        "video": annotation.video,
        "frame": int(index[0]),
    }
    return arrays, row


def acted_by(heads: Sequence[HeadFit]) -> Performance:
    """The performance of a head that moves so, all else at rest."""
    return replace(Performance.still(len(heads)), head=head_motion(heads))


def controls_of(acted: Performance) -> NDArray[np.float32]:
    """(F, 26) control vectors of a performance, its emotion left open."""
    controls = acted.vector()
    controls[:, EMOTION_COLUMNS] = 0
    return controls


def nearest(heads: Sequence[HeadFit]) -> float:
    """Head heights between the centres of the two heads that are nearest to each other."""
    return min(
        float(np.hypot(*(one.centre - other.centre)) / np.sqrt(one.scale * other.scale))
        for number, one in enumerate(heads)
        for other in heads[:number]
    )


def write_video(eye: Eye, videos: Path, annotation: Annotation, out: Path) -> int | None:
    """Write the samples of one video, each as a shard, and then what was done; how many, or None if it was done."""
    name = hashlib.sha256(annotation.video.encode()).hexdigest()[:12]
    done = out / "videos" / f"{name}.json"
    if done.exists() and json.loads(done.read_text())["key"] == annotation.key:
        return None
    for old in out.glob(f"people*/shard-{name}-*"):
        old.unlink()
    count = 0
    for arrays, row in samples_of(eye, videos / annotation.video, annotation):
        count += 1
        tensors = out / f"people{row['people']}" / f"shard-{name}-{row['frame']:06d}.safetensors"
        tensors.parent.mkdir(parents=True, exist_ok=True)
        write_samples(tensors, [(arrays, row)])
    write_whole(done, json.dumps({"video": annotation.video, "key": annotation.key, "samples": count}))
    return count


def write_groups(folder: Path, annotations: Path, out: Path, reporter: Reporter) -> int:
    """Write the samples of every video of `folder`, whose annotations are in `annotations`, unless that has been done;
    `out` gets a folder for each number of people. Returns how many were made.

    Raises UserError where `out` is a file, for an annotation that is damaged or missing, and for a video that has
    changed.
    """
    check_output(out, "groups")
    videos, eye, made = find_videos(folder), Eye.shipped(), 0
    with Stage(reporter, "groups", len(videos)) as stage:
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
