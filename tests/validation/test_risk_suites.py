"""Suites by file of the room risk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wholedose.base import InvalidInput, UnknownName
from wholedose.risk import Rates, lifetime_risk
from wholedose.validation import risk_cases
from wholedose.validation.risk_suites import (
    SUITES,
    excess_hazard,
    lar_cases,
    lar_uncertainty_cases,
    rates_named,
)
from wholedose.validation.suites import read_rows

LINE = {
    "case_id": "X1",
    "model": "beir_vii",
    "population": "Europe",
    "site": "lung",
    "sex": "f",
    "age_exposure": "40",
    "age_now": "55",
    "dose_gy": "0.1",
    "latency": "hard 5 y",
    "t_floor_y": "0",
    "comb": "geometric",
    "weight_err": "0.3",
    "ddref": "1.5",
    "excess_hazard": "",
}


def test_a_row_with_shipped_rates_is_computed(tmp_path: Path) -> None:
    """A region's row needs no other file and gives the library's own risk."""
    result = lar_cases([LINE], tmp_path / "risk" / "any.csv")[0]
    assert result["reason"] is None
    expected = lifetime_risk("lung", "F", 40, 0.1, age_now=55)
    assert result["ours"]["lar_per_1e5"] == expected.per_1e5
    assert result["row"] == LINE


def test_other_values_of_the_columns_count() -> None:
    """Latency, weight, DDREF and combination are taken from the row, not from the model's name."""
    base = lar_cases([LINE], Path("x.csv"))[0]["ours"]["lar_per_1e5"]
    for change in (
        {"latency": "hard 20 y"},
        {"latency": "logistic 15 3"},
        {"weight_err": "0.5"},
        {"comb": "arithmetic"},
        {"excess_hazard": "0.1/y for 0-5 y", "age_now": "40"},
    ):
        assert lar_cases([{**LINE, **change}], Path("x.csv"))[0]["ours"]["lar_per_1e5"] != base
    double = lar_cases([{**LINE, "ddref": "3"}], Path("x.csv"))[0]["ours"]["lar_per_1e5"]
    assert double == pytest.approx(base / 2)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sex": "m", "site": "ovary"}, "modelled in women only"),
        ({"population": "korea1900"}, "There are no rates of korea1900"),
        ({"population": "Atlantis"}, "Known: Asia excl"),
        ({"site": "elbow"}, "No cancer site 'elbow'"),
        ({"age_exposure": "130"}, "130 years"),
        ({"latency": "soft"}, "The latency 'soft' is not known"),
        ({"comb": "sum"}, "The combination 'sum' is not known"),
        ({"dose_gy": "much"}, "could not convert"),
        ({"dose_gy": ""}, "The row has no dose_gy"),
        ({"excess_hazard": "a lot"}, "is not understood"),
        ({"site": "uterus", "weight_err": "0.7"}, "has no incidence rates of uterus"),
    ],
)
def test_a_row_that_cannot_be_computed_says_why(change: dict[str, str], reason: str) -> None:
    """Nothing raises: the row comes back with a reason and no numbers, and the next row is computed."""
    bad, good = lar_cases([{**LINE, **change}, LINE], Path("x.csv"))
    assert reason in bad["reason"]
    assert bad["ours"] == {}
    assert good["reason"] is None


def test_excess_hazard_is_exp_of_the_years_spent() -> None:
    """0.1 per year for 5 years is exp(-0.5) from then on; for life it goes on; counted from now."""
    five = excess_hazard("0.10/y for 0-5 y", 40, 40)
    life = excess_hazard("0.1/y for life", 40, 40)
    late = excess_hazard("0.1/y for 0-5 y", 40, 42)
    assert five is not None
    assert life is not None
    assert late is not None
    assert five[40] == 1.0
    assert five[43] == pytest.approx(np.exp(-0.3))
    assert five[60] == pytest.approx(np.exp(-0.5))
    assert life[60] == pytest.approx(np.exp(-2.0))
    assert late[60] == pytest.approx(np.exp(-0.3))
    assert excess_hazard("", 40, 40) is None
    with pytest.raises(InvalidInput):
        excess_hazard("0.1/y", 40, 40)


def test_rates_of_a_file_are_read_with_survival_as_a_product(tmp_path: Path) -> None:
    """S(a) is the product of 1 - q up to a - 1, and rates per 100,000 become per person-year."""
    (tmp_path / "larisk_incid1999.csv").write_text(
        "Site,Age,Rate_m,Rate_f\n" + "\n".join(f"brain/cns,{age},10,20" for age in range(101))
    )
    (tmp_path / "larisk_life1999.csv").write_text(
        "Age,Prob_d_m,Prob_d_f\n" + "\n".join(f"{age},0.1,0.2" for age in range(101))
    )
    rates = rates_named("korea1999", tmp_path)
    assert isinstance(rates, Rates)
    assert rates.survival["F"][3] == pytest.approx(0.8**3)
    curve = rates.baseline("brain_cns", "M")
    assert curve is not None
    assert curve[50] == pytest.approx(1e-4)
    with pytest.raises(UnknownName):
        rates_named("Atlantis", tmp_path)


def test_uncertainty_rows_give_mean_and_any_percentile() -> None:
    """Percentile columns are read from their names; the mean's standard error is below 1 %."""
    row = {
        "case_id": "X",
        "population": "Europe",
        "site": "lung",
        "sex": "f",
        "age_exposure": "30",
        "dose_median_gy": "0.02",
        "dose_distribution": "ln1.5",
        **dict.fromkeys(("mean_per_1e5", "p2_5", "p50", "p90"), ""),
    }
    good, bad = lar_uncertainty_cases([row, {**row, "dose_distribution": "odd"}], Path("x.csv"))
    ours = good["ours"]
    assert ours["p2_5"] < ours["p50"] < ours["p90"]
    assert good["u"]["mean_per_1e5"] < 0.01 * ours["mean_per_1e5"]
    assert "The dose distribution 'odd' is not known" in bad["reason"]


@pytest.mark.shared
def test_every_reference_row_is_inside_its_tolerance(shared: Path) -> None:
    """0.1 % for deterministic rows, 3 % for sampled ones; all of them, none left out."""
    found = risk_cases.rows(shared)
    failed = [row for row in found if not row.passed]
    assert not failed
    assert len(found) > 390


@pytest.mark.shared
def test_deterministic_rows_agree_to_the_printed_digits(shared: Path) -> None:
    """lar_cases agree within 1e-5, the rounding of six printed digits."""
    path = shared / "risk" / "lar_cases.csv"
    for result in SUITES["risk/lar_cases"](read_rows(path), path):
        for column, value in result["ours"].items():
            if result["row"][column]:
                assert value == pytest.approx(float(result["row"][column]), rel=1e-5)


@pytest.mark.shared
def test_the_faulty_peer_is_a_documented_disagreement(shared: Path) -> None:
    """A solid site in the young agrees with LARisk within 15 %; its leukaemia shows its fault."""
    path = shared / "risk" / "larisk_peer_cases.csv"
    results = SUITES["risk/larisk_peer_cases"](read_rows(path), path)
    ratios = {
        r["row"]["case_id"]: r["ours"]["mean_per_1e5"] / float(r["row"]["mean_per_1e5"])
        for r in results
        if r["reason"] is None
    }
    assert 0.85 < ratios["K01"] < 1.15
    assert ratios["K36"] > 1.3  # leukaemia with the latency of solid cancers
    assert [r["row"]["case_id"] for r in results if r["reason"]] == ["K38", "K39", "K41"]
