"""Promises of the spread of organs among people."""

from __future__ import annotations

from wholedose.body import Person
from wholedose.body.masses import targets_of
from wholedose.body.organs import REGIONS
from wholedose.body.population import OTHER, population
from wholedose.tables import load


def test_every_region_has_a_spread() -> None:
    """Each region of a body has a relative deviation between 2 % and 100 %, published ones as printed."""
    for person in (Person("M", 40), Person("F", 4), Person("F", 30, pregnancy_week=16)):
        spread = population(person)
        assert set(spread) == set(targets_of(person))
        assert all(0.02 <= value <= 1.0 for value in spread.values())
    assert population(Person("M", 40))["kidneys"] == 0.24


def test_a_young_fetus_is_less_certain() -> None:
    """At 16 weeks the growth curves disagree more than the population does; near term they agree."""
    early, late = (population(Person("F", 30, pregnancy_week=week))["fetus"] for week in (16, 38))
    assert early > 0.25 > 0.14 > late


def test_the_table_names_regions() -> None:
    """Every row of the table is a region of a body, and says its source or that it is assumed."""
    table = load("body/organ_variation")
    assert {str(name) for name in table["region"]} <= {*REGIONS, OTHER}
    for source in table["source"]:
        assert "assumption" in source or "seen" in source
