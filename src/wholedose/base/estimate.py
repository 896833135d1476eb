"""A value with its uncertainty split by cause. Defines `Cause`, `Estimate` and the typed quantities.

A cause is (name, origin): two estimates share an error exactly when both agree, as two scans of one
scanner share ``("output calibration", "scanner 4711, 2026-03")``. Equal causes add linearly with their sign,
different ones in quadrature (first-order propagation, GUM JCGM 100:2008, 5.2.2).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Self, TypeVar

from wholedose.base.errors import InvalidInput, UnknownName

Q = TypeVar("Q", bound="Estimate")


class Cause(NamedTuple):
    """Where an uncertainty comes from.

    Attributes
    ----------
    name : str
        The kind of cause, by which reports group: ``"statistical"``, ``"anatomy"``, ``"spectrum"`` …
    origin : str
        What exactly is uncertain: a seed, a person, a device and calibration date.
    """

    name: str
    origin: str = ""


@dataclass(frozen=True, eq=False, repr=False)
class Estimate:
    """A number with a standard uncertainty split by cause; the typed quantities derive from it.

    Parameters
    ----------
    value : float
        The best value, in the unit of the type.
    parts : mapping of Cause to float
        Standard uncertainty per cause, in the unit of the type. The sign says in which direction a
        one-sigma change of the cause moves the value, so that opposite movements cancel in sums.

    Examples
    --------
    >>> scan = AbsorbedDose(10.0, {Cause("output calibration", "scanner A"): 0.5})
    >>> again = AbsorbedDose(12.0, {Cause("output calibration", "scanner A"): 0.6})
    >>> scan + again
    AbsorbedDose(22 ± 1.1 mGy)
    >>> other = AbsorbedDose(12.0, {Cause("output calibration", "scanner B"): 0.6})
    >>> round((scan + other).u, 3)
    0.781
    """

    kind: ClassVar[str] = "number"
    unit: ClassVar[str] = "1"

    value: float
    parts: Mapping[Cause, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        value = float(self.value)
        parts = {Cause(*cause): float(sigma) for cause, sigma in self.parts.items()}
        if not math.isfinite(value) or not all(map(math.isfinite, parts.values())):
            raise InvalidInput(f"{type(self).__name__} needs finite numbers, got {value} with {parts}.")
        object.__setattr__(self, "value", value)
        object.__setattr__(self, "parts", MappingProxyType(parts))

    @property
    def u(self) -> float:
        """The combined standard uncertainty (k = 1), in the unit of the value."""
        return math.sqrt(sum(sigma * sigma for sigma in self.parts.values()))

    @property
    def relative_u(self) -> float:
        """The combined standard uncertainty divided by the value; infinite for a value of 0."""
        return self.u / abs(self.value) if self.value else math.inf

    def by_name(self) -> dict[str, float]:
        """Return the standard uncertainty per cause name, origins combined in quadrature."""
        squares: dict[str, float] = {}
        for cause, sigma in self.parts.items():
            squares[cause.name] = squares.get(cause.name, 0.0) + sigma * sigma
        return {name: math.sqrt(square) for name, square in squares.items()}

    def widened(self, name: str, relative: float, origin: str = "") -> Self:
        """Return the same value with one more cause, given as a signed fraction of the value.

        Examples
        --------
        >>> AbsorbedDose(10.0).widened("anatomy", 0.1, "person 1")
        AbsorbedDose(10 ± 1 mGy)
        """
        return self._like(
            self.value, combine([(1.0, self.parts), (1.0, {Cause(name, origin): self.value * relative})])
        )

    def covariance(self, other: Estimate) -> float:
        """Return the covariance with another estimate through the causes that both share."""
        return sum(sigma * other.parts[cause] for cause, sigma in self.parts.items() if cause in other.parts)

    def correlation(self, other: Estimate) -> float:
        """Return the correlation coefficient with another estimate, 0 when either has no uncertainty."""
        scale = self.u * other.u
        return self.covariance(other) / scale if scale else 0.0

    def to(self, kind: type[Q], factor: float | Estimate = 1.0) -> Q:
        """Return this estimate as another kind, multiplied by a factor in the units' ratio.

        Examples
        --------
        >>> AbsorbedDose(10.0).to(EquivalentDose, 1.0)     # photons: radiation weighting factor 1
        EquivalentDose(10 ± 0 mSv)
        """
        product = self * factor
        return kind(product.value, product.parts)

    def _like(self, value: float, parts: Mapping[Cause, float]) -> Self:
        return type(self)(value, parts)

    def _same_kind(self, other: object, verb: str) -> Estimate:
        if type(other) is not type(self):
            theirs = type(other).__name__
            raise TypeError(
                f"cannot {verb} {type(self).__name__} and {theirs}: they are different kinds of quantity"
            )
        return other

    def __add__(self, other: Self) -> Self:
        them = self._same_kind(other, "add")
        return self._like(self.value + them.value, combine([(1.0, self.parts), (1.0, them.parts)]))

    def __sub__(self, other: Self) -> Self:
        them = self._same_kind(other, "subtract")
        return self._like(self.value - them.value, combine([(1.0, self.parts), (-1.0, them.parts)]))

    def __neg__(self) -> Self:
        return self * -1.0

    def __mul__(self, factor: float | Estimate) -> Self:
        if isinstance(factor, Estimate):
            if type(factor) is not Estimate:
                kinds = f"{type(self).__name__} by {type(factor).__name__}"
                raise TypeError(f"cannot multiply {kinds}: a factor must be a number or a plain Estimate")
            terms = [(factor.value, self.parts), (self.value, factor.parts)]
            return self._like(self.value * factor.value, combine(terms))
        if not isinstance(factor, (int, float)):
            return NotImplemented
        return self._like(self.value * factor, combine([(float(factor), self.parts)]))

    def __rmul__(self, factor: float) -> Self:
        return self.__mul__(factor)

    def __truediv__(self, divisor: float | Estimate) -> Self:
        if isinstance(divisor, Estimate):
            if type(divisor) is not Estimate:
                kinds = f"{type(self).__name__} by {type(divisor).__name__}"
                raise TypeError(f"cannot divide {kinds}: use .ratio() for two of one kind")
            return self * divisor.reciprocal()
        return self * (1.0 / divisor)

    def reciprocal(self) -> Estimate:
        """Return 1 / self as a plain Estimate; only for plain estimates."""
        if type(self) is not Estimate:
            raise TypeError(f"the reciprocal of {type(self).__name__} has no kind here")
        return Estimate(1.0 / self.value, combine([(-1.0 / self.value**2, self.parts)]))

    def ratio(self, other: Self) -> Estimate:
        """Return self / other, both of one kind, as a plain Estimate; shared causes cancel."""
        them = self._same_kind(other, "take the ratio of")
        value = self.value / them.value
        terms = [(1.0 / them.value, self.parts), (-value / them.value, them.parts)]
        return Estimate(value, combine(terms))

    @classmethod
    def total(cls, estimates: Iterable[Self]) -> Self:
        """Return the sum of estimates of this kind, independent of their order; 0 for none."""
        items = list(estimates)
        for item in items:
            if type(item) is not cls:
                raise TypeError(
                    f"cannot add {type(item).__name__} to {cls.__name__}: different kinds of quantity"
                )
        return cls(math.fsum(item.value for item in items), combine([(1.0, item.parts) for item in items]))

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self) or not isinstance(other, Estimate):
            return NotImplemented
        return self.value == other.value and dict(self.parts) == dict(other.parts)

    def __hash__(self) -> int:
        return hash((type(self), self.value, frozenset(self.parts.items())))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    def __str__(self) -> str:
        unit = "" if self.unit == "1" else f" {self.unit}"
        return f"{self.value:.4g} ± {self.u:.2g}{unit}"

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary that `estimate_from_json` turns back into an equal estimate."""
        parts = [
            {"cause": cause.name, "origin": cause.origin, "u": sigma}
            for cause, sigma in sorted(self.parts.items())
        ]
        return {"kind": self.kind, "value": self.value, "u": self.u, "unit": self.unit, "parts": parts}


