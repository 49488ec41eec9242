"""A job: one video to make, as a folder that outlives crashes and as an object that plans, renders and can be stopped.

The folder holds `job.json`, which says what to make, and the store of artifacts made so far. The command line and the
Python API both render through here; a service can keep jobs, follow their events and cancel them from other threads.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from itertools import count
from pathlib import Path

from dramatis.app.checks import check_storyline
from dramatis.app.planning import Plan, plan_storyline
from dramatis.app.requests import PlanRequest
from dramatis.app.storyline_files import read_storyline, write_storyline
from dramatis.backbones.base import Backbone, one_thread
from dramatis.backbones.registry import open_backbone
from dramatis.cascade.pipeline import RenderedVideo, render
from dramatis.errors import UserError
from dramatis.media.files import check_output
from dramatis.runtime.executor import Executor, Result, Task, open_executor
from dramatis.runtime.files import write_whole
from dramatis.runtime.memory import steady_memory
from dramatis.runtime.progress import NullReporter, Progress, Reporter
from dramatis.runtime.store import STORE_FORMAT, ArtifactStore
from dramatis.senses.hearing.prosody import prosodies
from dramatis.story.observations import AudioObservations
from dramatis.story.storyline import Storyline
from dramatis.story.values import NumberFormat

JOB_FILE = "job.json"
_FIRST_FORMAT = 1
"""Format of jobs that do not name theirs."""


def job_folder(output: Path) -> Path:
    """Where a video's job lies by default: beside the video."""
    return output.with_suffix(".job")


class JobCancelled(Exception):
    """A job was stopped by `Job.cancel`. What is finished stays in its folder, for `Job.resume`."""


class Job:
    """One video to make.

    folder: of the job. storyline: path of its storyline, which may not be written yet. output: the video. model: a name
    or folder, see `open_backbone`. number_format: what the large networks compute in. backbone: the model, where it is
    open already.
    """

    def __init__(
        self,
        folder: Path,
        storyline: Path,
        output: Path,
        model: str = "mini",
        number_format: NumberFormat = NumberFormat.AUTO,
        backbone: Backbone | None = None,
    ) -> None:
        self.folder = folder
        self.storyline = storyline
        self.output = output
        self.model = model
        self.number_format = number_format
        self._backbone = backbone
        self._cancelled = threading.Event()
        self._log = _EventLog()

    @classmethod
    def create(
        cls,
        output: Path,
        model: str = "mini",
        number_format: NumberFormat = NumberFormat.AUTO,
        *,
        storyline: Path | None = None,
        folder: Path | None = None,
        backbone: Backbone | None = None,
    ) -> Job:
        """A new job; nothing is written yet.

        storyline: default: beside the output. folder: default: `job_folder`.
        """
        storyline = storyline or output.with_suffix(".storyline.yaml")
        return cls(folder or job_folder(output), storyline, output, model, number_format, backbone)

    @classmethod
    def load(cls, folder: Path) -> Job:
        """The job in a folder. Raises UserError where there is none."""
        try:
            fields = json.loads((folder / JOB_FILE).read_text(encoding="utf-8"))
            storyline, output = (Path(os.path.normpath(folder / fields[name])) for name in ("storyline", "output"))
            return cls(folder, storyline, output, fields["model"], NumberFormat(fields.get("dtype", NumberFormat.AUTO)))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise UserError(
                f"{folder}: there is no job to resume in this folder; give the folder that `generate` made."
            ) from error

    def save(self) -> None:
        """Write `job.json`; paths are kept relative to the job's folder, so that the whole can be moved."""
        paths = {"storyline": self.storyline, "output": self.output}
        fields: dict[str, object] = {
            name: os.path.relpath(path.resolve(), self.folder.resolve()) for name, path in paths.items()
        }
        fields |= {"model": self.model, "dtype": self.number_format, "format": STORE_FORMAT}
        write_whole(self.folder / JOB_FILE, json.dumps(fields, indent=1))

    @property
    def backbone(self) -> Backbone:
        """The model: its files are checked at the first access, its networks load when first used."""
        if self._backbone is None:
            self._backbone = open_backbone(self.model, self.number_format)
        return self._backbone

    def plan(self, request: PlanRequest) -> Plan:
        """Observe the inputs and plan a storyline for this job's output; `render` writes and films it.

        Raises UserError for inputs and outputs that cannot be used, and for too little memory.
        """
        check_output(self.output)
        self.backbone.check_machine()
        return plan_storyline(request, self.backbone)

    def render(
        self,
        storyline: Storyline | None = None,
        observations: AudioObservations | None = None,
        *,
        reporter: Reporter | None = None,
        workers: int | None = None,
        executor: str = "threads",
    ) -> RenderedVideo:
        """Film the job's storyline; what has not changed since the last time is not filmed again.

        storyline: is written to the job's path first; None: is read from there. observations: what was heard when it
        was planned, else the sound is heard again. workers: how many clips are filmed at once, None for as many as the
        model is made for. executor: "threads" or "processes", what several workers are. The result depends on neither;
        processes each load the networks, and need a script that calls this to have the guard
        `if __name__ == "__main__":`.

        Sets torch's number of threads in the calling process to one: results then do not depend on the machine's cores.
        Raises UserError for inputs that cannot be used, an output that cannot be written and a full disk, all before
        anything is written; `JobCancelled` after `cancel`.
        """
        if self._log.ended:
            self._log = _EventLog()
        try:
            self._stop_if_cancelled()
            given = read_storyline(self.storyline) if storyline is None else storyline
            check_storyline(given, self.backbone, self.output, self._existing_store())
            if storyline is not None:
                write_storyline(storyline, self.storyline)
            if self.is_outdated:
                logging.getLogger(__name__).warning(
                    "The job %s was made by an older version; everything is filmed again.", self.folder
                )
            self.save()
            workers = workers or self.backbone.profile.execution.workers
            with open_executor(executor, workers, _ready_worker) as pool:
                return render(
                    given,
                    prosodies(given, observations),
                    self.backbone,
                    ArtifactStore(self._store_path),
                    _StoppableExecutor(pool, self._stop_if_cancelled),
                    self.output,
                    _JobReporter(reporter or NullReporter(), self._log, self._stop_if_cancelled),
                )
        finally:
            self._log.finish()

    def resume(
        self, *, reporter: Reporter | None = None, workers: int | None = None, executor: str = "threads"
    ) -> RenderedVideo:
        """Go on with a job that was interrupted or cancelled; finished artifacts are not made again. See `render`."""
        self._cancelled.clear()
        return self.render(reporter=reporter, workers=workers, executor=executor)

    def cancel(self) -> None:
        """Stop the rendering, from any thread: tasks at work end, no new ones begin, `render` raises JobCancelled."""
        self._cancelled.set()

    def events(self) -> Iterator[Progress]:
        """Progress of the rendering, for another thread: from its first event, as they come, until it has ended."""
        return self._log.follow()

    @property
    def is_outdated(self) -> bool:
        """Whether the folder holds a job of an older version, whose artifacts are of no more use."""
        try:
            fields = json.loads((self.folder / JOB_FILE).read_text(encoding="utf-8"))
            return bool(fields.get("format", _FIRST_FORMAT) != STORE_FORMAT)
        except (OSError, ValueError, AttributeError):
            return False

    @property
    def _store_path(self) -> Path:
        return self.folder / "store"

    def _existing_store(self) -> ArtifactStore | None:
        return ArtifactStore(self._store_path) if self._store_path.is_dir() else None

    def _stop_if_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise JobCancelled(f"{self.folder}: the job was cancelled; resume it to go on.")


