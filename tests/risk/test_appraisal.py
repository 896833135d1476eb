"""The whole appraisal of a person's exposures."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from wholedose.base import (
    AbsorbedDose,
    Cause,
    EffectiveDose,
    InvalidInput,
    MissingInput,
    OutsideDomain,
    UnknownName,
    digest_of,
)
from wholedose.body import Person
from wholedose.risk import Appraisal, Exposure, appraise, lifetime_risk, models, sites

ORGANS = sorted({organ for spot in sites().values() for organ in spot.organs})
WOMAN, MAN = Person(sex="F", age_y=34), Person(sex="M", age_y=34)
CALIBRATION = Cause("output calibration", "scanner A")


def scan(age: float = 34, mgy: float = 8.0, relative: float = 0.1, msv: float | None = 8.0) -> Exposure:
    organs = {organ: AbsorbedDose(mgy, {CALIBRATION: relative * mgy}) for organ in ORGANS}
    return Exposure(age, organs, None if msv is None else EffectiveDose(msv, {CALIBRATION: relative * msv}))


def quick(*exposures: Exposure, person: Person = WOMAN, names: tuple[str, ...] = ("BEIR VII",)) -> Appraisal:
    return appraise(exposures, person=person, models=names, samples=2000)


def test_all_beir_vii_sites_of_each_sex_have_a_row() -> None:
    """Eleven rows for a woman, nine for a man; each central value is the deterministic risk of that site."""
    woman, man = quick(scan()).person(), quick(scan(), person=MAN).person()
    expected = "stomach colon liver lung breast ovary uterus bladder thyroid other_solid leukaemia"
    assert {row.site for row in woman.sites} == set(expected.split())
    assert len(man.sites) == 9
    assert man.site("prostate").risk.could_be_zero
    for row in woman.sites:
        assert row.risk.value == pytest.approx(lifetime_risk(row.site, "F", 34, 0.008).value)
    assert woman.total.value == pytest.approx(sum(row.risk.value for row in woman.sites))
    assert woman.total.value == pytest.approx(woman.solid.value + woman.leukaemia.value)
    assert woman.site("ovary").note.startswith("EAR transfer alone")
    with pytest.raises(KeyError):
        woman.site("prostate")


def test_interval_curve_and_shares_belong_together() -> None:
    """The central value lies inside the interval, the curve sums to it, the shares sum to 1."""
    reading = quick(scan(relative=0.5)).person()
    assert reading.total.low < reading.total.value < reading.total.high
    assert float(reading.excess_by_age.sum()) == pytest.approx(reading.total.value)
    assert sum(reading.shares.values()) == pytest.approx(1.0)
    assert reading.shares["dose: output calibration"] > reading.shares["risk coefficient"]
    assert list(reading.shares.values()) == sorted(reading.shares.values(), reverse=True)
    assert quick(scan(relative=0.0)).person().shares.get("dose: output calibration") is None


def test_one_seed_gives_one_digest() -> None:
    """The same seed gives the same result to the last digit; another seed moves the interval only."""
    first, again = quick(scan()), quick(scan())
    assert digest_of(first.to_json()) == digest_of(again.to_json())
    other = appraise([scan()], person=WOMAN, models=["BEIR VII"], samples=2000, seed=2)
    assert other.person().total.value == first.person().total.value
    assert other.person().total.low != first.person().total.low


def test_exposures_add_and_their_order_does_not_matter() -> None:
    """Two scans are the sum of each alone, counted from one age, in any order."""
    person = Person(sex="F", age_y=45)
    a, b = scan(34), scan(45, 3.0)
    both = appraise([a, b], person=person, models=["BEIR VII"], samples=500).person()
    swapped = appraise([b, a], person=person, models=["BEIR VII"], samples=500).person()
    alone = [
        appraise([x], person=person, models=["BEIR VII"], samples=500).person().total.value for x in (a, b)
    ]
    assert both.total.value == pytest.approx(sum(alone))
    assert swapped.total.low == pytest.approx(both.total.low, rel=1e-12)


def test_total_is_linear_in_small_doses() -> None:
    """Ten times the dose is ten times the solid risk and its interval, and nearly so for leukaemia."""
    one, ten = quick(scan(mgy=1.0)).person(), quick(scan(mgy=10.0)).person()
    assert ten.solid.value == pytest.approx(10 * one.solid.value)
    assert ten.solid.high == pytest.approx(10 * one.solid.high)
    assert 10 < ten.leukaemia.value / one.leukaemia.value < 10.1


def test_models_stand_side_by_side() -> None:
    """Each model asked for is there under its name, and the population reading is not a person's."""
    risk = quick(scan(), names=tuple(models()))
    assert list(risk.readings) == ["BEIR VII", "RadRAT central", "ICRP 103"]
    assert risk["ICRP 103"].kind == "population"
    assert risk["ICRP 103"].total.value == pytest.approx(0.008 * 0.057)
    radrat = risk.person("RadRAT central")
    assert "remainder" in radrat.left_out
    assert radrat.left_out["gallbladder"].endswith("there is no EAR model")
    with pytest.raises(InvalidInput, match="ICRP 103 is a population reading, not a person's risk"):
        risk.person("ICRP 103")
    with pytest.raises(UnknownName, match="Known: BEIR VII, ICRP 103, RadRAT central"):
        risk["UNSCEAR"]


