"""Promises of resampling."""

from __future__ import annotations

import numpy as np
import pytest

from wholedose.base import Grid, Volume
from wholedose.body.resample import box_mean, isotropic, nearest

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("voxel", [2.0, 3.0, 7.5])
def test_the_mean_is_kept(voxel: float) -> None:
    """Averaging onto another grid keeps the integral exactly where the new voxels are covered."""
    grid = Grid((12, 30, 40), (5.0, 1.5, 0.75), (3.0, -20.0, 100.0))
    values = RNG.normal(0, 300, grid.shape).astype(np.float32)
    target = isotropic(grid, voxel)
    found = box_mean(Volume(grid, values, "HU", {}), target)
    sizes = [
        np.minimum(voxel, high - (low + voxel * np.arange(n)))
        for low, high, n in zip(grid.lower_mm, grid.upper_mm, target.shape[::-1], strict=True)
    ]
    weight = sizes[2][:, None, None] * sizes[1][None, :, None] * sizes[0][None, None, :]
    box = np.prod(np.subtract(grid.upper_mm, grid.lower_mm))
    assert (found * weight).sum() / box == pytest.approx(values.mean(), abs=1e-3)


def test_coarsening_does_not_alias() -> None:
    """A checkerboard becomes grey, not black or white."""
    grid = Grid((8, 8, 8), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    values = (np.indices(grid.shape).sum(axis=0) % 2 * 1000).astype(np.int16)
    assert box_mean(Volume(grid, values, "HU", {}), isotropic(grid, 4.0)) == pytest.approx(500)


def test_padding_counts_as_air() -> None:
    """Values below the floor do not darken the voxels beside them."""
    grid = Grid((1, 1, 4), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0))
    values = np.array([[[-3024, 0, 0, 0]]], dtype=np.int16)
    found = box_mean(Volume(grid, values, "HU", {}), Grid((1, 1, 2), (1.0, 1.0, 2.0), (0.5, 0.0, 0.0)), -1024)
    assert found.ravel() == pytest.approx([-512, 0])


def test_labels_are_read_at_the_centre_and_zero_outside() -> None:
    """Labels stay labels; beyond the map there is none."""
    grid = Grid((2, 2, 2), (2.0, 2.0, 2.0), (0.0, 0.0, 0.0))
    labels = Volume(grid, np.arange(8).reshape(2, 2, 2), "label", {})
    found = nearest(labels, Grid((2, 2, 3), (2.0, 2.0, 2.0), (0.4, -0.3, 0.9)))
    assert found[:, :, :2].tolist() == labels.values.tolist()
    assert (found[:, :, 2] == 0).all()
