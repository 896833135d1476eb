"""Lifetime attributable risk of one exposure and one site. Defines `Latency`, `lifetime_risk`.

    M(D, e, a)  = ERR(D, e, a) * baseline(a)   or   EAR(D, e, a)
    LAR         = sum over a of M(D, e, a) * latency(a - e) * S(a) / S(reference age)

with integer ages a up to 100. The reference age is the age from which the risk is counted: the age at
exposure, or the age now if that is later (future risk).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wholedose.base import InvalidInput, MissingInput, OutsideDomain
from wholedose.risk.parameters import LeukaemiaSlope, Site, Transfer, constant, site
from wholedose.risk.rates import AGES, DEFAULT_POPULATION, LAST_AGE, Rates, population

Combination = Literal["geometric", "arithmetic"]


@dataclass(frozen=True)
class Latency:
    """When an excess begins: hard after some years, or a logistic growth around a midpoint.

    Attributes
    ----------
    kind : {"hard", "logistic"}
    years : float
        Minimum latency, or the midpoint of the logistic curve.
    scale : float
        Scale of the logistic curve in years.
    """

    kind: Literal["hard", "logistic"]
    years: float
    scale: float = 1.0

    def weight(self, age_exposure: int) -> NDArray[np.float64]:
        """Return the weight of the excess at ages 0 to 100, shape (101,)."""
        elapsed = AGES - age_exposure
        if self.kind == "hard":
            return np.where(elapsed >= self.years, 1.0, 0.0)
        return np.where(elapsed >= 1, 1.0 / (1.0 + np.exp(-(elapsed - self.years) / self.scale)), 0.0)

    @classmethod
    def of(cls, where: Site, kind: Literal["hard", "logistic"]) -> Latency:
        """Return the site's own latency of a kind."""
        if kind == "hard":
            return cls("hard", where.minimum_latency)
        return cls("logistic", where.midpoint[1], where.scale)


@dataclass(frozen=True, eq=False)
class LifetimeRisk:
    """Lifetime attributable risk of one site, as probabilities.

    Attributes
    ----------
    err, ear : float or None
        By each transfer alone, None where there is no such model (or no baseline for the ERR).
    value : float
        The two combined.
    by_age : array of shape (101,)
        The excess per year of attained age; sums to `value`.
    """

    err: float | None
    ear: float | None
    value: float
    by_age: NDArray[np.float64]

    @property
    def per_1e5(self) -> float:
        """The combined risk in cases per 100,000."""
        return self.value * 1e5


def check_age(age_y: float, what: str = "age at exposure") -> int:
    """Return the completed years of an age.

    Raises
    ------
    OutsideDomain
        Below 0 or above 100.
    """
    if not 0.0 <= age_y <= LAST_AGE:
        raise OutsideDomain(
            f"The {what} is {age_y:g} years; the risk models and life tables cover 0 to {LAST_AGE}.",
            where=what,
            way_out="Correct the age, or report organ doses without a risk.",
        )
    return math.floor(age_y)


def check_dose(dose_gy: float, where: str = "dose", limit: bool = True) -> None:
    """Raise `InvalidInput` for a negative dose and, with `limit`, `OutsideDomain` above the domain."""
    if not math.isfinite(dose_gy) or dose_gy < 0:
        raise InvalidInput(
            f"A dose of {dose_gy:g} Gy is not possible.", where=where, way_out="Give 0 or more."
        )
    validity = constant("validity_gy")
    if limit and dose_gy > validity:
        raise OutsideDomain(
            f"A dose of {dose_gy:g} Gy is above {validity:g} Gy, beyond which these models are not proven.",
            where=where,
            way_out='Use a model for therapy doses there, or pass beyond="flag" to leave the site out.',
        )


def unit_excess(
    where: Site,
    transfer: Transfer,
    sex: str,
    age_exposure: int,
    rates: Rates,
    *,
    floor_y: float | None = None,
) -> NDArray[np.float64] | None:
    """Return the excess rate per unit of the dose response (beta D) at ages 0 to 100, before latency.

    None where the site lacks the model, or the population lacks the baseline that the ERR needs.
    """
    slope = where.slope(transfer, sex)
    if slope is None:
        return None
    if isinstance(slope, LeukaemiaSlope):
        shape = slope.modifier(age_exposure, constant("leukaemia_floor_y") if floor_y is None else floor_y)
    else:
        shape = slope.modifier(age_exposure)
    if transfer == "EAR":
        return shape
    baseline = rates.baseline(where.name, sex)
    return None if baseline is None else shape * baseline


def dose_response(where: Site, transfer: Transfer, sex: str, dose_gy: float, acute: bool = True) -> float:
    """Return beta D, or beta D (1 + theta D) for leukaemia: ERR, or EAR per person-year."""
    slope = where.slope(transfer, sex)
    if slope is None:
        return 0.0
    if isinstance(slope, LeukaemiaSlope):
        return slope.dose_response(dose_gy, acute)
    return slope.beta * dose_gy


