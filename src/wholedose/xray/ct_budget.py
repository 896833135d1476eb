"""The uncertainty budget of a CT organ dose. Defines `Budget` and `range_sensitivity`.

Every part is a fraction of the dose and belongs to a `Cause` whose origin says what is uncertain, so that
parts of
one scanner, one person or one scan stay correlated in sums. The numbers come from the tables
``xray/ct_assumptions`` and ``xray/ct_sensitivity`` and from the body.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Cause
from wholedose.body import Body
from wholedose.tables import load
from wholedose.xray.ct_rules import ResolvedRange, assumed_value, rule
from wholedose.xray.ct_scan import CtScan

FloatArray = NDArray[np.floating[Any]]
OUTSIDE = "outside"  # row of the sensitivity table for organs that lie outside the range
FLOOR = 1e-6


@dataclass(frozen=True)
class Budget:
    """Relative uncertainties of one range of a scan.

    Attributes
    ----------
    scan : CtScan
    item : ResolvedRange
    body : Body
    """

    scan: CtScan
    item: ResolvedRange
    body: Body

    def common(self) -> dict[Cause, float]:
        """Return the parts that scale every dose alike."""
        scan, item = self.scan, self.item
        output = scan.output_relative_u
        if output is None:
            output = float(rule("output_calibration")["relative_u"])
        where = self._where()
        assumed = [
            found.relative_u for found in item.assumptions if found.what in _GEOMETRY and found.relative_u
        ]
        parts = {
            Cause("output calibration", scan.device_origin): output,
            Cause("cross sections", "photon data"): float(rule("cross_sections")["relative_u"]),
            Cause("tube current modulation", where): item.modulation_u,
            Cause("model", f"scanner geometry, {scan.device_origin}"): math.sqrt(
                math.fsum(u * u for u in assumed)
            ),
        }
        return {cause: part for cause, part in parts.items() if part > 0.0}

    def parts(self, organ: str, profile: FloatArray) -> dict[Cause, float]:
        """Return the parts of one organ; ``profile`` is its mass (or marrow share) per slice."""
        found = self.common() | self.beam(organ, inside=self._inside(profile) >= 0.5)
        z = self.body.grid.axes_mm()[0]
        found[Cause("scan range", self._where())] = range_sensitivity(z, profile, self.item)
        anatomy = float(self.body.anatomy_u.get(organ, 0.0))
        person = self.body.person
        name = (
            person.name
            or f"{person.sex}, {person.age_y:g} y, {person.height_cm or 0:g} cm, {person.weight_kg or 0:g} kg"
        )
        found[Cause("anatomy", name)] = anatomy
        if organ in ("red_bone_marrow", "endosteum"):
            found[Cause("model", f"{organ} response")] = float(rule(f"{organ}_response")["relative_u"])
        return {cause: part for cause, part in found.items() if part != 0.0}

    def beam(self, organ: str, *, inside: bool) -> dict[Cause, float]:
        """Return the parts of filter and spectrum, by whether the organ is in the beam."""
        filter_u, spectrum_u = sensitivity(organ, inside=inside)
        if self.item.filter_known:
            filter_u /= 2.0  # assumption: a named example shape leaves half of the spread
        device = self.scan.device_origin
        return {
            Cause("beam shaping filter", f"{self.item.filter_shape}, {device}"): filter_u,
            Cause("spectrum", device): spectrum_u,
        }

    def _where(self) -> str:
        scan, item = self.scan, self.item
        label = " ".join(part for part in (scan.date, item.name or scan.description) if part)
        return f"{label or 'scan'}, z {item.z_mm[0]:.1f} to {item.z_mm[1]:.1f} mm"

    def _inside(self, profile: FloatArray) -> float:
        z = self.body.grid.axes_mm()[0]
        low, high = self.item.irradiated_z_mm
        total = float(profile.sum())
        return float(profile[(z >= low) & (z <= high)].sum()) / total if total > 0.0 else 0.0


_GEOMETRY = ("collimation", "source to isocentre")


@lru_cache(maxsize=1)
def _sensitivities() -> Mapping[str, tuple[float, float]]:
    rows = load("xray/ct_sensitivity").rows()
    return {str(row["organ"]): (float(row["filter_u"]), float(row["spectrum_u"])) for row in rows}


def sensitivity(organ: str, *, inside: bool = True) -> tuple[float, float]:
    """Return how much an organ's dose per CTDIvol varies with the filter's shape and with the filtration.

    Parameters
    ----------
    organ : str
    inside : bool
        Whether at least half of it is in the irradiated range; otherwise the row of organs outside is used.

    Returns
    -------
    tuple of float
        Standard uncertainties as fractions of the dose, from ``xray/ct_sensitivity``; for an organ that is
        not in the
        table the largest of the table.
    """
    table = _sensitivities()
    if not inside:
        return table[OUTSIDE]
    if organ in table:
        return table[organ]
    return max(u for u, _ in table.values()), max(u for _, u in table.values())


def range_sensitivity(z_mm: FloatArray, profile: FloatArray, item: ResolvedRange) -> float:
    """Return the relative change of an organ's dose by one standard deviation of the range's place and ends.

    The dose is taken to follow a kernel along z: a share of the energy stays in the beam, the rest spreads
    exponentially (``scatter_share`` and ``scatter_length`` of the table of assumptions). The sign is that of
    a shift
    towards the head.

    Parameters
    ----------
    z_mm : array of shape (nz,)
    profile : array of shape (nz,)
        Mass of the organ per slice.
    item : ResolvedRange
    """
    total = float(profile.sum())
    if total <= 0.0:
        return 0.0
    low, high = item.irradiated_z_mm
    position, end = item.position_u_mm, item.end_u_mm

    def dose(first: float, last: float) -> float:
        return float((profile * coverage(z_mm, first, last)).sum()) / total

    now = max(dose(low, high), FLOOR)
    shift = (dose(low + position, high + position) - dose(low - position, high - position)) / 2.0 / now
    # a longer range at the same dose-length product has a lower dose: only the ends' coverage is uncertain
    # here
    both = (dose(low - end, high + end) - dose(low + end, high - end)) / 2.0 / now / math.sqrt(2.0)
    size = min(math.hypot(shift, both), 1.0)
    return math.copysign(size, shift) if shift else size


def rival_change(z_mm: FloatArray, profile: FloatArray, item: ResolvedRange, rival_mm: float) -> float:
    """Return how much an organ's `coverage` changes if the image lies at its other likely place on the body.

    Parameters
    ----------
    z_mm, profile, item
        As for `range_sensitivity`.
    rival_mm : float
        How much higher on the body the other place is.
    """
    total = float(profile.sum())
    if total <= 0.0 or not rival_mm:
        return 0.0
    low, high = item.irradiated_z_mm
    there = coverage(z_mm, low + rival_mm, high + rival_mm) - coverage(z_mm, low, high)
    return float((profile * there).sum()) / total


def coverage(z_mm: FloatArray, low: float, high: float) -> FloatArray:
    """Return the dose at z relative to an endless scan of the same CTDIvol, by the kernel of
    `range_sensitivity`."""
    share, length = assumed_value("scatter_share"), assumed_value("scatter_length")
    if high <= low:
        return np.zeros_like(z_mm)
    direct = ((z_mm >= low) & (z_mm <= high)).astype(np.float64)
    above, below = (high - z_mm) / length, (z_mm - low) / length
    scattered = 0.5 * (_half(above) + _half(below))
    return np.asarray((1.0 - share) * direct + share * scattered, dtype=np.float64)


def _half(distance: FloatArray) -> FloatArray:
    """Return the signed integral of exp(-|t|) from 0."""
    return np.sign(distance) * -np.expm1(-np.abs(distance))
