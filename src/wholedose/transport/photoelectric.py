"""Photoelectric absorption with K fluorescence. Defines `FluorescentLine` and `sample_fluorescence`.

An absorbed photon may leave a K vacancy; with the element's K fluorescence yield that emits an X ray, which
is tracked as a new photon, isotropic, where it could leave the cell. Everything else (photoelectron, Auger
electrons, softer lines) is deposited on the spot. An element's K lines count only where their mean free
path in the material reaches ``FLUORESCENCE_REACH`` of the cell size; the energy of the others stays.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from wholedose.transport.compiled import inlined
from wholedose.transport.rng import uniform

FLUORESCENCE_REACH = 0.05
"""A line is tracked when its mean free path exceeds this fraction of the smallest cell edge."""

MAX_ELEMENTS = 4
"""At most so many fluorescing elements in a material are tracked: those that emit most."""


@dataclass(frozen=True)
class FluorescentLine:
    """A K line: energy in keV and its share of the element's K X rays."""

    energy_kev: float
    share: float


@inlined
def sample_fluorescence(cell: Any, place: Any, material: Any, tables: Any, rng: Any) -> Any:
    """Return the energy in keV of the K X ray that follows an absorption, 0 for none.

    Parameters
    ----------
    cell, place : int, float
        Where the absorbed photon's energy lies in the energy grid.
    material : int
    tables : PhysicsTables
        ``fluorescence`` holds, per energy and material, the cumulative chance that element 0, 1 … emits;
        ``line_kev`` and ``line_cumulated`` its lines.
    rng : uint64[2]
    """
    chance = uniform(rng)
    for slot in range(tables.fluorescence.shape[2]):
        low = tables.fluorescence[cell, material, slot]
        if chance < low + place * (tables.fluorescence[cell + 1, material, slot] - low):
            pick = uniform(rng)
            line = 0
            while pick > tables.line_cumulated[material, slot, line]:
                line += 1
            return tables.line_kev[material, slot, line]
    return 0.0
