"""What the stages share: the plan, the inputs, the artifact store, the executor of tasks and the progress reporter."""

from __future__ import annotations

import hashlib
import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, fields, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dramatis.backbones.base import Backbone, ClipInputs
from dramatis.cascade.acting import ActingPortrait
from dramatis.cascade.plan import CascadePlan
from dramatis.cascade.prompts import clip_prompts
from dramatis.cascade.render_inputs import RenderInputs
from dramatis.media.image import Pictures
from dramatis.media.lossless import pack_frames, unpack_frames
from dramatis.runtime.executor import Executor, SerialExecutor, Task
from dramatis.runtime.progress import NullReporter, Reporter, StageProgress
from dramatis.runtime.store import ArtifactStore
from dramatis.story.storyline import Storyline


@dataclass(frozen=True)
class ArtifactTask:
    """An artifact to make: for which stage, under which key, how, and after which other artifacts."""

    stage: str
    key: str
    make: Callable[[], dict[str, Any]]
    after: tuple[str, ...] = ()


def picture_hash(picture: Pictures) -> str:
    """Hash of a picture, for keys."""
    return hashlib.sha256(picture.tobytes()).hexdigest()


@dataclass(frozen=True)
class JobContext:
    """Everything that the stages of a job share. They read it and the store, and write to the store alone.

    Pickled, it is a name of a few bytes, and the process that unpickles it works alone and reports nothing. What tasks
    read, which for an hour is 45 MB, goes through the store once, and each process reads it once.
    """

    storyline: Storyline
    plan: CascadePlan
    inputs: RenderInputs
    backbone: Backbone
    store: ArtifactStore
    executor: Executor
    reporter: Reporter

    def rows(self, frames: Iterable[int]) -> NDArray[np.int64]:
        """Frame numbers as rows of the inputs: past the end the last frame is repeated."""
        return np.array([self.plan.clamp(frame) for frame in frames], np.int64)

    def prompts(self, frames: Sequence[int], shots: Iterable[int]) -> tuple[str, str]:
        """Positive and negative prompt for a clip of these frames that shows these shots."""
        return clip_prompts(self.storyline, self.plan, frames, shots)

    def clip_inputs(
        self,
        frames: Sequence[int],
        shots: Iterable[int],
        head: Pictures,
        tail: Pictures | None,
        seed: int,
        lead_frames: int = 0,
    ) -> ClipInputs:
        """The inputs of a low-resolution clip over these frames of the timeline.

        The first `lead_frames` show another moment, whose words are not this clip's.
        """
        rows = self.rows(frames)
        positive, negative = self.prompts(frames[lead_frames:], shots)
        return ClipInputs(
            head=head,
            tail=tail,
            reference=self.inputs.reference,
            audio=self.inputs.audio(rows),
            performances=self.inputs.performances(rows),
            anchors=self.inputs.anchors(rows),
            faces=self.inputs.faces,
            positive=positive,
            negative=negative,
            seed=seed,
            acting=self.inputs.acting(rows, self.inputs.scale),
        )

    def high_resolution_inputs(self, inputs: ClipInputs, head: Pictures, tail: Pictures | None) -> ClipInputs:
        """The same clip at the high resolution, between pictures of that size."""
        portrait, scale = self.inputs.portrait, self.inputs.scale
        enlarged = {name: getattr(inputs, name) * np.float32(scale) for name in ("anchors", "faces")}
        acting = replace(inputs.acting, shrink=1) if isinstance(inputs.acting, ActingPortrait) else None
        return replace(inputs, head=head, tail=tail, reference=portrait, acting=acting, **enlarged)

    def make_all(self, stage: str, makers: Mapping[str, Callable[[], dict[str, Any]]]) -> None:
        """Make every artifact of `makers` (key -> function) that the store lacks, in any order, with progress."""
        for _ in self.make([ArtifactTask(stage, key, make) for key, make in makers.items()]):
            pass

    def make(self, work: Sequence[ArtifactTask]) -> Iterator[str]:
        """Make what the store lacks, with progress for every stage; keys as they are there, finished ones first."""
        tasks_by_key = {item.key: item for item in work}
        totals = Counter(item.stage for item in tasks_by_key.values())
        with ExitStack() as stack:
            bars = {
                name: stack.enter_context(StageProgress(self.reporter, name, total)) for name, total in totals.items()
            }
            missing = {}
            for item in tasks_by_key.values():
                if not self.store.has(item.key):
                    missing[item.key] = item
                else:
                    bars[item.stage].skip(detail="found")
                    yield item.key
            tasks = (
                Task(key, self._make, (key, item.make), after=frozenset(item.after) & missing.keys())
                for key, item in missing.items()
            )
            for result in self.executor.map(tasks):
                bars[missing[result.key].stage].advance(detail=str(result.value))
                yield result.key

    def _make(self, key: str, make: Callable[[], dict[str, Any]]) -> str:
        self.store.put(key, {name: _packed(value) for name, value in make().items()})
        return key[:8]

    def __reduce__(self) -> tuple[Any, ...]:
        return _recall, (self.store.root.resolve(), self._kept)

    @cached_property
    def _kept(self) -> str:
        """Hash of what `_recall` reads, now in the store."""
        own = {"store", "executor", "reporter"}
        packed = pickle.dumps({item.name: getattr(self, item.name) for item in fields(self) if item.name not in own})
        digest = hashlib.sha256(packed).hexdigest()
        self.store.fetch(_key(digest), lambda: {"context": packed})
        return digest


def read_frames_of(job: JobContext, artifact: str, name: str = "frames") -> Pictures:
    """The pictures (F, H, W, 3) of a finished artifact."""
    arrays = job.store.get(artifact)
    if arrays is None:
        raise OSError(f"the artifact {artifact[:12]} has vanished from the store while the job ran; run the job again")
    pictures = arrays[name]
    return _unpacked(pictures) if isinstance(pictures, bytes) else pictures


@lru_cache(maxsize=8)
def _unpacked(packed: bytes) -> Pictures:
    """Clips are read several times in a row: a blueprint clip for each of its keyframes, a sub-clip for both seams."""
    frames = unpack_frames(packed)
    frames.flags.writeable = False
    return frames


def _packed(value: Any) -> Any:
    """Clips without loss in a third of their bytes; single pictures and all else as they are."""
    clip = isinstance(value, np.ndarray) and value.dtype == np.uint8 and value.ndim == 4 and len(value) > 1
    return pack_frames(value) if clip else value


@lru_cache(maxsize=1)
def _recall(root: Path, digest: str) -> JobContext:
    """The context that another process has put into the store at `root`."""
    store = ArtifactStore(root)
    packed = (store.get(_key(digest)) or {}).get("context")
    # A pickle can hold anything: only what the other process hashed is opened, whoever else can write to the store.
    if not isinstance(packed, bytes) or hashlib.sha256(packed).hexdigest() != digest:
        raise OSError(f"the job's context has vanished from the store {root} while the job ran; run the job again")
    return JobContext(**pickle.loads(packed), store=store, executor=SerialExecutor(), reporter=NullReporter())


def _key(digest: str) -> str:
    return ArtifactStore.key({"stage": "context", "sha256": digest})
