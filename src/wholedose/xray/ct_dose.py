"""The dose of a CT examination. Defines `CtDose`."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from wholedose.base import EffectiveDose, Finding, Provenance, digest_of
from wholedose.body import Body
from wholedose.dose import Contribution, DoseMap, OrganDoses
from wholedose.xray.calibration import Calibration
from wholedose.xray.ct_rules import ResolvedRange
from wholedose.xray.ct_scan import CtScan
from wholedose.xray.ct_skin import CtSkin, skin_of
from wholedose.xray.size_specific import Ssde


@dataclass(frozen=True, eq=False)
class CtDose:
    """Organ doses, effective dose and dose map of a CT examination.

    Attributes
    ----------
    organs : OrganDoses
    effective : EffectiveDose or None
        None when the body lacks a tissue that effective dose needs.
    map : DoseMap
        On the body's grid.
    ssde : tuple of Ssde or None
        One per range; None where the size is outside AAPM 204's tables.
    checks : tuple of Finding
    provenance : Provenance
    scan : CtScan
    body : Body
    ranges : tuple of ResolvedRange
        What was calculated, with all assumed values.
    calibrations : tuple of Calibration
        One per range.
    """

    organs: OrganDoses
    effective: EffectiveDose | None
    map: DoseMap
    ssde: tuple[Ssde | None, ...]
    checks: tuple[Finding, ...]
    provenance: Provenance
    scan: CtScan
    body: Body
    ranges: tuple[ResolvedRange, ...]
    calibrations: tuple[Calibration, ...]

    @property
    def ctdivol_mgy(self) -> float:
        """CTDIvol averaged over the ranges by their length; the value itself for one range."""
        dlp = sum(item.dlp_mgy_cm for item in self.ranges)
        return dlp / sum(item.dlp_mgy_cm / item.ctdivol_mgy for item in self.ranges)

    @property
    def dlp_mgy_cm(self) -> float:
        """The dose-length product of all ranges."""
        return sum(item.dlp_mgy_cm for item in self.ranges)

    @cached_property
    def skin(self) -> CtSkin | None:
        """The dose to the basal layer of the skin: mean and peak; None where the body shows no skin.

        Worked out from the map when it is first asked for (some seconds for a whole body of 3 mm).
        """
        return skin_of(self.scan, self.body, self.map, self.organs, self.ranges)

    def digest(self) -> str:
        """Return a digest of organ doses and dose map: equal for two runs of the same inputs and seed."""
        return digest_of(self.organs.to_json(), self.map.dose_mgy)

    def contribution(self) -> Contribution:
        """Return the entry for a ledger."""
        return Contribution(
            what=self.scan.description or "CT",
            contributor="CT",
            organs=self.organs,
            effective=self.effective,
            provenance=self.provenance,
            date=dt.date.fromisoformat(self.scan.date) if self.scan.date else None,
            age_y=self.body.person.age_y,
        )

    def to_json(self) -> dict[str, Any]:
        """Return the parts of ``result.json`` that this room owns."""
        effective = self.effective
        return {
            "organs": self.organs.to_rows(),
            "effective_dose_msv": None
            if effective is None
            else {"value": effective.value, "u": effective.u, "uncertainty": effective.by_name()},
            "skin": None if self.skin is None else self.skin.to_json(),
            "ctdivol_mgy": self.ctdivol_mgy,
            "dlp_mgy_cm": self.dlp_mgy_cm,
            "ssde_mgy": [None if item is None else item.dose.value for item in self.ssde],
            "checks": [item.to_json() for item in self.checks],
            "ranges": [item.to_json() for item in self.ranges],
            "provenance": self.provenance.to_json(),
            "digest": self.digest(),
        }
