"""What the stages share: the plan, the material, where artifacts lie, who runs tasks and who hears of progress."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dramatis.cascade.backbone import Backbone, joined
from dramatis.cascade.material import Material
from dramatis.cascade.plan import CascadePlan
from dramatis.runtime.executor import Executor, Task
from dramatis.runtime.progress import Reporter, Stage
from dramatis.runtime.store import ArtifactStore
from dramatis.story import Storyline


@dataclass(frozen=True)
class Set:
    """Everything on the film set. Stages read it and the store, and write the store: nothing else."""

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

    def prompts(self, shots: Iterable[int]) -> tuple[str, str]:
        """Positive and negative prompt for a clip that shows these shots: the shots' own words, then the global."""
        chosen = [self.storyline.shots[shot] for shot in dict.fromkeys(shots)]
        positive = joined([*(shot.positive for shot in chosen), self.storyline.positive])
        return positive, joined([*(shot.negative for shot in chosen), self.storyline.negative])

    def make_all(self, stage: str, wanted: Mapping[str, Callable[[], dict[str, Any]]]) -> None:
        """Make every artifact of `wanted` (key -> maker) that the store lacks, in any order, with progress."""
        with Stage(self.reporter, stage, len(wanted)) as progress:
            missing = {key: make for key, make in wanted.items() if not self.store.has(key)}
            if len(missing) < len(wanted):
                progress.skip(len(wanted) - len(missing), "found")
            for result in self.executor.map(Task(key, self._make, (key, make)) for key, make in missing.items()):
                progress.advance(detail=str(result.value))

    def _make(self, key: str, make: Callable[[], dict[str, Any]]) -> str:
        self.store.put(key, make())
        return key[:8]
