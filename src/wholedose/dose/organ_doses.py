"""Doses to organs and what follows from them. Defines `OrganDose` and `OrganDoses`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wholedose.base import (
    AbsorbedDose,
    EffectiveDose,
    EquivalentDose,
    InvalidInput,
    MissingInput,
    UnknownName,
    estimate_from_json,
)
from wholedose.tables import load

PHOTON_WEIGHTING_FACTOR = 1.0  # ICRP 103 (2007), Table 2: photons, electrons and muons of all energies


@dataclass(frozen=True)
class OrganDose:
    """The mean absorbed dose to one organ.

    Attributes
    ----------
    organ : str
        A name of `wholedose.body.ORGANS`.
    dose : AbsorbedDose
        Mean over the organ's mass, in mGy.
    mass_g : float
        Mass over which the mean was taken, in g.
    in_scan : float
        Volume fraction inside the directly irradiated region, 0 to 1.
    """

    organ: str
    dose: AbsorbedDose
    mass_g: float
    in_scan: float

    def __post_init__(self) -> None:
        if self.dose.value < 0:
            raise InvalidInput(f"The dose to {self.organ} is {self.dose.value} mGy; a dose is not negative.")
        if not 0.0 <= self.in_scan <= 1.0:
            raise InvalidInput(f"The fraction of {self.organ} in the scan is {self.in_scan}, not 0 to 1.")
        if self.mass_g < 0:
            raise InvalidInput(f"The mass of {self.organ} is {self.mass_g} g; a mass is not negative.")

    @property
    def equivalent(self) -> EquivalentDose:
        """The equivalent dose of photons and electrons, in mSv."""
        return self.dose.to(EquivalentDose, PHOTON_WEIGHTING_FACTOR)


class OrganDoses(Mapping[str, OrganDose]):
    """The doses to a person's organs: a mapping from organ name to `OrganDose`, in a fixed order.

    Examples
    --------
    >>> doses = OrganDoses([OrganDose("lungs", AbsorbedDose(9.0), mass_g=950.0, in_scan=1.0)])
    >>> doses["lungs"].equivalent
    EquivalentDose(9 ± 0 mSv)
    """

    def __init__(self, doses: Iterable[OrganDose]) -> None:
        self._doses: dict[str, OrganDose] = {}
        for item in doses:
            if item.organ in self._doses:
                raise InvalidInput(f"The organ {item.organ} is given twice.")
            self._doses[item.organ] = item

    def __getitem__(self, organ: str) -> OrganDose:
        try:
            return self._doses[organ]
        except KeyError:
            raise UnknownName("organ dose for", organ, self._doses) from None

    def __contains__(self, organ: object) -> bool:
        return organ in self._doses

    def __iter__(self) -> Iterator[str]:
        return iter(self._doses)

    def __len__(self) -> int:
        return len(self._doses)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, OrganDoses) and list(self.values()) == list(other.values())

    def __hash__(self) -> int:
        return hash(tuple(self._doses))

    def effective(self) -> EffectiveDose:
        """Return the effective dose in mSv from this body's organs with the ICRP 103 tissue weights.

        ICRP defines effective dose for sex-averaged reference persons; here the organs of one body stand in
        for both sexes (gonads are those that the body has), as is usual for a patient-specific value. The
        remainder is the arithmetic mean over the body's remainder tissues of ICRP 103 (13 per sex).

        Raises
        ------
        MissingInput
            A tissue with its own weight, or all of the remainder, has no dose.
        """
        terms = [
            self._tissue(str(row["tissue"])) * float(row["tissue_weighting_factor"]) for row in _weights()
        ]
        total = EquivalentDose.total(terms)
        return total.to(EffectiveDose)

    def _tissue(self, tissue: str) -> EquivalentDose:
        if tissue == "gonads":
            members = [name for name in ("testes", "ovaries") if name in self]
        elif tissue == "remainder":
            members = [name for name in load("dose/remainder_tissues")["tissue"].tolist() if name in self]
        else:
            members = [tissue] if tissue in self else []
        if not members:
            raise MissingInput(
                f"The effective dose needs a dose to {tissue.replace('_', ' ')}, and there is none.",
                where="organ doses",
                way_out="Use a body that has it (a reference body has all), or report organ doses only.",
            )
        return EquivalentDose.total(self[name].equivalent for name in members) * (1.0 / len(members))

    def missing_remainder(self) -> list[str]:
        """Return the remainder tissues of ICRP 103 that this body lacks, besides the other sex's."""
        rows = load("dose/remainder_tissues").rows()
        return [row["tissue"] for row in rows if row["sex"] == "both" and row["tissue"] not in self]

    def sorted(self) -> OrganDoses:
        """Return the same doses, the highest first."""
        return OrganDoses(sorted(self.values(), key=lambda item: -item.dose.value))

    def to_rows(self) -> list[dict[str, Any]]:
        """Return rows as ``result.json`` and ``organs.csv`` hold them: organ, dose_mgy, u_mgy, …"""
        return [
            {
                "organ": item.organ,
                "dose_mgy": item.dose.value,
                "u_mgy": item.dose.u,
                "uncertainty": item.dose.by_name(),
                "in_scan": item.in_scan,
                "mass_g": item.mass_g,
            }
            for item in self.values()
        ]

    def to_json(self) -> list[dict[str, Any]]:
        """Return a list that `from_json` turns back into equal doses, causes with their origin."""
        return [
            {"organ": o.organ, "dose": o.dose.to_json(), "mass_g": o.mass_g, "in_scan": o.in_scan}
            for o in self.values()
        ]

    @classmethod
    def from_json(cls, data: Iterable[Mapping[str, Any]]) -> OrganDoses:
        """Return the doses that `to_json` wrote."""
        items = []
        for row in data:
            dose = estimate_from_json(row["dose"])
            if not isinstance(dose, AbsorbedDose):
                raise InvalidInput(f"The dose to {row['organ']} is a {dose.kind}, not an absorbed dose.")
            items.append(OrganDose(str(row["organ"]), dose, float(row["mass_g"]), float(row["in_scan"])))
        return cls(items)

    def __repr__(self) -> str:
        lines = [f"{'organ':<24}{'dose_mgy':>10}{'u_mgy':>9}  in_scan"]
        lines += [
            f"{o.organ:<24}{o.dose.value:>10.3g}{o.dose.u:>9.2g}  {o.in_scan:>6.0%}"
            for o in self.sorted().values()
        ]
        return "\n".join(lines)


def _weights() -> list[dict[str, Any]]:
    return load("dose/tissue_weights").rows()
