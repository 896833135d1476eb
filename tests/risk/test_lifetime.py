"""Lifetime attributable risk of one exposure, against sums written out here."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholedose.base import InvalidInput, MissingInput, OutsideDomain
from wholedose.risk import Latency, Rates, lifetime_risk, sites
from wholedose.risk.lifetime import check_dose, combine

SITES = ["lung", "stomach", "thyroid", "breast", "leukaemia", "liver", "ovary", "uterus", "bladder"]


def flat(rate: float = 1e-3, yearly_survival: float = 1.0) -> Rates:
    ages = np.arange(101, dtype=np.float64)
    incidence = {(name, sex): np.full(101, rate) for name in sites() for sex in ("F", "M")}
    alive = np.asarray(yearly_survival**ages, dtype=np.float64)
    return Rates("flat", incidence, {"F": alive, "M": alive})


def test_thyroid_with_constant_rate_is_the_closed_form() -> None:
    """Without an attained-age modifier the risk is beta D exp(gamma e*) rate times the years at risk."""
    risk = lifetime_risk("thyroid", "F", 20, 0.1, flat())
    assert risk.value == pytest.approx(1.05 * 0.1 * math.exp(0.83) * 1e-3 * 76 / 1.5, rel=1e-12)


def test_thyroid_with_constant_mortality_is_the_geometric_series() -> None:
    """With yearly survival p the sum over ages is p^5 (1 - p^n) / (1 - p)."""
    p, n = 0.98, 76
    risk = lifetime_risk("thyroid", "M", 20, 0.1, flat(yearly_survival=p))
    series = p**5 * (1 - p**n) / (1 - p)
    assert risk.value == pytest.approx(0.53 * 0.1 * math.exp(0.83) * 1e-3 * series / 1.5, rel=1e-12)


def test_lung_by_both_transfers_is_the_sum_written_out() -> None:
    """ERR, EAR and their geometric mean with weights 0.3 and 0.7 agree with a plain loop."""
    err = ear = 0.0
    for age in range(45, 101):
        err += 1.4 * 0.1 * (age / 60) ** -1.4 * 1e-3
        ear += 3.4e-4 * 0.1 * (age / 60) ** 5.2
    risk = lifetime_risk("lung", "F", 40, 0.1, flat())
    assert risk.err == pytest.approx(err / 1.5, rel=1e-12)
    assert risk.ear == pytest.approx(ear / 1.5, rel=1e-12)
    assert risk.value == pytest.approx((err / 1.5) ** 0.3 * (ear / 1.5) ** 0.7, rel=1e-12)
    other = lifetime_risk("lung", "F", 40, 0.1, flat(), combination="arithmetic")
    assert other.value == pytest.approx((0.3 * err + 0.7 * ear) / 1.5, rel=1e-12)


def test_leukaemia_newborn_boy_holds_the_excess_between_2_and_5_years() -> None:
    """0.1 Gy to a newborn boy gives 238 per 100,000 with European rates; without holding t at 5 it is 380."""
    held = lifetime_risk("leukaemia", "M", 0, 0.1, "Europe")
    free = lifetime_risk("leukaemia", "M", 0, 0.1, "Europe", floor_y=0.0)
    assert held.per_1e5 == pytest.approx(237.6, abs=0.1)
    assert free.per_1e5 == pytest.approx(380, abs=2)


def test_leukaemia_has_a_2_year_latency_and_no_ddref() -> None:
    """The excess begins 2 years after exposure, and halving DDREF's effect changes nothing by default."""
    risk = lifetime_risk("leukaemia", "M", 30, 0.1, flat())
    assert risk.by_age[31] == 0.0
    assert risk.by_age[32] == risk.by_age[35] > 0.0
    assert risk.value == lifetime_risk("leukaemia", "M", 30, 0.1, flat(), ddref=1.0).value


def test_solid_latency_is_hard_5_years_or_logistic() -> None:
    """Hard: nothing before 5 years. Logistic: half of the excess at the midpoint, all of it long after."""
    hard = Latency("hard", 5.0).weight(40)
    assert (hard[44], hard[45]) == (0.0, 1.0)
    soft = Latency("logistic", 7.5, 0.76).weight(40)
    assert soft[40] == 0.0
    assert soft[47] + soft[48] == pytest.approx(1.0)
    assert soft[90] == pytest.approx(1.0)


def test_excess_by_age_sums_to_the_risk() -> None:
    """The curve over attained age carries the combined risk, for both combinations."""
    for how in ("geometric", "arithmetic"):
        risk = lifetime_risk(
            "colon",
            "M",
            35,
            0.2,
            "Asia excl",
            combination="geometric" if how == "geometric" else "arithmetic",
        )
        assert float(risk.by_age.sum()) == pytest.approx(risk.value, rel=1e-12)
    breast = lifetime_risk("breast", "F", 35, 0.2)
    assert float(breast.by_age.sum()) == pytest.approx(breast.value, rel=1e-12)


