"""Promises of the percentiles of body size."""

from __future__ import annotations

import pytest

from wholedose.base import InvalidInput
from wholedose.body import Person
from wholedose.body.percentiles import LIMITS, Lms, allowed, check, distribution, percentile_of
from wholedose.body.person import Sex


def test_published_percentiles_are_met() -> None:
    """Height and body mass index of the CDC charts: 5th and 95th percentiles as printed."""
    boys = distribution("M", 5, "height")
    assert boys.value(5) == pytest.approx(101.2, abs=0.05)
    assert boys.value(95) == pytest.approx(116.5, abs=0.05)
    girls = distribution("F", 120.5 / 12, "bmi")
    assert girls.value(5) == pytest.approx(14.035, abs=0.01)
    assert girls.value(50) == pytest.approx(16.862, abs=0.001)
    assert girls.percentile(22.9826) == pytest.approx(95.0, abs=0.01)


def test_adult_body_mass_index_passes_through_the_survey() -> None:
    """6.9 % of men and 11.5 % of women have a body mass index of 40 or more, 42.4 % of 30 or more."""
    sexes: list[tuple[Sex, float]] = [("M", 6.9), ("F", 11.5)]
    for sex, severe in sexes:
        adults = distribution(sex, 50, "bmi")
        assert 100 - adults.percentile(30) == pytest.approx(42.4, abs=0.02)
        assert 100 - adults.percentile(40) == pytest.approx(severe, abs=0.02)
        assert adults.percentile(18.5) == pytest.approx(1.6, abs=0.02)


@pytest.mark.parametrize("sex", ["M", "F"])
def test_value_and_percentile_are_inverse(sex: Sex) -> None:
    """At every age the value of a percentile has that percentile, in the extended tail too."""
    for age in (0.0, 0.4, 1.9, 2.0, 3.3, 8.0, 14.2, 19.9, 20.0, 70.0):
        for quantity in ("height", "bmi" if age >= 2 else "weight"):
            scale = distribution(sex, age, quantity)
            for percentile in (0.1, 5.0, 50.0, 97.0, 99.9):
                assert scale.percentile(scale.value(percentile)) == pytest.approx(percentile, abs=1e-6)


def test_reference_persons_and_common_people_are_allowed() -> None:
    """All reference persons pass, and so do a heavy adult, a thin teenager and a woman at term."""
    for age in (0, 1, 5, 10, 15, 30):
        check(Person("M", age))
        check(Person("F", age))
    from wholedose.body.growth import reference_build

    for age in (0, 1, 5, 10, 15, 30):
        height, weight, _ = reference_build("F", age)
        check(Person("F", age, height, weight))
    check(Person("M", 50, 180, 146))  # body mass index 45
    check(Person("F", 15, 168, 47))
    check(Person("F", 30, 165, 78, pregnancy_week=39))


@pytest.mark.parametrize(
    ("person", "sentence"),
    [
        (Person("M", 40, 205), r"A height of 205 cm is above the 99.9th percentile of men. \[height_cm\]"),
        (Person("F", 40, 135), "below the 0.1st percentile of women"),
        (Person("M", 12, 150, 100), "above the 99.9th percentile of boys of 12 years and 150 cm"),
        (Person("F", 6, 116, 11), "Bodies are made for 16"),
        (Person("M", 0.5, 67, 12.5), "boys of 0.5 years"),
        (Person("M", 40, 185, 48), "below the 0.1st percentile of men and 185 cm"),
        (Person("F", 30, 165, 50, pregnancy_week=40), "women 40 weeks pregnant and 165 cm"),
    ],
)
def test_sizes_beyond_the_population_are_refused(person: Person, sentence: str) -> None:
    """A height or weight beyond the 0.1st to 99.9th percentile is refused, with the percentile and range."""
    with pytest.raises(InvalidInput, match=sentence):
        check(person)


def test_a_tall_heavy_child_is_judged_by_its_height() -> None:
    """100 kg at 12 years are refused at 150 cm and allowed at 172 cm."""
    check(Person("M", 12, 172, 100))
    low, high = allowed(Person("M", 12, 150), "weight")
    assert 30 < low + 10 < high < 90
    assert LIMITS[0] < percentile_of(Person("M", 12, 172, 100), "weight") < LIMITS[1]


@pytest.mark.parametrize("sex", ["M", "F"])
def test_the_allowed_range_is_accepted(sex: Sex) -> None:
    """A person at either end of the allowed heights and weights is accepted, at any age."""
    for age in (0.1, 1.5, 2.5, 9.0, 17.5, 18.5, 35.0, 90.0):
        shortest, tallest = allowed(Person(sex, age), "height")
        for height in (1.0001 * shortest, 0.9999 * tallest):
            low, high = allowed(Person(sex, age, height), "weight")
            check(Person(sex, age, height, 0.999 * high))
            check(Person(sex, age, height, 1.001 * low))


def test_a_power_of_one_is_normal() -> None:
    """With power 1 the distribution is normal: one spread above the median lies the 84th percentile."""
    assert Lms(1.0, 100.0, 0.1).percentile(110.0) == pytest.approx(84.134, abs=0.001)
