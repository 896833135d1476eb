"""Baseline cancer incidence and survival of a population. Defines `Rates`, `population`, `populations`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from wholedose.base import InvalidInput, UnknownName
from wholedose.tables import load

LAST_AGE = 100
AGES: NDArray[np.float64] = np.arange(LAST_AGE + 1, dtype=np.float64)
DEFAULT_POPULATION = "Aus-NZ Europe Northern America"

# sites that CanEpiRisk has under their own name; all_solid minus these is the rest
_NAMED = ("stomach", "colon", "liver", "lung", "breast", "prostate", "bladder", "thyroid")


@dataclass(frozen=True, eq=False)
class Rates:
    """Baseline incidence and survival at integer ages 0 to 100.

    Attributes
    ----------
    name : str
    incidence : mapping of (site, sex) to array of shape (101,)
        New cases per person-year.
    survival : mapping of sex to array of shape (101,)
        Probability to be alive at each age, from birth.
    notes : tuple of str
        What is special about these rates, for the list of assumptions.
    """

    name: str
    incidence: Mapping[tuple[str, str], NDArray[np.float64]]
    survival: Mapping[str, NDArray[np.float64]]
    notes: tuple[str, ...] = ()

    def baseline(self, site: str, sex: str) -> NDArray[np.float64] | None:
        """Return the incidence per person-year at ages 0 to 100, or None where this population has none."""
        return self.incidence.get((site, sex))

    def alive(self, sex: str, reference_age: int) -> NDArray[np.float64]:
        """Return S(a) / S(reference age) at ages 0 to 100, 0 before the reference age.

        Raises
        ------
        InvalidInput
            Nobody of this population is alive at the reference age.
        """
        survival = self.survival[sex]
        if not survival[reference_age] > 0:
            raise InvalidInput(f"Nobody in {self.name} is alive at age {reference_age}.", where="survival")
        return np.where(reference_age <= AGES, survival / survival[reference_age], 0.0)

    def lifetime_baseline(self, site: str, sex: str, age: int) -> float | None:
        """Return the probability to be diagnosed from this age to 100 without any exposure, or None.

        First-order, as the excess: the sum of incidence times survival, not reduced by an earlier cancer.
        """
        rate = self.baseline(site, sex)
        return None if rate is None else float(np.sum(rate * self.alive(sex, age)))

    def with_excess_mortality(self, per_year: float, from_age: float, to_age: float = math.inf) -> Rates:
        """Return the same rates with a shorter survival, as of a patient with a disease.

        Parameters
        ----------
        per_year : float
            Hazard added to mortality, per year.
        from_age, to_age : float
            Ages between which it acts.

        Examples
        --------
        >>> sick = population("Europe").with_excess_mortality(0.5, 70, 75)
        >>> round(float(sick.alive("F", 70)[80] / population("Europe").alive("F", 70)[80]), 3)
        0.082
        """
        if not per_year >= 0 or not to_age > from_age:
            raise InvalidInput(
                f"An excess mortality of {per_year} per year from {from_age} to {to_age} is not possible.",
                where="survival",
                way_out="Give a hazard of 0 or more and ages in order.",
            )
        factor = np.exp(-per_year * (np.clip(AGES, from_age, to_age) - from_age))
        note = f"survival with {per_year:g} per year of excess mortality from {from_age:g} to {to_age:g}"
        survival = {sex: curve * factor for sex, curve in self.survival.items()}
        return replace(self, survival=survival, notes=(*self.notes, note))

    def remaining_years(self, sex: str) -> NDArray[np.float64]:
        """Return the remaining life expectancy in years (to age 100) at ages 0 to 100, shape (101,)."""
        survival = self.survival[sex]
        tail = np.cumsum(survival[::-1])[::-1]
        return np.divide(tail, survival, out=np.zeros_like(tail), where=survival > 0) - 0.5


def populations() -> list[str]:
    """Return the names of the populations whose rates ship.

    Examples
    --------
    >>> populations()[1]
    'Aus-NZ Europe Northern America'
    """
    return sorted(set(load("risk/rates_canepirisk")["region"].tolist()))


def population(name: str = DEFAULT_POPULATION) -> Rates:
    """Return a population's rates by its name, or by a part of the name that only one has.

    Parameters
    ----------
    name : str
        Such as ``"Aus-NZ Europe Northern America"`` or ``"Europe"``.

    Raises
    ------
    UnknownName
        No population, or more than one, fits; the message lists those available.

    Notes
    -----
    CanEpiRisk has no rates of ovary, uterus, oral cavity, rectum, gallbladder and kidney. ``other_solid`` is
    all solid cancers without the eight named BEIR VII sites, so that a woman's contains ovary and uterus.
    """
    known = populations()
    fits = [item for item in known if name.strip() and name.lower() in item.lower()]
    if name in known:
        fits = [name]
    if len(fits) != 1:
        raise UnknownName("population with cancer rates", name, known)
    return _region(fits[0])


@cache
def _region(name: str) -> Rates:
    table = load("risk/rates_canepirisk")
    incidence: dict[tuple[str, str], NDArray[np.float64]] = {}
    survival: dict[str, NDArray[np.float64]] = {}
    sites = [column for column in table.columns if column not in ("region", "sex", "age", "survival")]
    for sex in ("F", "M"):
        rows = np.flatnonzero((table["region"] == name) & (table["sex"] == sex))
        rows = rows[np.argsort(table["age"][rows])]
        survival[sex] = table["survival"][rows]
        for site in sites:
            incidence[site, sex] = table[site][rows]
        rest = incidence["all_solid", sex] - sum(incidence[site, sex] for site in _NAMED)
        incidence["other_solid", sex] = np.maximum(rest, 0.0)
    return Rates(
        name=name,
        incidence=incidence,
        survival=survival,
        notes=("CanEpiRisk has no separate rates of ovary and uterus: a woman's other_solid contains them",),
    )
