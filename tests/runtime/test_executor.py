"""Executors: every task once, equal values for any number of workers, failures reach the caller."""

from __future__ import annotations

import threading
import time

import pytest

from dramatis.runtime.executor import Executor, SerialExecutor, Task, ThreadExecutor
from dramatis.runtime.seeds import derive_seed

EXECUTORS = [SerialExecutor(), ThreadExecutor(1), ThreadExecutor(4)]


@pytest.mark.parametrize("executor", EXECUTORS)
def test_every_task_once_and_the_same_values(executor: Executor):
    tasks = [Task(f"clip-{n}", derive_seed, (7, "clips", n)) for n in range(40)]
    results = [(result.key, result.value) for result in executor.map(tasks)]
    assert len(results) == 40
    assert dict(results) == {f"clip-{n}": derive_seed(7, "clips", n) for n in range(40)}


def test_results_come_as_they_finish():
    gate = threading.Event()
    tasks = [Task("slow", gate.wait, (10,)), Task("quick", gate.set)]
    assert [result.key for result in ThreadExecutor(2).map(tasks)] == ["quick", "slow"] or gate.is_set()


def test_keyword_arguments_and_empty_input():
    assert next(SerialExecutor().map([Task("a", dict, kwargs={"b": 1})])).value == {"b": 1}
    assert list(ThreadExecutor(3).map([])) == []


@pytest.mark.parametrize("executor", EXECUTORS)
def test_the_first_failure_is_raised_and_nothing_new_begins(executor: Executor):
    begun = []

    def work(n: int) -> None:
        begun.append(n)
        if n == 3:
            raise RuntimeError("clip 3")
        time.sleep(0.005)

    with pytest.raises(RuntimeError, match="clip 3"):
        list(executor.map(Task(str(n), work, (n,)) for n in range(500)))
    assert len(begun) < 20


def test_tasks_are_drawn_as_workers_fall_free():
    drawn = []

    def tasks():
        for n in range(100):
            drawn.append(n)
            yield Task(str(n), int)

    results = ThreadExecutor(2).map(tasks())
    next(results)
    assert len(drawn) <= 4
    results.close()
    assert len(drawn) <= 6, "a caller who stops listening stops the work"


def test_set_up_runs_once_in_each_worker():
    seen: list[str] = []
    barrier = threading.Barrier(3, timeout=10)
    executor = ThreadExecutor(3, setup=lambda: seen.append(threading.current_thread().name))
    list(executor.map(Task(str(n), barrier.wait) for n in range(3)))
    assert len(set(seen)) == len(seen) == 3
    serial: list[int] = []
    list(SerialExecutor(setup=lambda: serial.append(1)).map([Task("a", int), Task("b", int)]))
    assert serial == [1]


def test_no_workers_is_an_error():
    with pytest.raises(ValueError, match="at least 1"):
        ThreadExecutor(0)
