"""The ways that the cascade is compared with: chains, whose clips continue from the last frame of the one before.

chained   every clip is enlarged by the super-resolution of the cascade, between keyframes that are enlarged from its
          own first and last frame.
single    the same chain, filmed by the low-resolution network at the size of the video at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from dramatis.cascade.context import JobContext
from dramatis.cascade.keyframes import enlarge_still
from dramatis.cascade.plan import CascadePlan
from dramatis.media.image import Pictures
from dramatis.runtime.seeds import derive_seed
from dramatis_lab.evaluate.ways.record import FilmingWay


def chain_ends(plan: CascadePlan) -> list[int]:
    """First and last frames of the clips of a chain: the borders that the plan of the cascade begins with."""
    return [boundary.planned for boundary in plan.boundaries]


@dataclass
class ChainedClips:
    """Low-resolution clips, each continued from the last frame of the one before, then enlarged."""

    job: JobContext

    def clips(self, ends: list[int]) -> Iterator[Pictures]:
        """The clips between neighbouring `ends`, both included, (F, H, W, 3) at the size of the video."""
        low, high = self.job.inputs.reference, self.job.inputs.portrait
        for first, last in pairwise(ends):
            frames = self.film(first, last, low)
            yield self.enlarge(first, last, frames, high)
            low, high = frames[-1], self.high_end

    def film(self, first: int, last: int, head: Pictures) -> Pictures:
        """A low-resolution clip that grows from its first frame."""
        return self.job.backbone.generate_clip(
            self.job.clip_inputs(range(first, last + 1), [self._shot_index(first)], head[None], None, self._seed(first))
        )

    def enlarge(self, first: int, last: int, low: Pictures, head: Pictures) -> Pictures:
        """The clip at the size of the video, between its own first and last frame enlarged."""
        job = self.job
        if job.inputs.scale == 1:
            self.high_end = low[-1]
            return low
        self.high_end = enlarge_still(job, low[-1], 0, last, job.inputs.portrait, self._seed(last))
        inputs = job.clip_inputs(
            range(first, last + 1), [self._shot_index(first)], low[:1], low[-1:], self._seed(first)
        )
        return job.backbone.upscale_clip(job.high_resolution_inputs(inputs, head[None], self.high_end[None]), low)

    def _shot_index(self, frame: int) -> int:
        spans = [shot.span for shot in self.job.storyline.shots]
        return next(index for index, span in enumerate(spans) if frame < span.stop)

    def _seed(self, frame: int) -> int:
        return derive_seed(self.job.storyline.seed, f"chain/{frame}")


class SingleStageClips(ChainedClips):
    """Clips of the final size at once, each continued from the last frame of the one before."""

    def clips(self, ends: list[int]) -> Iterator[Pictures]:
        head = self.job.inputs.portrait
        for first, last in pairwise(ends):
            frames = self.film(first, last, head)
            yield frames
            head = frames[-1]

    def film(self, first: int, last: int, head: Pictures) -> Pictures:
        """A clip at the size of the video that grows from its first frame."""
        inputs = self.job.clip_inputs(
            range(first, last + 1), [self._shot_index(first)], head[None], None, self._seed(first)
        )
        return self.job.backbone.generate_clip(self.job.high_resolution_inputs(inputs, head[None], None))


CHAINS: dict[FilmingWay, type[ChainedClips]] = {FilmingWay.CHAINED: ChainedClips, FilmingWay.SINGLE: SingleStageClips}
