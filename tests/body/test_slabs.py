"""Promises of working through long arrays in parts."""

import threading

import numpy as np
import pytest

from wholedose.body import slabs
from wholedose.body.slabs import over


@pytest.mark.parametrize("cores", [1, 2, 5, 64])
@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 1000])
def test_all_is_covered_once(monkeypatch: pytest.MonkeyPatch, cores: int, count: int) -> None:
    """Every item belongs to exactly one part, whatever the number of cores."""
    monkeypatch.setattr(slabs, "available_cores", lambda: cores)
    seen = np.zeros(count, dtype=int)
    starts = []

    def visit(first: int, last: int) -> None:
        starts.append(first)
        seen[first:last] += 1

    over(count, 8, visit)
    assert (seen == 1).all()
    assert all(first % 8 == 0 for first in starts)


def test_errors_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error in a thread is raised where the work was asked for."""
    monkeypatch.setattr(slabs, "available_cores", lambda: 2)

    def fail(first: int, last: int) -> None:
        if first:
            raise ValueError(f"part from {first}")

    with pytest.raises(ValueError, match="part from"):
        over(100, 8, fail)


def test_few_items_need_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fits one part runs in the thread that asks."""
    monkeypatch.setattr(slabs, "available_cores", lambda: 4)
    names = []
    over(8, 8, lambda first, last: names.append(threading.current_thread()))
    assert names == [threading.current_thread()]
