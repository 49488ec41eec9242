"""The cascade from top to bottom, in the order of the report's section 3.1.

A `Storyline` and the files it names go in, an mp4 comes out. Every stage reads and writes artifacts; a run that was
killed goes on where it stopped, and its result equals an undisturbed one bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from dramatis.backbones.base import Backbone, one_thread
from dramatis.cascade.blueprint import make_blueprint
from dramatis.cascade.clips import plan_clips
from dramatis.cascade.compose import compose
from dramatis.cascade.context import ArtifactTask
from dramatis.cascade.keyframes import choose_keyframes, upscale_keyframes
from dramatis.cascade.plan import clips_from_keyframes
from dramatis.cascade.preparation import prepare
from dramatis.cascade.super_resolution import plan_super_resolution
from dramatis.cascade.transitions import plan_transitions
from dramatis.media.image import Pictures
from dramatis.media.video import read_frames
from dramatis.motion.prosody import Prosody
from dramatis.runtime.executor import Executor
from dramatis.runtime.progress import NullReporter, Reporter
from dramatis.runtime.store import ArtifactStore
from dramatis.story.storyline import Storyline


@dataclass(frozen=True)
class RenderedVideo:
    """A finished video: where it lies, and what it was made from."""

    video: Path
    sheet: Path
    storyline: Storyline
    keyframes: tuple[int, ...]

    def frames(self) -> Iterator[Pictures]:
        """The frames in order, (H, W, 3) uint8, decoded one by one."""
        return read_frames(self.video)


def render(
    storyline: Storyline,
    prosodies: Sequence[Prosody],
    backbone: Backbone,
    store: ArtifactStore,
    executor: Executor,
    out: Path,
    reporter: Reporter | None = None,
) -> RenderedVideo:
    """Make the video that the storyline describes.

    prosodies: the rhythm of every voice of the storyline's cast, one value a frame, as the hearing sense measured it.
    Raises UserError for input files that cannot be used, before a large network loads.
    """
    one_thread()  # hearing and seeing, too, must not depend on how many cores there are
    job = prepare(storyline, prosodies, backbone, store, executor, reporter or NullReporter())

    blueprint = make_blueprint(job)
    chosen = choose_keyframes(job, blueprint)
    keyframes = upscale_keyframes(job, blueprint, chosen)
    clips = clips_from_keyframes(job.plan, chosen)
    sub_clips = plan_clips(job, clips, keyframes)
    transitions = plan_transitions(job, clips, sub_clips)
    anchors, enlarged = plan_super_resolution(job, clips, sub_clips, transitions, keyframes)
    finished_keys = job.make(topological_order(sub_clips, transitions.values(), anchors, enlarged))
    compose(job, clips, [work.key for work in enlarged], finished_keys, Path(storyline.audio), out)
    return RenderedVideo(out, out.with_suffix(".sheet.png"), storyline, chosen)


def topological_order(*stages: Iterable[ArtifactTask]) -> list[ArtifactTask]:
    """The tasks of several stages, each as early as what it needs allows: finished seconds come early."""
    tasks = {task.key: task for stage in stages for task in stage}
    ordered: dict[str, ArtifactTask] = {}

    def append(task: ArtifactTask) -> None:
        for key in task.after:
            if key not in ordered:
                append(tasks[key])
        ordered.setdefault(task.key, task)

    for task in list(stages[-1]):
        append(task)
    return list(ordered.values())
