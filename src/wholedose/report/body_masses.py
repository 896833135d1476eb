"""The masses of a body beside what they should be. Defines `OrganMass` and `masses_of`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from wholedose.body import BONE_SITES, Body
from wholedose.body.masses import Target, targets_of
from wholedose.body.organs import PARTS
from wholedose.report.cuts import Extent, extents_of
from wholedose.report.organ_colours import legend_order
from wholedose.report.sections import TISSUES


@dataclass(frozen=True)
class OrganMass:
    """One label of a body.

    Attributes
    ----------
    organ : str
    voxel_mass_g : float
        With its blood, as the voxels hold it.
    target_mass_g : float
        What the voxels of this person should hold; NaN where there is no target, as for a bone site.
    reference_mass_g : float
        Tissue without blood by ICRP 89 for the person; NaN where it is not listed.
    voxels : int
    pieces : int
        Connected regions (voxels that touch at faces, edges or corners); 0 for tissues between organs.
    centre_mm : tuple of float
        (x, y, z), LPS.
    """

    organ: str
    voxel_mass_g: float
    target_mass_g: float
    reference_mass_g: float
    voxels: int
    pieces: int
    centre_mm: tuple[float, float, float]

    def to_row(self) -> dict[str, Any]:
        """Return the columns of ``organs.csv``; unknown masses are empty."""
        row = asdict(self)
        x, y, z = row.pop("centre_mm")
        found = {key: _cell(value) for key, value in row.items()}
        return found | {"x_mm": f"{x:.1f}", "y_mm": f"{y:.1f}", "z_mm": f"{z:.1f}"}


def masses_of(body: Body, extents: Mapping[str, Extent] | None = None) -> list[OrganMass]:
    """Return the labels that have voxels, in the order of legends.

    Parameters
    ----------
    body : Body
    extents : mapping, optional
        Of `extents_of`, where they are known already.
    """
    extents = extents_of(body) if extents is None else extents
    targets = targets_of(body.person)
    pieces = _pieces(body)
    found = []
    for name in legend_order(extents):
        mass, tissue = _target(name, targets)
        extent = extents[name]
        found.append(
            OrganMass(
                name,
                body.label_mass_g(name),
                mass,
                tissue,
                extent.voxels,
                pieces.get(name, 0),
                extent.centre_mm,
            )
        )
    return found


def _target(name: str, targets: Mapping[str, Target]) -> tuple[float, float]:
    """Return the mass and tissue of a label, or of its parts together where only these have targets."""
    if name in BONE_SITES:
        # how much spongiosa a site gets follows the drawn bone: only all sites together have a target
        return math.nan, math.nan
    if name in targets:
        return targets[name].mass_g, targets[name].tissue_g
    parts = [
        target for region, target in targets.items() if region in PARTS and PARTS[region].part_of == name
    ]
    if not parts:
        return math.nan, math.nan
    return sum(part.mass_g for part in parts), sum(part.tissue_g for part in parts)


def _pieces(body: Body) -> dict[str, int]:
    import numpy as np
    from scipy.ndimage import find_objects, label

    touching = np.ones((3, 3, 3), dtype=int)
    boxes = find_objects(body.labels, len(body.organs))
    return {
        name: int(label(body.labels[box] == number, touching)[1])
        for number, (name, box) in enumerate(zip(body.organs, boxes, strict=True), start=1)
        if box is not None and name not in TISSUES
    }


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return "" if math.isnan(value) else f"{value:.4g}" if abs(value) < 1000 else f"{value:.0f}"
    return str(value)
