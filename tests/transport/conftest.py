"""A small water phantom for the transport tests."""

from __future__ import annotations

import numpy as np
import pytest

from wholedose.base import Grid
from wholedose.matter import material
from wholedose.transport import ParallelBeam, Regions, VoxelGeometry


@pytest.fixture(scope="session")
def grid() -> Grid:
    return Grid((12, 10, 10), (10.0, 10.0, 10.0), (-45.0, -45.0, 5.0))


@pytest.fixture(scope="session")
def phantom(grid: Grid) -> VoxelGeometry:
    """Water with a block of bone on one side and of lung below."""
    index, density = np.zeros(grid.shape, np.uint8), np.ones(grid.shape, np.float32)
    index[3:5, 2:6, 1:5], density[3:5, 2:6, 1:5] = 1, 1.92
    index[7:10, 2:8, 4:9], density[7:10, 2:8, 4:9] = 2, 0.26
    materials = (material("water"), material("cortical_bone"), material("lung"))
    return VoxelGeometry(grid, index, density, materials)


@pytest.fixture(scope="session")
def regions(phantom: VoxelGeometry) -> Regions:
    return Regions(phantom.material.astype(np.int16) + 1, ("water", "bone", "lung"))


@pytest.fixture(scope="session")
def beam() -> ParallelBeam:
    kev = (np.array([40.0, 60.0, 90.0]), np.array([1.0, 2.0, 1.0]))
    return ParallelBeam((0.0, 0.0, -50.0), (0.0, 0.0, 1.0), (60.0, 40.0), kev)
