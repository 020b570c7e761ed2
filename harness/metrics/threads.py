"""Runs fixed parts of the work in two threads, each with one BLAS thread, so that results do not depend on the machine.

The bits of a matrix product depend on the number of BLAS threads, so the number is fixed. Python threads also suit
workers that share the cores: BLAS threads wait for each other by spinning, which costs more than it gains there.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import TypeVar

from threadpoolctl import threadpool_limits

THREADS = 2

Part = TypeVar("Part")
Result = TypeVar("Result")


def one_blas_thread() -> AbstractContextManager[object]:
    """Return a context in which BLAS uses one thread, in the whole process."""
    limits: AbstractContextManager[object] = threadpool_limits(1, user_api="blas")
    return limits


def side_by_side(function: Callable[[Part], Result], parts: Iterable[Part]) -> Iterator[Result]:
    """Yield the results for all parts, in order. At most `THREADS` + 1 results exist at a time."""
    with ThreadPoolExecutor(THREADS) as pool:
        running: deque[Future[Result]] = deque()
        for part in parts:
            running.append(pool.submit(function, part))
            if len(running) > THREADS:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()
