"""The population reading of effective dose (ICRP 103). Defines `PopulationReading`, `TissueReading`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from wholedose.base import (
    AbsorbedDose,
    EffectiveDose,
    EquivalentDose,
    Estimate,
    InvalidInput,
    OutsideDomain,
    estimate_from_json,
)
from wholedose.risk.exposure import ExposureLike, mean_dose
from wholedose.risk.sampling import Draws, Interval, log_scale
from wholedose.tables import load

Q = TypeVar("Q", bound=Estimate)
STATEMENT = (
    "Nominal detriment-adjusted risk of a sex- and age-averaged reference population that received this "
    "effective dose; it is not the risk of this person."
)
INTERVAL_NOTE = (
    "ICRP gives no interval; the relative width is that of the US EPA projection for uniform low-dose "
    "exposure (Pawel and Puskin 2013), an assumption."
)
MODEL = "ICRP 103"
LIMIT_MSV = 1000.0


@dataclass(frozen=True)
class TissueReading:
    """Nominal risk of one tissue in a reference population (ICRP 103, Table A.4.1a).

    Attributes
    ----------
    tissue : str
        Such as ``"lung"``, ``"other_solid"``, ``"heritable"``.
    dose : EquivalentDose
        Of the tissue's organ, photons and electrons.
    cases : float
        Nominal cases, as a probability; for skin nearly all are not fatal.
    detriment : float
        Weighted by lethality, quality of life and years lost.
    """

    tissue: str
    dose: EquivalentDose
    cases: float
    detriment: float

    def to_json(self) -> dict[str, Any]:
        """Return a row for ``result.json``."""
        return {
            "tissue": self.tissue,
            "dose_msv": self.dose.value,
            "u_msv": self.dose.u,
            "dose": self.dose.to_json(),
            "cases": self.cases,
            "detriment": self.detriment,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> TissueReading:
        """Return the row that `to_json` wrote."""
        dose = _kind(EquivalentDose, data["dose"])
        return cls(str(data["tissue"]), dose, float(data["cases"]), float(data["detriment"]))


@dataclass(frozen=True)
class PopulationReading:
    """Nominal risk of a reference population from an effective dose (ICRP 103, Table 1).

    Attributes
    ----------
    model : str
    kind : str
        Always ``"population"``: reports must not word it as a person's risk.
    effective : EffectiveDose
    cancer, heritable : Interval
        Whole population, as probabilities.
    total : Interval
        Cancer and heritable effects together.
    adult_total : float
        With the coefficients for adults, central value.
    tissues : tuple of TissueReading
        By tissue, where organ doses are known; their detriments need not sum to the total, whose effective
        dose uses rounded weights.
    statement, interval_note : str
        What the number is, and where its interval comes from.
    """

    model: str
    kind: str
    effective: EffectiveDose
    cancer: Interval
    heritable: Interval
    total: Interval
    adult_total: float
    tissues: tuple[TissueReading, ...] = ()
    statement: str = STATEMENT
    interval_note: str = INTERVAL_NOTE

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary for ``result.json``."""
        return {
            "model": self.model,
            "kind": self.kind,
            "effective_msv": self.effective.to_json(),
            "total": self.total.to_json(),
            "cancer": self.cancer.to_json(),
            "heritable": self.heritable.to_json(),
            "adult_total": self.adult_total,
            "tissues": [row.to_json() for row in self.tissues],
            "statement": self.statement,
            "interval_note": self.interval_note,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PopulationReading:
        """Return the reading that `to_json` wrote."""
        return cls(
            model=str(data["model"]),
            kind=str(data["kind"]),
            effective=_kind(EffectiveDose, data["effective_msv"]),
            cancer=Interval.from_json(data["cancer"]),
            heritable=Interval.from_json(data["heritable"]),
            total=Interval.from_json(data["total"]),
            adult_total=float(data["adult_total"]),
            tissues=tuple(TissueReading.from_json(row) for row in data["tissues"]),
            statement=str(data["statement"]),
            interval_note=str(data["interval_note"]),
        )


def _kind(kind: type[Q], data: Mapping[str, Any]) -> Q:
    found = estimate_from_json(data)
    if not isinstance(found, kind):
        raise InvalidInput(f"A recorded {kind.kind} is a {found.kind}.", where="risk")
    return found


def spread() -> float:
    """Return the assumed standard deviation of the ln of the nominal coefficient."""
    table = load("risk/epa_uncertainty")
    return float(np.mean(np.log(table["hi90"] / table["lo90"]))) / (2.0 * 1.6449)


def tissue_readings(exposures: Sequence[ExposureLike]) -> tuple[TissueReading, ...]:
    """Return the nominal risk of each tissue that has a dose in every exposure, the largest detriment first.

    Remainder and gonads are means over their organs, as in effective dose. The whole-population coefficients
    are averages over both sexes: they are applied to the organs of one body without correction.
    """
    remainder = tuple(str(name) for name in load("dose/remainder_tissues")["tissue"])
    groups = {"remainder": remainder, "gonads": ("testes", "ovaries")}
    rows = []
    for row in load("risk/icrp103_tissues").rows():
        organ = str(row["organ"])
        doses = [mean_dose(item, groups.get(organ, (organ,))) for item in exposures]
        found = [dose for dose in doses if dose is not None]
        if len(found) == len(doses):
            dose = AbsorbedDose.total(found).to(EquivalentDose)
            per_sv = dose.value / 1000.0 * 1e-4
            cases, detriment = float(row["nominal_whole"]), float(row["detriment_whole"])
            rows.append(TissueReading(str(row["tissue"]), dose, cases * per_sv, detriment * per_sv))
    return tuple(sorted(rows, key=lambda item: -item.detriment))


def population_reading(
    effective: EffectiveDose, draws: Draws, exposures: Sequence[ExposureLike] = ()
) -> PopulationReading:
    """Return the nominal risk of a reference population from an effective dose.

    `exposures` give the rows by tissue.

    Raises
    ------
    OutsideDomain
        Above 1 Sv, where effective dose does not describe the harm.

    Examples
    --------
    >>> reading = population_reading(EffectiveDose(10.0), Draws(seed=1, samples=2000))
    >>> round(reading.total.value * 1e4, 1)
    5.7
    """
    if effective.value > LIMIT_MSV:
        raise OutsideDomain(
            f"An effective dose of {effective.value:g} mSv is above {LIMIT_MSV:g} mSv.",
            where=MODEL,
            way_out="Report absorbed doses to organs; effective dose is for low doses.",
        )
    exponent = spread() * draws.normal("nominal coefficient")
    if effective.value > 0:
        scale = log_scale(effective.u / effective.value)
        for cause, sigma in effective.parts.items():
            exponent = exponent + scale * sigma / effective.value * draws.normal(
                "dose", cause.name, cause.origin
            )
    factor = np.exp(exponent)
    rows = {str(row["population"]): row for row in load("risk/icrp103_nominal").rows()}
    dose_sv = effective.value / 1000.0
    cancer = float(rows["whole"]["cancer_per_sv"]) * dose_sv
    heritable = float(rows["whole"]["heritable_per_sv"]) * dose_sv
    adult = (float(rows["adult"]["cancer_per_sv"]) + float(rows["adult"]["heritable_per_sv"])) * dose_sv
    total = math.fsum((cancer, heritable))
    return PopulationReading(
        model=MODEL,
        kind="population",
        effective=effective,
        cancer=Interval.of(cancer, cancer * factor),
        heritable=Interval.of(heritable, heritable * factor),
        total=Interval.of(total, total * factor),
        adult_total=adult,
        tissues=tissue_readings(exposures) if exposures else (),
    )
