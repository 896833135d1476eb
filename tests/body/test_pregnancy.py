"""Promises of pregnant bodies."""

from __future__ import annotations

from itertools import pairwise

import pytest

from wholedose.body import Person
from wholedose.body.masses import targets_of, with_size
from wholedose.body.pregnancy import conceptus_of, maternal_gain_g

CONCEPTUS = ("fetus", "fetus_brain", "fetus_skeleton", "placenta", "amniotic_fluid")


def test_the_fetus_is_the_mean_of_two_fits() -> None:
    """At 20 weeks it lies between 275 g and 331 g, at 16 between 86 g and 146 g, and the spread is stated."""
    assert conceptus_of(20).fetus_g == pytest.approx((275.0 * 331.0) ** 0.5, rel=1e-6)
    assert conceptus_of(16).fetus_g == pytest.approx((85.66 * 146.0) ** 0.5, rel=1e-6)
    assert conceptus_of(16).fetus_u == pytest.approx(0.295, abs=0.01)
    assert conceptus_of(34).fetus_u < 0.13


def test_everything_grows_with_the_week() -> None:
    """From week 4 to 40 fetus, placenta, fluid, uterus and weight gain only grow, without a step."""
    weeks = [4 + 0.25 * i for i in range(145)]
    for name in ("fetus_g", "placenta_g", "fluid_g", "uterus_g"):
        values = [getattr(conceptus_of(week), name) for week in weeks]
        steps = [b / a for a, b in pairwise(values)]
        assert min(steps) >= 1.0, name
        assert max(steps) < 1.35, name
    assert maternal_gain_g(6) < maternal_gain_g(20) < maternal_gain_g(38)


@pytest.mark.parametrize("week", [4.0, 9.0, 12.0, 24.0, 38.0, 42.0])
def test_the_weight_holds_the_conceptus(week: float) -> None:
    """The regions add up to the weight, given or not, and the conceptus is among them."""
    for person in (
        Person("F", 30, pregnancy_week=week),
        Person("F", 30, 163, 71.0, pregnancy_week=week),
        Person("F", 17, 150, 50.0, pregnancy_week=week),
    ):
        targets = targets_of(person)
        weight = with_size(person).weight_kg
        assert weight is not None
        assert sum(t.mass_g for t in targets.values()) == pytest.approx(1000 * weight, rel=1e-9)
        assert min(t.mass_g for t in targets.values()) > 0
        held = sum(targets[name].mass_g for name in CONCEPTUS if name in targets)
        expected = conceptus_of(week)
        assert held == pytest.approx(expected.fetus_g + expected.placenta_g + expected.fluid_g, rel=1e-6)


def test_the_mother_grows_too() -> None:
    """At term the uterine wall weighs about a kilogram, and blood and breasts have grown; liver has not."""
    before, term = targets_of(Person("F", 30)), targets_of(Person("F", 30, pregnancy_week=40))
    assert term["uterus"].mass_g - term["uterus"].blood_g == pytest.approx(80 + 970, rel=1e-3)
    assert before["uterus"].sourced
    assert not term["uterus"].sourced
    assert term["heart_left_chambers"].mass_g > 1.3 * before["heart_left_chambers"].mass_g
    assert term["breast_gland"].mass_g > 1.7 * before["breast_gland"].mass_g
    assert term["liver"].tissue_g == pytest.approx(before["liver"].tissue_g)
    assert "fetus" not in before
    assert with_size(Person("F", 30, pregnancy_week=40)).weight_kg == pytest.approx(74.1, abs=0.1)


def test_breasts_as_asked() -> None:
    """Mass and glandularity of the breasts are those asked for; the weight stays."""
    targets = targets_of(Person("F", 50, 163, 60, breast_glandularity=0.15, breast_mass_g=900))
    gland, fat = targets["breast_gland"], targets["breast_adipose"]
    assert gland.mass_g - gland.blood_g == pytest.approx(135)
    assert fat.mass_g - fat.blood_g == pytest.approx(765)
    assert sum(t.mass_g for t in targets.values()) == pytest.approx(60_000)
