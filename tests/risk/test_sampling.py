"""Random draws, the triangular distribution, intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholedose.base import InvalidInput
from wholedose.risk import Draws, Interval, triangular_quantile

TRIANGLES = [(5.0, 7.5, 10.0), (3.0, 5.0, 7.0), (2.0, 2.25, 2.5), (1.0, 2.0, 6.0)]


@pytest.mark.parametrize(("low", "mode", "high"), TRIANGLES)
def test_triangular_moments_on_a_fine_grid(low: float, mode: float, high: float) -> None:
    """Mean and variance are (a+b+c)/3 and the published quadratic form, both halves inside the limits."""
    n = 200_000
    x = triangular_quantile((np.arange(n) + 0.5) / n, low, mode, high)
    variance = (low**2 + mode**2 + high**2 - low * mode - low * high - mode * high) / 18
    assert x.mean() == pytest.approx((low + mode + high) / 3, rel=1e-6)
    assert x.var() == pytest.approx(variance, rel=1e-4)
    assert low <= x.min()
    assert x.max() <= high
    assert (np.diff(x) > 0).all()


@given(st.floats(0.0, 1.0))
def test_triangular_quantile_inverts_the_distribution(u: float) -> None:
    """The distribution function of the quantile is the probability again."""
    low, mode, high = 1.0, 2.0, 6.0
    x = float(triangular_quantile(np.array([u]), low, mode, high)[0])
    below = (x - low) ** 2 / ((high - low) * (mode - low))
    above = 1 - (high - x) ** 2 / ((high - low) * (high - mode))
    assert (below if x <= mode else above) == pytest.approx(u, abs=1e-9)


def test_equal_names_give_equal_draws_whatever_else_is_drawn() -> None:
    """A draw depends on seed and name only, not on the order or number of the others."""
    one, two = Draws(3, 1000), Draws(3, 1000)
    one.normal("other")
    np.testing.assert_array_equal(one.normal("beta", "lung"), two.normal("beta", "lung"))
    assert one.normal("beta", "lung") is one.normal("beta", "lung")
    assert not np.array_equal(one.normal("beta", "lung"), Draws(4, 1000).normal("beta", "lung"))
    assert abs(np.corrcoef(one.normal("a"), one.normal("b"))[0, 1]) < 5 / math.sqrt(1000)


def test_draws_have_their_distributions() -> None:
    """Means and spreads of both kinds are right within five standard errors."""
    draws = Draws(1, 40_000)
    z, u = draws.normal("z"), draws.uniform("u")
    assert abs(z.mean()) < 5 / 200
    assert abs(z.std() - 1) < 5 / (200 * math.sqrt(2))
    assert abs(u.mean() - 0.5) < 5 / (200 * math.sqrt(12))
    assert 0 <= u.min() < u.max() < 1
    with pytest.raises(InvalidInput, match="1 samples are too few"):
        Draws(1, 1)


def test_interval_reads_percentiles_and_keeps_a_negative_end() -> None:
    """5, 50 and 95 %; a negative lower end stays and is said to reach zero."""
    interval = Interval.of(0.4, np.linspace(-0.1, 0.9, 1001))
    assert (interval.low, interval.median, interval.high) == pytest.approx((-0.05, 0.4, 0.85))
    assert interval.could_be_zero
    assert not Interval(1.0, 1.0, 0.1, 2.0).could_be_zero
    assert interval.to_json()["low_5"] == interval.low
