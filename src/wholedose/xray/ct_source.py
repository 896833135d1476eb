"""The rotating source. Defines `CtBeam` (what leaves the filter) and `views` (where the focus is).

A `CtBeam` is normalised per history: one photon that leaves the filter into the opening. The number of
histories
of a scan follows from the reported dose (`wholedose.xray.calibration`), so no tube output enters.
Not modelled: the heel effect, the penumbra of the focal spot and the extra beam width (over-beaming) it
causes, the
flying focal spot, and scatter from the filter.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import InvalidInput, digest_of
from wholedose.matter import Spectrum
from wholedose.transport import XrayBeam
from wholedose.xray.beam_filter import HALF_FAN_RAD, bowtie
from wholedose.xray.ct_rules import ResolvedRange, assumed_value

FloatArray = NDArray[np.floating[Any]]

FAN_BINS = 94  # 10 mrad each: 6 mm at the isocentre
ANGLES = 60
Z_STEP_MM = 5.0
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True)
class CtBeam:
    """A CT beam: spectrum after the filter as a function of fan angle, and the opening.

    Attributes
    ----------
    kv : float
    filter_shape : str
        A name of `wholedose.xray.bowtie_names`.
    collimation_mm : float
        Width at the isocentre along z.
    source_isocentre_mm : float
    filtration_mm : float
        Aluminium equivalent of the tube and the flat filters.
    anode_deg : float

    Examples
    --------
    >>> beam = CtBeam(120.0, "generic_body", 40.0, 570.0)
    >>> energy, fluence, edges = beam.fluence()
    >>> fluence.shape[0] == len(edges) - 1
    True
    """

    kv: float
    filter_shape: str
    collimation_mm: float
    source_isocentre_mm: float
    filtration_mm: float = 6.0
    anode_deg: float = 7.0

    @classmethod
    def of(cls, item: ResolvedRange, **changes: Any) -> CtBeam:
        """Return the beam of a range, with assumed anode angle and filtration; ``changes`` override."""
        values: dict[str, Any] = {
            "kv": item.kv,
            "filter_shape": item.filter_shape,
            "collimation_mm": item.collimation_mm,
            "source_isocentre_mm": item.source_isocentre_mm,
            "filtration_mm": assumed_value("filtration"),
            "anode_deg": assumed_value("anode_angle"),
        }
        return cls(**(values | changes))

    def spectrum(self) -> Spectrum:
        """Return the photons per unit solid angle before the beam-shaping filter."""
        return Spectrum.tube(self.kv, anode_deg=self.anode_deg, filters={"aluminium": self.filtration_mm})

    def fluence(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return energies (m,), fluence (bins, m) per unit solid angle, and fan-angle edges (bins + 1,)."""
        before = self.spectrum()
        shape = bowtie(self.filter_shape)
        half = min(HALF_FAN_RAD, shape.half_fan_rad)
        edges = np.linspace(-half, half, FAN_BINS + 1)
        middle = (edges[:-1] + edges[1:]) / 2.0
        passed = shape.transmission(middle, before.energy_kev)
        return before.energy_kev, np.asarray(before.weight)[None, :] * passed, edges

    def central_spectrum(self) -> Spectrum:
        """Return the spectrum on the central ray, after the beam-shaping filter."""
        before = self.spectrum()
        passed = bowtie(self.filter_shape).transmission(0.0, before.energy_kev)[0]
        return Spectrum(before.energy_kev, np.asarray(before.weight) * passed, before.width_kev)

    @property
    def tan_cone(self) -> float:
        """Tangent of half the cone angle."""
        return self.collimation_mm / 2.0 / self.source_isocentre_mm

    def photon_share(self, half_fan_rad: float) -> float:
        """Return the share of the photons with a fan angle below ``half_fan_rad``, by quadrature."""
        _, fluence, edges = self.fluence()
        photons = fluence.sum(axis=1)
        points, weights = np.polynomial.legendre.leggauss(16)

        def total(limit: float) -> float:
            low, high = np.clip(edges[:-1], -limit, limit), np.clip(edges[1:], -limit, limit)
            angle = low[:, None] + (high - low)[:, None] * (points + 1.0) / 2.0
            across = self.tan_cone * np.cos(angle)
            per_angle = 2.0 * across / np.sqrt(1.0 + across**2)
            return float((photons * (high - low) * (per_angle * weights / 2.0).sum(axis=1)).sum())

        return total(half_fan_rad) / total(float(edges[-1]))

    def source(self, place: Views, half_fan_rad: float | None = None) -> XrayBeam:
        """Return the transport source of this beam at views, all of the fan or its inner part."""
        energy, fluence, edges = self.fluence()
        cone = self.tan_cone
        opening = math.tan(float(edges[-1]) if half_fan_rad is None else min(half_fan_rad, float(edges[-1])))
        return XrayBeam(
            place.focus_mm,
            place.axis,
            place.fan,
            energy,
            fluence,
            (-opening, opening),
            (-cone, cone),
            edges,
            weight=place.weight,
            z_jitter_mm=place.z_jitter_mm,
        )

    def digest(self) -> str:
        """Return a digest of all that defines the beam."""
        energy, fluence, edges = self.fluence()
        return digest_of(energy, fluence, edges, [self.collimation_mm, self.source_isocentre_mm])


