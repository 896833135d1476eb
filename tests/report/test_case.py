"""Tests of what is gathered from results."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.report import fixtures

from wholedose.base import AbsorbedDose, Cause, Tagged
from wholedose.dose import Ledger
from wholedose.report.case import Fact, fact_of, gather, text_of


def test_organs_are_sorted_and_summed() -> None:
    """The table starts with the highest dose, and a ledger's doses are its totals."""
    made = fixtures.result()
    ledger = Ledger(made.body.person).add(made).add(made)
    rows = gather(ledger).organs
    values = [row.dose.value for row in rows]
    assert values == sorted(values, reverse=True)
    assert {row.organ: row.dose for row in rows} == ledger.totals()


def test_every_input_keeps_its_tag() -> None:
    """Each tagged value of the scan appears once with its tag; what the rules filled in is assumed."""
    made = fixtures.result()
    (title, facts), found = gather(made).facts[0], {}
    for fact in facts:
        assert fact.label not in found
        found[fact.label] = fact
    assert title == "CT chest"
    assert found["Tube voltage"] == Fact("Tube voltage", "120", "kV", "extracted", "CT series")
    assert found["Pitch"].tag == "derived"
    assert found["Focus to isocentre"].tag == "assumed"
    assert {item.tag for item in made.scan.ranges[0].inputs().values()} <= {fact.tag for fact in facts}


def test_key_numbers_name_their_phantom() -> None:
    """CTDIvol stands with the phantom that it refers to, SSDE with the size and as a quick check."""
    numbers = {fact.label: fact for fact in gather(fixtures.result()).key_numbers}
    assert numbers["CTDIvol"].where == "32 cm phantom"
    assert numbers["SSDE"].value == "11.4 ± 1.1"
    assert "quick check" in numbers["SSDE"].where
    assert "SSDE" not in {f.label for f in gather(fixtures.result(ssde=(None,))).key_numbers}


def test_causes_are_ordered_by_their_share() -> None:
    """The first cause is the one that makes the effective dose most uncertain."""
    case = gather(fixtures.result())
    assert case.effective is not None
    shares = case.effective.by_name()
    assert case.causes[0] == max(shares, key=lambda name: shares[name])
    assert set(case.causes) == set(shares)


def test_one_contribution_without_effective_dose_hides_the_sum() -> None:
    """A sum that would leave out a contribution is not printed."""
    made = fixtures.result()
    ledger = Ledger(made.body.person).add(made).add(replace(made, effective=None))
    assert gather(ledger).effective is None


@pytest.mark.parametrize(
    ("value", "text"),
    [(120.0, "120"), (-28.25, "−28.2"), ((0.0, 4.5), "0, 4.50"), (True, "yes"), ("helical", "helical")],
)
def test_values_read_well(value: object, text: str) -> None:
    """Whole numbers have no decimals, others three digits, minus is a minus, several stand with commas."""
    assert text_of(value) == text


def test_a_range_has_two_ends_and_an_estimate_its_uncertainty() -> None:
    """A range reads 'a to b'; an estimate reads with matching decimals."""
    fact = fact_of("Scanned range (z)", Tagged((388.0, 648.0), "mm", "extracted"))
    assert fact.value == "388 to 648"
    assert text_of(AbsorbedDose(9.04, {Cause("anatomy"): 0.52})) == "9.04 ± 0.52"


def test_a_sentence_is_told_once_with_its_highest_severity() -> None:
    """The same finding from two places stands once, as the warning, before all notes."""
    told = [("note", "A"), ("note", "B"), ("warning", "B")]
    case = gather(fixtures.result(checks=()), findings=told)
    assert case.findings == (("warning", "B"), ("note", "A"))
