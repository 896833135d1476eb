"""Random draws of one appraisal and what is read from them. Defines `Draws`, `Interval` and `log_scale`."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholedose.base import InvalidInput

Sample = NDArray[np.float64]


class Draws:
    """Named random samples from one seed: equal names give equal draws, whatever else is drawn.

    So all exposures of a person share one beta of a site, two models share what they have in common, and one
    more exposure changes no other draw.

    Parameters
    ----------
    seed : int
    samples : int
        Length of each sample.
    """

    def __init__(self, seed: int, samples: int) -> None:
        if samples < 2:
            raise InvalidInput(
                f"{samples} samples are too few.", where="samples", way_out="Give 1000 or more."
            )
        self.seed = seed
        self.samples = samples
        self._cache: dict[tuple[str, ...], Sample] = {}

    def normal(self, *name: str) -> Sample:
        """Return standard normal deviates, shape (samples,)."""
        return self._get("normal", name)

    def uniform(self, *name: str) -> Sample:
        """Return uniform deviates in [0, 1), shape (samples,)."""
        return self._get("uniform", name)

    def _get(self, kind: str, name: tuple[str, ...]) -> Sample:
        key = (kind, *name)
        if key not in self._cache:
            word = int.from_bytes(hashlib.sha256("\x1f".join(key).encode()).digest()[:16], "big")
            rng = np.random.Generator(np.random.Philox(np.random.SeedSequence([self.seed, word])))
            values = rng.standard_normal(self.samples) if kind == "normal" else rng.random(self.samples)
            self._cache[key] = values
        return self._cache[key]


def log_scale(relative_u: float) -> float:
    """Return by what relative uncertainties are multiplied to be standard deviations of a logarithm.

    A log-normal of that deviation has the relative variance that was meant: a dose that may be ten times as
    large stays so and does not become e^10 times as large. Near 1 for small uncertainties.

    Examples
    --------
    >>> round(log_scale(0.1), 4), round(10 * log_scale(10.0), 2)
    (0.9975, 2.15)
    """
    return math.sqrt(math.log1p(relative_u**2)) / relative_u if relative_u > 0.0 else 1.0


def triangular_quantile(u: Sample, low: float, mode: float, high: float) -> Sample:
    """Return the quantiles of the triangular distribution at probabilities u.

    Examples
    --------
    >>> triangular_quantile(np.array([0.0, 0.5, 1.0]), 5.0, 7.5, 10.0)
    array([ 5. ,  7.5, 10. ])
    """
    width = high - low
    below = low + np.sqrt(u * width * (mode - low))
    above = high - np.sqrt((1.0 - u) * width * (high - mode))
    return np.where(u < (mode - low) / width, below, above)


@dataclass(frozen=True)
class Interval:
    """A lifetime risk with its 90 % interval, as probabilities.

    Attributes
    ----------
    value : float
        With all parameters at their central values.
    median, low, high : float
        50th, 5th and 95th percentile of the sample; the low end may be negative.
    """

    value: float
    median: float
    low: float
    high: float

    @classmethod
    def of(cls, value: float, sample: Sample) -> Interval:
        """Return the interval of a sample."""
        low, median, high = (float(q) for q in np.percentile(sample, [5.0, 50.0, 95.0]))
        return cls(float(value), median, low, high)

    @property
    def could_be_zero(self) -> bool:
        """Whether the interval reaches 0."""
        return self.low <= 0.0

    def to_json(self) -> dict[str, float]:
        """Return the four numbers."""
        return {"value": self.value, "median": self.median, "low_5": self.low, "high_95": self.high}

    @classmethod
    def from_json(cls, data: Mapping[str, float]) -> Interval:
        """Return the interval that `to_json` wrote."""
        return cls(data["value"], data["median"], data["low_5"], data["high_95"])