def test_population_default_is_listed_as_assumed() -> None:
    """The default population is an assumption in the provenance, a chosen one is not."""
    names = [item.what for item in quick(scan()).provenance.assumptions]
    assert "population of the baseline rates" in names
    chosen = appraise([scan()], person=WOMAN, models=["BEIR VII"], samples=100, population="Asia excl")
    assert "population of the baseline rates" not in [item.what for item in chosen.provenance.assumptions]
    assert chosen.population == "Asia excl. Western Asia"
    assert chosen.person().total.value != quick(scan()).person().total.value


def test_below_1_msv_the_band_only() -> None:
    """A chest radiograph's dose has a band and no personal number; without effective dose neither has."""
    tiny = quick(scan(mgy=0.05, msv=0.03))
    assert not tiny.personal_number
    assert tiny.band.name == "minimal"
    assert quick(scan()).personal_number
    assert not quick(scan(msv=None)).personal_number


def test_a_site_without_dose_is_left_out_with_the_reason() -> None:
    """An organ missing in one exposure leaves its site out rather than counting it as zero."""
    bare = Exposure(34, {"lungs": AbsorbedDose(8.0)})
    reading = quick(bare).person()
    assert [row.site for row in reading.sites] == ["lung"]
    assert reading.left_out["thyroid"] == "no dose to thyroid in 1 exposure(s)"
    assert reading.left_out["other_solid"] == "no dose to any of its organs in 1 exposure(s)"
    assert reading.notes[-1].startswith("The total is without stomach, colon")
    assert quick(scan(), bare).person().left_out["colon"] == "no dose to colon in 1 exposure(s)"


def test_age_now_counts_what_is_still_ahead() -> None:
    """The same scan at 34, seen from 60, is a smaller risk; an age before the exposure changes nothing."""
    later = appraise([scan()], person=WOMAN, models=["BEIR VII"], samples=500, age_now=60)
    assert later.age_y == 60
    assert later.person().site("breast").risk.value < quick(scan()).person().site("breast").risk.value
    early = appraise([scan()], person=WOMAN, models=["BEIR VII"], samples=500, age_now=20)
    assert early.age_y == 34


