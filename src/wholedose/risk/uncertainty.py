"""Samples of a site's lifetime risk over uncertain parameters and doses. Defines `Event`, `SiteModel`.

What varies, by group: ``risk coefficient`` (beta, and the leukaemia parameters with covariance), ``transfer``
(BEIR VII: ERR or EAR), ``DDREF``, ``latency`` (RadRAT), and ``dose: <cause>`` for each cause of the doses.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wholedose.base import AbsorbedDose
from wholedose.risk.lifetime import Combination, Latency, combine, combined_curve, dose_response, unit_excess
from wholedose.risk.parameters import LeukaemiaSlope, Site, Transfer, constant
from wholedose.risk.rates import LAST_AGE, Rates
from wholedose.risk.sampling import Draws, Sample, log_scale, triangular_quantile

GROUPS = ("risk coefficient", "transfer", "DDREF", "latency")
LATENCY_NODES = (
    41  # the risk is smooth in the latency's midpoint: interpolating 41 nodes errs by less than 1e-5
)
MGY_PER_GY = 1000.0
TRANSFERS: tuple[Transfer, ...] = ("ERR", "EAR")


@dataclass(frozen=True)
class RiskModel:
    """A named way from organ doses to a person's lifetime cancer incidence.

    Attributes
    ----------
    name : str
    combination : {"geometric", "arithmetic"}
        How ERR and EAR transfer are combined.
    latency : {"hard", "logistic"}
    ddref : {"always", "below limit", "never"}
        Whether DDREF divides each solid cancer risk, or an acute one only below an uncertain dose limit.
    transfer_varies : bool
        Whether the choice of transfer enters the interval (BEIR VII) or the weights are fixed.
    source : str
    """

    name: str
    combination: Combination
    latency: Literal["hard", "logistic"]
    ddref: Literal["always", "below limit", "never"]
    transfer_varies: bool
    source: str

    def has(self, spot: Site) -> bool:
        """Whether the model has this site."""
        return spot.beir_vii if self.name == "BEIR VII" else spot.radrat


BEIR_VII = RiskModel(
    "BEIR VII", "geometric", "hard", "always", True, "National Research Council 2006, doi 10.17226/11340"
)
RADRAT_CENTRAL = RiskModel(
    "RadRAT central",
    "arithmetic",
    "logistic",
    "below limit",
    False,
    "Berrington de Gonzalez 2012, doi 10.1088/0952-4746/32/3/205",
)


@dataclass(frozen=True, eq=False)
class Event:
    """One exposure of one site: completed years of age, dose with its causes, acute or protracted."""

    age: int
    dose: AbsorbedDose
    acute: bool = True

    @property
    def gy(self) -> float:
        """The absorbed dose in Gy."""
        return self.dose.value / MGY_PER_GY


@dataclass(frozen=True, eq=False)
class _Term:
    """An event with its central risks: per transfer, and combined, before DDREF."""

    event: Event
    curves: Mapping[Transfer, NDArray[np.float64]]
    risks: Mapping[Transfer, float]
    combined: float
    nodes: Mapping[Transfer, NDArray[np.float64]] = field(default_factory=dict)


class SiteModel:
    """A site of one person under one model: central risk, excess by age, and samples.

    Parameters
    ----------
    model : RiskModel
    spot : Site
    sex : {"F", "M"}
    rates : Rates
    start : int
        Age from which the risk is counted.
    events : sequence of Event
    """

    def __init__(
        self, model: RiskModel, spot: Site, sex: str, rates: Rates, start: int, events: Sequence[Event]
    ) -> None:
        self.model, self.spot, self.sex, self.rates, self.start = model, spot, sex, rates, start
        terms = [self._term(event) for event in events if event.dose.value > 0]
        self.terms = [term for term in terms if term.combined != 0.0]  # near 100 nothing lies ahead

    def _term(self, event: Event) -> _Term:
        alive = self.rates.alive(self.sex, self.start)
        delay = Latency.of(self.spot, self.model.latency)
        floor_y = constant("leukaemia_floor_y") if self.model.latency == "hard" else 0.0
        curves: dict[Transfer, NDArray[np.float64]] = {}
        nodes: dict[Transfer, NDArray[np.float64]] = {}
        for transfer in TRANSFERS:
            unit = unit_excess(self.spot, transfer, self.sex, event.age, self.rates, floor_y=floor_y)
            if unit is None:
                continue
            level = dose_response(self.spot, transfer, self.sex, event.gy, event.acute)
            curves[transfer] = unit * alive * delay.weight(event.age) * level
            if self.model.latency == "logistic":
                weights = [
                    Latency("logistic", mu, self.spot.scale).weight(event.age) for mu in self._midpoints()
                ]
                nodes[transfer] = np.array(weights) @ (unit * alive * level)
        risks = {transfer: float(curve.sum()) for transfer, curve in curves.items()}
        combined = combine(risks.get("ERR"), risks.get("EAR"), self.spot.weight_err, self.model.combination)
        return _Term(event, curves, risks, combined, nodes)

    def _midpoints(self) -> NDArray[np.float64]:
        return np.linspace(self.spot.midpoint[0], self.spot.midpoint[2], LATENCY_NODES)

    @property
    def transfer_missing(self) -> bool:
        """Whether the EAR stands alone because the population lacks the baseline that the ERR needs."""
        return any("ERR" not in term.risks for term in self.terms) and self.spot.weight_err > 0

    def central(self) -> float:
        """Return the risk with every parameter at its central value."""
        return math.fsum(term.combined / self._central_ddref(term.event) for term in self.terms)

    def by_age(self) -> NDArray[np.float64]:
        """Return the central excess per year of attained age, shape (101,)."""
        total = np.zeros(LAST_AGE + 1)
        for term in self.terms:
            curve = combined_curve(
                {str(k): v for k, v in term.curves.items()},
                term.risks.get("ERR"),
                term.risks.get("EAR"),
                self.spot.weight_err,
                term.combined,
            )
            total += curve / self._central_ddref(term.event)
        return total

    def _central_ddref(self, event: Event) -> float:
        if not self.spot.ddref or self.model.ddref == "never":
            return 1.0
        ddref = constant("ddref_median")
        if self.model.ddref == "always" or not event.acute:
            return ddref
        low, high = math.log(constant("acute_limit_low_gy")), math.log(constant("acute_limit_high_gy"))
        below = min(max((high - math.log(event.gy)) / (high - low), 0.0), 1.0)
        return 1.0 / (below / ddref + 1.0 - below)

    def sample(self, draws: Draws, vary: frozenset[str] | None = None) -> Sample:
        """Return samples of the risk, shape (samples,).

        Parameters
        ----------
        draws : Draws
        vary : frozenset of str or None
            The groups that vary, the others stay central; None varies all.
        """
        total = np.zeros(draws.samples)
        betas = self._betas(draws, vary)
        midpoint = None
        if self.model.latency == "logistic" and _varies("latency", vary):
            name = self.spot.name if self.spot.name in ("thyroid", "leukaemia") else "solid"
            midpoint = triangular_quantile(draws.uniform("latency", name), *self.spot.midpoint)
        for term in self.terms:
            dose = self._dose_factor(term.event, draws, vary)
            risk = self._risk(term, betas, midpoint, draws, vary)
            total += risk * dose / self._ddref(term.event, dose, draws, vary)
        return total

    def _betas(self, draws: Draws, vary: frozenset[str] | None) -> dict[Transfer, Sample]:
        """Relative values beta_i / beta of the solid cancer slopes."""
        if not _varies("risk coefficient", vary):
            return {}
        found: dict[Transfer, Sample] = {}
        for transfer in TRANSFERS:
            slope = self.spot.slope(transfer, self.sex)
            if slope is not None and not isinstance(slope, LeukaemiaSlope):
                z = draws.normal("beta", self.spot.name, self.sex, transfer)
                found[transfer] = slope.beta_at(z) / slope.beta
        return found

    def _leukaemia_factor(self, term: _Term, transfer: Transfer, draws: Draws) -> Sample:
        """exp of the first-order change of ln LAR with the five parameters, for this event."""
        slope = self.spot.slope(transfer, self.sex)
        assert isinstance(slope, LeukaemiaSlope)
        curve = term.curves[transfer]
        elapsed = np.maximum(np.arange(LAST_AGE + 1) - term.event.age, 1.0)
        if self.model.latency == "hard":
            elapsed = np.maximum(elapsed, constant("leukaemia_floor_y"))
        mean_log = float(np.sum(curve * np.log(elapsed / 25.0)) / np.sum(curve))
        e_star, dose = slope.e_star(term.event.age), term.event.gy
        by_theta = dose / (1.0 + slope.theta * dose) if term.event.acute else 0.0
        gradient = np.array([1.0 / slope.beta, by_theta, e_star, mean_log, mean_log * e_star])
        root = np.linalg.cholesky(slope.covariance + 1e-12 * np.eye(5))
        z = np.stack([draws.normal("leukaemia", self.sex, str(i)) for i in range(5)])
        return np.asarray(np.exp((gradient @ root) @ z))

    def _risk(
        self,
        term: _Term,
        betas: Mapping[Transfer, Sample],
        midpoint: Sample | None,
        draws: Draws,
        vary: frozenset[str] | None,
    ) -> Sample:
        """The risk of one event at its central dose, before DDREF."""
        weight = self.spot.weight_err
        parts: dict[Transfer, Sample] = {}
        for transfer, risk in term.risks.items():
            value = np.full(draws.samples, risk)
            if midpoint is not None:
                value = np.interp(midpoint, self._midpoints(), term.nodes[transfer])
            if self.spot.name == "leukaemia" and _varies("risk coefficient", vary):
                value = value * self._leukaemia_factor(term, transfer, draws)
            parts[transfer] = value * betas[transfer] if transfer in betas else value
        if len(parts) == 1 or weight in (0.0, 1.0):
            only: Transfer = "ERR" if "ERR" in parts and (len(parts) == 1 or weight == 1.0) else "EAR"
            return parts[only]
        if self.model.combination == "arithmetic":
            return weight * parts["ERR"] + (1.0 - weight) * parts["EAR"]
        ratio = {transfer: parts[transfer] / term.risks[transfer] for transfer in TRANSFERS}
        if min(float(r.min()) for r in ratio.values()) > 0:
            mixed = ratio["ERR"] ** weight * ratio["EAR"] ** (1.0 - weight)
        else:  # a slope that may be negative has no geometric mean: the mean is taken on the plain scale
            mixed = weight * ratio["ERR"] + (1.0 - weight) * ratio["EAR"]
        value = term.combined * mixed
        if self.model.transfer_varies and _varies("transfer", vary):
            spread = math.sqrt(weight * (1.0 - weight)) * math.log(term.risks["ERR"] / term.risks["EAR"])
            value = value * np.exp(spread * draws.normal("transfer", self.spot.name))
        return value

    def _ddref(self, event: Event, dose: Sample, draws: Draws, vary: frozenset[str] | None) -> Sample:
        if not self.spot.ddref or self.model.ddref == "never":
            return np.ones(draws.samples)
        if not _varies("DDREF", vary):
            return np.full(draws.samples, self._central_ddref(event))
        z = draws.normal("DDREF")
        ddref = np.asarray(constant("ddref_median") * constant("ddref_gsd") ** z)
        if self.model.ddref == "always" or not event.acute:
            return ddref
        low, high = constant("acute_limit_low_gy"), constant("acute_limit_high_gy")
        limit = low * (high / low) ** draws.uniform("acute limit")
        return np.where(event.gy * dose < limit, ddref, 1.0)

    def _dose_factor(self, event: Event, draws: Draws, vary: frozenset[str] | None) -> Sample:
        """exp(sum of relative parts times shared deviates): its median is the dose, it is never negative."""
        exponent = np.zeros(draws.samples)
        scale = log_scale(event.dose.u / event.dose.value)
        for cause, sigma in event.dose.parts.items():
            if sigma and _varies(f"dose: {cause.name}", vary):
                exponent += scale * sigma / event.dose.value * draws.normal("dose", cause.name, cause.origin)
        factor = np.exp(exponent)
        slope = self.spot.slope("ERR", self.sex)
        if isinstance(slope, LeukaemiaSlope) and event.acute:
            curved = (1.0 + slope.theta * event.gy * factor) / (1.0 + slope.theta * event.gy)
            return np.asarray(factor * curved)
        return np.asarray(factor)


def _varies(group: str, vary: frozenset[str] | None) -> bool:
    return vary is None or group in vary
