"""The figure of a person: sex, age, height and volume in, parameters and figure out. Defines `fit`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from wholedose.body.figure import Figure, Shape, figure_at, points_of

Array = NDArray[np.float64]

# anny's own calibration of its age parameter against the WHO's heights
AGE_Y = (0.0, 1.0, 4.0, 11.0, 16.0, 18.0, 64.0, 110.0)
AGE_PARAMETER = (0.0, 0.05, 0.215, 0.415, 0.67, 0.77, 0.83, 1.0)
LEAN_WEIGHT = 0.35


def fit(
    sex: Literal["F", "M"],
    age_y: float,
    height_cm: float,
    volume_cm3: float,
    *,
    pregnancy_week: float | None = None,
    breast_g: float | None = None,
) -> tuple[Figure, Figure]:
    """Return the figure of a person, and the figure of the same person when lean."""
    shape = Shape(
        gender=1.0 if sex == "F" else 0.0,
        age=float(np.interp(age_y, AGE_Y, AGE_PARAMETER)),
        pregnancy=0.0 if pregnancy_week is None else float(np.clip((pregnancy_week - 8) / 32, 0, 1)),
    )
    grid = {
        (w, h): p
        for (w, h), p in zip(
            [(w, h) for w in (0.0, 0.5, 1.0) for h in (0.0, 1.0)],
            points_of(replace(shape, weight=w, height=h) for w in (0.0, 0.5, 1.0) for h in (0.0, 1.0)),
            strict=True,
        )
    }

    def at(weight: float) -> Figure:
        lower, upper = (0.0, 0.5) if weight < 0.5 else (0.5, 1.0)
        t = (weight - lower) / 0.5
        short, tall = ((1 - t) * grid[lower, h] + t * grid[upper, h] for h in (0.0, 1.0))
        skin = len(figure_at(short).vertices_mm)
        low, high = (float(np.ptp(p[:skin, 2])) for p in (short, tall))
        k = float(np.clip((10 * height_cm - low) / (high - low), 0.0, 1.0))
        figure = figure_at((1 - k) * short + k * tall)
        return figure.scaled(10 * height_cm / figure.height_mm)

    def excess(weight: float) -> Any:
        return at(weight).volume_cm3 - volume_cm3

    weight = float(brentq(excess, -4.0, 12.0, xtol=1e-4))
    return at(weight), at(min(weight, LEAN_WEIGHT))
