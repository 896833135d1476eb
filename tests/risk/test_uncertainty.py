"""Samples of a site's risk, against closed forms of log-normal products."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from wholedose.base import AbsorbedDose, Cause
from wholedose.risk import (
    BEIR_VII,
    RADRAT_CENTRAL,
    Draws,
    Latency,
    RiskModel,
    lifetime_risk,
    population,
    site,
    triangular_quantile,
)
from wholedose.risk.parameters import LeukaemiaSlope
from wholedose.risk.uncertainty import Event, SiteModel

N = 20_000
EUROPE = population("Europe")


def model(
    name: str,
    dose: AbsorbedDose,
    *,
    how: RiskModel = BEIR_VII,
    sex: str = "F",
    age: int = 30,
    acute: bool = True,
) -> SiteModel:
    return SiteModel(how, site(name), sex, EUROPE, age, [Event(age, dose, acute)])


def log_sd(sample: NDArray[np.float64]) -> float:
    return float(np.std(np.log(sample)))


def close(value: float, expected: float) -> bool:
    return abs(value / expected - 1) < 5 / math.sqrt(2 * N)


def test_central_risk_is_the_deterministic_one() -> None:
    """Both models' central value is `lifetime_risk` with their conventions."""
    dose = AbsorbedDose(20.0)
    assert model("lung", dose).central() == pytest.approx(lifetime_risk("lung", "F", 30, 0.02, EUROPE).value)
    radrat = lifetime_risk("lung", "F", 30, 0.02, EUROPE, latency="logistic", combination="arithmetic")
    chronic = model("lung", dose, how=RADRAT_CENTRAL, acute=False)
    assert chronic.central() == pytest.approx(radrat.value)


def test_beir_vii_interval_is_the_published_sum_of_log_variances() -> None:
    """Var ln LAR = w^2 s_err^2 + (1-w)^2 s_ear^2 + w(1-w) ln^2(ERR/EAR) + ln^2(1.35)."""
    part = model("lung", AbsorbedDose(20.0))
    risk = lifetime_risk("lung", "F", 30, 0.02, EUROPE)
    assert risk.err is not None
    assert risk.ear is not None
    s_err, s_ear = math.log(2.1 / 0.94) / 3.92, math.log(4.9 / 2.3) / 3.92
    variance = 0.09 * s_err**2 + 0.49 * s_ear**2
    variance += 0.21 * math.log(risk.err / risk.ear) ** 2 + math.log(1.35) ** 2
    assert close(log_sd(part.sample(Draws(1, N))), math.sqrt(variance))


def test_each_group_alone_has_its_own_log_variance() -> None:
    """DDREF alone gives ln 1.35; nothing varying gives the central value everywhere."""
    part = model("colon", AbsorbedDose(20.0, {Cause("anatomy", "p"): 2.0}))
    draws = Draws(1, N)
    assert close(log_sd(part.sample(draws, frozenset({"DDREF"}))), math.log(1.35))
    assert close(log_sd(part.sample(draws, frozenset({"dose: anatomy"}))), 0.1)
    np.testing.assert_allclose(part.sample(draws, frozenset()), part.central(), rtol=1e-12)


def test_shared_dose_causes_add_and_opposite_signs_cancel() -> None:
    """One calibration of two scans moves both; a cause that acts with opposite sign cancels."""
    same = Cause("output calibration", "A")
    events = [Event(30, AbsorbedDose(10.0, {same: sign}), True) for sign in (1.0, -1.0)]
    twins = [Event(30, AbsorbedDose(10.0, {same: 1.0}), True)] * 2
    other = [Event(30, AbsorbedDose(10.0, {Cause("output calibration", k): 1.0}), True) for k in "AB"]
    vary = frozenset({"dose: output calibration"})
    spread = [
        log_sd(SiteModel(BEIR_VII, site("lung"), "F", EUROPE, 30, list(found)).sample(Draws(1, N), vary))
        for found in (twins, other, events)
    ]
    assert close(spread[0], 0.1)
    assert close(spread[1], 0.1 / math.sqrt(2))
    assert spread[2] < 0.01


def test_sites_that_share_a_dose_cause_move_together() -> None:
    """One calibration moves all organs at once: two sites' samples are fully correlated, not independent."""
    dose = AbsorbedDose(10.0, {Cause("output calibration", "A"): 1.0})
    draws, vary = Draws(1, 2000), frozenset({"dose: output calibration"})
    lung, liver = (np.log(model(name, dose).sample(draws, vary)) for name in ("lung", "liver"))
    assert np.corrcoef(lung, liver)[0, 1] == pytest.approx(1.0, abs=1e-9)


def test_a_dose_known_to_a_factor_of_ten_stays_one() -> None:
    """A dose whose uncertainty is ten times its value widens the risk as its variance says, not to e^10."""
    vague = AbsorbedDose(1.0, {Cause("anatomy", "place"): 8.0, Cause("statistical", "s"): 6.0})
    sample = model("lung", vague).sample(Draws(1, N), frozenset({"dose: anatomy", "dose: statistical"}))
    assert close(log_sd(sample), math.sqrt(math.log(101.0)))


