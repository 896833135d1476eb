"""Where a person's size lies in the population. Defines `percentile_of`, `allowed` and `check`.

Children by the CDC growth charts (with the extended charts of high body mass index), adults by the height of
those charts at 20 years and by the body mass index that surveys of adults in the United States found.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist
from typing import Any, Literal

import numpy as np

from wholedose.base.errors import InvalidInput
from wholedose.body.masses import with_size
from wholedose.body.person import ADULT_BMI, ADULT_LIMITS, Person, Sex
from wholedose.body.pregnancy import maternal_gain_g
from wholedose.tables import load

Quantity = Literal["height", "weight"]
LIMITS = (0.1, 99.9)
"""Percentiles within which bodies are made."""
ADULT_FROM_Y = 20.0
BMI_FROM_Y = 2.0
_NORMAL = NormalDist()


@dataclass(frozen=True)
class Lms:
    """A distribution that a Box-Cox power makes normal; above ``p95``, if given, half normal."""

    power: float
    median: float
    spread: float
    p95: float = math.nan
    sigma: float = math.nan

    def percentile(self, value: float) -> float:
        """Return the percentile of a value."""
        if value > self.p95:
            return 90 + 10 * _NORMAL.cdf((value - self.p95) / self.sigma)
        return 100 * _NORMAL.cdf(((value / self.median) ** self.power - 1) / (self.power * self.spread))

    def value(self, percentile: float) -> float:
        """Return the value of a percentile."""
        if percentile > 95 and math.isfinite(self.p95):
            return self.p95 + self.sigma * _NORMAL.inv_cdf((percentile - 90) / 10)
        z = _NORMAL.inv_cdf(percentile / 100)
        return float(self.median * (1 + self.power * self.spread * z) ** (1 / self.power))


@cache
def _rows(sex: Sex, quantity: str) -> dict[str, Any]:
    table = load("body/growth_lms")
    mine = (table["sex"] == sex) & (table["quantity"] == quantity)
    return {column: table[column][mine] for column in ("age_y", "L", "M", "S", "p95")}


def distribution(sex: Sex, age_y: float, quantity: Literal["height", "weight", "bmi"]) -> Lms:
    """Return the distribution of height in cm, weight in kg (below 2 years) or body mass index in kg/m²."""
    if quantity == "bmi" and age_y >= ADULT_FROM_Y:
        table = load("body/adult_bmi")
        row = [str(s) for s in table["sex"]].index(sex)
        return Lms(float(table["L"][row]), float(table["M"][row]), float(table["S"][row]))
    rows = _rows(sex, quantity)
    power, median, spread, p95 = (
        float(np.interp(age_y, rows["age_y"], rows[column])) for column in ("L", "M", "S", "p95")
    )
    if quantity != "bmi":
        return Lms(power, median, spread)
    sigma = (
        0.3728 + 0.5196 * age_y - 0.0091 * age_y**2
        if sex == "M"
        else 0.8334 + 0.3712 * age_y - 0.0011 * age_y**2
    )
    return Lms(power, median, spread, p95, sigma)


def _weight_scale(person: Person) -> tuple[Lms, float, float]:
    """Distribution, factor from its unit to kg, and the kg that a pregnancy adds."""
    added = maternal_gain_g(person.pregnancy_week) / 1000 if person.pregnancy_week is not None else 0.0
    if person.age_y < BMI_FROM_Y:
        return distribution(person.sex, person.age_y, "weight"), 1.0, added
    height_m = float(with_size(person).height_cm or 0) / 100
    return distribution(person.sex, person.age_y, "bmi"), height_m**2, added


def percentile_of(person: Person, quantity: Quantity) -> float:
    """Return the percentile of a person's height for age, or of the weight for age and height.

    Weight is judged as body mass index from 2 years on, as weight for age below; a pregnancy's gain is taken
    off first.

    Examples
    --------
    >>> round(percentile_of(Person("M", 5, 109, 19), "height"))
    51
    """
    full = with_size(person)
    if quantity == "height":
        return distribution(person.sex, person.age_y, "height").percentile(float(full.height_cm or 0))
    scale, factor, added = _weight_scale(full)
    bare = float(full.weight_kg or 0) - added
    return scale.percentile(bare / factor) if bare > 0 else 0.0


def allowed(person: Person, quantity: Quantity) -> tuple[float, float]:
    """Return the range of height in cm, or of weight in kg at the person's height, that bodies are made for.

    That range lies within what `Person` accepts.

    Examples
    --------
    >>> low, high = allowed(Person("F", 40), "height")
    >>> round(low), round(high)
    (143, 183)
    """
    if quantity == "height":
        scale, factor, added = distribution(person.sex, person.age_y, "height"), 1.0, 0.0
    else:
        scale, factor, added = _weight_scale(person)
    low, high = (scale.value(limit) * factor + added for limit in LIMITS)
    if quantity == "weight" and person.is_adult:
        # the survey's tail reaches beyond what a person may weigh at all
        low = max(low, ADULT_LIMITS["weight_kg"][0], ADULT_BMI[0] * factor)
        high = min(high, ADULT_LIMITS["weight_kg"][1], ADULT_BMI[1] * factor)
    return low, high


def check(person: Person) -> None:
    """Refuse a person whose height or weight is beyond the percentiles of `LIMITS`.

    Raises
    ------
    InvalidInput
        Naming the percentile and the range.

    Examples
    --------
    >>> check(Person("M", 40, 176, 73))
    >>> check(Person("M", 3, 60))
    Traceback (most recent call last):
    wholedose.base.errors.InvalidInput: A height of 60 cm is below the 0.1st percentile of boys of 3 years.\
 [height_cm] Bodies are made for 84.0 to 108.0 cm.
    """
    for quantity, field, unit in (("height", "height_cm", "cm"), ("weight", "weight_kg", "kg")):
        value = getattr(person, field)
        if value is None:
            continue
        percentile = percentile_of(person, quantity)  # type: ignore[arg-type]
        if LIMITS[0] <= percentile <= LIMITS[1]:
            continue
        low, high = allowed(person, quantity)  # type: ignore[arg-type]
        side = "below the 0.1st" if percentile < LIMITS[0] else "above the 99.9th"
        tall = "" if quantity == "height" else f" and {with_size(person).height_cm:.4g} cm"
        raise InvalidInput(
            f"A {quantity} of {value:g} {unit} is {side} percentile of {_group(person)}{tall}.",
            where=field,
            way_out=f"Bodies are made for {low:.1f} to {high:.1f} {unit}.",
        )


def _group(person: Person) -> str:
    adult = person.age_y >= ADULT_FROM_Y
    many = {("M", True): "men", ("F", True): "women", ("M", False): "boys", ("F", False): "girls"}
    who = many[person.sex, adult]
    if person.pregnancy_week is not None:
        return f"{who} {person.pregnancy_week:g} weeks pregnant"
    return who if adult else f"{who} of {person.age_y:g} years"
