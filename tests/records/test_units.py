"""Units of records."""

from __future__ import annotations

import pytest

from wholedose.records.units import DIMENSIONS, UnknownUnit, convert


@pytest.mark.parametrize(
    ("number", "unit", "dimension", "ours"),
    [
        ("0.0000023900", "Gym2", "dose area", 0.0239),
        ("0.0000023900", "Gy.m2", "dose area", 0.0239),
        ("11.013", "dGy.cm2", "dose area", 1.1013),
        ("586.34", "mGycm", "dose length", 586.34),
        ("3.5e-05", "Gy", "dose", 0.035),
        ("0.01409", "dGy", "dose", 1.409),
        ("90200.00", "uAs", "charge", 90.2),
        ("90200.00", "uA.s", "charge", 90.2),
        ("7.028e-02", "m^2", "area", 702.8),
        ("854", "ms", "time", 0.854),
        ("6", "{events}", "count", 6.0),
        ("7.5", "{pulse}/s", "rate", 7.5),
    ],
)
def test_known_spellings_convert_exactly(number: str, unit: str, dimension: str, ours: float) -> None:
    """Every spelling seen in reports gives our unit, in decimal, without a rounding error."""
    assert convert(number, unit, dimension) == ours


@pytest.mark.parametrize("unit", ["Gy.in2", "R", "rad", "m.s", "", None, "gy.m2"])
def test_an_unlisted_unit_is_refused(unit: str | None) -> None:
    """A unit outside the closed list, or none at all, is refused and not guessed."""
    with pytest.raises(UnknownUnit):
        convert("1", unit, "dose area")


@pytest.mark.parametrize("number", ["", "one", "1,5", "nan", "inf", "1e999999999", "-1", "1e30"])
def test_unusable_numbers_are_refused(number: str) -> None:
    """What is no number, not finite, negative or absurdly large is refused."""
    with pytest.raises(ValueError):
        convert(number, "mGy", "dose")


def test_each_dimension_lists_its_own_unit_once() -> None:
    """A value that is already in our unit keeps its number."""
    for name, dimension in DIMENSIONS.items():
        unit = "mA.s" if dimension.unit == "mAs" else dimension.unit
        assert convert("2", unit, name) == 2.0, name
    assert convert("2", "mAs", "charge") == 2.0
