"""Three problems that every code can run, for comparison and speed. Defines `Problem` and `problem`.

A water box of 30 × 30 × 30 cm³ in voxels of 3 mm, vacuum outside, surface at z = 0; a parallel beam of
10 × 10 cm² along +z. **A**: 60 keV. **B**: 364 keV. **C**: TG-195's 120 kVp tungsten spectrum, with a slab of
cortical bone and a block of lung in the water. A60 and B60: a point source 60 cm above the surface.
What EGSnrc and PenRed found is in the tables ``validation/problem_regions`` and ``problem_depth_dose``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Grid, UnknownName
from wholedose.matter import material
from wholedose.tables import load
from wholedose.transport.geometry import Regions, VoxelGeometry
from wholedose.transport.sources import Energy, ParallelBeam, Source
from wholedose.transport.xray_beam import XrayBeam

NAMES = ("A", "B", "C", "A60", "B60")


@dataclass(frozen=True, eq=False)
class Problem:
    """A problem: what to simulate, and the masks of its regions by name.

    Attributes
    ----------
    geometry : VoxelGeometry
    source : Source
    masks : mapping of str to bool array
        ``voxel`` (on the axis at z = 10.05 cm), ``sph10``, ``sph20`` (within 3 cm of the axis at 10, 20 cm),
        ``penumbra_oof`` (a 3 cm cube at x = 8 cm, z = 10 cm), ``box``, and in C ``lung`` and ``bone``.
    """

    geometry: VoxelGeometry
    source: Source
    masks: dict[str, NDArray[np.bool_]]

    def regions(self, *names: str) -> Regions:
        """Return some masks that do not overlap as regions."""
        labels = np.zeros(self.geometry.grid.shape, dtype=np.int16)
        for label, name in enumerate(names, start=1):
            labels[self.masks[name]] = label
        return Regions(labels, names)


def problem(name: str) -> Problem:
    """Return a problem.

    Parameters
    ----------
    name : {"A", "B", "C", "A60", "B60"}

    Raises
    ------
    UnknownName
        Not one of them.
    """
    if name not in NAMES:
        raise UnknownName("problem", name, NAMES)
    grid = Grid((100, 100, 100), (3.0, 3.0, 3.0), (-148.5, -148.5, 1.5))
    z, y, x = np.meshgrid(*(axis / 10.0 for axis in grid.axes_mm()), indexing="ij", sparse=True)
    index, density = np.zeros(grid.shape, dtype=np.uint8), np.ones(grid.shape, dtype=np.float32)
    masks = {
        "voxel": (abs(z - 10.05) < 0.1) & (abs(y - 0.15) < 0.1) & (abs(x - 0.15) < 0.1),
        "sph10": x**2 + y**2 + (z - 10.0) ** 2 <= 9.0,
        "sph20": x**2 + y**2 + (z - 20.0) ** 2 <= 9.0,
        "penumbra_oof": (abs(x - 8.0) < 1.5) & (abs(y) < 1.5) & (abs(z - 10.0) < 1.5),
        "box": np.ones(grid.shape, dtype=np.bool_),
    }
    energy: Energy = 60.0 if name.startswith("A") else 364.0
    if name == "C":
        masks["bone"] = (x > -4.5) & (x < 0.0) & (abs(y) < 4.5) & (z > 3.0) & (z < 4.5)
        masks["lung"] = (abs(x) < 6.0) & (abs(y) < 6.0) & (z > 9.0) & (z < 15.0)
        for label, tissue in ((1, "bone"), (2, "lung")):
            kind = material("cortical_bone" if tissue == "bone" else "lung")
            index[masks[tissue]], density[masks[tissue]] = label, kind.density_g_cm3
        energy = w120_spectrum()
    geometry = VoxelGeometry(
        grid, index, density, (material("water"), material("cortical_bone"), material("lung"))
    )
    source: Source = ParallelBeam((0.0, 0.0, -10.0), (0.0, 0.0, 1.0), (100.0, 100.0), energy)
    if name.endswith("60"):
        side = 5.0 / 60.0
        kev = 60.0 if name.startswith("A") else 364.0
        source = XrayBeam(
            (0.0, 0.0, -600.0), (0.0, 0.0, 1.0), (1.0, 0.0, 0.0), kev, [1.0], (-side, side), (-side, side)
        )
    return Problem(geometry, source, masks)


def w120_spectrum() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return TG-195's 120 kVp tungsten spectrum: bin centres in keV, relative photon numbers."""
    table = load("validation/tg195_spectra")
    mine = table["spectrum"] == "120 kVp"
    return np.asarray(table["energy_kev"][mine], float), np.asarray(table["fluence"][mine], float)