@dataclass(frozen=True, eq=False)
class Views:
    """Where the focus is, and how many photons leave it there.

    Attributes
    ----------
    focus_mm, axis, fan : array of shape (n, 3)
        LPS; ``axis`` points to the isocentre, ``fan`` lies in the transverse plane.
    weight : array of shape (n,)
        Relative numbers of photons; their mean is 1.
    z_jitter_mm : float
        The focus is uniform over this length around its z.
    """

    focus_mm: FloatArray
    axis: FloatArray
    fan: FloatArray
    weight: FloatArray
    z_jitter_mm: float


def rotation(
    z_mm: FloatArray,
    source_isocentre_mm: float,
    isocentre_mm: tuple[float, float] = (0.0, 0.0),
    weight: FloatArray | None = None,
    z_jitter_mm: float = 0.0,
) -> Views:
    """Return views at evenly spread gantry angles around each z.

    At angle φ the focus is at (sin φ, -cos φ) times the distance: 0 is in front of a supine patient, and φ
    grows
    towards the patient's left. The start angle of each z is shifted by the golden ratio of one angular step
    and
    each set of angles has its mirror image in the next z, so that no direction is preferred.
    """
    z = np.atleast_1d(np.asarray(z_mm, dtype=np.float64))
    step = 2.0 * math.pi / ANGLES
    start = step * np.mod(np.arange(z.size) * GOLDEN, 1.0)
    start[1::2] = -start[0::2][: start[1::2].size]
    angle = (start[:, None] + step * np.arange(ANGLES)[None, :]).ravel()
    sin, cos, zero = np.sin(angle), np.cos(angle), np.zeros(angle.size)
    away = np.stack([sin, -cos, zero], axis=1)
    x, y = isocentre_mm
    focus = source_isocentre_mm * away + np.stack([zero + x, zero + y, np.repeat(z, ANGLES)], axis=1)
    share = np.ones(z.size) if weight is None else np.asarray(weight, dtype=np.float64)
    fan = np.stack([-cos, -sin, zero], axis=1)
    return Views(focus, -away, fan, np.repeat(share, ANGLES), z_jitter_mm)


def views(item: ResolvedRange) -> Views:
    """Return the views of a range: continuous along z for a helix, steps for axial scans, one z for a
    standing table.

    A helix with unknown start angle is the uniform average over gantry angles at each z: its length is the
    path of the
    focus, DLP/CTDIvol. Photons follow mA(z), whose mean over the path is 1 because CTDIvol is reported as the
    mean over the scan.
    """
    low, high = item.z_mm
    if item.mode == "topogram":
        raise InvalidInput("A topogram has no rotating source.", way_out="Leave it out of the scan's ranges.")
    if item.mode == "stationary" or item.length_mm <= 0.0:
        z, jitter = np.array([(low + high) / 2.0]), 0.0
    elif item.mode == "axial":
        count = max(1, round(item.length_mm / item.feed_mm))
        z, jitter = low + (np.arange(count) + 0.5) * item.length_mm / count, 0.0
    else:
        count = max(1, math.ceil(item.length_mm / Z_STEP_MM))
        jitter = item.length_mm / count
        z = low + (np.arange(count) + 0.5) * jitter
    weight = None if item.current is None else item.current.relative(z)
    return rotation(z, item.source_isocentre_mm, item.isocentre_mm, weight, jitter)
