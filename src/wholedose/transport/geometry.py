"""Voxels that photons fly through. Defines `VoxelGeometry`, its arrays and `enter_box`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wholedose.base import Grid, InvalidInput, UnknownName, digest_of
from wholedose.matter.materials import Material
from wholedose.transport.compiled import jit
from wholedose.transport.crosssections import PhysicsTables, physics_tables

Response = Material | tuple[ArrayLike, ArrayLike]
"""What a fluence is turned into dose with: μen/ρ of a material, or a table (keV, cm²/g)."""


class VoxelArrays(NamedTuple):
    """A voxel geometry as the kernels read it; x fastest, cm from the low corner.

    Attributes
    ----------
    nx, ny, nz : int
    dx, dy, dz : float
    material : uint8 [voxels]
    density : float32 [voxels]
    majorant : float64 [cells]
        Largest μ in 1/cm of any voxel, per cell of the energy grid.
    around : int
        Material of the surroundings; -1 for vacuum.
    around_density, reach : float
        Its density in g/cm³, and how far it reaches beyond the grid in cm.
    """

    nx: int
    ny: int
    nz: int
    dx: float
    dy: float
    dz: float
    material: NDArray[np.uint8]
    density: NDArray[np.float32]
    majorant: NDArray[np.float64]
    around: int
    around_density: float
    reach: float


@dataclass(frozen=True, eq=False)
class VoxelGeometry:
    """A grid of voxels in vacuum, or in a box of one material.

    Parameters
    ----------
    grid : Grid
    material : uint8 array of shape ``grid.shape``
        Index into ``materials``.
    density_g_cm3 : float array of shape ``grid.shape``
        May be 0 (vacuum).
    materials : tuple of Material
        Only their composition matters here; densities come from the voxels.
    surroundings : Material, optional
        What is around the grid, at its own density, such as the air between focus and patient. It scatters
        and absorbs, but is not scored.
    reach_mm : float
        How far the surroundings reach beyond the grid on each side; vacuum beyond.

    Raises
    ------
    InvalidInput
        Arrays of another shape, negative or infinite densities, or an index without a material.
    """

    grid: Grid
    material: NDArray[np.uint8]
    density_g_cm3: NDArray[np.float32]
    materials: tuple[Material, ...]
    surroundings: Material | None = None
    reach_mm: float = 1000.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.reach_mm) and self.reach_mm > 0):
            raise InvalidInput(f"The surroundings reach {self.reach_mm} mm.", where="reach_mm")
        for name in ("material", "density_g_cm3"):
            shape = np.shape(getattr(self, name))
            if shape != self.grid.shape:
                raise InvalidInput(
                    f"The array {name} has shape {shape}, the grid {self.grid.shape}.", where=name
                )
        density = np.ascontiguousarray(self.density_g_cm3, dtype=np.float32)
        low, high = float(density.min()), float(density.max())
        if not (low >= 0.0 and math.isfinite(high)):
            raise InvalidInput(f"Densities run from {low:g} to {high:g} g/cm³.", where="density_g_cm3",
                               way_out="Give finite densities of 0 or more.")  # fmt: skip
        index = np.asarray(self.material)
        if index.dtype.kind not in "iu" or index.min() < 0 or index.max() >= len(self.materials):
            raise InvalidInput(
                f"Material indices run from {index.min()} to {index.max()}, "
                f"but there are {len(self.materials)} materials.",
                where="material",
            )
        object.__setattr__(self, "material", np.ascontiguousarray(index, dtype=np.uint8))
        object.__setattr__(self, "density_g_cm3", density)
        object.__setattr__(self, "materials", tuple(self.materials))

    @property
    def mass_g(self) -> NDArray[np.float64]:
        """Mass of each voxel in g, shape ``grid.shape``."""
        return np.asarray(self.density_g_cm3, dtype=np.float64) * self.grid.voxel_cm3

    @property
    def lower_mm(self) -> tuple[float, float, float]:
        """The LPS position (x, y, z) in mm of the low corner."""
        return self.grid.lower_mm

    def physics(self) -> PhysicsTables:
        """Return the interaction tables of the materials."""
        return physics_tables(self._all_materials, min(self.grid.spacing_mm) / 10.0)

    @property
    def _all_materials(self) -> tuple[Material, ...]:
        return self.materials if self.surroundings is None else (*self.materials, self.surroundings)

    def arrays(self, physics: PhysicsTables) -> VoxelArrays:
        """Return the geometry as the kernels read it."""
        (nz, ny, nx), (dz, dy, dx) = self.grid.shape, self.grid.spacing_mm
        material, density = self.material.ravel(), self.density_g_cm3.ravel()
        densest = np.zeros(len(self._all_materials))
        for m in range(len(self.materials)):
            densest[m] = density.max(initial=0.0, where=material == m)
        around = self.surroundings
        return VoxelArrays(
            nx,
            ny,
            nz,
            dx / 10,
            dy / 10,
            dz / 10,
            material,
            density,
            majorant(physics, densest),
            -1 if around is None else len(self.materials),
            0.0 if around is None else around.density_g_cm3,
            self.reach_mm / 10.0,
        )

    def digest(self) -> str:
        """Return a digest of everything that defines the geometry."""
        materials = [[m.name, [list(part) for part in m.composition]] for m in self._all_materials]
        around = None if self.surroundings is None else [self.surroundings.density_g_cm3, self.reach_mm]
        return digest_of(self.grid.to_json(), materials, around, self.material, self.density_g_cm3)


def majorant(physics: PhysicsTables, densest: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the largest μ in 1/cm over materials at their largest density, per energy cell."""
    nodes = (physics.attenuation[:, :, 0].astype(np.float64) * densest).max(axis=1)
    following = np.append(nodes[1:], nodes[-1])
    # the tables are float32: the margin keeps the majorant above every interpolated value
    return np.asarray(np.maximum(np.maximum(nodes, following) * (1.0 + 1e-6), 1e-30))


