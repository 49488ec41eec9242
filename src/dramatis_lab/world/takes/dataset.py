"""Writes takes as shards for training: frames with exact ground truth, sound and captions.

A shard is one safetensors file of a few dozen samples with one JSON manifest beside it. The seed of a sample depends on
the seed of the data set, the split, the shard and the sample's index, never on the process or the time. So a killed run
resumes where it stopped, several processes share the work, and a shard written again has equal bytes.

Arrays of sample i (T pictures of a timeline of F frames at 25 fps, pixels x right and y down)::

    {i}/frames    (T, H, W, 3) uint8   the reference (frame 0), 29 consecutive frames, 29 at one stride from 0 (these
                                       are left out where the recipe says so)
    {i}/index     (T,) int32           their indices on the timeline
    {i}/audio     (640 F,) int16       16 kHz, for the whole timeline
    {i}/controls  (T, 26) float16      `Performance.vector()` of the person who speaks
    {i}/anchors   (T, 9, 2) float16    the rigid points of that person's head, px
    {i}/landmarks (T, 68, 2) float16   that person's landmarks, px
    {i}/visemes   (F, 16) float16      shares of the viseme classes
    {i}/opening   (F,) float16         gap of the inner lips over the distance of the outer eye corners (3-D)
    {i}/person    (T, H, W) uint8      0 background, k the k-th person of the scene (1 speaks)
    {i}/face      (T, H, W) uint8      1 where the skin of a face or what lies in it is seen

Groups (a recipe with `people`) have all this for all N people: audio, controls, anchors, landmarks, visemes and opening
begin with an axis of N, in the order of the ids in `person`.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file

from dramatis.errors import UserError
from dramatis.runtime.files import publish, write_whole
from dramatis.runtime.progress import NullReporter, Reporter, StageProgress
from dramatis.runtime.seeds import derive_seed
from dramatis_lab.world.splits import SPLITS
from dramatis_lab.world.takes.take import Grouping, Take, TakeFrames, make_take

WINDOW_FRAMES = 29
"""Frames of the consecutive part and of the strided part: one clip of the mini model."""
TAKES_PER_PERSON = 3
FRAME_STRIDES = (4, 112)
"""Time strides: of the blueprint, and a longer one that teaches frames far away from the reference."""
LONG_SHARE = 0.03
CLOSE_SHARE, CONVERSATION_SHARE = 0.4, 0.75
"""Of groups: people who hide parts of each other, and people who all speak."""
_FORMAT = 1

Arrays = dict[str, NDArray[Any]]
Sample = tuple[Arrays, dict[str, Any]]
"""The arrays of a sample, and its row of the manifest."""


@dataclass(frozen=True)
class Recipe:
    """Everything that a data set depends on: equal recipes give equal bytes.

    size: side of the square frames in pixels. strided: with the frames of a blueprint; the high-resolution networks,
    which never make one, do without. people: None for mostly one person; else groups of so many, undamaged, in frames
    as many times as wide, and the arrays that tell of one person begin with an axis of N = `people`.
    """

    seed: int = 0
    split: str = "train"
    size: int = 128
    samples_per_shard: int = 32
    strided: bool = True
    people: int | None = None
    format: int = _FORMAT

    def __post_init__(self) -> None:
        if self.split not in SPLITS:
            raise UserError(f"The split {self.split!r} is unknown; choose one of {', '.join(SPLITS)}.")
        if not 16 <= self.size <= 1024 or self.size % 16:
            raise UserError(f"The size {self.size} does not work; choose a multiple of 16 from 16 to 1024.")
        if self.people not in (None, 1, 2, 3):
            raise UserError(f"A scene of {self.people} people cannot be rendered; choose 1, 2 or 3.")
        if self.size * (self.people or 1) > 1024:
            raise UserError(
                f"{self.people} people at the size {self.size} do not fit into 1024 pixels; choose a smaller size."
            )
        if self.samples_per_shard < 1:
            raise UserError(f"{self.samples_per_shard} samples in each shard do not work; choose at least 1.")


def write_dataset(
    out: Path,
    shards: int,
    assets: Path,
    recipe: Recipe = Recipe(),
    workers: int = 2,
    reporter: Reporter | None = None,
) -> int:
    """Write the shards 0 .. `shards` - 1 of a dataset into the folder `out` and return how many were missing.

    Shards that exist are kept, so the same call resumes and a larger `shards` extends. Raises UserError where
    `out` holds a dataset of another recipe, and for a recipe that does not work.
    """
    settle_recipe(out, recipe, {"strided": True, "people": None})
    stage = StageProgress(reporter or NullReporter(), "dataset", shards)
    return write_missing(out, shards, partial(_write_shard, out, assets, recipe), workers, stage)


def write_missing(out: Path, shards: int, write: Callable[[int], int], workers: int, progress: StageProgress) -> int:
    """Write the shards 0 .. `shards` - 1 that the folder `out` lacks, and return how many these were.

    write: writes the shard of a number, in one of `workers` fresh processes (or in this one), and returns the number.
    """
    missing = [shard for shard in range(shards) if not is_written(out, shard)]
    with progress as stage:
        if len(missing) < shards:
            stage.skip(shards - len(missing), "found")
        for shard in _each_finished(write, missing, workers):
            stage.advance(detail=f"shard {shard}")
    return len(missing)


def is_written(out: Path, shard: int) -> bool:
    """Whether a shard is complete: its manifest is written last."""
    return all(path.exists() for path in shard_paths(out, shard))


def shard_paths(out: Path, shard: int) -> tuple[Path, Path]:
    """The safetensors file of a shard and its manifest: a JSON list of one object per sample."""
    return out / f"shard-{shard:05d}.safetensors", out / f"shard-{shard:05d}.json"


def make_sample(seed: int, identity: int, assets: Path, recipe: Recipe) -> Sample:
    """One sample: its arrays (as above, without the prefix) and its row of the manifest."""
    rng = np.random.default_rng(seed)
    stride = FRAME_STRIDES[1] if rng.random() < LONG_SHARE else FRAME_STRIDES[0]
    frames = (WINDOW_FRAMES - 1) * stride + 1
    take, about = _draw(seed, identity, assets, recipe, frames)
    start = _dense_start(take, rng)
    index = np.concatenate(
        [[0], start + np.arange(WINDOW_FRAMES), stride * np.arange(WINDOW_FRAMES if recipe.strided else 0)]
    )
    arrays = sample_arrays(take, index.astype(np.int32), speaker_only=recipe.people is None)
    row = take.row(start, start + WINDOW_FRAMES)
    return arrays, row | {"seed": seed, "dense_start": start, "stride": stride} | about


def _draw(seed: int, identity: int, assets: Path, recipe: Recipe, frames: int) -> tuple[Take, dict[str, Any]]:
    """A take that the recipe asks for, and what else the row says about it."""
    if recipe.people is None:
        return make_take(seed, recipe.split, assets, recipe.size, identity=identity, least_frames=frames), {}
    rng = np.random.default_rng([seed, 8])
    close = recipe.people > 1 and bool(rng.random() < CLOSE_SHARE)
    group = Grouping(recipe.people, close, conversation=bool(rng.random() < CONVERSATION_SHARE))
    size = (recipe.size, recipe.size * recipe.people)
    take = make_take(seed, recipe.split, assets, size, group, identity=identity, least_frames=frames, faultless=True)
    return take, {"close": group.close, "conversation": group.conversation}


def sample_arrays(take: Take, index: NDArray[np.int32], *, speaker_only: bool = True) -> Arrays:
    """The arrays of a sample: what is seen at the frames `index` (T,); the sound and mouth of all.

    speaker_only: of the first person, without an axis for people.
    """
    rendered = take.render(index)
    people = 1 if speaker_only else len(take.tracks)
    by_person = [_person_arrays(take, rendered, index, person) for person in range(people)]
    stacked = {name: np.stack([arrays[name] for arrays in by_person]) for name in by_person[0]}
    return {
        "frames": rendered.frames,
        "index": index,
        "person": rendered.person,
        "face": rendered.face.astype(np.uint8),
        **(by_person[0] if speaker_only else stacked),
    }


def _person_arrays(take: Take, rendered: TakeFrames, index: NDArray[np.int32], person: int) -> Arrays:
    track = take.tracks[person]
    return {
        "audio": np.round(track.utterance.audio * 32767).clip(-32768, 32767).astype(np.int16),
        "controls": track.performance.take(index).pack_controls().astype(np.float16),
        "anchors": rendered.anchors[person].astype(np.float16),
        "landmarks": rendered.landmarks[person].astype(np.float16),
        "visemes": track.visemes.astype(np.float16),
        "opening": track.opening.astype(np.float16),
    }


def _dense_start(take: Take, rng: np.random.Generator) -> int:
    """Where the consecutive frames begin: anywhere inside one shot, if a shot is long enough."""
    last = take.frames - WINDOW_FRAMES
    starts = [
        start for shot in take.shots for start in range(shot.span.start, min(shot.span.stop - WINDOW_FRAMES, last) + 1)
    ]
    return int(rng.choice(starts)) if starts else int(rng.integers(0, last + 1))


def _write_shard(out: Path, assets: Path, recipe: Recipe, shard: int) -> int:
    samples = []
    for sample_index in range(recipe.samples_per_shard):
        seed = derive_seed("sample", recipe.seed, recipe.split, shard, sample_index)
        identity = derive_seed("identity", recipe.seed, recipe.split, shard, sample_index // TAKES_PER_PERSON)
        samples.append(make_sample(seed, identity, assets, recipe))
    write_samples(shard_paths(out, shard)[0], samples)
    return shard


def write_samples(tensors: Path, samples: Sequence[Sample]) -> None:
    """Write a shard: the arrays of its samples into the safetensors file `tensors`, then their rows beside it."""
    arrays = {
        f"{number}/{name}": np.ascontiguousarray(array)
        for number, (sample, _) in enumerate(samples)
        for name, array in sample.items()
    }
    partial = tensors.with_name(f".{tensors.name}.{os.getpid()}.partial")
    try:
        save_file(arrays, partial)
        publish(partial, tensors)
    finally:
        partial.unlink(missing_ok=True)
    write_whole(tensors.with_suffix(".json"), json.dumps([row for _, row in samples], indent=1))


def _each_finished(work: Callable[[int], int], jobs: list[int], workers: int) -> Iterator[int]:
    """Results of `work` on every job as they finish, from `workers` fresh processes (or this one)."""
    if min(workers, len(jobs)) <= 1:
        yield from map(work, jobs)
        return
    # Fresh processes: numba's and the speech engines' threads do not survive a fork.
    with multiprocessing.get_context("spawn").Pool(min(workers, len(jobs))) as pool:
        yield from pool.imap_unordered(work, jobs)


def settle_recipe(out: Path, recipe: Any, former: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Write a recipe, a dataclass, beside the shards, or check that the recipe there is the same.

    former: values of fields that recipes did not have at first. Raises UserError for another recipe.
    """
    path = out / "dataset.json"
    if path.exists():
        there = {**former, **json.loads(path.read_text(encoding="utf-8"))}
        if there != asdict(recipe):
            raise UserError(f"The folder {out} holds a data set of another recipe ({there}); choose another folder.")
    else:
        write_whole(path, json.dumps(asdict(recipe), indent=1))
