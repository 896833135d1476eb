"""The couch under a person. Defines `find_couch`.

Thin shells and foam fall to the opening that finds the body. A thick plate that a back lies on does not: it
is found here by what no person is, the same in every slice, with a top that shows on both sides of the back.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Grid

Mask = NDArray[np.bool_]
Ints = NDArray[np.int64]

LEAST_SLICES = 5
STEADY_HU = 40.0
"""Median deviation along z up to which a voxel counts as the same in every slice (assumption)."""

LEAST_COLUMNS = 4
MOST_JUMP = 2
MOST_MISFIT_MM = 4.0
MOST_UNSTEADY = 0.2


def find_couch(hu: NDArray[np.float32], grid: Grid, couch_from: float) -> Mask:
    """Return the couch, also where a person lies on it.

    Parameters
    ----------
    hu : array [z, y, x]
    grid : Grid
        LPS: y grows towards the couch of a person who lies on the back.
    couch_from : float
        CT number from which matter is no air.

    Returns
    -------
    bool array [z, y, x]
        All False where no flat or evenly bent couch shows on both sides of the back, as in a head holder.
    """
    none = np.zeros(hu.shape, dtype=np.bool_)
    nz, ny, nx = hu.shape
    if nz < LEAST_SLICES:
        return none
    median = np.median(hu, axis=0)
    steady = np.median(np.abs(hu - median), axis=0) < STEADY_HU
    matter = median > couch_from
    tops = np.array([_top(matter[:, k], steady[:, k]) for k in range(nx)], dtype=np.int64)
    left, right = _run(tops), nx - 1 - _run(tops[::-1])[::-1]
    if min(left.size, right.size) < LEAST_COLUMNS or left[-1] >= right[0]:
        return none
    columns = np.concatenate([left, right])
    middle, half = columns.mean(), max(float(np.ptp(columns)) / 2, 1.0)
    line = np.polyfit((columns - middle) / half, tops[columns], 2)
    misfit = np.abs(np.polyval(line, (columns - middle) / half) - tops[columns])
    if float(misfit.mean()) * grid.spacing_mm[1] > MOST_MISFIT_MM:
        return none
    across = np.arange(nx)
    top = np.rint(np.polyval(line, (across - middle) / half))
    below = np.arange(ny)[:, None] >= top[None, :]
    below &= (across >= columns.min()) & (across <= columns.max())
    plate = below & matter
    # a person who lies lower than the line says is no couch
    if not plate.any() or float((plate & ~steady).sum()) > MOST_UNSTEADY * float(plate.sum()):
        return none
    return np.asarray(below[None] & (hu > couch_from))


def _top(matter: Mask, steady: Mask) -> int:
    """Return the row where the couch begins: matter below a gap, the same in all slices; −1 for none."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], matter, [False]]).astype(np.int8)))
    starts, ends = edges[::2], edges[1::2]
    for start, end in zip(starts, ends, strict=True):
        lower = start > matter.size // 2
        if lower and steady[start:end].mean() > 0.8:
            return int(start)
    return -1


def _run(tops: Ints) -> Ints:
    """Return the columns from the first with a top on, as long as the top goes on without a jump."""
    seen = np.flatnonzero(tops >= 0)
    if not seen.size:
        return np.zeros(0, dtype=np.int64)
    last = int(seen[0])
    for k in range(last + 1, tops.size):
        if tops[k] < 0 or abs(int(tops[k]) - int(tops[last])) > MOST_JUMP:
            break
        last = k
    return np.arange(int(seen[0]), last + 1, dtype=np.int64)
