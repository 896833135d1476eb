"""Parameters of the site models. Defines `Slope`, `LeukaemiaSlope`, `Site`, `sites` and `constant`."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wholedose.base import InvalidInput, UnknownName
from wholedose.risk.rates import AGES
from wholedose.tables import load

Transfer = Literal["ERR", "EAR"]
Z975 = 1.96  # the published limits are beta ± 1.96 standard errors, on the log or the plain scale
PER_1E4 = 1e-4
LEUKAEMIA_NAMES = ("beta", "theta", "gamma", "delta", "phi")


@dataclass(frozen=True)
class Slope:
    """Dose response of one solid cancer site in one sex and one transfer.

    Attributes
    ----------
    beta : float
        ERR per Gy, or EAR per person-year and Gy (already divided by 1e4).
    sd_log, sd_low, sd_high : float
        Spread of beta: standard deviation of ln beta, or, where beta may be negative (``sd_log`` is 0), the
        standard deviations below and above beta.
    gamma, eta, eta_after_50 : float
    exposure_age, attained_age : float
        Reference ages of the two modifiers.
    truncated : bool
        Whether e* is held at 0 above the reference age at exposure.
    """

    beta: float
    sd_log: float
    sd_low: float
    sd_high: float
    gamma: float
    eta: float
    eta_after_50: float
    exposure_age: float
    attained_age: float
    truncated: bool

    def modifier(self, age_exposure: float) -> NDArray[np.float64]:
        """Return exp(gamma e*) (a / reference)^eta at ages 0 to 100 (0 at age 0), shape (101,)."""
        e_star = (age_exposure - self.exposure_age) / 10.0
        if self.truncated:
            e_star = min(e_star, 0.0)
        exponent = np.where(AGES > 50.0, self.eta_after_50, self.eta)
        ratio = np.maximum(AGES, 1e-9) / self.attained_age
        return np.where(AGES > 0, np.exp(self.gamma * e_star) * ratio**exponent, 0.0)

    def beta_at(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return beta's value at standard normal deviates z."""
        if self.sd_log > 0:
            return self.beta * np.exp(self.sd_log * z)
        return self.beta + np.where(z > 0, self.sd_high, self.sd_low) * z


@dataclass(frozen=True, eq=False)
class LeukaemiaSlope:
    """The linear-quadratic leukaemia model of one sex and one transfer.

    Attributes
    ----------
    beta, theta, gamma, delta, phi : float
    covariance : array of shape (5, 5)
        In the order beta, theta, gamma, delta, phi, in the units of the published table (beta of the EAR per
        1e4 person-years).
    scale : float
        1 for the ERR, 1e-4 for the EAR.
    """

    beta: float
    theta: float
    gamma: float
    delta: float
    phi: float
    covariance: NDArray[np.float64]
    scale: float

    def e_star(self, age_exposure: float) -> float:
        """Return (e - 30) / 10, not above 0."""
        return min(age_exposure - 30.0, 0.0) / 10.0

    def modifier(self, age_exposure: float, floor_y: float) -> NDArray[np.float64]:
        """Return the modifier at ages 0 to 100, 0 up to the age at exposure, shape (101,).

        `floor_y`: shorter times since exposure are held at it.
        """
        elapsed = AGES - np.floor(age_exposure)
        log_t = np.log(np.maximum(elapsed, max(floor_y, 1e-9)) / 25.0)
        e_star = self.e_star(age_exposure)
        value = np.exp(self.gamma * e_star + self.delta * log_t + self.phi * e_star * log_t)
        return np.where(elapsed > 0, value, 0.0)

    def dose_response(self, dose_gy: float, acute: bool = True) -> float:
        """Return beta D (1 + theta D); theta is 0 for a protracted dose."""
        theta = self.theta if acute else 0.0
        return self.beta * self.scale * dose_gy * (1.0 + theta * dose_gy)


@dataclass(frozen=True)
class Site:
    """A cancer site: its models per sex, weights and latencies.

    Attributes
    ----------
    name : str
    beir_vii, radrat : bool
        Which model family has the site.
    weight_err : float
        Weight of the ERR transfer, 0 to 1.
    minimum_latency : int
        Years; BEIR VII.
    midpoint : tuple of three float
        Triangular low, mode and high of the logistic latency's midpoint in years; RadRAT.
    scale : float
        Scale of the logistic latency in years.
    ddref : bool
        Whether the dose and dose-rate effectiveness factor applies.
    organs : tuple of str
        Organs whose absorbed dose enters, averaged arithmetically.
    """

    name: str
    beir_vii: bool
    radrat: bool
    weight_err: float
    minimum_latency: int
    midpoint: tuple[float, float, float]
    scale: float
    ddref: bool
    organs: tuple[str, ...]

    def slope(self, transfer: Transfer, sex: str) -> Slope | LeukaemiaSlope | None:
        """Return the model of a transfer and sex, None where the site has no such model."""
        found = _slopes().get((self.name, sex, transfer))
        return _leukaemia(sex, transfer) if self.name == "leukaemia" else found

    def sexes(self) -> tuple[str, ...]:
        """Return the sexes that have the site."""
        return tuple(s for s in ("F", "M") if self.slope("ERR", s) or self.slope("EAR", s))

    def require(self, sex: str) -> None:
        """Raise `InvalidInput` where the site does not exist in this sex."""
        if sex not in self.sexes():
            who = {"F": "women", "M": "men"}[self.sexes()[0]]
            raise InvalidInput(
                f"The risk of {self.name} cancer is modelled in {who} only.",
                where="site",
                way_out=f"Leave {self.name} out for sex {sex!r}.",
            )