def test_exposures_add_sample_by_sample() -> None:
    """The sample of two exposures is the sum of theirs: one beta and one DDREF for all of them."""
    first, second = Event(30, AbsorbedDose(10.0)), Event(50, AbsorbedDose(5.0))
    draws = Draws(1, 1000)
    for name in ("lung", "leukaemia", "breast"):
        both, one, two = (
            SiteModel(BEIR_VII, site(name), "F", EUROPE, 30, found)
            for found in ([first, second], [first], [second])
        )
        np.testing.assert_allclose(both.sample(draws), one.sample(draws) + two.sample(draws), rtol=1e-12)
        assert both.central() == pytest.approx(one.central() + two.central())
        np.testing.assert_allclose(both.by_age(), one.by_age() + two.by_age())


def test_a_slope_that_may_be_negative_gives_negative_samples() -> None:
    """Prostate's lower end is below zero under both models and is not clipped."""
    for how in (BEIR_VII, RADRAT_CENTRAL):
        sample = model("prostate", AbsorbedDose(20.0), how=how, sex="M").sample(Draws(1, N))
        assert np.percentile(sample, 5) < 0 < np.percentile(sample, 50)


def test_leukaemia_interval_is_the_delta_method_of_the_covariances() -> None:
    """With the coefficients alone varying, ln LAR has the spread of gradient, covariance and weights."""
    part = model("leukaemia", AbsorbedDose(20.0), sex="M", age=40)
    sample = part.sample(Draws(1, N), frozenset({"risk coefficient"}))
    direction = np.zeros(5)
    for transfer, weight in (("ERR", 0.7), ("EAR", 0.3)):
        slope = site("leukaemia").slope("ERR" if transfer == "ERR" else "EAR", "M")
        assert isinstance(slope, LeukaemiaSlope)
        curve = lifetime_risk("leukaemia", "M", 40, 0.02, EUROPE, weight_err=float(transfer == "ERR")).by_age
        log_t = np.log(np.maximum(np.arange(101) - 40, 5) / 25)
        mean_log = float(curve @ log_t / curve.sum())
        gradient = np.array([1 / slope.beta, 0.02 / (1 + slope.theta * 0.02), 0.0, mean_log, 0.0])
        direction += weight * (gradient @ np.linalg.cholesky(slope.covariance + 1e-12 * np.eye(5)))
    assert close(log_sd(sample), float(np.linalg.norm(direction)))
    assert np.median(sample) == pytest.approx(part.central(), rel=0.02)
    with_ddref = part.sample(Draws(1, N), frozenset({"risk coefficient", "DDREF"}))
    np.testing.assert_array_equal(sample, with_ddref)


def test_radrat_ddref_fades_out_above_the_acute_limit() -> None:
    """An acute dose of 25 mGy is divided by 1.5, of 250 mGy by 1, of 80 mGy by the expectation between."""
    for dose, factor in ((25.0, 1.5), (250.0, 1.0)):
        acute = model("stomach", AbsorbedDose(dose), how=RADRAT_CENTRAL)
        chronic = model("stomach", AbsorbedDose(dose), how=RADRAT_CENTRAL, acute=False)
        assert acute.central() == pytest.approx(chronic.central() * 1.5 / factor)
    middle = model("stomach", AbsorbedDose(80.0), how=RADRAT_CENTRAL)
    below = math.log(200 / 80) / math.log(200 / 30)
    chronic = model("stomach", AbsorbedDose(80.0), how=RADRAT_CENTRAL, acute=False)
    assert middle.central() == pytest.approx(chronic.central() * 1.5 * (below / 1.5 + 1 - below))


def test_latency_midpoint_by_interpolation_is_the_direct_sum() -> None:
    """Interpolated risks at sampled midpoints agree with sums at those midpoints to 1e-4."""
    part = model("lung", AbsorbedDose(20.0), how=RADRAT_CENTRAL, age=85)
    vary = frozenset({"latency"})
    draws = Draws(1, 50)
    sample = part.sample(draws, vary)
    for mu, ours in zip(
        triangular_quantile(draws.uniform("latency", "solid"), 5, 7.5, 10), sample, strict=True
    ):
        direct = lifetime_risk(
            "lung",
            "F",
            85,
            0.02,
            EUROPE,
            latency=Latency("logistic", float(mu), 0.76),
            combination="arithmetic",
        )
        assert ours == pytest.approx(direct.value, rel=1e-4)


def test_a_zero_dose_is_no_risk() -> None:
    """No dose, no terms: zero central value and zero samples."""
    part = model("lung", AbsorbedDose(0.0))
    assert part.central() == 0.0
    assert not part.sample(Draws(1, 10)).any()
    assert not part.by_age().any()