def combine(err: float | None, ear: float | None, weight_err: float, how: Combination) -> float:
    """Return the two transfers combined.

    ``"geometric"``: ERR^w EAR^(1-w) (BEIR VII); ``"arithmetic"``: w ERR + (1-w) EAR (RadRAT). One
    transfer alone stands when the other does not exist or has no weight.

    Raises
    ------
    MissingInput
        Neither exists.
    OutsideDomain
        The geometric mean of a negative risk.
    """
    if err is None and ear is None:
        raise MissingInput(
            "Neither an ERR with baseline rates nor an EAR exists for this site.",
            where="population",
            way_out="Use a population that has rates for the site, or leave the site out.",
        )
    if ear is None or weight_err == 1.0:
        if err is not None:
            return err
    elif err is None or weight_err == 0.0:
        return ear
    if err is None or ear is None:
        raise MissingInput(
            "The transfer that carries all the weight needs baseline rates that this population lacks.",
            where="population",
            way_out="Use a population that has rates for the site, or leave the site out.",
        )
    if how == "arithmetic":
        return weight_err * err + (1.0 - weight_err) * ear
    if err < 0 or ear < 0:
        raise OutsideDomain("A geometric mean needs risks that are not negative.", where="combination")
    return float(err**weight_err * ear ** (1.0 - weight_err))


def lifetime_risk(
    where: str | Site,
    sex: str,
    age_exposure: float,
    dose_gy: float,
    rates: Rates | str = DEFAULT_POPULATION,
    *,
    age_now: float | None = None,
    latency: Latency | Literal["hard", "logistic"] = "hard",
    combination: Combination = "geometric",
    weight_err: float | None = None,
    ddref: float | None = None,
    floor_y: float | None = None,
    acute: bool = True,
    survival_factor: NDArray[np.float64] | None = None,
) -> LifetimeRisk:
    """Return the lifetime attributable risk of one site from one exposure.

    Parameters
    ----------
    where : str or Site
        Such as ``"lung"``; see `sites`.
    sex : {"F", "M"}
    age_exposure : float
        Years, 0 to 100; completed years enter.
    dose_gy : float
        Absorbed dose of low-LET radiation to the site's organ, in Gy. Not limited here; `appraise` refuses
        doses outside the domain.
    rates : Rates or str
        The population.
    age_now : float or None
        Counts the risk from this age on, given survival to it.
    latency : Latency or {"hard", "logistic"}
    combination : {"geometric", "arithmetic"}
    weight_err : float or None
        None: the site's own.
    ddref : float or None
        None: 1.5 for solid cancers, 1 for leukaemia.
    floor_y : float or None
        Leukaemia: shorter times since exposure are held at it; None: 5 with a hard latency, else 0.
    acute : bool
        False sets the quadratic term of leukaemia to 0.
    survival_factor : array of shape (101,) or None
        Multiplies the population's survival, as for a patient with a disease (1 at the reference age).

    Raises
    ------
    OutsideDomain, InvalidInput, MissingInput, UnknownName

    Examples
    --------
    >>> round(lifetime_risk("lung", "F", 30, 0.01, "Europe").per_1e5, 1)
    22.4
    """
    spot = site(where) if isinstance(where, str) else where
    spot.require(sex)
    people = population(rates) if isinstance(rates, str) else rates
    age = check_age(age_exposure)
    check_dose(dose_gy, where=spot.name, limit=False)
    start = max(age, check_age(age_now, "age now") if age_now is not None else age)
    delay = latency if isinstance(latency, Latency) else Latency.of(spot, latency)
    if floor_y is None:
        floor_y = constant("leukaemia_floor_y") if delay.kind == "hard" else 0.0
    alive = people.alive(sex, start) * delay.weight(age)
    if survival_factor is not None:
        alive = alive * survival_factor
    factor = (constant("ddref_median") if spot.ddref else 1.0) if ddref is None else ddref
    curves: dict[str, NDArray[np.float64]] = {}
    transfers: tuple[Transfer, ...] = ("ERR", "EAR")
    for transfer in transfers:
        unit = unit_excess(spot, transfer, sex, age, people, floor_y=floor_y)
        if unit is not None:
            curves[transfer] = unit * alive * dose_response(spot, transfer, sex, dose_gy, acute) / factor
    err = float(np.sum(curves["ERR"])) if "ERR" in curves else None
    ear = float(np.sum(curves["EAR"])) if "EAR" in curves else None
    weight = spot.weight_err if weight_err is None else weight_err
    value = combine(err, ear, weight, combination)
    return LifetimeRisk(err, ear, value, combined_curve(curves, err, ear, weight, value))


def combined_curve(
    curves: dict[str, NDArray[np.float64]],
    err: float | None,
    ear: float | None,
    weight: float,
    value: float,
) -> NDArray[np.float64]:
    """Return the combined excess by age: the transfers' shapes mixed by weight, scaled to their sum."""
    shape = np.zeros(LAST_AGE + 1)
    used = 0.0
    for key, total, share in (("ERR", err, weight), ("EAR", ear, 1.0 - weight)):
        if total and (share > 0 or len(curves) == 1):
            shape += curves[key] / total * (share or 1.0)
            used += share or 1.0
    return shape * (value / used) if used else shape
