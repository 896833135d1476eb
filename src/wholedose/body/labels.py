"""Names of foreign label maps. Defines `organ_of_label`, `mapped`, `label_scheme`, `LabelNames`.

The classes of TotalSegmentator (v1, v2, its further CT tasks) and our own organ names are known; everything
else is unknown, is listed as such, and its voxels are treated by their CT number.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from wholedose.base.errors import InvalidInput, UnknownName
from wholedose.body.organs import ORGANS, REGIONS
from wholedose.tables import load

BY_HU = ""
"""What a label becomes that says nothing about an organ (such as ``body``): the CT number decides."""

SCHEMES = ("totalsegmentator_v1", "totalsegmentator_v2")
"""Numberings that a label map without names may declare; ``totalsegmentator_v2:TASK`` names another task."""

_BONE_PARTS = ("cortical_bone", "medullary_cavities", "teeth")


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
    found = []
    for row in table.rows():
        part, target = str(row["part"]), str(row["target"])
        meaning = part if part in ORGANS else target
        found.append((re.compile(str(row["pattern"])), BY_HU if meaning == "by_hu" else meaning))
    return tuple(found)


def organ_of_label(name: str) -> str | None:
    """Return the organ or bone site that a label's name means, ``""`` for none, None when it is unknown.

    Parameters
    ----------
    name : str
        In any case, with any separators.

    Examples
    --------
    >>> organ_of_label("lung_upper_lobe_left"), organ_of_label("vertebrae_T7")
    ('lungs', 'bone_thoracic_spine')
    >>> organ_of_label("left_lung_nodule") is None
    True
    """
    plain = re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")
    if plain in REGIONS:
        return "bone" if plain in _BONE_PARTS else plain
    for pattern, target in _patterns():
        if pattern.fullmatch(plain):
            return target
    return None


def is_scheme(name: str) -> bool:
    """Return whether a text speaks of a published numbering (which `label_scheme` may still not know).

    Examples
    --------
    >>> is_scheme("totalsegmentator_v1"), is_scheme("names.json")
    (True, False)
    """
    return name.strip().lower().replace("-", "_").startswith("totalsegmentator_v")


def label_scheme(name: str) -> dict[int, str]:
    """Return number → name of a published numbering.

    Parameters
    ----------
    name : str
        ``"totalsegmentator_v1"``, ``"totalsegmentator_v2"`` (the task ``total``), or
        ``"totalsegmentator_v2:heartchambers_highres"`` for another of its CT tasks.

    Raises
    ------
    UnknownName
        No such numbering; the message lists what there is.

    Examples
    --------
    >>> label_scheme("totalsegmentator_v1")[7], label_scheme("totalsegmentator_v2")[7]
    ('aorta', 'pancreas')
    >>> label_scheme("totalsegmentator_v2:breasts")
    {1: 'breast'}
    """
    plain, _, task = name.strip().lower().replace("-", "_").partition(":")
    if plain not in SCHEMES:
        raise UnknownName("numbering of labels", name, SCHEMES)
    if not task or task == "total":
        table = load(f"records/{plain}")
        return {int(k): str(n) for k, n in zip(table["label"], table["name"], strict=True)}
    rows = load("records/totalsegmentator_tasks").rows()
    found = {int(row["label"]): str(row["name"]) for row in rows if row["task"] == task}
    if plain == SCHEMES[0] or not found:
        tasks = sorted({str(row["task"]) for row in load("records/totalsegmentator_tasks").rows()})
        raise UnknownName("task of TotalSegmentator v2", task, ["total", *tasks])
    return found


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
