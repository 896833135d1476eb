"""What the risk models need of a dose record. Defines `Exposure`, `exposures_of`, `site_dose`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from wholedose.base import AbsorbedDose, EffectiveDose, InvalidInput
from wholedose.risk.parameters import Site


class ExposureLike(Protocol):
    """One irradiation: age, organ doses, effective dose. `wholedose.dose.Exposure` is one."""

    @property
    def age_y(self) -> float:
        """Age at the exposure in years."""
        ...

    @property
    def organs(self) -> Mapping[str, Any]:
        """Organ name to `AbsorbedDose`, or to an object whose ``dose`` is one."""
        ...

    @property
    def effective(self) -> EffectiveDose | None:
        """Effective dose, None where unknown."""
        ...

    @property
    def acute(self) -> bool:
        """Whether given within hours."""
        ...


@runtime_checkable
class HasExposures(Protocol):
    """A ledger: a person's exposures."""

    def exposures(self) -> Sequence[ExposureLike]:
        """Return the exposures with the age at each."""
        ...


@dataclass(frozen=True)
class Exposure:
    """An exposure typed by hand, for people and studies without a ledger.

    Attributes
    ----------
    age_y : float
        Age at the exposure in years.
    organs : mapping of str to AbsorbedDose
        By the organ names of `wholedose.body`.
    effective : EffectiveDose or None
    acute : bool
        False for a dose spread over days or more.
    date : datetime.date or None
    what : str

    Examples
    --------
    >>> Exposure(34, {"lungs": AbsorbedDose(10.0)}).organs["lungs"]
    AbsorbedDose(10 ± 0 mGy)
    """

    age_y: float
    organs: Mapping[str, AbsorbedDose]
    effective: EffectiveDose | None = None
    acute: bool = True
    date: dt.date | None = None
    what: str = ""


def exposures_of(source: HasExposures | Iterable[ExposureLike]) -> list[ExposureLike]:
    """Return the exposures of a ledger or of a plain list.

    Raises
    ------
    InvalidInput
        There is none.
    """
    found = list(source.exposures() if isinstance(source, HasExposures) else source)
    if not found:
        raise InvalidInput(
            "There is no exposure to appraise.",
            where="ledger",
            way_out="Add a contribution to the ledger first.",
        )
    return found


def site_dose(exposure: ExposureLike, spot: Site) -> AbsorbedDose | None:
    """Return the dose that enters a site: the mean over its organs that are there, None without any."""
    return mean_dose(exposure, spot.organs)


def mean_dose(exposure: ExposureLike, organs: Sequence[str]) -> AbsorbedDose | None:
    """Return the arithmetic mean dose of those of the organs that are there, None without any.

    Raises
    ------
    InvalidInput
        An organ's dose is negative or not an absorbed dose.
    """
    doses = []
    for organ in organs:
        if organ in exposure.organs:
            item = exposure.organs[organ]
            dose = item if isinstance(item, AbsorbedDose) else getattr(item, "dose", None)
            if not isinstance(dose, AbsorbedDose):
                raise InvalidInput(
                    f"The dose to {organ} is a {type(item).__name__}, not an absorbed dose.",
                    where=organ,
                    way_out="Give AbsorbedDose in mGy: risk follows absorbed dose, not equivalent dose.",
                )
            if dose.value < 0:
                raise InvalidInput(
                    f"The dose to {organ} is {dose.value:g} mGy; a dose is not negative.", where=organ
                )
            doses.append(dose)
    return AbsorbedDose.total(doses) / len(doses) if doses else None
