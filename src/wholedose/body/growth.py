"""Interpolation between the reference ages. Defines `Monotone`, `reference_build`, `reference_size`."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wholedose.tables import load

REFERENCE_AGES_Y = (0.0, 1.0, 5.0, 10.0, 15.0, 20.0)
"""Ages of the ICRP 89 reference persons; the adult's values hold from 20 years on (assumption)."""
CLOCK_POWER = 0.6
"""Puts the heights of infants between the reference ages near the medians of the CDC growth charts."""
AGE_COLUMNS = ("newborn", "1y", "5y", "10y", "15y", "adult")


class Monotone:
    """A smooth curve through points that has no extremum between them (Fritsch and Carlson).

    Beyond the points it keeps the value of the nearest one. With ``log``, the logarithms are interpolated.

    Parameters
    ----------
    x, y : array [n]
        Points, ``x`` increasing; for ``log`` the ``y`` are positive.
    log : bool

    Examples
    --------
    >>> curve = Monotone([0, 1, 2], [1, 2, 2])
    >>> curve(1.0), curve(1.7), curve(9.0)
    (2.0, 2.0, 2.0)
    """

    def __init__(self, x: ArrayLike, y: ArrayLike, log: bool = False) -> None:
        self.x: NDArray[np.float64] = np.asarray(x, dtype=np.float64)
        values = np.asarray(y, dtype=np.float64)
        self.log = log
        self.y: NDArray[np.float64] = np.log(values) if log else values
        step, rise = np.diff(self.x), np.diff(self.y)
        secant = rise / step
        self.slope = np.zeros_like(self.y)
        for i in range(1, len(self.x) - 1):
            before, after = secant[i - 1], secant[i]
            if before * after > 0:
                w1, w2 = 2 * step[i] + step[i - 1], step[i] + 2 * step[i - 1]
                self.slope[i] = (w1 + w2) / (w1 / before + w2 / after)
        self.slope[0] = secant[0]

    def __call__(self, x: float) -> float:
        """Return the curve's value at x."""
        x = min(max(float(x), self.x[0]), self.x[-1])
        i = min(int(np.searchsorted(self.x, x, side="right")) - 1, len(self.x) - 2)
        h = self.x[i + 1] - self.x[i]
        t = (x - self.x[i]) / h
        value = float(
            (1 + 2 * t) * (1 - t) ** 2 * self.y[i]
            + t * (1 - t) ** 2 * h * self.slope[i]
            + t * t * (3 - 2 * t) * self.y[i + 1]
            + t * t * (t - 1) * h * self.slope[i + 1]
        )
        return float(np.exp(value)) if self.log else value


@cache
def _sizes(sex: str) -> tuple[Monotone, Monotone, Monotone]:
    table = load("body/icrp89_size")
    mine = table["sex"] == sex
    age = table["age_y"][mine]
    height, weight, surface = (
        Monotone(age**CLOCK_POWER, table[column][mine], log=True)
        for column in ("height_cm", "weight_kg", "surface_m2")
    )
    return height, weight, surface


def clock(age_y: float) -> float:
    """Return the variable in which growth is interpolated: a power of the age, as infants grow fastest."""
    return float(age_y**CLOCK_POWER)


def reference_build(sex: str, age_y: float) -> tuple[float, float, float]:
    """Return height in cm, weight in kg and body surface in m² of the reference person of an age.

    ICRP 89 at 0, 1, 5, 10, 15 and from 20 years, smooth and monotone in age between (assumption).

    Examples
    --------
    >>> reference_build("F", 5)
    (109.0, 19.0, 0.78)
    """
    height, weight, surface = (curve(clock(age_y)) for curve in _sizes(sex))
    return round(height, 6), round(weight, 6), round(surface, 6)


def reference_size(sex: str) -> tuple[float, float]:
    """Return height in cm and weight in kg of the reference adult (ICRP 89).

    Examples
    --------
    >>> reference_size("M")
    (176.0, 73.0)
    """
    height, weight, _ = reference_build(sex, REFERENCE_AGES_Y[-1])
    return height, weight
