"""Two whole bodies in one room, on voxels that fit together. Defines `Couple` and `couple`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Grid
from wholedose.body.body import Body, BodyGeometry
from wholedose.body.named_pairs import pair_of
from wholedose.body.pairs import Pair
from wholedose.body.person import Person
from wholedose.body.reference_body import built, check_voxel_mm, lattice_of
from wholedose.matter import Material

Window = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class Couple:
    """Two bodies in the axes of the first.

    Attributes
    ----------
    first, second : Body
        Their voxels lie on one lattice.
    pair : Pair
        The placed figures: distance and gap of the skins.
    """

    first: Body
    second: Body
    pair: Pair

    @cached_property
    def grid(self) -> Grid:
        """The grid that holds both."""
        a, b = self.first.grid, self.second.grid
        h = a.spacing_mm[0]
        low = np.minimum(a.lower_mm, b.lower_mm)
        count = np.rint((np.maximum(a.upper_mm, b.upper_mm) - low) / h).astype(int)
        x, y, z = (float(v) for v in low + h / 2)
        return Grid(
            shape=(int(count[2]), int(count[1]), int(count[0])), spacing_mm=(h, h, h), origin_mm=(x, y, z)
        )

    def window(self, body: Body) -> Window:
        """Return the part of `grid` that is a body's own grid."""
        first = np.rint((np.array(body.grid.lower_mm) - self.grid.lower_mm) / self.grid.spacing_mm[0])
        x, y, z = (int(v) for v in first)
        nz, ny, nx = body.grid.shape
        return slice(z, z + nz), slice(y, y + ny), slice(x, x + nx)

    @cached_property
    def owner(self) -> NDArray[np.uint8]:
        """Whose voxel it is: 0 nobody's, 1 the first's, 2 the second's, who yields to the first."""
        found = np.zeros(self.grid.shape, dtype=np.uint8)
        found[self.window(self.second)][self.second.labels > 0] = 2
        found[self.window(self.first)][self.first.labels > 0] = 1
        return found

    def geometry(self) -> BodyGeometry:
        """Return both bodies as one voxel geometry, as `Body.geometry` does for one."""
        materials: list[Material] = list(self.first.materials)
        turned = np.zeros(len(self.second.materials), dtype=np.uint8)
        for i, m in enumerate(self.second.materials):
            # children's mixtures share a name with adults' but not the composition
            if m not in materials:
                materials.append(m)
            turned[i] = materials.index(m)
        material = np.zeros(self.grid.shape, dtype=np.uint8)
        density = np.full(self.grid.shape, materials[0].density_g_cm3, dtype=np.float32)
        for body, index, mine in (
            (self.second, turned[self.second.material], self.owner == 2),
            (self.first, self.first.material, self.owner == 1),
        ):
            window = self.window(body)
            here = mine[window]
            material[window][here] = index[here]
            density[window][here] = body.density_g_cm3[here]
        return BodyGeometry(self.grid, material, density, tuple(materials))


def couple(
    name: str,
    first: Person,
    second: Person,
    voxel_mm: float = 4.0,
    *,
    distance_mm: float | None = None,
) -> Couple:
    """Return two people in one room: who holds, feeds, nurses, sits beside or pushes whom.

    Parameters
    ----------
    name : str
        A name of `PAIRS`, for example ``"adult holding an infant"``.
    first, second : Person
        In the roles that the pair names.
    voxel_mm : float
        Edge of the cubic voxels of both, 1 to 10 mm.
    distance_mm : float, optional
        Another distance between the contact points than the named one; where the skins would cut into each
        other, the least distance that leaves them free.

    Raises
    ------
    UnknownName
        No such pair.
    InvalidInput
        A person outside the population, or a voxel size that is not offered.

    Examples
    --------
    ``couple("adult holding an infant", Person("F", 30), Person("M", 0)).pair.gap_mm`` → below 10.
    """
    check_voxel_mm(voxel_mm)
    pair = pair_of(name, lattice_of(first)[0], lattice_of(second)[0], distance_mm=distance_mm)
    bodies = [
        built(person, posed.pose, float(voxel_mm), placed=posed)
        for person, posed in ((first, pair.first), (second, pair.second))
    ]
    return Couple(bodies[0], bodies[1], pair)
