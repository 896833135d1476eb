"""Organ doses and effective dose."""

from __future__ import annotations

import json

import pytest

from wholedose.base import AbsorbedDose, Cause, EffectiveDose, InvalidInput, MissingInput, UnknownName
from wholedose.dose import OrganDose, OrganDoses
from wholedose.tables import load

STATISTICAL = Cause("statistical", "seed 1")
WEIGHTS = dict(
    zip(
        load("dose/tissue_weights")["tissue"].tolist(),
        load("dose/tissue_weights")["tissue_weighting_factor"].tolist(),
        strict=True,
    )
)
REMAINDER = load("dose/remainder_tissues").rows()


def whole_body(dose_mgy: float = 1.0, sex: str = "F", **changes: float) -> OrganDoses:
    names = [t for t in WEIGHTS if t not in ("gonads", "remainder")]
    names += ["ovaries" if sex == "F" else "testes"]
    names += [row["tissue"] for row in REMAINDER if row["sex"] in ("both", sex)]
    return OrganDoses(
        OrganDose(n, AbsorbedDose(changes.get(n, dose_mgy), {STATISTICAL: 0.01}), 100.0, 1.0) for n in names
    )


def test_tissue_weights_as_printed() -> None:
    """The table holds what ICRP 103 Table 3 prints, and sums to 1; 13 remainder tissues per sex."""
    assert WEIGHTS["red_bone_marrow"] == 0.12
    assert WEIGHTS["skin"] == 0.01
    assert WEIGHTS["gonads"] == 0.08
    assert sum(WEIGHTS.values()) == pytest.approx(1.0, abs=1e-12)
    for sex in ("F", "M"):
        assert sum(row["sex"] in ("both", sex) for row in REMAINDER) == 13


@pytest.mark.parametrize("sex", ["F", "M"])
def test_uniform_dose_is_the_effective_dose(sex: str) -> None:
    """1 mGy of photons everywhere is 1 mSv effective dose."""
    effective = whole_body(1.0, sex).effective()
    assert isinstance(effective, EffectiveDose)
    assert effective.value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("organ", "weight"), [(t, w) for t, w in WEIGHTS.items() if t not in ("gonads", "remainder")]
)
def test_each_weight_counts(organ: str, weight: float) -> None:
    """One more mGy to a tissue raises the effective dose by its weight."""
    change = whole_body(1.0, "F", **{organ: 2.0}).effective().value - whole_body(1.0).effective().value
    assert change == pytest.approx(weight)


def test_remainder_is_the_plain_mean() -> None:
    """The remainder rule of ICRP 103: 0.12 times the arithmetic mean of 13 tissues, not mass weighted."""
    change = whole_body(1.0, thymus=14.0).effective().value - whole_body(1.0).effective().value
    assert change == pytest.approx(0.12)


def test_effective_dose_shares_causes() -> None:
    """A calibration error common to all organs stays whole in the effective dose."""
    calibration = Cause("output calibration", "scanner A")
    doses = OrganDoses(
        OrganDose(o.organ, AbsorbedDose(2.0, {calibration: 0.2}), 1.0, 1.0) for o in whole_body().values()
    )
    assert doses.effective().u == pytest.approx(0.2)


def test_missing_tissue_is_named() -> None:
    """Without a tissue that has its own weight there is no effective dose."""
    doses = OrganDoses(o for o in whole_body().values() if o.organ != "colon")
    with pytest.raises(MissingInput, match="needs a dose to colon"):
        doses.effective()


def test_missing_remainder_is_listed() -> None:
    """A missing remainder tissue is named, so that reports can say it."""
    doses = OrganDoses(o for o in whole_body().values() if o.organ != "oral_mucosa")
    assert doses.missing_remainder() == ["oral_mucosa"]
    assert doses.effective().value == pytest.approx(1.0)


def test_json_round_trip() -> None:
    """JSON gives back equal doses, causes with their origin."""
    doses = whole_body(lungs=9.0)
    assert OrganDoses.from_json(json.loads(json.dumps(doses.to_json()))) == doses


def test_rows_have_the_public_form() -> None:
    """The rows of result.json keep their names."""
    row = whole_body().to_rows()[0]
    assert set(row) == {"organ", "dose_mgy", "u_mgy", "uncertainty", "in_scan", "mass_g"}
    assert row["uncertainty"] == {"statistical": 0.01}


def test_bad_values() -> None:
    """A negative dose, a fraction above 1, a double organ and an unknown organ are refused."""
    with pytest.raises(InvalidInput, match="not negative"):
        OrganDose("lungs", AbsorbedDose(-1.0), 1.0, 1.0)
    with pytest.raises(InvalidInput, match="not 0 to 1"):
        OrganDose("lungs", AbsorbedDose(1.0), 1.0, 1.2)
    one = OrganDose("lungs", AbsorbedDose(1.0), 1.0, 1.0)
    with pytest.raises(InvalidInput, match="given twice"):
        OrganDoses([one, one])
    with pytest.raises(UnknownName, match="did you mean 'lungs'"):
        OrganDoses([one])["lung"]