ALIASES = {
    "leukemia": "leukaemia",
    "brain/cns": "brain_cns",
    "brain": "brain_cns",
    "esophagus": "oesophagus",
    "other": "other_solid",
    "lungs": "lung",
    "breasts": "breast",
}


def site(name: str) -> Site:
    """Return a site by its name; spellings such as ``"leukemia"`` and ``"brain/cns"`` are known.

    Raises
    ------
    UnknownName
        The message lists the sites.
    """
    key = ALIASES.get(name.strip().lower(), name.strip().lower())
    table = sites()
    if key not in table:
        raise UnknownName("cancer site", name, table)
    return table[key]


@cache
def sites() -> dict[str, Site]:
    """Return all sites by name, in the order of the table."""
    organs: dict[str, list[str]] = {}
    for row in load("risk/site_organs").rows():
        organs.setdefault(str(row["site"]), []).append(str(row["organ"]))
    found: dict[str, Site] = {}
    for row in load("risk/sites").rows():
        name = str(row["site"])
        found[name] = Site(
            name=name,
            beir_vii=bool(row["beir_vii"]),
            radrat=bool(row["radrat"]),
            weight_err=float(row["weight_err"]),
            minimum_latency=int(row["minimum_latency"]),
            midpoint=(float(row["midpoint_low"]), float(row["midpoint_mode"]), float(row["midpoint_high"])),
            scale=float(row["scale"]),
            ddref=bool(row["ddref"]),
            organs=tuple(organs[name]),
        )
    return found


@cache
def constant(name: str) -> float:
    """Return a constant of the table risk/constants."""
    values = {str(row["name"]): float(row["value"]) for row in load("risk/constants").rows()}
    if name not in values:
        raise UnknownName("constant", name, values)
    return values[name]


@cache
def _slopes() -> dict[tuple[str, str, str], Slope]:
    slopes: dict[tuple[str, str, str], Slope] = {}
    for row in load("risk/beir_vii_radrat_parameters").rows():
        transfer = str(row["transfer"])
        unit = PER_1E4 if transfer == "EAR" else 1.0
        beta, low, high, log_sd = (float(row[key]) for key in ("beta", "lo95", "hi95", "ln_sd"))
        sd_log = sd_low = sd_high = 0.0
        if row["distribution"] == "lognormal":
            sd_log = log_sd if np.isfinite(log_sd) else float(np.log(high / low)) / (2.0 * Z975)
        else:
            sd_high = unit * (high - beta) / Z975
            sd_low = unit * (beta - low) / Z975 if np.isfinite(low) else sd_high
        eta, after = float(row["eta"]), float(row["eta_after_50"])
        slopes[str(row["site"]), str(row["sex"]), transfer] = Slope(
            beta=unit * beta,
            sd_log=sd_log,
            sd_low=sd_low,
            sd_high=sd_high,
            gamma=float(row["gamma"]),
            eta=eta,
            eta_after_50=after if np.isfinite(after) else eta,
            exposure_age=float(row["reference_exposure_age"]),
            attained_age=float(row["reference_age"]),
            truncated=bool(row["truncated"]),
        )
    return slopes


@cache
def _leukaemia(sex: str, transfer: str) -> LeukaemiaSlope | None:
    for row in load("risk/leukaemia_parameters").rows():
        if row["sex"] == sex and row["transfer"] == transfer:
            covariance = np.empty((5, 5))
            for i, a in enumerate(LEUKAEMIA_NAMES):
                for j, b in enumerate(LEUKAEMIA_NAMES):
                    first, second = (a, b) if i <= j else (b, a)
                    covariance[i, j] = float(row[f"cov_{first}_{second}"])
            return LeukaemiaSlope(
                beta=float(row["beta"]),
                theta=float(row["theta"]),
                gamma=float(row["gamma"]),
                delta=float(row["delta"]),
                phi=float(row["phi"]),
                covariance=covariance,
                scale=PER_1E4 if transfer == "EAR" else 1.0,
            )
    return None
