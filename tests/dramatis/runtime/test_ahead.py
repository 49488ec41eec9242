from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from dramatis.runtime.ahead import work_ahead


def test_results_come_in_order_whoever_is_fastest() -> None:
    second_is_done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert second_is_done.wait(10)
        if item == 1:
            second_is_done.set()
        return 10 * item

    assert list(work_ahead(work, range(5), workers=2)) == [0, 10, 20, 30, 40]


def test_no_more_items_are_taken_than_may_wait() -> None:
    taken = []

    def items() -> Iterator[int]:
        for item in range(10):
            taken.append(item)
            yield item

    results = work_ahead(lambda item: item, items(), ahead=2)
    assert next(results) == 0
    assert taken == [0, 1, 2]
    results.close()


def test_an_error_is_raised_in_its_place() -> None:
    def work(item: int) -> int:
        return 1 // item

    results = work_ahead(work, [1, 0, 1])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
