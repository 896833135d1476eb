"""Tests of what a letter says."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from tests.report import fixtures
from tests.report.pages import Page

from wholedose.dose import Ledger
from wholedose.report import build, words
from wholedose.risk import appraise

FORBIDDEN = re.compile(
    r"cigarette|smok|flight|fly|road|accident|%|per cent|percent|times higher|times more|safe dose|harmless",
    re.I,
)


def write(scale: float, **changes: Any) -> tuple[str, Any]:
    """The text of a letter with all doses scaled, and its appraisal."""
    made = fixtures.result(scale, **changes)
    found = appraise(Ledger(made.body.person).add(made), samples=500)
    return Page(build(made, found, audience="patient").html).text, found


def test_below_one_millisievert_there_is_only_a_word() -> None:
    """A small dose gives the band, no frequency, no icon array and no model number."""
    text, found = write(0.1)
    assert not found.personal_number
    assert "in 10,000" not in text
    assert "of 10,000" not in text
    assert f"The risk from your CT scan is {words.band(found.person().total.value)}." in text
    made = fixtures.result(0.1)
    assert 'class="icons"' not in build(made, found, audience="patient").html


def test_above_it_the_number_stands_beside_the_baseline() -> None:
    """The excess and the baseline have one denominator and equal the appraisal's, rounded by the words."""
    text, found = write(1.0)
    reading = found.person()
    few = words.plain(words.count(reading.total.value))
    anyway = words.plain(words.count(reading.baseline))
    assert f"about {few} of them may get cancer from it" in text
    assert f"About {anyway} of 10,000 get cancer at some time in any case" in text
    assert words.frequency_range(reading.total.low, reading.total.high) in text


@pytest.mark.parametrize("scale", [0.02, 0.1, 1.0, 4.0, 30.0])
def test_nothing_misleading_is_said(scale: float) -> None:
    """No per cent, no relative risk, no cigarettes, flights or roads, and the benefit comes first."""
    text, _ = write(scale)
    assert FORBIDDEN.search(text) is None
    assert text.index("How it helps you") < text.index("How much radiation") < text.index("What is the risk")


@pytest.mark.parametrize("scale", [0.1, 1.0, 30.0])
def test_a_twelve_year_old_can_read_it(scale: float) -> None:
    """The body of the letter reads at grade 6 (age 12) or below by Flesch and Kincaid."""
    made = fixtures.result(scale)
    found = appraise(Ledger(made.body.person).add(made), samples=500)
    html = build(made, found, audience="patient").html
    paragraphs = re.findall(r"<(?:p|li)(?: class=\"big\")?>(.*?)</(?:p|li)>", html, re.DOTALL)
    plain = " ".join(re.sub(r"<[^>]+>", " ", part).strip() for part in paragraphs if "." in part)
    assert len(plain.split()) > 150
    assert words.reading_grade(plain) <= 6.5


def test_a_large_dose_is_not_talked_down() -> None:
    """Where an organ received 100 mGy, the letter does not call the dose too small to measure."""
    text, _ = write(30.0)
    assert "too small to measure" not in text
    assert "studies of large groups have seen" in text
    assert "do not need to do anything" not in text


def test_an_interval_that_reaches_zero_is_told() -> None:
    """A negative low end reads 'could be zero', without a minus sign."""
    made = fixtures.result()
    found = appraise(Ledger(made.body.person).add(made), samples=500)
    reading = found.person()
    lowered = replace(reading, total=replace(reading.total, low=-1e-4))
    changed = replace(found, readings={"BEIR VII": lowered})
    text = Page(build(made, changed, audience="patient").html).text
    assert "It could be zero, or as many as" in text


def test_without_a_person_model_no_risk_is_told() -> None:
    """The population reading of effective dose never becomes a person's number or word."""
    made = fixtures.result()
    found = appraise(Ledger(made.body.person).add(made), models=["ICRP 103"], samples=500)
    text = Page(build(made, found, audience="patient").html).text
    assert "in 10,000" not in text
    assert "risk was not worked out" in text


def test_the_number_follows_organ_doses_and_not_effective_dose() -> None:
    """Doubling the effective dose alone changes the comparison with nature, and not the risk."""
    made = fixtures.result()
    assert made.effective is not None
    doubled = replace(made, effective=made.effective * 2.0)
    texts = []
    for item in (made, doubled):
        found = appraise(Ledger(item.body.person).add(item), models=["BEIR VII"], samples=500)
        texts.append(Page(build(item, found, audience="patient").html).text)
    risk = [re.search(r"If 10,000 .*? life\.", text) for text in texts]
    assert risk[0] is not None
    assert risk[1] is not None
    assert risk[0][0] == risk[1][0]
    assert texts[0] != texts[1]


def test_several_scans_are_called_scans() -> None:
    """The letter of a ledger speaks of scans in the plural and names each kind once."""
    made = fixtures.result()
    ledger = Ledger(made.body.person).add(made).add(replace(made, what="CT head"))
    text = Page(build(ledger, appraise(ledger, samples=500), audience="patient").html).text
    assert "About your CT scans" in text
    assert "had these CT scans" in text
    assert "CT head" in text


def test_child_and_man_are_named() -> None:
    """The group of the sentence follows sex and age."""
    made = fixtures.result()
    for person, name in (
        (replace(made.body.person, sex="M", age_y=40.0), "men"),
        (replace(made.body.person, age_y=9.0, height_cm=None, weight_kg=None), "girls"),
    ):
        ledger = Ledger(person).add(made)
        text = Page(build(ledger, appraise(ledger, samples=500), audience="patient").html).text
        assert f"If 10,000 {name} of your age" in text
