"""The drawn anatomy: shapes of every region in template space. Defines `drawn`, `steps` and `Step`.

The shapes stand in the tables ``body/drawn_*``; whoever adds an organ adds rows there, a row in
``body/painting`` and one in ``body/organs``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from wholedose.base.errors import InvalidInput
from wholedose.body.fields import REACH_MM, Shapes, shapes_of
from wholedose.tables import load, names

RULED = ("skin", "skeleton", "adipose", "muscle", "residual_soft_tissue")
"""Steps of painting that follow a rule instead of a drawn shape."""


@dataclass(frozen=True)
class Step:
    """One step of painting.

    Attributes
    ----------
    drawn : str
        Name of the shape.
    regions : tuple of str
        What shares it, innermost first.
    present : str
        Who has it: both, M, F, pregnant, or not_pregnant (women).
    within, without : str
        Space that it leaves only when it does not find room there, and one that it enters only then.
    reach_mm : float
        How far from its drawn surface it may grow.
    """

    drawn: str
    regions: tuple[str, ...]
    present: str
    within: str = ""
    without: str = ""
    reach_mm: float = REACH_MM

    def applies(self, sex: str, pregnant: bool) -> bool:
        """Return whether a person has it."""
        if self.present == "not_pregnant":
            return sex == "F" and not pregnant
        return self.present in ("both", sex) or (self.present == "pregnant" and pregnant)


@cache
def steps() -> tuple[Step, ...]:
    """Return the steps of painting in their order."""
    return tuple(
        Step(
            str(row["drawn"]),
            tuple(str(row["regions"]).split()),
            str(row["present"]),
            str(row["within"]).strip(),
            str(row["without"]).strip(),
            float(row["reach_mm"]),
        )
        for row in load("body/painting").rows()
    )


@cache
def drawn(sex: str = "M") -> Mapping[str, Shapes]:
    """Return the shapes of all drawn regions of a sex, by name.

    Raises
    ------
    InvalidInput
        A row of a table cannot be read.

    Examples
    --------
    >>> len(drawn("M")["kidneys"].boxes())
    2
    """
    rows: dict[str, list[dict[str, object]]] = {}
    for table in sorted(name for name in names() if name.startswith("body/drawn_")):
        for row in load(table).rows():
            if str(row["sex"]) in ("both", sex):
                rows.setdefault(str(row["region"]), []).append({**row, "table": table})
            elif str(row["sex"]) not in ("M", "F"):
                raise InvalidInput(f"The sex {row['sex']!r} is none of both, M, F.", where=table)
    return MappingProxyType({region: shapes_of(found, f"{region}") for region, found in rows.items()})
