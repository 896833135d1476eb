"""Phantoms of simple solids. Defines `Solid`, `SolidGeometry`, `ShapeRegions` and `material_at`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wholedose.base import InvalidInput, UnknownName, digest_of
from wholedose.matter.materials import Material
from wholedose.transport.compiled import jit
from wholedose.transport.crosssections import PhysicsTables, physics_tables
from wholedose.transport.geometry import Response, majorant
from wholedose.transport.shapes import SHAPE_NUMBERS, Point, Shape, contains

FloatArray = NDArray[np.float64]

SOLID_CELL_CM = 0.1
"""The length against which fluorescence's mean free path is held in solids."""


class SolidArrays(NamedTuple):
    """A solid geometry as the kernels read it.

    Attributes
    ----------
    size : float64 [3]
        Edges of the box in cm.
    shapes : float64 [solids, numbers]
    material : int64 [solids]
    density : float64 [solids]
    background : int
        -1 for vacuum.
    background_density : float
    core : float64 [2, 3]
        Corners of the box that holds all solids.
    majorant : float64 [cells]
        Largest μ in 1/cm, per cell of the energy grid.
    """

    size: FloatArray
    shapes: FloatArray
    material: NDArray[np.int64]
    density: FloatArray
    background: int
    background_density: float
    core: FloatArray
    majorant: FloatArray


@dataclass(frozen=True)
class Solid:
    """A shape made of a material, at the material's density."""

    shape: Shape
    material: Material


@dataclass(frozen=True, eq=False)
class SolidGeometry:
    """Solids in a box; where they overlap the later wins; vacuum beyond the box.

    Parameters
    ----------
    solids : sequence of Solid
    background : Material, optional
        Fills the box around them; vacuum by default.
    lower_mm, upper_mm : (x, y, z), optional
        The box in LPS mm; by default it just holds the solids. Sources may stand outside.

    Examples
    --------
    >>> from wholedose.matter import material
    >>> from wholedose.transport import Cylinder, Solid, SolidGeometry
    >>> SolidGeometry([Solid(Cylinder((0, 0, 0), 160, 150), material("pmma"))]).lower_mm
    (-160.0, -160.0, -75.0)
    """

    solids: Sequence[Solid]
    background: Material | None = None
    lower_mm: Point | None = None
    upper_mm: Point | None = None

    def __post_init__(self) -> None:
        if not self.solids and (self.background is None or self.lower_mm is None or self.upper_mm is None):
            raise InvalidInput("A geometry without solids needs a background and a box.", where="solids")
        bounds = [solid.shape.bounds_mm() for solid in self.solids]
        for name, side, best in (("lower_mm", 0, np.min), ("upper_mm", 1, np.max)):
            if getattr(self, name) is None:
                corner = best([b[side] for b in bounds], axis=0)
                object.__setattr__(self, name, tuple(float(c) for c in corner))
        object.__setattr__(self, "solids", tuple(self.solids))
        if any(high <= low for low, high in zip(*self.box_mm, strict=True)):
            raise InvalidInput(f"The box from {self.lower_mm} to {self.upper_mm} is empty.", where="upper_mm")

    @property
    def box_mm(self) -> tuple[Point, Point]:
        """The low and the high corner."""
        if self.lower_mm is None or self.upper_mm is None:  # set by the constructor
            raise InvalidInput("The geometry has no box.")
        return self.lower_mm, self.upper_mm

    @property
    def materials(self) -> tuple[Material, ...]:
        """The distinct materials, background first."""
        all_of_them = ([self.background] if self.background is not None else []) + [
            solid.material for solid in self.solids
        ]
        return tuple(dict.fromkeys(all_of_them))

    def physics(self) -> PhysicsTables:
        """Return the interaction tables of the materials."""
        return physics_tables(self.materials, SOLID_CELL_CM)

    def arrays(self, physics: PhysicsTables) -> SolidArrays:
        """Return the geometry as the kernels read it."""
        low, high = self.box_mm
        index = {material: k for k, material in enumerate(self.materials)}
        rows = [solid.shape.row(low) for solid in self.solids]
        return SolidArrays(
            (np.asarray(high) - low) / 10.0,
            np.array(rows).reshape(-1, SHAPE_NUMBERS),
            np.array([index[solid.material] for solid in self.solids], dtype=np.int64),
            np.array([solid.material.density_g_cm3 for solid in self.solids], dtype=np.float64),
            -1 if self.background is None else index[self.background],
            0.0 if self.background is None else self.background.density_g_cm3,
            (self._core() - low) / 10.0,
            majorant(physics, np.array([material.density_g_cm3 for material in self.materials])),
        )

    def _core(self) -> FloatArray:
        """Return the corners of the box around the solids, within the geometry's, in mm."""
        if not self.solids:
            return np.zeros((2, 3))
        bounds = [solid.shape.bounds_mm() for solid in self.solids]
        return np.stack([np.min([b[0] for b in bounds], axis=0), np.max([b[1] for b in bounds], axis=0)])

    def digest(self) -> str:
        """Return a digest of everything that defines the geometry."""
        low, high = self.box_mm
        materials = [
            [m.name, m.density_g_cm3, [list(part) for part in m.composition]] for m in self.materials
        ]
        index = {material: k for k, material in enumerate(self.materials)}
        solids = [[solid.shape.row((0.0, 0.0, 0.0)).tolist(), index[solid.material]] for solid in self.solids]
        return digest_of(list(low), list(high), materials, solids, self.background is None)


@dataclass(frozen=True, eq=False)
class ShapeRegions:
    """Named shapes that are scored; they may overlap.

    Parameters
    ----------
    shapes : mapping of str to Shape
    response : mapping of str to Material or (energies in keV, μen/ρ in cm²/g)
        For these shapes also the dose to that material in the shape's photon fluence is scored, under the
        name ``"<name>@response"``: air kerma through a `Disc` with a given table, for one.
    """

    shapes: Mapping[str, Shape]
    response: Mapping[str, Response] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.shapes:
            raise InvalidInput("No shape to score.", where="regions")
        for name in self.response:
            if name not in self.shapes:
                raise UnknownName("region", name, self.shapes, where="response")

    @property
    def names(self) -> tuple[str, ...]:
        """The shapes' names in order."""
        return tuple(self.shapes)

    def digest(self) -> str:
        """Return a digest of everything that defines the regions."""
        rows = {name: shape.row((0.0, 0.0, 0.0)).tolist() for name, shape in self.shapes.items()}
        return digest_of(rows, {name: str(item) for name, item in self.response.items()})


@jit
def material_at(solids: Any, x: Any, y: Any, z: Any) -> Any:
    """Return (material index, density in g/cm³) at a point in cm; index -1 in vacuum."""
    for k in range(len(solids.shapes) - 1, -1, -1):
        if contains(solids.shapes[k], x, y, z):
            return solids.material[k], solids.density[k]
    return solids.background, solids.background_density
