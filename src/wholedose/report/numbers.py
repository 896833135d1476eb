"""Numbers as a physicist writes them. Defines `with_uncertainty`, `digits`, `interval` and `percent`.

The uncertainty decides the digits: it is given to two significant digits and the value to the same decimal
place (GUM, JCGM 100:2008, 7.2.6).
"""

from __future__ import annotations

import math

from wholedose.base import Estimate

MOST_PLACES = 8
COVERAGE_95 = 1.959964  # normal distribution, two-sided 95 %


def digits(value: float, significant: int = 3) -> str:
    """Return a number to some significant digits, without an exponent where it reads well.

    Examples
    --------
    >>> digits(8.2041), digits(412.7), digits(1234.6), digits(0.0), digits(2.1e-7)
    ('8.20', '413', '1,235', '0', '2.1e-07')
    """
    if value == 0.0 or not math.isfinite(value):
        return "0" if value == 0.0 else "–"
    if abs(value) < 1e-4:
        return f"{value:.{significant - 1}g}"
    places = significant - 1 - math.floor(math.log10(abs(float(f"{value:.{significant - 1}e}"))))
    return f"{value:,.{max(places, 0)}f}"


def with_uncertainty(estimate: Estimate) -> tuple[str, str]:
    """Return value and standard uncertainty as text with matching decimals; without one, an empty text.

    Examples
    --------
    >>> with_uncertainty(Estimate(12.3456, {("anatomy", ""): 0.347}))
    ('12.35', '0.35')
    >>> with_uncertainty(Estimate(0.0))
    ('0', '')
    """
    u = estimate.u
    if u == 0.0:
        return digits(estimate.value), ""
    places = min(MOST_PLACES, max(0, 1 - math.floor(math.log10(float(f"{u:.1e}")))))
    return f"{estimate.value:,.{places}f}", f"{u:,.{places}f}"


def bounds(estimate: Estimate) -> tuple[float, float]:
    """Return the 95 % interval of a quantity that cannot be negative: normal, cut at zero."""
    half = COVERAGE_95 * estimate.u
    return max(0.0, estimate.value - half), estimate.value + half


def interval(estimate: Estimate) -> str:
    """Return the 95 % interval as text.

    Examples
    --------
    >>> interval(Estimate(12.3456, {("anatomy", ""): 0.347}))
    '11.7 to 13.0'
    """
    low, high = bounds(estimate)
    if low == high:
        return ""
    places = max(0, 2 - math.floor(math.log10(high))) if high >= 1e-4 else 6
    return f"{low:,.{places}f} to {high:,.{places}f}"


def percent(fraction: float, places: int = 0) -> str:
    """Return a fraction as per cent, where only an exact 0 or 1 prints as such.

    Examples
    --------
    >>> percent(1.0), percent(0.999), percent(0.001), percent(0.0), percent(0.42)
    ('100 %', '>99 %', '<1 %', '0 %', '42 %')
    """
    text = f"{100 * fraction:.{places}f}"
    low, high = f"{0:.{places}f}", f"{100:.{places}f}"
    if text == low and fraction > 0:
        return f"<{10.0**-places:.{places}f} %"
    if text == high and fraction < 1:
        return f">{100 - 10.0**-places:.{places}f} %"
    return f"{text} %"
