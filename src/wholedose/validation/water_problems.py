"""Problems A, B and C: a 30 cm water box under a 10 × 10 cm² beam. Defines `Problem` and `problem`.

Water box of 100³ voxels of 3 mm, vacuum outside, surface at z = 0; a parallel beam along +z, square and
uniform. A: 60 keV. B: 364 keV. C: the W 120 kVp spectrum of TG-195, with a slab of cortical bone and a block
of lung.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Grid, UnknownName
from wholedose.matter import Material, material
from wholedose.transport import ParallelBeam, Regions, VoxelGeometry
from wholedose.validation.tg195_setup import spectrum_named

NAMES = ("A", "B", "C")
N = 100
VOXEL_MM = 3.0
ENERGY_KEV = {"A": 60.0, "B": 364.0}
BONE_DENSITY, LUNG_DENSITY = 1.92, 0.26


@dataclass(frozen=True, eq=False)
class Problem:
    """Geometry, beam and the named regions of a problem.

    Attributes
    ----------
    masks : mapping of str to bool array [z, y, x]
        ``sph10``, ``sph20``, ``penumbra_oof``, ``box`` and in C ``lung``, ``bone``; they overlap.
    voxel : tuple of int
        Index of the voxel on the axis at z = 10.05 cm.
    """

    name: str
    geometry: VoxelGeometry
    source: ParallelBeam
    masks: dict[str, NDArray[np.bool_]]
    voxel: tuple[int, int, int]

    def regions(self, *names: str) -> Regions:
        """Return some of the regions for scoring; they must not overlap."""
        labels = np.zeros(self.geometry.grid.shape, np.int16)
        for number, name in enumerate(names, start=1):
            labels[self.masks[name]] = number
        return Regions(labels, names)


def problem(name: str) -> Problem:
    """Return one of the problems.

    Raises
    ------
    UnknownName
        Not A, B or C.
    """
    if name not in NAMES:
        raise UnknownName("problem", name, NAMES)
    grid = Grid((N, N, N), (VOXEL_MM,) * 3, (-148.5, -148.5, 1.5))
    z, y, x = (axis / 10.0 for axis in grid.axes_mm())
    zz, yy, xx = np.meshgrid(z, y, x, indexing="ij", sparse=True)
    shape = grid.shape
    masks: dict[str, NDArray[np.bool_]] = {
        "sph10": xx**2 + yy**2 + (zz - 10) ** 2 < 9.0,
        "sph20": xx**2 + yy**2 + (zz - 20) ** 2 < 9.0,
        "penumbra_oof": (abs(xx - 8) < 1.5) & (abs(yy) < 1.5) & (abs(zz - 10) < 1.5),
        "box": np.ones(shape, bool),
    }
    index = np.zeros(shape, np.uint8)
    density = np.ones(shape, np.float32)
    materials: tuple[Material, ...] = (material("water"),)
    energy: Any = ENERGY_KEV.get(name)
    if name == "C":
        energy = spectrum_named("120 kVp")
        materials = (material("water"), material("tg195_cortical_bone"), material("tg195_lung"))
        masks["bone"] = (xx > -4.5) & (xx < 0) & (abs(yy) < 4.5) & (zz > 3.0) & (zz < 4.5)
        masks["lung"] = (abs(xx) < 6) & (abs(yy) < 6) & (zz > 9) & (zz < 15)
        for number, part, rho in ((1, "bone", BONE_DENSITY), (2, "lung", LUNG_DENSITY)):
            index[masks[part]] = number
            density[masks[part]] = rho
    masks = {key: np.broadcast_to(mask, shape) for key, mask in masks.items()}
    beam = ParallelBeam((0, 0, -10), (0, 0, 1), (100, 100), energy)
    return Problem(
        name, VoxelGeometry(grid, index, density, materials), beam, masks, grid.index_of((1, 1, 100.5))
    )
