"""What the stages share: the plan, the material, where artifacts lie, who runs tasks and who hears of progress."""

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
from dramatis.cascade.material import Material
from dramatis.cascade.plan import CascadePlan
from dramatis.cascade.prompts import clip_prompts
from dramatis.media.image import Pictures
from dramatis.media.lossless import pack_frames, unpack_frames
from dramatis.runtime.executor import Executor, SerialExecutor, Task
from dramatis.runtime.progress import NullReporter, Reporter, Stage
from dramatis.runtime.store import ArtifactStore
from dramatis.story.storyline import Storyline


@dataclass(frozen=True)
class Work:
    """An artifact to make: for which stage, under which key, how, and after which other artifacts."""

    stage: str
    key: str
    make: Callable[[], dict[str, Any]]
    after: tuple[str, ...] = ()


def content(picture: Pictures) -> str:
    """Hash of a picture, for keys."""
    return hashlib.sha256(picture.tobytes()).hexdigest()


@dataclass(frozen=True)
class Set:
    """Everything on the film set. Stages read it and the store, and write the store: nothing else.

    Pickled, it is a name of a few bytes, and the process that unpickles it works alone and reports nothing. What tasks
    read, which for an hour is 45 MB, goes through the store once, and each process reads it once.
    """

    storyline: Storyline
    plan: CascadePlan
    material: Material
    backbone: Backbone
    store: ArtifactStore
    executor: Executor
    reporter: Reporter

    def rows(self, frames: Iterable[int]) -> NDArray[np.int64]:
        """Frame numbers as rows of the material: past the end the last one is held."""
        return np.array([self.plan.clamp(frame) for frame in frames], np.int64)

    def prompts(self, frames: Sequence[int], shots: Iterable[int]) -> tuple[str, str]:
        """Positive and negative prompt for a clip of these frames that shows these shots."""
        return clip_prompts(self.storyline, self.plan, frames, shots)

    def inputs(
        self,
        frames: Sequence[int],
        shots: Iterable[int],
        head: Pictures,
        tail: Pictures | None,
        seed: int,
        own: int = 0,
    ) -> ClipInputs:
        """What a low-resolution clip over these frames of the timeline is filmed from. The first `own` frames are of
        another moment, and its words are not this clip's."""
        rows = self.rows(frames)
        positive, negative = self.prompts(frames[own:], shots)
        return ClipInputs(
            head=head,
            tail=tail,
            reference=self.material.reference,
            audio=self.material.audio(rows),
            controls=self.material.controls(rows),
            anchors=self.material.anchors(rows),
            faces=self.material.faces,
            positive=positive,
            negative=negative,
            seed=seed,
        )

    def high(self, inputs: ClipInputs, head: Pictures, tail: Pictures | None) -> ClipInputs:
        """The same clip at the size of the video, between pictures of that size."""
        portrait, scale = self.material.portrait, self.material.scale
        enlarged = {name: getattr(inputs, name) * np.float32(scale) for name in ("anchors", "faces")}
        return replace(inputs, head=head, tail=tail, reference=portrait, **enlarged)

    def make_all(self, stage: str, wanted: Mapping[str, Callable[[], dict[str, Any]]]) -> None:
        """Make every artifact of `wanted` (key -> maker) that the store lacks, in any order, with progress."""
        for _ in self.make([Work(stage, key, make) for key, make in wanted.items()]):
            pass

    def make(self, work: Sequence[Work]) -> Iterator[str]:
        """Make what the store lacks, with progress for every stage; keys as they are there, finished ones first."""
        wanted = {item.key: item for item in work}
        totals = Counter(item.stage for item in wanted.values())
        with ExitStack() as stack:
            bars = {name: stack.enter_context(Stage(self.reporter, name, total)) for name, total in totals.items()}
            missing = {}
            for item in wanted.values():
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
        self.store.fetch(_key(digest), lambda: {"set": packed})
        return digest


def stored(stage: Set, artifact: str, name: str = "frames") -> Pictures:
    """The pictures (F, H, W, 3) of a finished artifact."""
    found = stage.store.get(artifact)
    if found is None:
        raise OSError(f"the artifact {artifact[:12]} has vanished from the store while the job ran; run the job again")
    pictures = found[name]
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
def _recall(root: Path, digest: str) -> Set:
    """The set that another process has kept in the store at `root`."""
    store = ArtifactStore(root)
    packed = (store.get(_key(digest)) or {}).get("set")
    # A pickle can hold anything: only what the other process hashed is opened, whoever else can write to the store.
    if not isinstance(packed, bytes) or hashlib.sha256(packed).hexdigest() != digest:
        raise OSError(f"the job's set has vanished from the store {root} while the job ran; run the job again")
    return Set(**pickle.loads(packed), store=store, executor=SerialExecutor(), reporter=NullReporter())


def _key(digest: str) -> str:
    return ArtifactStore.key({"stage": "set", "sha256": digest})
