"""Baseline rates and survival."""

from __future__ import annotations

import numpy as np
import pytest

from wholedose.base import InvalidInput, UnknownName
from wholedose.risk import Rates, lifetime_risk, population, populations
from wholedose.tables import load


def test_five_regions_ship_with_every_named_site() -> None:
    """Each shipped population has survival from 1 downwards and non-negative rates at ages 0 to 100."""
    assert len(populations()) == 5
    for name in populations():
        rates = population(name)
        for sex in ("F", "M"):
            survival = rates.survival[sex]
            assert survival[0] == 1.0
            assert (np.diff(survival) < 0).all()
            for site in ("lung", "other_solid", "leukaemia", "all_cancer"):
                curve = rates.baseline(site, sex)
                assert curve is not None
                assert curve.shape == (101,)
                assert (curve >= 0).all()


def test_first_and_last_printed_values() -> None:
    """The table holds the source's first and last rows, to its 6 digits."""
    rates = population("Europe")
    assert rates.survival["M"][1] == pytest.approx(0.9946440008, rel=1e-6)
    assert rates.survival["F"][100] == pytest.approx(0.0230697828, rel=1e-6)
    assert "MIT" in load("risk/rates_canepirisk").header["licence"]


def test_a_part_of_the_name_is_enough_and_an_unknown_one_lists_all() -> None:
    """'Europe' finds its region; a country without rates and an ambiguous part list what is available."""
    assert population("europe").name == "Aus-NZ Europe Northern America"
    for name in ("Atlantis", "a", ""):
        with pytest.raises(UnknownName, match=r"Known: Asia excl\. Western Asia, Aus-NZ Europe"):
            population(name)


def test_other_solid_is_all_solid_without_the_named_sites() -> None:
    """The remainder of BEIR VII is computed by subtraction and includes what has no rates of its own."""
    rates = population("Europe")
    named = ("stomach", "colon", "liver", "lung", "breast", "prostate", "bladder", "thyroid")
    total = rates.incidence["all_solid", "F"]
    rest = total - sum(rates.incidence[site, "F"] for site in named)
    np.testing.assert_allclose(rates.incidence["other_solid", "F"], np.maximum(rest, 0), rtol=1e-12)
    assert rates.baseline("ovary", "F") is None


def test_lifetime_baseline_of_constant_rates_is_the_closed_form() -> None:
    """With a constant rate and everyone alive, the baseline is rate times the number of ages."""
    flat = Rates("flat", {("lung", "F"): np.full(101, 1e-4)}, {"F": np.ones(101)})
    assert flat.lifetime_baseline("lung", "F", 30) == pytest.approx(71e-4)
    assert flat.lifetime_baseline("liver", "F", 30) is None


def test_survival_needs_somebody_alive() -> None:
    """A reference age that nobody reaches is refused."""
    dead = Rates("dead", {}, {"F": np.where(np.arange(101) < 90, 1.0, 0.0)})
    assert dead.alive("F", 89)[89] == 1.0
    assert dead.alive("F", 50)[49] == 0.0
    with pytest.raises(InvalidInput, match="Nobody in dead is alive at age 95"):
        dead.alive("F", 95)


def test_remaining_years_of_everyone_alive_to_100() -> None:
    """With certain survival to 100 the remaining years are the ages left, less half a year."""
    flat = Rates("flat", {}, {"F": np.ones(101)})
    np.testing.assert_allclose(flat.remaining_years("F"), 101 - np.arange(101) - 0.5)


def test_excess_mortality_shortens_survival_between_two_ages() -> None:
    """0.1 per year for five years leaves exp(-0.5), the risk falls with it, and the note tells."""
    europe = population("Europe")
    sick = europe.with_excess_mortality(0.1, 55, 60)
    ratio = sick.alive("M", 55) / np.where(europe.alive("M", 55) > 0, europe.alive("M", 55), 1.0)
    assert ratio[[55, 57, 60, 90]] == pytest.approx(np.exp([0.0, -0.2, -0.5, -0.5]))
    healthy, ill = (lifetime_risk("lung", "M", 55, 0.1, rates).value for rates in (europe, sick))
    assert ill == pytest.approx(healthy * np.exp(-0.5))
    assert "0.1 per year of excess mortality from 55 to 60" in sick.notes[-1]
    with pytest.raises(InvalidInput, match="is not possible"):
        europe.with_excess_mortality(-0.1, 55)