def test_future_risk_counts_only_from_the_age_now() -> None:
    """A scan at 30 seen from 50: the years before 50 are behind, and survival to 50 is given."""
    rates = flat(yearly_survival=0.98)
    at_30, at_50 = (lifetime_risk("thyroid", "F", 30, 0.1, rates, age_now=now) for now in (30, 50))
    assert at_50.value == pytest.approx(1.05 * 0.1 * 1e-3 * (1 - 0.98**51) / 0.02 / 1.5, rel=1e-12)
    assert at_50.by_age[49] == 0.0
    assert at_50.value < at_30.value
    assert lifetime_risk("thyroid", "F", 30, 0.1, rates, age_now=20).value == at_30.value


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(SITES), st.integers(0, 90), st.floats(0.001, 0.3), st.floats(1.01, 3.0))
def test_solid_risk_is_linear_in_dose(name: str, age: int, dose: float, factor: float) -> None:
    """k times the dose is k times the risk (leukaemia: k times and the quadratic term)."""
    one, more = (lifetime_risk(name, "F", age, d, flat()) for d in (dose, factor * dose))
    if name != "leukaemia":
        assert more.value == pytest.approx(factor * one.value, rel=1e-9)
    else:
        assert one.err is not None
        assert more.err == pytest.approx(
            factor * one.err * (1 + 0.87 * factor * dose) / (1 + 0.87 * dose), rel=1e-9
        )


@settings(max_examples=30, deadline=None)
@given(st.sampled_from(SITES), st.integers(0, 80), st.floats(0.5, 0.999))
def test_more_mortality_never_raises_the_risk(name: str, age: int, p: float) -> None:
    """Survival is monotonic in the risk: who dies earlier has less time for a late effect."""
    safe = lifetime_risk(name, "F", age, 0.1, flat()).value
    assert 0 <= lifetime_risk(name, "F", age, 0.1, flat(yearly_survival=p)).value <= safe


def test_a_disease_lowers_the_risk_by_its_survival_factor() -> None:
    """A factor of a half at all later ages halves the risk."""
    half = np.where(np.arange(101) > 40, 0.5, 1.0)
    whole = lifetime_risk("lung", "F", 40, 0.1)
    assert lifetime_risk("lung", "F", 40, 0.1, survival_factor=half).value == pytest.approx(whole.value / 2)


def test_a_negative_central_slope_stays_negative() -> None:
    """Gallbladder's published slope is below zero and is not clipped."""
    risk = lifetime_risk("gallbladder", "F", 30, 0.1, flat(), combination="arithmetic", latency="logistic")
    assert risk.value < 0


def test_without_baseline_the_err_is_absent_and_both_absent_is_refused() -> None:
    """Ovary has no shipped rates, so the EAR stands alone; gallbladder then has nothing."""
    ovary = lifetime_risk("ovary", "F", 30, 0.1)
    assert ovary.err is None
    assert ovary.value == ovary.ear
    with pytest.raises(MissingInput, match="Neither an ERR with baseline rates nor an EAR exists"):
        lifetime_risk("gallbladder", "F", 30, 0.1)


def test_combination_rules() -> None:
    """One transfer alone stands; a geometric mean of a negative risk is refused."""
    assert combine(4.0, 9.0, 0.5, "geometric") == pytest.approx(6.0)
    assert combine(4.0, 9.0, 0.5, "arithmetic") == pytest.approx(6.5)
    assert combine(4.0, 9.0, 1.0, "geometric") == 4.0
    assert combine(4.0, 9.0, 0.0, "geometric") == 9.0
    assert combine(None, 9.0, 0.7, "geometric") == 9.0
    with pytest.raises(OutsideDomain, match="not negative"):
        combine(-1.0, 9.0, 0.5, "geometric")
    with pytest.raises(MissingInput, match="carries all the weight"):
        combine(None, 9.0, 1.0, "geometric")


def test_impossible_input_is_refused_with_a_way_out() -> None:
    """Age 130, a negative dose, one beyond the domain and the other sex's organ have their sentence."""
    with pytest.raises(OutsideDomain, match=r"The age at exposure is 130 years; .* cover 0 to 100"):
        lifetime_risk("lung", "F", 130, 0.1)
    with pytest.raises(OutsideDomain, match="The age now is -1 years"):
        lifetime_risk("lung", "F", 30, 0.1, age_now=-1)
    with pytest.raises(InvalidInput, match=r"A dose of -0\.1 Gy is not possible"):
        lifetime_risk("lung", "F", 30, -0.1)
    with pytest.raises(InvalidInput, match="prostate cancer is modelled in men only"):
        lifetime_risk("prostate", "F", 30, 0.1)
    with pytest.raises(OutsideDomain, match=r"A dose of 1\.5 Gy is above 1 Gy"):
        check_dose(1.5)
    check_dose(1.0)
