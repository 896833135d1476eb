"""Long arrays in parts, side by side. Defines `over`.

The kernels of this room release the interpreter's lock, so that threads run them at once. What a part gets
must not depend on where parts begin, or parts begin at multiples of a fixed size: then no result depends on
the number of cores.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from wholedose.base import available_cores

MOST_WORKERS = 8


def over(count: int, part: int, function: Callable[[int, int], None]) -> None:
    """Call ``function(first, last)`` for parts that together cover ``range(count)``.

    Parameters
    ----------
    count : int
    part : int
        All parts but the last have this length, or a multiple of it.
    function : callable
        Works on its own part only.

    Examples
    --------
    >>> done = []
    >>> over(5, 10, lambda first, last: done.append((first, last)))
    >>> done
    [(0, 5)]
    """
    parts = -(-count // part)
    workers = max(1, min(available_cores(), MOST_WORKERS, parts))
    # several parts for each worker, since some parts are quick
    length = part * max(1, -(-parts // (4 * workers)))
    starts = range(0, count, length)
    if workers == 1:
        for first in starts:
            function(first, min(first + length, count))
        return
    with ThreadPoolExecutor(workers) as pool:
        list(pool.map(lambda first: function(first, min(first + length, count)), starts))
