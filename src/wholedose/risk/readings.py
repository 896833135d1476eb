"""What an appraisal says. Defines `SiteReading` and `PersonReading`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import AbsorbedDose, InvalidInput, estimate_from_json
from wholedose.risk.sampling import Interval


@dataclass(frozen=True)
class SiteReading:
    """The lifetime risk of one cancer site.

    Attributes
    ----------
    site : str
    organs : tuple of str
        Organs whose dose entered.
    dose : AbsorbedDose
        Sum over the exposures.
    risk : Interval
    baseline : float or None
        Lifetime probability without exposure; None where the population has no rates for the site.
    note : str
        What is special about this row, empty for most.
    """

    site: str
    organs: tuple[str, ...]
    dose: AbsorbedDose
    risk: Interval
    baseline: float | None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return a row for ``result.json``."""
        return {
            "site": self.site,
            "organs": list(self.organs),
            "dose_mgy": self.dose.value,
            "u_mgy": self.dose.u,
            "dose": self.dose.to_json(),
            "risk": self.risk.to_json(),
            "baseline": self.baseline,
            "note": self.note,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> SiteReading:
        """Return the row that `to_json` wrote."""
        dose = estimate_from_json(data["dose"])
        if not isinstance(dose, AbsorbedDose):
            raise InvalidInput(f"The dose of site {data['site']} is a {dose.kind}.", where="risk")
        return cls(
            site=str(data["site"]),
            organs=tuple(data["organs"]),
            dose=dose,
            risk=Interval.from_json(data["risk"]),
            baseline=data["baseline"],
            note=str(data["note"]),
        )


@dataclass(frozen=True, eq=False)
class PersonReading:
    """Lifetime attributable risk of cancer incidence of a person with these organ doses, under one model.

    Attributes
    ----------
    model : str
    kind : str
        Always ``"person"``: from organ doses, sex and age.
    total, solid, leukaemia : Interval
        As probabilities.
    sites : tuple of SiteReading
        The highest risk first.
    left_out : mapping of str to str
        Sites without a row, with the reason.
    shares : mapping of str to float
        Share of each cause in the variance of the total, largest first; sums to 1.
    baseline : float or None
        Lifetime probability of any cancer without exposure.
    excess_by_age : array of shape (101,)
        Central excess per year of attained age; sums to ``total.value``.
    years_lost_if_fatal : float
        Mean years of life lost if every excess cancer were fatal at diagnosis: an upper limit.
    notes : tuple of str
    """

    model: str
    kind: str
    total: Interval
    solid: Interval
    leukaemia: Interval
    sites: tuple[SiteReading, ...]
    left_out: Mapping[str, str]
    shares: Mapping[str, float]
    baseline: float | None
    excess_by_age: NDArray[np.float64]
    years_lost_if_fatal: float
    notes: tuple[str, ...]

    def site(self, name: str) -> SiteReading:
        """Return the row of a site."""
        for row in self.sites:
            if row.site == name:
                return row
        raise KeyError(self.left_out.get(name, f"no site {name!r}"))

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary for ``result.json``."""
        return {
            "model": self.model,
            "kind": self.kind,
            "total": self.total.to_json(),
            "solid": self.solid.to_json(),
            "leukaemia": self.leukaemia.to_json(),
            "sites": [row.to_json() for row in self.sites],
            "left_out": dict(self.left_out),
            "shares": dict(self.shares),
            "baseline": self.baseline,
            "excess_by_age": [float(x) for x in self.excess_by_age],
            "years_lost_if_fatal": self.years_lost_if_fatal,
            "notes": list(self.notes),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PersonReading:
        """Return the reading that `to_json` wrote."""
        return cls(
            model=str(data["model"]),
            kind=str(data["kind"]),
            total=Interval.from_json(data["total"]),
            solid=Interval.from_json(data["solid"]),
            leukaemia=Interval.from_json(data["leukaemia"]),
            sites=tuple(SiteReading.from_json(row) for row in data["sites"]),
            left_out=dict(data["left_out"]),
            shares=dict(data["shares"]),
            baseline=data["baseline"],
            excess_by_age=np.array(data["excess_by_age"], dtype=np.float64),
            years_lost_if_fatal=float(data["years_lost_if_fatal"]),
            notes=tuple(data["notes"]),
        )
