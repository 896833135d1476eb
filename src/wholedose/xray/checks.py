"""Consistency checks of a CT dose. Defines `size_estimates`, `size_along` and `consistency`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from wholedose.base import Finding, MissingInput, OutsideDomain
from wholedose.body import Body
from wholedose.matter import relative_attenuation
from wholedose.xray.ct_rules import ResolvedRange
from wholedose.xray.ct_scan import CtScan
from wholedose.xray.size_specific import Ssde, WaterEquivalent, ssde, water_equivalent_diameter

if TYPE_CHECKING:
    from collections.abc import Sequence

SSDE_RANGE = (0.7, 1.3)  # assumption: AAPM 204 is good to about 20 %, and the definitions differ
# scatter of a shorter scan does not build up to what the size-specific estimate stands for (assumption)
SHORT_MM = 200.0


def size_along(body: Body) -> WaterEquivalent:
    """Return the water-equivalent diameter of each slice of a body, from its materials at 65 keV."""
    relative = relative_attenuation(body.materials)[body.material] * body.density_g_cm3 * (body.labels > 0)
    _, dy, dx = body.grid.spacing_mm
    area = relative.sum(axis=(1, 2)) * dx * dy / 100.0
    diameter = np.where(area > 0.0, 2.0 * np.sqrt(area / np.pi), np.nan)
    return WaterEquivalent(body.grid.axes_mm()[0], diameter, np.zeros(len(area)))


def size_estimates(scan: CtScan, body: Body, items: Sequence[ResolvedRange]) -> tuple[Ssde | None, ...]:
    """Return the size-specific dose estimate of each range: from the image, or from the body where there is
    none."""
    size = size_along(body) if scan.image is None else water_equivalent_diameter(scan.image)
    found: list[Ssde | None] = []
    for item in items:
        low, high = item.irradiated_z_mm
        current = None if item.current is None else item.current.relative
        try:
            found.append(
                ssde(item.ctdivol_mgy, item.phantom_cm, size, z_range=(low, high), relative_current=current)
            )
        except (OutsideDomain, MissingInput):
            found.append(None)
    return tuple(found)


def consistency(
    scan: CtScan,
    body: Body,
    runs: Sequence[Any],
    sizes: Sequence[Ssde | None],
    complete: bool,
) -> tuple[Finding, ...]:
    """Return what does not fit together, and what a reader should know.

    Parameters
    ----------
    runs : sequence of RangeRun
    complete : bool
        Whether effective dose could be calculated.
    """
    found = [Finding(text, 0.0, "warning") for text in scan.findings]
    if body.rival_mm:
        where = f"{abs(body.rival_mm) / 10:.0f} cm {'higher' if body.rival_mm > 0 else 'lower'}"
        found.append(
            Finding(
                f"The image may lie {where} on the body: organs that it does not show are a guess between "
                "two places. Name the region, or give a label map.",
                abs(body.rival_mm),
                "warning",
            )
        )
    for run, size in zip(runs, sizes, strict=True):
        found += [Finding(text, 0.0, "warning") for text in run.item.findings]
        if size is None:
            found.append(
                Finding("The patient's size is outside the tables of AAPM 204: no SSDE.", 0.0, "info")
            )
        else:
            found += _size_findings(size, run, body, len(runs))
        closure = abs(run.tally.energy_balance.closure)
        if closure > 1e-9:
            found.append(Finding("Energy in and out differ (relative).", closure, "warning"))
        missed = [name for name in run.tally.target_missed if "@" not in name]
        if missed:
            found.append(
                Finding(f"The target was not reached for {', '.join(missed)}.", float(len(missed)), "info")
            )
    skipped = [item for item in scan.ranges if item.mode is not None and item.mode.value == "topogram"]
    if skipped:
        dlp = sum(item.dlp_mgy_cm.value for item in skipped if item.dlp_mgy_cm is not None)
        total = dlp + sum(run.item.dlp_mgy_cm for run in runs)
        found.append(
            Finding(
                f"{len(skipped)} topograms are not calculated; their share of the DLP is {dlp / total:.1%}.",
                dlp / total,
                "info",
            )
        )
    if not complete:
        found.append(
            Finding("The body lacks a tissue of effective dose: none was calculated.", 0.0, "warning")
        )
    return tuple(found)


def _size_findings(size: Ssde, run: Any, body: Body, ranges: int) -> list[Finding]:
    found = []
    if size.truncated > 0.0:
        found.append(
            Finding(
                f"The body is cut off at the edge of the image ({size.truncated:.0%} of its outline in the "
                "worst slice): size and dose near the edge are uncertain.",
                size.truncated,
                "warning",
            )
        )
    mean = section_dose_mgy(run, body)
    ratio = mean / size.dose.value
    length = run.item.length_mm
    short = length < SHORT_MM and ratio < 1.0
    severity = "info" if short or SSDE_RANGE[0] <= ratio <= SSDE_RANGE[1] else "warning"
    why = f"; the scan has {length:.0f} mm, the estimate holds for long ones" if short else ""
    if ranges == 1 or severity == "warning":
        found.append(
            Finding(
                f"Mean dose of the body in the range over the size-specific estimate is {ratio:.2f}{why}.",
                ratio,
                "warning" if severity == "warning" else "info",
            )
        )
    return found


def section_dose_mgy(run: Any, body: Body) -> float:
    """Return the mean absorbed dose of all body voxels in the range of the focus, in mGy."""
    z = body.grid.axes_mm()[0]
    low, high = run.item.z_mm
    if high <= low:
        low, high = run.item.irradiated_z_mm
    slices = np.flatnonzero((z >= low) & (z <= high))
    if slices.size == 0:
        return 0.0
    part = slice(int(slices[0]), int(slices[-1]) + 1)
    mass = body.density_g_cm3[part] * (body.labels[part] > 0)
    dose = run.tally.dose_mgy()[part]
    total = float(mass.sum(dtype=np.float64))
    return float((dose * mass).sum(dtype=np.float64)) / total * run.histories if total > 0.0 else 0.0
