"""Names of foreign label maps. Defines `organ_of_label`, `mapped` and `LabelNames`.

The classes of TotalSegmentator (v1 and v2) and our own organ names are known; everything else is unknown, is
listed as such, and its voxels are treated by their CT number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from wholedose.base.errors import InvalidInput
from wholedose.body.organs import BONE_SITES, ORGANS
from wholedose.tables import load

BY_HU = ""
"""What a label becomes that says nothing about an organ (such as ``body``): the CT number decides."""


@dataclass(frozen=True)
class LabelNames:
    """What the labels of a map mean here.

    Attributes
    ----------
    target : mapping of int to str
        Label to organ or bone site; ``""`` leaves the voxel to its CT number.
    unknown : tuple of str
        Names that are in no list.
    """

    target: Mapping[int, str]
    unknown: tuple[str, ...]

    @property
    def organs(self) -> frozenset[str]:
        """All organs and bone sites that the map speaks of."""
        return frozenset(name for name in self.target.values() if name)


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    table = load("body/label_names")
    return tuple((re.compile(str(row["pattern"])), str(row["target"])) for row in table.rows())


def organ_of_label(name: str) -> str | None:
    """Return the organ or bone site that a label's name means, ``""`` for none, None when it is unknown.

    Examples
    --------
    >>> organ_of_label("lung_upper_lobe_left"), organ_of_label("vertebrae_T7")
    ('lungs', 'bone_thoracic_spine')
    >>> organ_of_label("left_lung_nodule") is None
    True
    """
    plain = re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")
    if plain in BONE_SITES or (plain in ORGANS and plain not in ("red_bone_marrow", "endosteum")):
        return plain
    for pattern, target in _patterns():
        if pattern.fullmatch(plain):
            return "" if target == "by_hu" else target
    return None


def mapped(label_names: Mapping[int, str]) -> LabelNames:
    """Return the meaning of a label map's numbers.

    Parameters
    ----------
    label_names : mapping of int to str

    Raises
    ------
    InvalidInput
        No name is known at all: the names belong to something else.
    """
    target: dict[int, str] = {}
    unknown = []
    for number, name in label_names.items():
        if int(number) == 0:
            continue
        organ = organ_of_label(str(name))
        if organ is None:
            unknown.append(str(name))
        target[int(number)] = organ or BY_HU
    if not any(target.values()):
        shown = ", ".join(sorted(set(unknown))[:5]) or "none given"
        raise InvalidInput(
            f"None of the {len(label_names)} label names is known ({shown}).",
            where="label_names",
            way_out="Give number → name, with names of TotalSegmentator or of wholedose.body.ORGANS.",
        )
    return LabelNames(target, tuple(sorted(set(unknown))))
