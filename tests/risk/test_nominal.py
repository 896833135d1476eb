"""The population reading of effective dose."""

from __future__ import annotations

import math

import numpy as np
import pytest

from wholedose.base import AbsorbedDose, Cause, EffectiveDose, OutsideDomain
from wholedose.risk import Draws, Exposure, population_reading
from wholedose.risk.nominal import spread
from wholedose.tables import load


def test_nominal_coefficients_of_icrp_103() -> None:
    """5.5 + 0.2 % per Sv for the whole population, 4.1 + 0.1 % for adults."""
    reading = population_reading(EffectiveDose(10.0), Draws(1, 1000))
    assert reading.cancer.value == pytest.approx(5.5e-4)
    assert reading.heritable.value == pytest.approx(0.2e-4)
    assert reading.total.value == pytest.approx(5.7e-4)
    assert reading.adult_total == pytest.approx(4.2e-4)


def test_interval_has_the_assumed_relative_width() -> None:
    """The 90 % interval is that of the EPA projection: a factor of about 2 each way around the median."""
    reading = population_reading(EffectiveDose(10.0), Draws(1, 40_000))
    assert spread() == pytest.approx((math.log(0.18 / 0.043) + math.log(0.25 / 0.065)) / 2 / 3.2898, rel=1e-4)
    assert math.sqrt(reading.total.high / reading.total.low) == pytest.approx(
        math.exp(1.645 * spread()), rel=0.02
    )
    assert reading.total.median == pytest.approx(reading.total.value, rel=0.02)
    assert "assumption" in reading.interval_note


def test_dose_uncertainty_widens_it() -> None:
    """The causes of the effective dose enter in quadrature on the log scale, with the variance they state."""
    dose = EffectiveDose(10.0, {Cause("output calibration", "A"): 5.0})
    wide = population_reading(dose, Draws(1, 40_000)).total
    expected = math.exp(2 * 1.645 * math.hypot(spread(), math.sqrt(math.log(1.25))))
    assert wide.high / wide.low == pytest.approx(expected, rel=0.03)


def test_it_is_never_a_persons_risk() -> None:
    """Kind and statement say that the number belongs to a reference population."""
    reading = population_reading(EffectiveDose(0.0), Draws(1, 100))
    assert reading.kind == "population"
    assert "not the risk of this person" in reading.statement
    assert reading.to_json()["statement"] == reading.statement
    assert reading.total.value == 0.0
    assert np.isfinite(reading.total.high)


def test_high_effective_dose_is_refused() -> None:
    """Effective dose does not describe harm above 1 Sv."""
    with pytest.raises(OutsideDomain, match="1500 mSv is above 1000 mSv"):
        population_reading(EffectiveDose(1500.0), Draws(1, 100))


def test_tissue_table_is_consistent_with_itself_and_with_table_1() -> None:
    """Columns sum to the printed totals, the detriment follows from its formula, 5.5 and 4.1 % come out."""
    table = load("risk/icrp103_tissues")
    for kind, nominal, detriment, percent in (("whole", 1715, 574, 5.5), ("adult", 1179, 422, 4.1)):
        cases, printed = table[f"nominal_{kind}"], table[f"detriment_{kind}"]
        assert cases.sum() == nominal
        assert printed.sum() == pytest.approx(detriment, abs=0.5)
        cancer = printed.sum() - printed[table["tissue"] == "heritable"].sum()
        assert cancer / 100 == pytest.approx(percent, abs=0.05)
        k, q_min = table["lethality"], table["quality_min"]
        q = q_min + (1 - q_min) * k
        formula = cases * (k + q * (1 - k)) * table[f"life_lost_{kind}"]
        rounding = 0.5 * formula / cases + 0.02 * printed + 0.05  # of the cases and of k as printed
        assert (abs(formula - printed) < rounding)[table["tissue"] != "skin"].all()


def test_tissues_of_a_uniform_dose_sum_to_the_nominal_detriment() -> None:
    """With 10 mSv everywhere the tissues' detriments sum to 5.74 per 10,000, the total of Table A.4.1."""
    names = [str(name) for name in load("dose/remainder_tissues")["tissue"]]
    names += ["testes", "ovaries", *(str(o) for o in load("risk/icrp103_tissues")["organ"])]
    scan = Exposure(40, dict.fromkeys(names, AbsorbedDose(10.0)))
    rows = population_reading(EffectiveDose(10.0), Draws(1, 100), [scan]).tissues
    assert len(rows) == 14
    assert sum(row.detriment for row in rows) == pytest.approx(5.74e-4, rel=1e-3)
    assert rows[0].tissue == "other_solid"
    lungs = next(row for row in rows if row.tissue == "lung")
    assert lungs.cases == pytest.approx(1.14e-4)
    bare = population_reading(
        EffectiveDose(1.0), Draws(1, 100), [Exposure(40, {"lungs": AbsorbedDose(10.0)})]
    )
    assert [row.tissue for row in bare.tissues] == ["lung"]