@dataclass(frozen=True, eq=False)
class Regions:
    """Named groups of voxels that are scored together.

    Parameters
    ----------
    labels : integer array of the grid's shape
        0 for none, 1 … n for ``names``.
    names : tuple of str
        Names of labels 1 … n, each once.
    response : mapping of str to Material or (energies in keV, coefficient in cm²/g)
        For these regions also the dose *to that material* in the region's photon fluence is scored, under the
        name ``"<name>@response"``: track length × energy × μen/ρ over the region's volume. A table stands in
        for μen/ρ where the dose is no electron equilibrium. A region has several responses by keys
        ``"<name>@<what>"``, which name their results too.

    Raises
    ------
    InvalidInput
        A label without a name, or a name given twice.
    UnknownName
        A response for a region that is not there.
    """

    labels: NDArray[np.integer[Any]]
    names: tuple[str, ...]
    response: Mapping[str, Response] = field(default_factory=dict)

    def __post_init__(self) -> None:
        labels = np.asarray(self.labels)
        names = tuple(self.names)
        if len(set(names)) != len(names):
            raise InvalidInput("A region's name is given twice.", where="regions")
        if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() > len(names):
            raise InvalidInput(
                f"Labels run from {labels.min()} to {labels.max()}, but there are {len(names)} names.",
                where="regions",
                way_out="Use 0 for voxels of no region and 1 … n for the names.",
            )
        for key in self.response:
            name = key.split("@")[0]
            if name not in names:
                raise UnknownName("region", name, names, where="response")
        object.__setattr__(self, "labels", np.ascontiguousarray(labels, dtype=np.int16))
        object.__setattr__(self, "names", names)

    def digest(self) -> str:
        """Return a digest of everything that defines the regions."""
        response = {
            key: [np.asarray(part, np.float64).tolist() for part in item]
            if isinstance(item, tuple)
            else [list(part) for part in item.composition]
            for key, item in self.response.items()
        }
        return digest_of(self.labels, list(self.names), response)

    def row(self, key: str) -> int:
        """Return the label of the region that a response's key names."""
        return self.names.index(key.split("@")[0]) + 1


def response_name(key: str) -> str:
    """Return the name of a response's result: the key, with ``"@response"`` if it is only a region's name."""
    return key if "@" in key else f"{key}@response"


@jit
def enter_box(x: Any, y: Any, z: Any, u: Any, v: Any, w: Any, sx: Any, sy: Any, sz: Any) -> Any:
    """Return the distance to a ray's entry into the box (0…sx, 0…sy, 0…sz): 0 inside, -1 if it misses."""
    near, far = 0.0, np.inf
    for p, d, s in ((x, u, sx), (y, v, sy), (z, w, sz)):
        if d == 0.0:
            if p < 0.0 or p >= s:
                return -1.0
        else:
            a, b = -p / d, (s - p) / d
            if a > b:
                a, b = b, a
            near = max(near, a)
            far = min(far, b)
    return near if near < far else -1.0
