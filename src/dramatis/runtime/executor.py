"""Executors run independent tasks and return their results as they finish.

Stages describe their work as tasks and never ask where it runs. A task must depend on its arguments alone, so that any
executor, order or number of workers gives the same values.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent import futures
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Protocol, Self

from dramatis.errors import UserError

LOOK_AHEAD = 32
"""Most tasks that are taken from the iterable and wait for others."""


@dataclass(frozen=True)
class Task:
    """One call, named by a key that is unique within a `map`.

    after: keys of tasks that come earlier in the same `map` and must have ended before this one begins.
    """

    key: str
    fn: Callable[..., Any]
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    after: frozenset[str] = frozenset()

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
        """Results in completion order. The first failure is raised once the running tasks have ended."""
        ...


class SerialExecutor:
    """One task after the other in the calling thread; `setup` runs once, before the first task of each `map`."""

    def __init__(self, setup: Callable[[], None] | None = None) -> None:
        self._setup = setup

    def map(self, tasks: Iterable[Task]) -> Iterator[Result]:
        if self._setup:
            self._setup()
        for task in tasks:
            yield task.run()


class ThreadExecutor:
    """`workers` threads; `setup` runs once in each of them (for example to give every worker one torch thread).

    Tasks are taken from the iterable only as workers become free, so that a lazy iterable of an hour's clips costs no
    memory.
    """

    def __init__(self, workers: int, setup: Callable[[], None] | None = None) -> None:
        self.workers = _at_least_one(workers)
        self._setup = setup

    def map(self, tasks: Iterable[Task]) -> Iterator[Result]:
        with futures.ThreadPoolExecutor(self.workers, "dramatis", initializer=self._setup or _nothing) as pool:
            yield from _run_all(pool, tasks, self.workers)


class ProcessExecutor:
    """`workers` processes that live until `close`, so that what a task loads is still there in a later `map`.

    They start when they are first needed, as new interpreters, since the threads of numerical libraries do not survive
    a fork. So tasks, results and `setup`, which runs once in each process, must be picklable, and a script needs the
    guard `if __name__ == "__main__":`. Tasks are taken as workers become free, as with `ThreadExecutor`.
    """

    def __init__(self, workers: int, setup: Callable[[], None] | None = None) -> None:
        self.workers = _at_least_one(workers)
        spawn = multiprocessing.get_context("spawn")
        self._pool = futures.ProcessPoolExecutor(workers, spawn, _begin_process, (setup or _nothing,))

    def map(self, tasks: Iterable[Task]) -> Iterator[Result]:
        """As `Executor.map`. Raises UserError when a process dies; the executor cannot be used any more."""
        try:
            yield from _run_all(self._pool, tasks, self.workers)
        except BrokenProcessPool as error:
            raise UserError(
                "A worker process was killed or could not start, perhaps for lack of memory; "
                "run the command again with fewer workers, finished work is kept."
            ) from error

    def close(self) -> None:
        """End the processes once the running tasks have ended."""
        self._pool.shutdown(cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Workers(StrEnum):
    """What runs tasks when there is more than one worker."""

    THREADS = "threads"
    PROCESSES = "processes"


@contextmanager
def open_executor(kind: str, workers: int, setup: Callable[[], None]) -> Iterator[Executor]:
    """An executor of one of `Workers`, closed on exit; one worker is the calling thread itself.

    Raises ValueError for an unknown kind.
    """
    kind = Workers(kind)
    if workers == 1:
        yield SerialExecutor(setup)
    elif kind is Workers.THREADS:
        yield ThreadExecutor(workers, setup)
    else:
        with ProcessExecutor(workers, setup) as executor:
            yield executor


def _run_all(pool: futures.Executor, tasks: Iterable[Task], workers: int) -> Iterator[Result]:
    """Keep `workers` tasks running until all are done, as `Executor.map` promises."""
    queue = iter(tasks)
    waiting: list[Task] = []
    running: dict[futures.Future[Result], str] = {}
    ended: set[str] = set()

    def refill() -> None:
        while len(running) < workers:
            task = next((task for task in waiting if task.after <= ended), None)
            if task is not None:
                waiting.remove(task)
            elif len(waiting) >= LOOK_AHEAD or (task := next(queue, None)) is None:
                return
            elif not task.after <= ended:
                waiting.append(task)
                continue
            running[pool.submit(task.run)] = task.key

    try:
        refill()
        while running:
            done, _ = futures.wait(running, return_when=futures.FIRST_COMPLETED)
            ended |= {running.pop(future) for future in done}
            results = [future.result() for future in done]
            refill()
            yield from results
        assert not waiting, f"{waiting[0].key} waits for a task that does not come before it"
    finally:  # after a failure, or when the caller stops iterating, no new task starts
        futures.wait([future for future in running if not future.cancel()])


def _at_least_one(workers: int) -> int:
    if workers < 1:
        raise ValueError(f"workers must be at least 1, not {workers}")
    return workers


def _nothing() -> None:
    """The set-up of workers that need none."""


def _begin_process(setup: Callable[[], None]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent alone decides when to end
    threading.Thread(target=_end_with_parent, daemon=True).start()
    setup()


def _end_with_parent() -> None:
    """Exit when the parent does; the workers of a killed parent would otherwise wait for tasks for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
