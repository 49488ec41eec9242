"""Executors: every task once, equal values for any number of workers, failures reach the caller."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path

import pytest

from dramatis.errors import UserError
from dramatis.runtime.executor import Executor, ProcessExecutor, SerialExecutor, Task, ThreadExecutor, open_executor
from dramatis.runtime.seeds import derive_seed
from dramatis.story.storyline import Storyline
from dramatis.story.storyline_yaml import from_yaml

EXECUTORS = [SerialExecutor(), ThreadExecutor(1), ThreadExecutor(4)]


@pytest.fixture(scope="module")
def processes() -> Iterator[ProcessExecutor]:
    with ProcessExecutor(2) as executor:
        yield executor


def every_task_once_and_the_same_values(executor: Executor) -> None:
    tasks = [Task(f"clip-{n}", derive_seed, (7, "clips", n)) for n in range(40)]
    results = [(result.key, result.value) for result in executor.map(tasks)]
    assert len(results) == 40
    assert dict(results) == {f"clip-{n}": derive_seed(7, "clips", n) for n in range(40)}


@pytest.mark.parametrize("executor", EXECUTORS)
def test_every_task_once_and_the_same_values(executor: Executor) -> None:
    every_task_once_and_the_same_values(executor)


def test_processes_run_every_task_once_and_give_the_same_values(processes: ProcessExecutor) -> None:
    every_task_once_and_the_same_values(processes)


def test_results_come_as_they_finish() -> None:
    gate = threading.Event()
    tasks = [Task("slow", gate.wait, (10,)), Task("quick", gate.set)]
    assert [result.key for result in ThreadExecutor(2).map(tasks)] == ["quick", "slow"] or gate.is_set()


def test_keyword_arguments_and_empty_input() -> None:
    assert next(SerialExecutor().map([Task("a", dict, kwargs={"b": 1})])).value == {"b": 1}
    assert list(ThreadExecutor(3).map([])) == []


@pytest.mark.parametrize("executor", EXECUTORS)
def test_the_first_failure_is_raised_and_nothing_new_begins(executor: Executor) -> None:
    begun = []

    def work(n: int) -> None:
        begun.append(n)
        if n == 3:
            raise RuntimeError("clip 3")
        time.sleep(0.005)

    with pytest.raises(RuntimeError, match="clip 3"):
        list(executor.map(Task(str(n), work, (n,)) for n in range(500)))
    assert len(begun) < 20


def test_tasks_are_drawn_as_workers_fall_free() -> None:
    drawn = []

    def tasks() -> Iterator[Task]:
        for n in range(100):
            drawn.append(n)
            yield Task(str(n), int)

    results = ThreadExecutor(2).map(tasks())
    next(results)
    assert len(drawn) <= 4
    assert isinstance(results, Generator)
    results.close()
    assert len(drawn) <= 6, "a caller who stops listening stops the work"


def no_task_begins_before_those_it_waits_for(executor: Executor, folder: Path) -> None:
    """Every task fails unless the files of those before it are there; the long ones come first."""
    graph = {"a": "", "b": "", "c": "a", "d": "ab", "e": "c", "f": "", "g": "de", "h": "", "i": "gh", "j": "f"}
    tasks = []
    for place, (key, after) in enumerate(graph.items()):
        ready = "".join(f"test -e '{folder / name}' && " for name in after)
        command = f"{ready}sleep {0.2 / (place + 1):.3f} && touch '{folder / key}'"
        tasks.append(Task(key, os.system, (command,), after=frozenset(after)))
    results = {result.key: result.value for result in executor.map(tasks)}
    assert results == dict.fromkeys(graph, 0)


@pytest.mark.parametrize("executor", EXECUTORS)
def test_no_task_begins_before_those_it_waits_for(executor: Executor, tmp_path: Path) -> None:
    no_task_begins_before_those_it_waits_for(executor, tmp_path)


def test_no_task_begins_in_a_process_before_those_it_waits_for(processes: ProcessExecutor, tmp_path: Path) -> None:
    no_task_begins_before_those_it_waits_for(processes, tmp_path)


def test_a_free_worker_passes_by_what_has_to_wait() -> None:
    gate = threading.Event()
    tasks = [
        Task("slow", gate.wait, (10,)),
        Task("after slow", int, after=frozenset({"slow"})),
        Task("quick", gate.set),
    ]
    results = [(result.key, result.value) for result in ThreadExecutor(2).map(tasks)]
    assert ("slow", True) in results
    assert [key for key, _ in results].index("slow") < [key for key, _ in results].index("after slow")


def test_one_after_the_other_keeps_the_order_of_the_tasks() -> None:
    keys = [str(n) for n in range(20)]
    tasks = [Task(key, int, after=frozenset(keys[:n][-2:])) for n, key in enumerate(keys)]
    assert [result.key for result in SerialExecutor().map(tasks)] == keys


def test_waiting_for_what_never_comes_is_our_own_mistake(processes: ProcessExecutor) -> None:
    tasks = [Task("a", int), Task("b", int, after=frozenset({"a", "nowhere"}))]
    for executor in (ThreadExecutor(1), ThreadExecutor(3), processes):
        with pytest.raises(AssertionError, match="b waits for a task"):
            list(executor.map(tasks))


def test_set_up_runs_once_in_each_worker() -> None:
    seen: list[str] = []
    barrier = threading.Barrier(3, timeout=10)
    executor = ThreadExecutor(3, setup=lambda: seen.append(threading.current_thread().name))
    list(executor.map(Task(str(n), barrier.wait) for n in range(3)))
    assert len(set(seen)) == len(seen) == 3
    serial: list[int] = []
    list(SerialExecutor(setup=lambda: serial.append(1)).map([Task("a", int), Task("b", int)]))
    assert serial == [1]


def test_no_workers_is_an_error() -> None:
    for kind in (ThreadExecutor, ProcessExecutor):
        with pytest.raises(ValueError, match="at least 1"):
            kind(0)


def test_results_of_processes_come_as_they_finish(processes: ProcessExecutor) -> None:
    tasks = [Task("slow", time.sleep, (2,)), Task("quick", time.sleep, (0,))]
    assert [result.key for result in processes.map(tasks)] == ["quick", "slow"]


def test_processes_draw_tasks_as_they_fall_free(processes: ProcessExecutor) -> None:
    drawn = []

    def tasks() -> Iterator[Task]:
        for n in range(100):
            drawn.append(n)
            yield Task(str(n), int)

    results = processes.map(tasks())
    next(results)
    assert len(drawn) <= 4
    assert isinstance(results, Generator)
    results.close()
    assert len(drawn) <= 6, "a caller who stops listening stops the work"


@pytest.mark.parametrize(
    ("failing", "error", "words"),
    [
        (Task("a user's fault", from_yaml, ("shots: [",)), UserError, "line 2"),
        (Task("the disk's fault", os.stat, ("nowhere",)), FileNotFoundError, "nowhere"),
        (Task("our fault", int, ("three",)), ValueError, "three"),
    ],
)
def test_failures_in_processes_arrive_as_themselves_after_the_tasks_at_work(
    processes: ProcessExecutor, tmp_path: Path, failing: Task, error: type[Exception], words: str
) -> None:
    # Both processes load the storyline first, so that a failure takes no time.
    list(processes.map(Task(name, Storyline.model_json_schema) for name in "ab"))
    ended = tmp_path / "ended"
    drawn = []

    def tasks() -> Iterator[Task]:
        yield Task("at work", os.system, (f"sleep 0.2 && touch '{ended}'",))
        yield failing
        for n in range(500):
            drawn.append(n)
            yield Task(str(n), time.sleep, (0.005,))

    with pytest.raises(error, match=words) as caught:
        list(processes.map(tasks()))
    assert type(caught.value) is error
    assert ended.exists()
    assert len(drawn) < 20


def test_a_killed_process_is_an_error_and_no_wait() -> None:
    with ProcessExecutor(2) as executor, pytest.raises(UserError, match="killed"):
        list(executor.map(Task(str(n), signal.raise_signal, (signal.SIGKILL,)) for n in range(3)))


def test_processes_are_set_up_once_and_live_until_they_are_closed(tmp_path: Path) -> None:
    with ProcessExecutor(1, setup=partial(os.chdir, tmp_path)) as executor:
        first, second = ([result.value for result in executor.map([Task("pid", os.getpid)])] for _ in range(2))
        place = next(executor.map([Task("folder", os.getcwd)])).value
    assert first == second != [os.getpid()]
    assert Path(place) == tmp_path.resolve()
    with pytest.raises(RuntimeError, match="shutdown"):
        next(executor.map([Task("late", int)]))


ORPHAN = """
import os, time
from dramatis.runtime.executor import ProcessExecutor, Task
executor = ProcessExecutor(1)
next(executor.map([Task("begin", int)]))
print("ready", flush=True)
time.sleep(60)
"""


def test_processes_end_with_a_killed_parent() -> None:
    parent = subprocess.Popen([sys.executable, "-c", ORPHAN], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert parent.stdout
    assert parent.stdout.readline() == b"ready\n"
    parent.kill()
    parent.communicate(timeout=30)  # the pipe closes when the last process that holds it has ended


def _nothing() -> None:
    """What a worker does before its first task."""


@pytest.mark.parametrize(
    ("kind", "workers", "expected"),
    [("threads", 1, SerialExecutor), ("threads", 2, ThreadExecutor), ("processes", 2, ProcessExecutor)],
)
def test_an_executor_by_name(kind: str, workers: int, expected: type) -> None:
    with open_executor(kind, workers, _nothing) as executor:
        assert isinstance(executor, expected)


def test_an_unknown_executor_is_an_error() -> None:
    with pytest.raises(ValueError, match="elves"), open_executor("elves", 2, _nothing):
        pass
