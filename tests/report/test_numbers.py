"""Tests of a physicist's numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholedose.base import AbsorbedDose, Cause
from wholedose.report import numbers


@given(st.floats(1e-3, 1e4), st.floats(1e-3, 0.9))
def test_value_and_uncertainty_share_their_decimals(value: float, relative: float) -> None:
    """Value and u print to the same decimal place, near the true ones by u's second digit."""
    estimate = AbsorbedDose(value, {Cause("anatomy"): relative * value})
    text, u = numbers.with_uncertainty(estimate)
    assert len(text.partition(".")[2]) == len(u.partition(".")[2])
    assert float(u.replace(",", "")) == pytest.approx(estimate.u, rel=0.051, abs=0.5e-6)
    assert abs(float(text.replace(",", "")) - value) <= max(0.051 * estimate.u, 0.51e-6) or estimate.u > 10


@given(st.floats(1e-4, 1e6), st.integers(1, 5))
def test_digits_are_close(value: float, significant: int) -> None:
    """Text is within half a unit of its last significant digit."""
    text = numbers.digits(value, significant)
    assert float(text.replace(",", "")) == pytest.approx(value, rel=0.5001 * 10.0 ** (1 - significant))


def test_an_interval_is_cut_at_zero() -> None:
    """A dose of 1 ± 1 mGy has an interval from 0, not from below."""
    assert numbers.bounds(AbsorbedDose(1.0, {Cause("anatomy"): 1.0}))[0] == 0.0
    assert numbers.interval(AbsorbedDose(1.0, {Cause("anatomy"): 1.0})) == "0.00 to 2.96"


def test_only_exact_ends_print_as_such() -> None:
    """99.9 % never prints as 100 %, and a trace never as 0 %."""
    assert numbers.percent(0.9999) == ">99 %"
    assert numbers.percent(1e-6) == "<1 %"
    assert numbers.percent(0.0) == "0 %"
