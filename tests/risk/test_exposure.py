"""Exposures and the dose that enters a site."""

from __future__ import annotations

import pytest

from wholedose.base import AbsorbedDose, Cause, EffectiveDose, EquivalentDose, InvalidInput, Provenance
from wholedose.body import Person
from wholedose.dose import Contribution, Ledger, OrganDose, OrganDoses
from wholedose.risk import Exposure, exposures_of, site, sites
from wholedose.risk.exposure import site_dose


def test_a_ledger_gives_its_exposures() -> None:
    """Each contribution of a ledger is one exposure, at its own age or the person's."""
    organs = OrganDoses([OrganDose("lungs", AbsorbedDose(9.0), 900.0, 1.0)])
    made = Provenance("typed")
    ledger = Ledger(
        Person(sex="F", age_y=40),
        [
            Contribution("CT chest", "CT", organs, EffectiveDose(4.0), made, age_y=30.5),
            Contribution("CT chest", "CT", organs, None, made),
        ],
    )
    found = exposures_of(ledger)
    assert [item.age_y for item in found] == [30.5, 40]
    assert site_dose(found[0], site("lung")) == AbsorbedDose(9.0)


def test_a_mixed_site_takes_the_mean_of_the_organs_that_are_there() -> None:
    """The mean keeps the causes; a shared cause stays whole, organs that are absent are left out."""
    cause = Cause("output calibration", "A")
    organs = {"pancreas": AbsorbedDose(2.0, {cause: 0.2}), "kidneys": AbsorbedDose(4.0, {cause: 0.4})}
    dose = site_dose(Exposure(30, organs), site("other_solid"))
    assert dose is not None
    assert dose.value == pytest.approx(3.0)
    assert dose.u == pytest.approx(0.3)
    assert site_dose(Exposure(30, organs), site("lung")) is None


def test_every_site_has_an_organ_of_the_body() -> None:
    """The organs that sites name are names of the body's list."""
    from wholedose.body import ORGANS

    known = set(ORGANS)
    assert {organ for spot in sites().values() for organ in spot.organs} <= known


def test_unusable_doses_are_refused() -> None:
    """A negative dose, an equivalent dose and an empty ledger each have their sentence."""
    with pytest.raises(InvalidInput, match="The dose to lungs is -1 mGy"):
        site_dose(Exposure(30, {"lungs": AbsorbedDose(-1.0)}), site("lung"))
    with pytest.raises(InvalidInput, match="is a EquivalentDose, not an absorbed dose"):
        site_dose(Exposure(30, {"lungs": EquivalentDose(1.0)}), site("lung"))  # type: ignore[dict-item]
    with pytest.raises(InvalidInput, match="There is no exposure to appraise"):
        exposures_of([])
