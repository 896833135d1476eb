"""How independent pieces of work are run. Defines the `Executor` protocol and two that need nothing else."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol, TypeVar

A = TypeVar("A")
R = TypeVar("R")


class Executor(Protocol):
    """Runs a function on items and yields the results *in the order of the items*.

    Science takes an `Executor` and never asks how many workers there are, so a result cannot depend on it.
    The consumer may stop early; then no further item is started.
    """

    workers: int

    def map(self, function: Callable[[A], R], items: Iterable[A]) -> Iterator[R]:
        """Yield ``function(item)`` for each item, in order."""
        ...


class SerialExecutor:
    """One item after the other, in this thread."""

    workers = 1

    def map(self, function: Callable[[A], R], items: Iterable[A]) -> Iterator[R]:
        """Yield ``function(item)`` for each item, in order."""
        return (function(item) for item in items)


class ThreadExecutor:
    """Threads of this process; for kernels that release the interpreter lock.

    Parameters
    ----------
    workers : int, optional
        Defaults to the cores that this process may use.

    Examples
    --------
    >>> list(ThreadExecutor(2).map(abs, [-1, 2, -3]))
    [1, 2, 3]
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers if workers is not None else available_cores()

    def map(self, function: Callable[[A], R], items: Iterable[A]) -> Iterator[R]:
        """Yield ``function(item)`` for each item, in order; at most ``workers`` run ahead of the consumer."""
        with ThreadPoolExecutor(self.workers) as pool:
            waiting: deque[Future[R]] = deque()
            try:
                for item in items:
                    waiting.append(pool.submit(function, item))
                    if len(waiting) > self.workers:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()


def available_cores() -> int:
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