class _EventLog:
    """The progress of one rendering, kept for those who follow it from other threads."""

    def __init__(self) -> None:
        self.ended = False
        self._events: list[Progress] = []
        self._changed = threading.Condition()

    def append(self, event: Progress) -> None:
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()

    def finish(self) -> None:
        with self._changed:
            self.ended = True
            self._changed.notify_all()

    def follow(self) -> Iterator[Progress]:
        for index in count():
            with self._changed:
                while index >= len(self._events):
                    if self.ended:
                        return
                    self._changed.wait()
                event = self._events[index]
            yield event


class _JobReporter:
    """Passes progress on and keeps it for the job's followers; every report is also a chance to stop."""

    def __init__(self, reporter: Reporter, log: _EventLog, stop_if_cancelled: Callable[[], None]) -> None:
        self._reporter = reporter
        self._log = log
        self._stop_if_cancelled = stop_if_cancelled

    def report(self, event: Progress) -> None:
        self._log.append(event)
        self._reporter.report(event)
        self._stop_if_cancelled()

    def close(self) -> None:
        self._reporter.close()


class _StoppableExecutor:
    """An executor that begins no task after the job was cancelled."""

    def __init__(self, executor: Executor, stop_if_cancelled: Callable[[], None]) -> None:
        self._executor = executor
        self._stop_if_cancelled = stop_if_cancelled

    def map(self, tasks: Iterable[Task]) -> Iterator[Result]:
        """As of `Executor`."""
        return self._executor.map(self._until_cancelled(tasks))

    def _until_cancelled(self, tasks: Iterable[Task]) -> Iterator[Task]:
        for task in tasks:
            self._stop_if_cancelled()
            yield task


def _ready_worker() -> None:
    """One computing thread a worker: equal results whatever their number. And memory that does not grow."""
    one_thread()
    steady_memory()
