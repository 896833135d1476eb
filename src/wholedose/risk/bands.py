"""Words for the size of a risk. Defines `Band`, `band` and `personal_number`."""

from __future__ import annotations

from dataclasses import dataclass

from wholedose.base import EffectiveDose, InvalidInput
from wholedose.risk.parameters import constant
from wholedose.tables import load


@dataclass(frozen=True)
class Band:
    """A range of additional lifetime risk with its word.

    Attributes
    ----------
    name : str
    lower, upper : float
        As probabilities; lower inclusive, upper exclusive.
    """

    name: str
    lower: float
    upper: float


def bands() -> list[Band]:
    """Return the bands from the lowest to the highest."""
    rows = load("risk/bands").rows()
    return [Band(str(row["band"]), float(row["lower"]), float(row["upper"])) for row in rows]


def band(risk: float) -> Band:
    """Return the band of a lifetime risk; a negative risk counts as 0.

    Examples
    --------
    >>> band(3e-4).name
    'low'
    """
    if not risk <= 1.0:
        raise InvalidInput(f"A risk of {risk} is not a probability.", where="risk")
    return next(item for item in reversed(bands()) if max(risk, 0.0) >= item.lower)


def personal_number(effective: EffectiveDose) -> bool:
    """Whether an effective dose is large enough for a letter to print a number, not the band only."""
    return effective.value >= constant("personal_number_msv")
