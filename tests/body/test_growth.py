"""Promises of interpolation between the reference ages."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from wholedose.body.growth import REFERENCE_AGES_Y, Monotone, reference_build, reference_size
from wholedose.body.percentiles import distribution
from wholedose.body.person import Sex


@pytest.mark.parametrize("log", [False, True])
def test_the_curve_passes_through_its_points_without_overshoot(log: bool) -> None:
    """Between two points the curve stays between their values, and at a point it is exact."""
    x, y = [0.0, 1.0, 2.0, 4.0, 5.0], [1.0, 1.5, 9.0, 9.0, 4.0]
    curve = Monotone(x, y, log)
    for at, value in zip(x, y, strict=True):
        assert curve(at) == pytest.approx(value, rel=1e-12)
    for (x0, y0), (x1, y1) in pairwise(zip(x, y, strict=True)):
        for at in np.linspace(x0, x1, 21):
            assert min(y0, y1) - 1e-9 <= curve(float(at)) <= max(y0, y1) + 1e-9
    assert curve(-3.0) == pytest.approx(1.0)
    assert curve(99.0) == pytest.approx(4.0)


@pytest.mark.parametrize("sex", ["M", "F"])
def test_size_grows_with_age(sex: Sex) -> None:
    """Height, weight and surface never fall before 20 years, are the reference's there, and then stay."""
    ages = [0.1 * i for i in range(201)]
    builds = [reference_build(sex, age) for age in ages]
    for before, after in pairwise(builds):
        assert all(b >= a for a, b in zip(before, after, strict=True))
    assert reference_build(sex, 20) == reference_build(sex, 80)
    assert reference_build(sex, REFERENCE_AGES_Y[0])[1] == 3.5


@pytest.mark.parametrize("sex", ["M", "F"])
def test_children_between_the_references_are_average(sex: Sex) -> None:
    """From 3 months to 19 years the height without a known one is within one spread of the CDC median."""
    for age in (0.25, 0.5, 0.75, 2, 3, 4, 7, 8, 12, 13, 14, 17, 19):
        height = reference_build(sex, age)[0]
        assert 16 < distribution(sex, age, "height").percentile(height) < 84, age


def test_reference_sizes_are_those_of_icrp_89() -> None:
    """Reference man and woman are 176 cm, 73 kg and 163 cm, 60 kg."""
    assert reference_size("M") == (176.0, 73.0)
    assert reference_size("F") == (163.0, 60.0)