def test_doses_beyond_the_domain_are_refused_or_left_out() -> None:
    """Above 1 Gy the linear models are refused, or the site is left out when asked to flag."""
    hot = scan(mgy=1200.0)
    with pytest.raises(OutsideDomain, match=r"1\.2 Gy is above 1 Gy.*beyond=\"flag\""):
        quick(hot)
    flagged = appraise([hot], person=WOMAN, models=["BEIR VII"], samples=100, beyond="flag").person()
    assert flagged.sites == ()
    assert "above 1 Gy" in flagged.left_out["lung"]
    assert flagged.total.value == 0.0
    assert flagged.shares == {}


def test_at_the_end_of_life_nothing_lies_ahead() -> None:
    """At 98 no solid cancer can follow within the tables: zero risk, no error, an interval of zeros."""
    old = quick(scan(98), person=Person(sex="F", age_y=98)).person()
    assert old.solid.value == old.solid.high == 0.0
    assert old.leukaemia.value > 0.0


def test_bad_input_has_its_sentence() -> None:
    """Age 130, an unknown model and population, a missing person or effective dose, a negative dose."""
    with pytest.raises(OutsideDomain, match="The age at exposure is 130 years"):
        quick(scan(age=130))
    with pytest.raises(UnknownName, match="No risk model 'BEIR 7'; did you mean 'BEIR VII'"):
        quick(scan(), names=("BEIR 7",))
    with pytest.raises(UnknownName, match=r"No population with cancer rates 'Atlantis'.*Known: Asia"):
        appraise([scan()], person=WOMAN, population="Atlantis")
    with pytest.raises(MissingInput, match="The sex is not known"):
        appraise([scan()])
    with pytest.raises(MissingInput, match="needs the effective dose of each exposure"):
        appraise([scan(msv=None)], person=WOMAN)
    with pytest.raises(InvalidInput, match="a dose is not negative"):
        quick(Exposure(34, {"lungs": AbsorbedDose(-1.0)}))
    with pytest.raises(InvalidInput, match="No model was asked for"):
        appraise([scan()], person=WOMAN, models=[])


def test_json_is_complete_and_finite() -> None:
    """The result is plain JSON with every reading, the band and the tables' digests."""
    data = json.loads(json.dumps(quick(scan(), names=tuple(models())).to_json(), allow_nan=False))
    assert data["readings"]["BEIR VII"]["sites"][0]["risk"]["high_95"] > 0
    assert set(data["readings"]) == set(models())
    assert data["provenance"]["tables"]["risk/rates_canepirisk"]
    assert len(data["readings"]["BEIR VII"]["excess_by_age"]) == 101


def test_json_gives_back_an_equal_appraisal() -> None:
    """Writing and reading changes nothing; another format and a missing part are refused."""
    risk = quick(scan(), names=tuple(models()))
    data = json.loads(json.dumps(risk.to_json()))
    back = Appraisal.from_json(data)
    assert back.to_json() == risk.to_json()
    assert back.person().site("lung") == risk.person().site("lung")
    assert quick(scan(msv=None)).to_json() == Appraisal.from_json(quick(scan(msv=None)).to_json()).to_json()
    with pytest.raises(InvalidInput, match="An appraisal of format 9 is not readable here"):
        Appraisal.from_json({**data, "format": 9})
    with pytest.raises(InvalidInput, match="The recorded appraisal is incomplete: 'sex'"):
        Appraisal.from_json({key: value for key, value in data.items() if key != "sex"})


def test_baseline_is_a_probability_beside_which_the_excess_is_small() -> None:
    """About a third to a half get a cancer anyway; the excess of one scan is far below that."""
    reading = quick(scan()).person()
    assert reading.baseline is not None
    assert 0.3 < reading.baseline < 0.5
    assert reading.total.high < 0.01 * reading.baseline
    assert 5 < reading.years_lost_if_fatal / reading.total.value < 40


def test_ten_thousand_samples_take_less_than_2_seconds() -> None:
    """The default appraisal of one scan is interactive."""
    begin = time.perf_counter()
    risk = appraise([scan()], person=WOMAN)
    assert time.perf_counter() - begin < 2.0
    assert np.isfinite(risk.person().total.high)