class AbsorbedDose(Estimate):
    """Absorbed dose in mGy."""

    kind: ClassVar[str] = "absorbed dose"
    unit: ClassVar[str] = "mGy"


class EquivalentDose(Estimate):
    """Equivalent dose in mSv (absorbed dose times the radiation weighting factor)."""

    kind: ClassVar[str] = "equivalent dose"
    unit: ClassVar[str] = "mSv"


class EffectiveDose(Estimate):
    """Effective dose in mSv (ICRP 103): for protection and comparison, not for the risk of a person."""

    kind: ClassVar[str] = "effective dose"
    unit: ClassVar[str] = "mSv"


class Kerma(Estimate):
    """Kerma in mGy; air kerma unless the name around it says otherwise."""

    kind: ClassVar[str] = "kerma"
    unit: ClassVar[str] = "mGy"


class Activity(Estimate):
    """Activity in MBq."""

    kind: ClassVar[str] = "activity"
    unit: ClassVar[str] = "MBq"


KINDS: dict[str, type[Estimate]] = {
    kind.kind: kind for kind in (Estimate, AbsorbedDose, EquivalentDose, EffectiveDose, Kerma, Activity)
}


def estimate_from_json(data: Mapping[str, Any]) -> Estimate:
    """Return the estimate that `Estimate.to_json` wrote.

    Raises
    ------
    UnknownName
        The kind is not one of `KINDS`.
    InvalidInput
        The unit is not the kind's, or a number is missing.
    """
    try:
        kind = KINDS.get(str(data["kind"]))
        if kind is None:
            raise UnknownName("kind of quantity", str(data["kind"]), KINDS)
        if data["unit"] != kind.unit:
            raise InvalidInput(
                f"{kind.kind} is in {kind.unit}, not {data['unit']}.", way_out="Convert it first."
            )
        parts = {Cause(part["cause"], part["origin"]): part["u"] for part in data["parts"]}
        return kind(data["value"], parts)
    except (KeyError, TypeError) as error:
        if isinstance(error, UnknownName):
            raise
        raise InvalidInput(f"An estimate lacks {error}.", where=str(data)[:80]) from error


def combine(terms: Iterable[tuple[float, Mapping[Cause, float]]]) -> dict[Cause, float]:
    """Return the parts of a linear combination: each cause's sensitivities add with their sign.

    The sum is exact (fsum), so it does not depend on the order of the terms.
    """
    gathered: dict[Cause, list[float]] = {}
    for coefficient, parts in terms:
        for cause, sigma in parts.items():
            gathered.setdefault(cause, []).append(coefficient * sigma)
    return {cause: math.fsum(sigmas) for cause, sigmas in sorted(gathered.items())}
