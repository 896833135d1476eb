"""Tests of the plain words."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholedose.base import InvalidInput
from wholedose.report import words
from wholedose.tables import load


@given(st.floats(0.0, 1.0))
def test_a_frequency_has_one_denominator_and_few_digits(p: float) -> None:
    """Every probability reads 'N in 10,000' with one digit below 10 and at most two above."""
    text = words.frequency(p)
    found = re.fullmatch(r"(?:about ([\d,]+)|fewer than 1) in 10,000", text)
    assert found is not None
    if found[1]:
        digits = found[1].replace(",", "")
        assert len(digits.rstrip("0")) <= 2
        assert abs(int(digits) - 1e4 * p) <= max(0.5, 0.051 * 1e4 * p) + 1e-6
    else:
        assert p < 0.5e-4


def test_people_are_whole() -> None:
    """Counts between 9 and 10, where the digits change, stay whole people; doses do not gain a digit."""
    assert words.frequency(0.000978) == "about 10 in 10,000"
    assert words.dose(9.7) == "about 10 mSv"


@given(st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_rounding_keeps_the_order(a: float, b: float) -> None:
    """A larger risk never reads smaller."""
    low, high = sorted((a, b))
    assert words.count(low) <= words.count(high)


@given(st.floats(1e-12, 1e12), st.integers(1, 6))
def test_significant_digits_are_close_and_stable(value: float, digits: int) -> None:
    """Rounding moves a number by at most half a unit of the last digit, and a second time not at all."""
    once = words.significant(value, digits)
    assert abs(once - value) <= 0.5000001 * 10.0 ** (1 - digits) * value
    assert words.significant(once, digits) == pytest.approx(once, rel=1e-12)
    assert words.significant(-value, digits) == -once


def test_halves_round_up_however_they_are_stored() -> None:
    """2.5 and its nearest float below both round to 3."""
    assert words.significant(2.5, 1) == 3.0
    assert words.significant(0.00025, 1) == 0.0003


@given(st.floats(-0.01, 1.0), st.floats(0.0, 1.0))
def test_an_interval_that_reaches_zero_says_so(low: float, width: float) -> None:
    """The words 'could be zero' stand exactly where the low end is not positive and the high end counts."""
    high = min(1.0, low + width)
    text = words.frequency_range(low, high)
    assert ("could be zero" in text) == (low <= 0 and words.count(max(high, 0.0)) >= 1)
    assert "%" not in text
    assert "-" not in text


def test_an_upside_down_interval_is_refused() -> None:
    """The ends of an interval must be in order."""
    with pytest.raises(InvalidInput, match="below its start"):
        words.frequency_range(0.2, 0.1)


@pytest.mark.parametrize("wrong", [-0.1, 1.1, float("nan")])
def test_only_probabilities_become_frequencies(wrong: float) -> None:
    """Numbers outside 0 to 1 are refused with a sentence."""
    with pytest.raises(InvalidInput, match="lies between 0 and 1"):
        words.frequency(wrong)


def test_bands_are_words_in_rising_order() -> None:
    """Each band's least probability gives its own word, and a negative risk the smallest."""
    expected = {1e-7: "negligible", 1e-6: "minimal", 1e-5: "very low", 1e-4: "low", 1e-3: "moderate"}
    assert {p: words.band(p) for p in expected} == expected
    assert words.band(-1e-3) == "negligible"


def test_background_is_the_published_world_average() -> None:
    """The average is 2.4 mSv a year, and its printed parts add up to it within rounding."""
    table = load("report/natural_background")
    parts = [float(row["annual_msv"]) for row in table.rows() if row["component"] != "total"]
    assert words.background_msv_per_year() == 2.4
    assert sum(parts) == pytest.approx(2.4, abs=0.05)
    assert words.background_time(2.4) == "about a year"


@given(st.floats(0.0, 500.0))
def test_background_time_is_near_the_quotient(msv: float) -> None:
    """The time in words is within 30 % (its rounding) of dose over 2.4 mSv a year."""
    text = words.background_time(msv)
    days = msv / 2.4 * 365.25
    if text == "less than a day":
        assert days < 1
        return
    number = re.search(r"([\d,.]+)", text)
    value = float(number[1].replace(",", "")) if number else 1.0
    value += 0.5 * ("half" in text)
    unit = next(u for u in ("day", "week", "month", "year") if u in text)
    said = value * {"day": 1, "week": 7, "month": 30.44, "year": 365.25}[unit]
    assert said == pytest.approx(days, rel=0.34)


def test_doses_have_no_false_precision() -> None:
    """One digit below 10 mSv, two above, and an interval that rounds to one number is left out."""
    assert words.dose(6.349) == "about 6 mSv"
    assert words.dose(12.6) == "about 13 mSv"
    assert words.dose_range(4.6, 8.1) == "between 5 and 8 mSv"
    assert words.dose_range(6.1, 6.2) == ""


def test_reading_grade_knows_easy_from_hard() -> None:
    """A children's sentence reads below grade 3, this project's own sentence above grade 12."""
    assert words.reading_grade("The dog ran to the big red barn. It was glad.") < 3
    hard = "Lifetime attributable probabilities incorporate epidemiological uncertainty quantification."
    assert words.reading_grade(hard) > 12
    with pytest.raises(InvalidInput, match="no words"):
        words.reading_grade(" ")
