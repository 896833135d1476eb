"""The dose to the skin in a CT examination. Defines `CtSkin` and `skin_of`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from wholedose.base import AbsorbedDose, Cause, InvalidInput
from wholedose.body import Body
from wholedose.dose import DoseMap, OrganDoses
from wholedose.dose.surface_dose import PeakDose, SurfaceDose, surface_dose
from wholedose.xray.ct_budget import Budget
from wholedose.xray.ct_rules import ResolvedRange
from wholedose.xray.ct_scan import CtScan

SKIN = "skin"
PEAK_CM2 = 1.0


@dataclass(frozen=True, eq=False)
class CtSkin:
    """The dose to the basal layer of the skin.

    Attributes
    ----------
    mean : AbsorbedDose
        Over all skin of the person, inside and outside the scan.
    peak : PeakDose
        The highest mean over 1 cm². The focus is taken to pass at all angles at each z: a spiral of a pitch
        above 1 leaves stripes on the skin that this does not show.
    surface : SurfaceDose
        The dose by patch, with other areas (`SurfaceDose.peak`) and parts of the body.
    """

    mean: AbsorbedDose
    peak: PeakDose
    surface: SurfaceDose

    def to_json(self) -> dict[str, Any]:
        """Return the form that ``result.json`` holds."""
        return {
            "mean": _row(self.mean),
            "peak": _row(self.peak.dose)
            | {"area_cm2": self.peak.area_cm2, "place_mm": list(self.peak.place_mm)},
            "depth_mm": self.surface.surface.depth_mm,
            "area_cm2": self.surface.surface.area_cm2,
        }


def skin_of(
    scan: CtScan, body: Body, dose_map: DoseMap, organs: OrganDoses, ranges: Sequence[ResolvedRange]
) -> CtSkin | None:
    """Return the dose to the skin from a dose map; None where the voxels show no skin.

    Beside the causes of the map the peak has those of filter and spectrum, as an organ in the beam; the mean
    has those of the organ skin, which tell what the ends of the range and unseen parts add.

    Parameters
    ----------
    scan, body, dose_map, organs, ranges
        Those of a `CtDose`.
    """
    try:
        found = surface_dose(body, dose_map)
    except InvalidInput:
        return None
    dlp = sum(item.dlp_mgy_cm for item in ranges)
    beam: dict[Cause, float] = {}
    for item in ranges:
        for cause, part in Budget(scan, item, body).beam(SKIN, inside=True).items():
            beam[cause] = beam.get(cause, 0.0) + part * item.dlp_mgy_cm / dlp
    peak = replace(found, relative_parts={**found.relative_parts, **beam}).peak(PEAK_CM2)
    mean, more = found.mean, beam
    if SKIN in organs and organs[SKIN].dose.value > 0.0:
        organ = organs[SKIN].dose
        more = {
            cause: part / organ.value for cause, part in organ.parts.items() if cause.name != "statistical"
        }
    # what the map already tells is not counted twice
    parts = {cause: mean.value * part for cause, part in more.items() if cause not in mean.parts}
    mean = AbsorbedDose(mean.value, {**mean.parts, **parts})
    return CtSkin(mean, peak, found)


def _row(dose: AbsorbedDose) -> dict[str, Any]:
    return {"dose_mgy": dose.value, "u_mgy": dose.u, "uncertainty": dose.by_name()}
