"""The published list of organs. Defines `Organ`, `ORGANS`, `PARTS`, `BONE_SITES`, `REGIONS` and `organ`.

The names are snake_case, fixed, and the same in label maps, dose tables and reports. Bone sites are the
skeletal parts over which red bone marrow and endosteum are distributed; together they are the organ ``bone``.
Parts are walls, contents, chambers and the like; a body whose voxels tell them apart labels them instead of
the organ.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from wholedose.base.errors import UnknownName
from wholedose.tables import load

Role = Literal["tissue", "remainder", "other"]


@dataclass(frozen=True)
class Organ:
    """One entry of the published list.

    Attributes
    ----------
    name : str
    meaning : str
    role : {"tissue", "remainder", "other"}
        Own weighting factor in effective dose (ICRP 103), one of its remainder tissues, or neither.
    sex : {"both", "M", "F"}
    material : str
        Name of the material in the ``matter`` room that fills it where an image says nothing.
    reference_mass_g : mapping of sex to float
        ICRP 89 adult mass, for walled organs the wall, where tabulated.
    part_of : str
        The organ that a part belongs to; empty for an organ.
    counts : bool
        Whether the organ's dose and mass count this part; contents do not count.
    """

    name: str
    meaning: str
    role: Role
    sex: Literal["both", "M", "F"]
    material: str
    reference_mass_g: Mapping[str, float]
    part_of: str = ""
    counts: bool = True

    def in_sex(self, sex: str) -> bool:
        """Return whether a person of this sex has the organ."""
        return self.sex in ("both", sex)


def _read() -> dict[str, Organ]:
    found = {}
    for row in load("body/organs").rows():
        masses = {sex: float(row[f"mass_{sex}_g"]) for sex in "MF" if math.isfinite(row[f"mass_{sex}_g"])}
        name = str(row["name"])
        found[name] = Organ(
            name,
            str(row["meaning"]),
            row["role"],
            row["sex"],
            str(row["material"]),
            MappingProxyType(masses),
            str(row["part_of"]),
            bool(row["counts"]),
        )
    return found


_ALL = _read()

ORGANS: Mapping[str, Organ] = MappingProxyType({n: o for n, o in _ALL.items() if not o.part_of})
"""All organs by name, in the order of reports."""

PARTS: Mapping[str, Organ] = MappingProxyType({n: o for n, o in _ALL.items() if o.part_of})
"""Parts of organs by name: label names beside those of `ORGANS`, never rows of a report."""

BONE_SITES: tuple[str, ...] = (
    "bone_cranium",
    "bone_mandible",
    "bone_scapulae",
    "bone_clavicles",
    "bone_sternum",
    "bone_ribs",
    "bone_cervical_spine",
    "bone_thoracic_spine",
    "bone_lumbar_spine",
    "bone_sacrum",
    "bone_pelvis",
    "bone_femora_upper",
    "bone_femora_lower",
    "bone_lower_legs",
    "bone_humeri_upper",
    "bone_humeri_lower",
    "bone_forearms",
)
"""The skeletal sites, the label names of bone in every `Body`; the mandible holds the facial skeleton too."""

REGIONS: tuple[str, ...] = (
    *(name for name in ORGANS if name not in ("red_bone_marrow", "endosteum")),
    *PARTS,
    *BONE_SITES,
)
"""All names that a label of a `Body` may have."""


def parts_of(organ: str) -> tuple[str, ...]:
    """Return the parts that an organ's dose counts, in the order of the table.

    Examples
    --------
    >>> parts_of("colon")
    ('right_colon_wall', 'left_colon_wall', 'rectosigmoid_wall')
    """
    return tuple(name for name, part in PARTS.items() if part.part_of == organ and part.counts)


def organ(name: str) -> Organ:
    """Return an organ of the list.

    Raises
    ------
    UnknownName
        Not in the list; the message offers the closest name.

    Examples
    --------
    >>> organ("liver").reference_mass_g["M"]
    1800.0
    """
    try:
        return ORGANS[name]
    except KeyError:
        raise UnknownName("organ", name, ORGANS) from None
