"""The closed list of units that records may use, and their conversion to ours.

Defines `DIMENSIONS`, `convert` and `UnknownUnit`. Vendors write one unit in several ways (``Gy.m2`` and
``Gym2``); a spelling that is not in the list is refused, never guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation


class UnknownUnit(Exception):
    """The unit is not in the list for this dimension."""


@dataclass(frozen=True)
class Dimension:
    """A kind of quantity: our unit, factor of each accepted spelling, range of possible values."""

    unit: str
    factors: dict[str, Decimal]
    low: float
    high: float


def _spellings(units: dict[str, str]) -> dict[str, Decimal]:
    """Add the spellings of products (``mGy.cm``, ``mGycm``, ``mGy*cm``) and squares (``cm^2``)."""
    table: dict[str, Decimal] = {}
    for unit, factor in units.items():
        variants = {unit}
        if "." in unit:
            variants |= {unit.replace(".", mark) for mark in ("", "*", " ", "·")}
        variants |= {text.replace("2", "^2") for text in variants if text.endswith("m2")}
        for text in variants:
            table[text] = Decimal(factor)
    return table


_ONE = {"1": "1", "": "1", "no units": "1"}
_COUNTED = (
    "{events}", "events", "{X-Ray sources}", "{X-ray sources}", "X-Ray sources", "X-ray sources",
    "{pulse}", "{pulses}", "{frames}", "{images}",
)  # fmt: skip
_RATES = (
    "{pulse}/s", "{pulses}/s", "pulse/s", "pulses/s", "{frame}/s", "{frames}/s", "1/s", "/s", "Hz",
)  # fmt: skip
_AREA_PRODUCT = {
    "Gy.m2": "1E4", "mGy.m2": "10", "uGy.m2": "1E-2", "Gy.cm2": "1", "dGy.cm2": "0.1", "cGy.cm2": "1E-2",
    "mGy.cm2": "1E-3", "uGy.cm2": "1E-6",
}  # fmt: skip

DIMENSIONS: dict[str, Dimension] = {
    "dose": Dimension(
        "mGy", _spellings({"Gy": "1E3", "dGy": "100", "cGy": "10", "mGy": "1", "uGy": "1E-3"}), 0, 1e6
    ),
    "dose length": Dimension("mGy.cm", _spellings({"mGy.cm": "1", "Gy.cm": "1E3", "cGy.cm": "10"}), 0, 1e6),
    "dose area": Dimension("Gy.cm2", _spellings(_AREA_PRODUCT), 0, 1e6),
    "effective dose": Dimension("mSv", _spellings({"mSv": "1", "Sv": "1E3", "uSv": "1E-3"}), 0, 1e4),
    "voltage": Dimension("kV", _spellings({"kV": "1", "kVp": "1", "V": "1E-3"}), 1, 1000),
    "current": Dimension("mA", _spellings({"mA": "1", "uA": "1E-3", "A": "1E3"}), 0, 1e5),
    "charge": Dimension("mAs", _spellings({"mA.s": "1", "uA.s": "1E-3", "A.s": "1E3"}), 0, 1e6),
    "time": Dimension("s", _spellings({"s": "1", "ms": "1E-3", "us": "1E-6", "min": "60"}), 0, 1e6),
    "length": Dimension("mm", _spellings({"mm": "1", "cm": "10", "m": "1E3", "um": "1E-3"}), 0, 5000),
    "position": Dimension("mm", _spellings({"mm": "1", "cm": "10", "m": "1E3"}), -1e4, 1e4),
    "area": Dimension("cm2", _spellings({"m2": "1E4", "cm2": "1", "mm2": "1E-2"}), 0, 1e5),
    "angle": Dimension("deg", _spellings({"deg": "1", "°": "1"}), -360, 360),
    "force": Dimension("N", _spellings({"N": "1", "daN": "10"}), 0, 1000),
    "ratio": Dimension("1", _spellings({**_ONE, "{ratio}": "1", "ratio": "1"}), 0, 1e6),
    "index": Dimension("1", _spellings(_ONE), -1e6, 1e9),
    "percent": Dimension("%", _spellings({"%": "1", "1": "100"}), 0, 1000),
    "rate": Dimension(
        "1/s",
        _spellings(
            dict.fromkeys(_RATES, "1")
        ),
        0,
        1e4,
    ),
    "count": Dimension(
        "1",
        _spellings(
            {
                **_ONE,
                **dict.fromkeys(_COUNTED, "1"),
            }
        ),
        0,
        1e7,
    ),
}  # fmt: skip


def convert(number: str, unit: str | None, dimension: str) -> float:
    """Convert a number as written to our unit of the dimension.

    The product is formed in decimal, so that 0.00000239 Gy.m2 is 0.0239 Gy.cm2 and not its neighbour.

    Parameters
    ----------
    number : str
        As written in the file.
    unit : str or None
        Unit as written; None where the file names none.
    dimension : str
        A key of `DIMENSIONS`.

    Returns
    -------
    float

    Raises
    ------
    UnknownUnit
        When the unit is missing or not in the list.
    ValueError
        When the number is not one, or lies outside what is possible.

    Examples
    --------
    >>> convert("0.0000023900", "Gym2", "dose area")
    0.0239
    """
    table = DIMENSIONS[dimension]
    factor = table.factors.get(unit if unit is not None else "\0")
    if factor is None:
        raise UnknownUnit("no unit" if not unit else f"unit {unit!r}")
    try:
        exact = Decimal(number.strip())
    except InvalidOperation:
        raise ValueError(f"{number[:40]!r} is not a number") from None
    if not exact.is_finite() or abs(exact.adjusted()) > 300:
        raise ValueError(f"{number[:40]!r} is not a usable number")
    value = float(exact * factor)
    if not table.low <= value <= table.high:
        raise ValueError(f"{value:.6g} {table.unit} is impossible")
    return value
