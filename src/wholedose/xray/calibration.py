"""From the CTDIvol that a scanner reports to the number of photons. Defines `Calibration` and `calibrate`.

One axial rotation of the same beam is simulated around the CTDI phantom: PMMA, 15 cm long, the air kerma
averaged
over a chamber of 100 mm length and 10 mm diameter, in the centre and 10 mm below the surface. With K the
mean air
kerma in the chamber *per history* and n the histories of a rotation,

    CTDI100 = (100 mm / NT) · n · K,    CTDIw = (100 mm / NT) · n · (K_c + 2 K_p)/3.

A scan of length L has L/(p NT) rotations, and CTDIvol = CTDIw/p, so it has

    N = L/(p NT) · n = CTDIvol · L / (100 mm · K_w) = DLP / (100 mm · K_w)

histories: pitch, collimation and over-beaming cancel, for axial scans (p = feed/NT) and a standing table (L
= NT)
as well. A dose is then its tally per history times N.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from wholedose.base import Executor, Grid, InvalidInput
from wholedose.matter import material
from wholedose.transport import Regions, Tally, VoxelGeometry, simulate
from wholedose.xray.ct_source import CtBeam, rotation

CHAMBER_MM = 100.0
LENGTH_MM = 150.0
DEPTH_MM = 10.0  # of the peripheral chamber's axis below the surface
CHAMBER_RADIUS_MM = 5.0
# a ring of this half width has the second radial moment of the chamber's disc (r²/4 = w²/3), so that it
# reads the
# mean of the chamber in a field whose gradient is smooth; the ring is the average over all gantry start
# angles
RING_HALF_WIDTH_MM = CHAMBER_RADIUS_MM * math.sqrt(3.0) / 2.0
SLICE_MM = 5.0
TARGET = 0.004
HISTORIES_PER_BATCH = 20_000  # at least 20 batches are needed to judge a target
CENTRE_TARGET = 4.0  # times the target: the centre has a sixth of the weighted kerma, or less
SEED_SHIFT = 7919  # keeps the calibration's random numbers apart from the patient's
CENTRE, PERIPHERY = "centre", "periphery"


@dataclass(frozen=True)
class Calibration:
    """Air kerma in the CTDI phantom per history of a beam.

    Attributes
    ----------
    phantom_cm : int
    centre_mgy, periphery_mgy : float
        Mean air kerma in the chamber per history.
    centre_u_mgy, periphery_u_mgy : float
        Statistical standard uncertainties.
    weighted_mgy, weighted_u_mgy : float
        (centre + 2 periphery) / 3.
    collimation_mm : float
    seed, batches, histories : int
    """

    phantom_cm: int
    centre_mgy: float
    centre_u_mgy: float
    periphery_mgy: float
    periphery_u_mgy: float
    weighted_mgy: float
    weighted_u_mgy: float
    collimation_mm: float
    seed: int
    batches: int
    histories: int

    @property
    def ratio(self) -> float:
        """CTDI100 of the periphery over that of the centre."""
        return self.periphery_mgy / self.centre_mgy

    @property
    def relative_u(self) -> float:
        """Statistical standard uncertainty of the weighted kerma, as a fraction."""
        return self.weighted_u_mgy / self.weighted_mgy

    def ctdiw_mgy(self, histories: float = 1.0) -> float:
        """Return CTDIw of one rotation with a number of histories."""
        return CHAMBER_MM / self.collimation_mm * self.weighted_mgy * histories

    def histories_for(self, dlp_mgy_cm: float) -> float:
        """Return the number of photons that leave the filter in a scan of a dose-length product."""
        return dlp_mgy_cm * 10.0 / (CHAMBER_MM * self.weighted_mgy)


@lru_cache(maxsize=4)
def ctdi_phantom(phantom_cm: int) -> tuple[VoxelGeometry, Regions]:
    """Return the CTDI phantom around the origin and its chambers, response to air.

    The chambers are PMMA: the photon fluence in the phantom is scored with the response of air, so that no
    cavity
    perturbs it. Voxels have 1/160 of the diameter in the transverse plane and 5 mm along the axis.
    """
    if phantom_cm not in (16, 32):
        raise InvalidInput(f"A CTDI phantom has 16 or 32 cm, not {phantom_cm}.", where="phantom_cm")
    geometry = cylinder(phantom_cm * 10.0, LENGTH_MM, "pmma", phantom_cm * 10.0 / 160.0)
    return geometry, chambers(geometry, phantom_cm * 10.0)


def chambers(geometry: VoxelGeometry, diameter_mm: float) -> Regions:
    """Return the central and the peripheral chamber of a cylinder around the origin, response to air."""
    z, y, x = geometry.grid.axes_mm()
    radius = np.hypot(y[:, None], x[None, :])
    within = np.abs(z) < CHAMBER_MM / 2.0
    plane = np.zeros(radius.shape, dtype=np.int16)
    plane[radius <= CHAMBER_RADIUS_MM] = 1
    ring = np.abs(radius - (diameter_mm / 2.0 - DEPTH_MM)) <= RING_HALF_WIDTH_MM
    plane[ring] = 2
    labels = np.where(within[:, None, None], plane[None], 0).astype(np.int16)
    air = material("air")
    return Regions(labels, (CENTRE, PERIPHERY), {CENTRE: air, PERIPHERY: air})


def cylinder(
    diameter_mm: float, length_mm: float, name: str, pixel_mm: float, slice_mm: float = SLICE_MM
) -> VoxelGeometry:
    """Return a cylinder along z around the origin, in vacuum; rim voxels carry the density of the part
    inside."""
    n = math.ceil(diameter_mm / pixel_mm / 2.0) * 2
    nz = max(1, round(length_mm / slice_mm))
    edge = -(n - 1) * pixel_mm / 2.0
    grid = Grid(
        (nz, n, n), (length_mm / nz, pixel_mm, pixel_mm), (edge, edge, (1 - nz) * length_mm / nz / 2.0)
    )
    fine = (np.arange(n * 8) + 0.5) / 8.0 * pixel_mm - n * pixel_mm / 2.0
    inside = np.hypot(fine[:, None], fine[None, :]) <= diameter_mm / 2.0
    share = inside.reshape(n, 8, n, 8).mean(axis=(1, 3))
    found = material(name)
    density = np.broadcast_to(share * found.density_g_cm3, grid.shape).astype(np.float32)
    return VoxelGeometry(grid, np.zeros(grid.shape, dtype=np.uint8), density, (found,))


_CACHE: dict[tuple[Any, ...], Calibration] = {}


def calibrate(
    beam: CtBeam,
    phantom_cm: int,
    *,
    seed: int = 1,
    target: float = TARGET,
    batches: int | None = None,
    executor: Executor | None = None,
) -> Calibration:
    """Simulate the CTDI phantom for a beam; results are kept in memory for the process.

    Parameters
    ----------
    beam : CtBeam
    phantom_cm : {16, 32}
    seed : int
    target : float
        Relative standard uncertainty of the periphery at which the run stops; the centre has four times it.
    batches : int, optional
        Fixed number of batches instead of the target.
    executor : Executor, optional
        Changes the speed, never the result.
    """
    key = (beam.digest(), phantom_cm, seed, target, batches)
    if key not in _CACHE:
        _CACHE[key] = _simulate(beam, phantom_cm, seed, target, batches, executor)
    return _CACHE[key]


def _simulate(
    beam: CtBeam,
    phantom_cm: int,
    seed: int,
    target: float,
    batches: int | None,
    executor: Executor | None,
) -> Calibration:
    geometry, regions = ctdi_phantom(phantom_cm)
    place = rotation(np.zeros(2), beam.source_isocentre_mm)
    # photons that cannot meet the phantom (vacuum around it) are not run, but counted as histories
    half_fan = math.asin((phantom_cm * 5.0 + 1.0) / beam.source_isocentre_mm)
    goal = None
    if batches is None:
        goal = {f"{CENTRE}@response": CENTRE_TARGET * target, f"{PERIPHERY}@response": target}
    tally = simulate(
        geometry,
        beam.source(place, half_fan),
        seed=seed + SEED_SHIFT,
        regions=regions,
        histories_per_batch=HISTORIES_PER_BATCH,
        batches=batches,
        target=goal,
        executor=executor,
        voxel_scores=False,
    )
    return from_tally(tally, phantom_cm, beam.collimation_mm, seed, beam.photon_share(half_fan))


def from_tally(
    tally: Tally, phantom_cm: int, collimation_mm: float, seed: int, share: float = 1.0
) -> Calibration:
    """Return the calibration of a finished run in which only a share of the beam's photons was emitted."""
    centre, periphery = (tally.regions[f"{name}@response"] for name in (CENTRE, PERIPHERY))
    per_batch = (centre.per_batch + 2.0 * periphery.per_batch) / 3.0
    weighted_u = float(per_batch.std(ddof=1) / math.sqrt(per_batch.size))
    return Calibration(
        phantom_cm=phantom_cm,
        centre_mgy=float(centre.dose_mgy) * share,
        centre_u_mgy=float(centre.u_mgy) * share,
        periphery_mgy=float(periphery.dose_mgy) * share,
        periphery_u_mgy=float(periphery.u_mgy) * share,
        weighted_mgy=float((centre.dose_mgy + 2.0 * periphery.dose_mgy) / 3.0) * share,
        weighted_u_mgy=weighted_u * share,
        collimation_mm=collimation_mm,
        seed=seed,
        batches=tally.batches,
        histories=tally.histories,
    )
