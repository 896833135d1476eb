"""What pregnancy adds to a body. Defines `Conceptus`, `conceptus_of` and `maternal_gain_g`."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from wholedose.tables import load

BLEND_WEEKS = (8.0, 12.0)
"""From the first to the second week the fit of ultrasound grows from nothing to half of the mean."""
POPULATION_U = 0.127
SKELETON_SHARE = 0.106
"""Skeleton of the fetus by mass: that of the newborn, 370 g of 3500 g (assumption)."""
PARTS_FROM_WEEK = 10.0
MOST_BRAIN = 0.4


@dataclass(frozen=True)
class Conceptus:
    """Fetus, placenta and fluid, and what the mother's own tissues gain, in g.

    Attributes
    ----------
    fetus_g : float
        The whole fetus: the mean (of logarithms) of two published fits.
    fetus_u : float
        Relative standard uncertainty of its mass: half the spread of the fits, and the population's 12.7 %.
    brain_g, skeleton_g : float
        Parts of the fetus; 0 before week 10.
    placenta_g, fluid_g : float
    uterus_g, breasts_g, blood_g, water_g : float
        Gains of uterine wall, breasts, blood and extracellular fluid.
    """

    fetus_g: float
    fetus_u: float
    brain_g: float
    skeleton_g: float
    placenta_g: float
    fluid_g: float
    uterus_g: float
    breasts_g: float
    blood_g: float
    water_g: float


@cache
def _table() -> dict[str, tuple[Any, Any]]:
    table = load("body/fetus")
    week = table["week"]
    return {
        column: (week[np.isfinite(table[column])], np.log(table[column][np.isfinite(table[column])]))
        for column in ("fetus_g", "hadlock_g", "placenta_g", "fluid_g", "gain_g", "brain_g")
    }


def _at(column: str, week: float) -> float:
    """Value at a week, linear in logarithms; beyond the table with the slope of its end."""
    x, y = _table()[column]
    i = int(np.clip(np.searchsorted(x, week) - 1, 0, len(x) - 2))
    return float(math.exp(y[i] + (week - x[i]) * (y[i + 1] - y[i]) / (x[i + 1] - x[i])))


def maternal_gain_g(week: float) -> float:
    """Return the whole weight gain at a gestational week in g, conceptus included.

    Examples
    --------
    >>> round(maternal_gain_g(20.0))
    7440
    """
    return _at("gain_g", min(week, 40.0))


@cache
def conceptus_of(week: float) -> Conceptus:
    """Return what a pregnancy of this gestational week adds.

    Parameters
    ----------
    week : float
        Weeks since the last menstruation, 4 to 42.

    Examples
    --------
    >>> conceptus = conceptus_of(30.0)
    >>> round(conceptus.fetus_g), round(conceptus.fetus_u, 3)
    (1555, 0.127)
    """
    first, second = BLEND_WEEKS
    share = 0.5 * min(max((week - first) / (second - first), 0.0), 1.0)
    one = math.log(_at("fetus_g", week))
    other = math.log(_at("hadlock_g", max(week, first)))
    fetus = math.exp((1 - share) * one + share * other)
    brain = skeleton = 0.0
    if week >= PARTS_FROM_WEEK:
        brain = min(_at("brain_g", week) / _at("fetus_g", week), MOST_BRAIN) * fetus
        skeleton = SKELETON_SHARE * fetus
    gains = load("body/maternal_tissue")
    own = [
        float(np.interp(week, gains["week"], gains[column]))
        for column in ("uterus_g", "breasts_g", "blood_g", "fluid_g")
    ]
    return Conceptus(
        fetus,
        math.hypot(0.5 * abs(one - other), POPULATION_U),
        brain,
        skeleton,
        _at("placenta_g", week),
        _at("fluid_g", week),
        *own,
    )
