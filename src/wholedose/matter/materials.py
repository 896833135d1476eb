"""Materials: named mixtures of elements with a density. Defines `Material`, `material` and `materials`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from wholedose.base.errors import InvalidInput, UnknownName
from wholedose.matter.elements import SYMBOLS, atomic_number, element_data
from wholedose.tables import load

ROUNDING = 0.0105
"""Printed mass fractions may sum to 1 within this and are then divided by their sum."""


@dataclass(frozen=True)
class Material:
    """A mixture of elements with a density.

    Attributes
    ----------
    name : str
    density_g_cm3 : float
    composition : tuple of (int, float)
        Atomic number and mass fraction, sorted by atomic number; the fractions sum to 1.

    Raises
    ------
    InvalidInput
        A density that is not positive, a fraction out of range, or fractions that do not sum to 1.

    Examples
    --------
    >>> Material.from_elements("water", 1.0, {"H": 0.111898, "O": 0.888102}).composition
    ((1, 0.111898), (8, 0.888102))
    """

    name: str
    density_g_cm3: float
    composition: tuple[tuple[int, float], ...]

    def __post_init__(self) -> None:
        where = f"material {self.name}"
        if not (self.density_g_cm3 > 0 and np.isfinite(self.density_g_cm3)):
            raise InvalidInput(
                f"The density is {self.density_g_cm3} g/cm³.", where=where, way_out="Give a positive density."
            )
        if not self.composition or any(not 0 < fraction <= 1 + 1e-9 for _, fraction in self.composition):
            raise InvalidInput("A mass fraction is not between 0 and 1.", where=where)
        total = sum(fraction for _, fraction in self.composition)
        if abs(total - 1) > 1e-9:
            raise InvalidInput(
                f"The mass fractions sum to {total:.6g}, not 1.",
                where=where,
                way_out="Material.from_elements divides rounded fractions by their sum.",
            )
        numbers = [z for z, _ in self.composition]
        if numbers != sorted(set(numbers)):
            raise InvalidInput("The elements are not listed once each in order.", where=where)

    @classmethod
    def from_elements(cls, name: str, density_g_cm3: float, fractions: Mapping[str, float]) -> Material:
        """Build a material from chemical symbols and mass fractions.

        Fractions that sum to 1 within 1 % (rounded tables) are divided by their sum.

        Raises
        ------
        UnknownName
            A symbol that is not an element.
        InvalidInput
            Fractions that sum to something else than 1.
        """
        total = float(sum(fractions.values()))
        if abs(total - 1) > ROUNDING:
            raise InvalidInput(
                f"The mass fractions sum to {total:.4g}, not 1.",
                where=f"material {name}",
                way_out="Give mass fractions, not per cent.",
            )
        if any(not fraction >= 0 for fraction in fractions.values()):
            raise InvalidInput("A mass fraction is negative or not a number.", where=f"material {name}")
        by_z = sorted((atomic_number(key), float(value)) for key, value in fractions.items() if value > 0)
        scale = total if abs(total - 1) > 1e-12 else 1.0
        return cls(name, float(density_g_cm3), tuple((z, fraction / scale) for z, fraction in by_z))

    @classmethod
    def mixture(cls, name: str, density_g_cm3: float, parts: Sequence[tuple[Material, float]]) -> Material:
        """Mix materials by mass fraction (the additivity rule).

        Examples
        --------
        >>> half = Material.mixture("half", 1.0, [(material("water"), 0.5), (material("adipose"), 0.5)])
        >>> round(dict(half.composition)[1], 4)
        0.1129
        """
        total = sum(share for _, share in parts)
        if abs(total - 1) > 1e-6:
            raise InvalidInput(f"The parts sum to {total:.6g}, not 1.", where=f"material {name}")
        fractions: dict[int, float] = {}
        for part, share in parts:
            for z, fraction in part.composition:
                fractions[z] = fractions.get(z, 0.0) + fraction * share / total
        scale = sum(fractions.values())
        return cls(
            name,
            float(density_g_cm3),
            tuple((z, fractions[z] / scale) for z in sorted(fractions) if fractions[z] > 0),
        )

    def with_density(self, density_g_cm3: float) -> Material:
        """Return the same mixture at another density."""
        return replace(self, density_g_cm3=float(density_g_cm3))

    @property
    def electrons_per_g(self) -> float:
        """Σ w Z/A, mol of electrons per gram."""
        return float(sum(w * z / element_data(z).atomic_weight for z, w in self.composition))

    def __str__(self) -> str:
        parts = ", ".join(f"{SYMBOLS[z - 1]} {fraction:.4g}" for z, fraction in self.composition)
        return f"{self.name}, {self.density_g_cm3:g} g/cm³: {parts}"


@cache
def material(name: str) -> Material:
    """Return a material of the table ``matter/materials`` by its name.

    Raises
    ------
    UnknownName
        No such material; the message offers the closest and lists all.

    Examples
    --------
    >>> material("water").density_g_cm3
    1.0
    """
    table = load("matter/materials")
    known = list(table["name"])
    if name not in known:
        raise UnknownName("material", name, (str(entry) for entry in known))
    row = known.index(name)
    fractions = {
        column: float(values[row])
        for column, values in table.columns.items()
        if column in SYMBOLS and np.isfinite(values[row])
    }
    return Material.from_elements(name, float(table["density_g_cm3"][row]), fractions)


def materials() -> list[str]:
    """Return the names of all materials of the table, sorted."""
    return sorted(str(name) for name in load("matter/materials")["name"])
