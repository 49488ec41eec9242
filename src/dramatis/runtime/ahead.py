"""Work done ahead: items go through a function in a few threads, and their results come back in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

AHEAD = 4
"""Results that wait at most, besides those that are being made: enough that nobody idles, little enough for memory."""
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def work_ahead(
    function: Callable[[_Item], _Result], items: Iterable[_Item], workers: int = 1, ahead: int = AHEAD
) -> Generator[_Result]:
    """What a function makes of each item, in order, made by so many threads while the caller does other work.

    At most `ahead` results wait. An error of the function is raised where its result would have come, and ends the
    work.
    """
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[_Result]] = deque()
        try:
            for item in items:
                waiting.append(pool.submit(function, item))
                if len(waiting) > ahead:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for left in waiting:
                left.cancel()
