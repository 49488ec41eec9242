"""Executors run independent tasks and hand back their results as they finish.

Stages describe their work as tasks and never ask where it runs. A task must depend on its arguments alone:
then any executor, order or number of workers gives the same values.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Protocol


@dataclass(frozen=True)
class Task:
    """One call, named by a key that is unique within a `map`."""

    key: str
    fn: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)

    def run(self) -> Result:
        return Result(self.key, self.fn(*self.args, **self.kwargs))


@dataclass(frozen=True)
class Result:
    """What a task returned."""

    key: str
    value: Any


class Executor(Protocol):
    """Something that runs tasks."""

    def map(self, tasks: Iterable[Task]) -> Iterator[Result]:
        """Results in completion order. The first failure is raised, after the tasks at work have ended."""
        ...


class SerialExecutor:
    """One task after the other in the calling thread; `setup` runs once before the first task of each `map`."""

    def __init__(self, setup: Callable[[], None] | None = None) -> None:
        self._setup = setup

    def map(self, tasks: Iterable[Task]) -> Iterator[Result]:
        if self._setup:
            self._setup()
        for task in tasks:
            yield task.run()


class ThreadExecutor:
    """`workers` threads; `setup` runs once in each of them (for example to give every worker one torch thread).

    Tasks are drawn from the iterable only as workers fall free, so that a lazy iterable of an hour's clips
    costs no memory.
    """

    def __init__(self, workers: int, setup: Callable[[], None] | None = None) -> None:
        if workers < 1:
            raise ValueError(f"workers must be at least 1, not {workers}")
        self.workers = workers
        self._setup = setup

    def map(self, tasks: Iterable[Task]) -> Iterator[Result]:
        stop = threading.Event()
        queue = iter(tasks)
        with ThreadPoolExecutor(self.workers, "dramatis", initializer=self._setup or _nothing) as pool:
            running: set[Future[Result | None]] = set()

            def refill() -> None:
                for task in islice(queue, self.workers - len(running)):
                    running.add(pool.submit(_unless, stop, task))

            try:
                refill()
                while running:
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    running -= done
                    results = [future.result() for future in done]
                    refill()
                    yield from (result for result in results if result is not None)
            finally:
                stop.set()  # after a failure, or when the caller stops listening, nothing new begins


def _unless(stop: threading.Event, task: Task) -> Result | None:
    return None if stop.is_set() else task.run()


def _nothing() -> None:
    """A worker without set-up."""
