"""Images on other grids. Defines `box_mean` and `nearest`.

CT numbers are averaged over the part of each new voxel that the image covers, so that the mean stays and
coarsening does not alias; labels are read at the nearest centre.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from wholedose.base import Grid, Volume


def isotropic(grid: Grid, voxel_mm: float) -> Grid:
    """Return the grid of cubic voxels that covers the same box, from its low corner."""
    low, high = grid.lower_mm, grid.upper_mm
    shape = [max(1, math.ceil((b - a) / voxel_mm - 1e-3)) for a, b in zip(low, high, strict=True)]
    origin = tuple(a + voxel_mm / 2 for a in low)
    return Grid((shape[2], shape[1], shape[0]), (voxel_mm,) * 3, (origin[0], origin[1], origin[2]))


def box_mean(image: Volume, grid: Grid, floor: float = -math.inf) -> NDArray[np.float32]:
    """Return the mean of an image over each voxel of another grid.

    Parameters
    ----------
    image : Volume
    grid : Grid
        Where it does not overlap the image, the value is that of the nearest voxel.
    floor : float
        Lower values, such as padding, count as this.

    Returns
    -------
    array of float32, ``grid.shape``
    """
    across, down, along = (_weights(image.grid, grid, axis) for axis in (0, 1, 2))
    nz = image.grid.shape[0]
    planes = np.empty((nz, grid.shape[1], grid.shape[2]), dtype=np.float32)
    for k in range(nz):
        plane = down @ np.maximum(image.values[k].astype(np.float32), np.float32(floor))
        planes[k] = (across @ plane.T).T
    flat = along @ planes.reshape(nz, -1)
    return np.asarray(flat, dtype=np.float32).reshape(grid.shape)


def _weights(source: Grid, target: Grid, axis: int) -> sparse.csr_array:
    """Overlap lengths along x (0), y (1) or z (2), each row summing to 1."""
    index = 2 - axis
    d_in, n_in = source.spacing_mm[index], source.shape[index]
    d_out, n_out = target.spacing_mm[index], target.shape[index]
    start = (target.lower_mm[axis] - source.lower_mm[axis]) / d_in
    edges = start + np.arange(n_out + 1) * (d_out / d_in)
    rows, columns, values = [], [], []
    for i in range(n_out):
        low, high = np.clip(edges[i], 0, n_in), np.clip(edges[i + 1], 0, n_in)
        if high - low < 1e-6:
            low = min(max((edges[i] + edges[i + 1]) / 2, 0.0), n_in - 1e-3)
            high = low + 1e-6
        first, last = int(low), min(math.ceil(high - 1e-9), n_in)
        for j in range(first, max(last, first + 1)):
            rows.append(i)
            columns.append(min(j, n_in - 1))
            values.append((min(high, j + 1) - max(low, j)) / (high - low))
    return sparse.csr_array((np.array(values, dtype=np.float32), (rows, columns)), shape=(n_out, n_in))


def nearest(labels: Volume, grid: Grid) -> NDArray[np.int32]:
    """Return labels at the voxel centres of another grid; 0 outside."""
    picks, insides = [], []
    for axis, centres in zip((2, 1, 0), grid.axes_mm(), strict=True):
        index = 2 - axis
        low, step = labels.grid.lower_mm[axis], labels.grid.spacing_mm[index]
        k = np.floor((centres - low) / step).astype(np.int64)
        insides.append((k >= 0) & (k < labels.grid.shape[index]))
        picks.append(np.clip(k, 0, labels.grid.shape[index] - 1))
    found = labels.values[np.ix_(*picks)].astype(np.int32)
    found[~insides[0]] = 0
    found[:, ~insides[1]] = 0
    found[:, :, ~insides[2]] = 0
    return found
