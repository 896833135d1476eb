"""CT dose index and AAPM 204: profiles, phantom ratios, water cylinders. Defines `rows` and `figure`.

Three kinds of row:

- the *beam*: free-in-air profiles along z and across the fan, transported through air voxels, against the
quadrature
  of the beam's own definition;
- the *phantoms*: CTDIw(16)/CTDIw(32) per filter shape beside the mean of 43 scanners, and edge over centre
in 13 cm of
  water beside the diameter at which it was measured to be uniform;
- *AAPM 204*: the mean dose of a water section over CTDIvol(32), for a scan of 100 mm and for a long scan,
beside
  the printed factors. These differ by definition, so there is no tolerance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Grid, ThreadExecutor
from wholedose.matter import material, photon_data
from wholedose.tables import load
from wholedose.transport import Regions, VoxelGeometry, XrayBeam, simulate
from wholedose.validation.suites import REPORTED_ONLY, Progress, Row
from wholedose.xray import CtBeam, bowtie, bowtie_names, calibrate
from wholedose.xray.calibration import CENTRE, CHAMBER_MM, PERIPHERY, chambers, cylinder
from wholedose.xray.ct_source import rotation

FloatArray = NDArray[np.floating[Any]]

SUITE = "ctdi"
KV, COLLIMATION_MM, DISTANCE_MM = 120.0, 40.0, 570.0
DIAMETERS_CM = (12, 16, 20, 24, 28, 32, 36, 40)
LONG_MM = 600.0
AIR_DENSITY = 0.001205
AIR_HISTORIES = 400_000
EXECUTOR = ThreadExecutor()

SCANNERS = (
    "CTDIvol per mAs of 43 scanners, mean ± standard deviation: head 167 ± 44, body 78 ± 22 µGy/mAs "
    "(Relationship between radiographic techniques and CTDIvol, Radiat Prot Dosim, abstract)"
)
UNIFORM = (
    "water-equivalent diameters of 12 to 14 cm are irradiated uniformly (Siemens Somatom Definition AS; "
    "J X-Ray Sci Technol, doi:10.3233/XST-200667, abstract)"
)
SCANNER_RATIO, SCANNER_RATIO_U = 167.0 / 78.0, 167.0 / 78.0 * math.hypot(44 / 167, 22 / 78) / math.sqrt(43)


def beam(shape: str) -> CtBeam:
    """Return the beam of the suite with a filter shape."""
    return CtBeam(KV, shape, COLLIMATION_MM, DISTANCE_MM)


def rows(reference: Path | None = None, progress: Progress = lambda text: None) -> list[Row]:
    """Run the suite; it needs no reference folder."""
    found = []
    for shape in bowtie_names():
        progress(f"beam and phantoms, {shape}")
        found += beam_rows(shape)
        found += phantom_rows(shape)
    for shape in bowtie_names():
        for diameter in DIAMETERS_CM:
            progress(f"water cylinder of {diameter} cm, {shape}")
            found += cylinder_rows(shape, diameter)
    return found


def beam_rows(shape: str) -> list[Row]:
    """Compare free-in-air kerma, transported, with the quadrature of the beam: the width, and three fan
    angles."""
    found = []
    z, profile, u = air_profile(shape)
    inside = profile[np.abs(z) < COLLIMATION_MM / 2 - 2.5].mean()
    spacing = float(z[1] - z[0])
    width = float(profile.sum() * spacing / inside)
    width_u = float(math.sqrt((u**2).sum()) * spacing / inside)
    rule = "1 % + 2σ"
    found.append(
        Row(
            suite=SUITE,
            case=f"{shape}, free in air",
            quantity="width of the profile at the isocentre, mm",
            value=width,
            u=width_u,
            reference=COLLIMATION_MM,
            u_reference=0.0,
            tolerance=rule,
            passed=abs(width / COLLIMATION_MM - 1.0) <= 0.01 + 2.0 * width_u / COLLIMATION_MM,
            evidence="own simulation",
            source="collimation",
        )
    )
    for offset_mm in (80.0, 160.0):
        ratio, ratio_u = fan_ratio(shape, offset_mm)
        expected = expected_fan_ratio(shape, offset_mm)
        found.append(
            Row(
                suite=SUITE,
                case=f"{shape}, free in air",
                quantity=f"kerma at {offset_mm:g} mm beside the axis over kerma on it",
                value=ratio,
                u=ratio_u,
                reference=expected,
                u_reference=0.0,
                tolerance=rule,
                passed=abs(ratio / expected - 1.0) <= 0.01 + 2.0 * ratio_u / ratio,
                evidence="own simulation",
                source="quadrature over spectrum and filter",
            )
        )
    return found


def _static(shape: str) -> XrayBeam:
    """Return one view from the front: no rotation."""
    energy, fluence, edges = beam(shape).fluence()
    cone, fan = beam(shape).tan_cone, math.tan(float(edges[-1]))
    return XrayBeam(
        (0.0, -DISTANCE_MM, 0.0), (0.0, 1.0, 0.0), (-1.0, 0.0, 0.0), energy, fluence, (-fan, fan), (-cone,
        cone), edges
    )  # fmt: skip


def _air(grid: Grid) -> VoxelGeometry:
    density = np.full(grid.shape, AIR_DENSITY, dtype=np.float32)
    return VoxelGeometry(grid, np.zeros(grid.shape, dtype=np.uint8), density, (material("air"),))


def air_profile(shape: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return z in mm, kerma along z at the isocentre in a 20 mm wide air strip, and its uncertainty."""
    grid = Grid((60, 1, 1), (1.0, 5.0, 20.0), (0.0, 0.0, -29.5))
    tally = simulate(
        _air(grid), _static(shape), seed=11, batches=32, histories_per_batch=AIR_HISTORIES, executor=EXECUTOR
    )
    return grid.axes_mm()[0], tally.energy_kev[:, 0, 0], tally.energy_u_kev[:, 0, 0]


def fan_ratio(shape: str, offset_mm: float) -> tuple[float, float]:
    """Return kerma beside the axis over kerma on it, by transport through two small air boxes."""
    grid = Grid((1, 1, int(2 * offset_mm / 10 + 1)), (20.0, 5.0, 10.0), (-offset_mm, 0.0, 0.0))
    labels = np.zeros(grid.shape, dtype=np.int16)
    labels[..., [0, -1]], labels[..., grid.shape[2] // 2] = 2, 1
    regions = Regions(labels, ("axis", "side"))
    tally = simulate(
        _air(grid),
        _static(shape),
        seed=12,
        regions=regions,
        batches=32,
        histories_per_batch=AIR_HISTORIES,
        executor=EXECUTOR,
        voxel_scores=False,
    )
    side, axis = tally.regions["side"], tally.regions["axis"]
    ratio = side.dose_mgy / axis.dose_mgy
    return ratio, ratio * math.hypot(side.relative_u, axis.relative_u)


def expected_fan_ratio(shape: str, offset_mm: float, half_mm: float = 5.0) -> float:
    """Return the same ratio from fluence times energy absorption of air, with inverse square of the
    distance."""
    energy, _, _ = beam(shape).fluence()
    spectrum = beam(shape).spectrum()
    weight = (
        np.asarray(spectrum.weight)
        * energy
        * photon_data(material("air")).on("energy_transfer", np.asarray(energy, dtype=np.float64))
    )
    lateral = np.linspace(-half_mm, half_mm, 41)

    def kerma(x_mm: float) -> float:
        x = x_mm + lateral
        passed = bowtie(shape).transmission(np.arctan(x / DISTANCE_MM), energy)
        return float(((passed * weight).sum(axis=1) / (x**2 + DISTANCE_MM**2)).mean())

    return kerma(offset_mm) / kerma(0.0)


def phantom_rows(shape: str) -> list[Row]:
    """Report CTDIw(16)/CTDIw(32) and edge over centre in 13 cm of water."""
    small, large = (calibrate(beam(shape), size, executor=EXECUTOR) for size in (16, 32))
    ratio = small.weighted_mgy / large.weighted_mgy
    edge, edge_u = edge_over_centre(shape, 130.0)
    return [
        Row(
            suite=SUITE,
            case=f"{shape}, CTDI phantoms",
            quantity="CTDIw(16)/CTDIw(32)",
            value=ratio,
            u=ratio * math.hypot(small.relative_u, large.relative_u),
            reference=SCANNER_RATIO,
            u_reference=SCANNER_RATIO_U,
            tolerance=REPORTED_ONLY,
            passed=True,
            evidence="published",
            source=SCANNERS,
        ),
        Row(
            suite=SUITE,
            case=f"{shape}, 13 cm of water",
            quantity="periphery/centre",
            value=edge,
            u=edge_u,
            reference=1.0,
            u_reference=0.02,
            tolerance=REPORTED_ONLY,
            passed=True,
            evidence="measurement",
            source=UNIFORM,
        ),
    ]


def edge_over_centre(shape: str, diameter_mm: float, name: str = "water") -> tuple[float, float]:
    """Return CTDI100 10 mm below the surface over CTDI100 in the centre of a cylinder of 15 cm length."""
    geometry = cylinder(diameter_mm, 150.0, name, diameter_mm / 160.0)
    source = beam(shape).source(
        rotation(np.zeros(2), DISTANCE_MM), math.asin((diameter_mm / 2 + 1) / DISTANCE_MM)
    )
    target = {f"{CENTRE}@response": 0.01, f"{PERIPHERY}@response": 0.005}
    tally = simulate(
        geometry,
        source,
        seed=13,
        regions=chambers(geometry, diameter_mm),
        target=target,
        executor=EXECUTOR,
        voxel_scores=False,
    )
    edge, centre = tally.regions[f"{PERIPHERY}@response"], tally.regions[f"{CENTRE}@response"]
    ratio = edge.dose_mgy / centre.dose_mgy
    return ratio, ratio * math.hypot(edge.relative_u, centre.relative_u)


@dataclass(frozen=True)
class Section:
    """Mean dose of a water section in the middle of a scan over CTDIvol(32): for 100 mm and for a long
    scan."""

    diameter_cm: float
    short: float
    short_u: float
    long: float
    long_u: float


@lru_cache(maxsize=256)
def section(shape: str, diameter_cm: float) -> Section:
    """Simulate one rotation around a long water cylinder and superpose it.

    A scan of length L gives the middle section Σ over rotations of the profile d(z), that is CTDIvol times
    ∫ d dz over L, divided by 100 mm times the weighted kerma of the calibration.
    """
    geometry = cylinder(diameter_cm * 10.0, LONG_MM, "water", diameter_cm / 8.0, 10.0)
    z = geometry.grid.axes_mm()[0]
    labels = np.ones(geometry.grid.shape, dtype=np.int16)
    labels[np.abs(z) < CHAMBER_MM / 2.0] = 2
    half_fan = math.asin((diameter_cm * 5.0 + 1.0) / DISTANCE_MM)
    chosen = beam(shape)
    tally = simulate(
        geometry,
        chosen.source(rotation(np.zeros(2), DISTANCE_MM), half_fan),
        seed=14,
        regions=Regions(labels, ("outer", "inner")),
        batches=20,
        histories_per_batch=10_000,
        executor=EXECUTOR,
        voxel_scores=False,
    )
    calibration = calibrate(chosen, 32, executor=EXECUTOR)
    scale = chosen.photon_share(half_fan) / (CHAMBER_MM * calibration.weighted_mgy)
    inner, outer = tally.regions["inner"], tally.regions["outer"]
    short = inner.dose_mgy * CHAMBER_MM * scale
    long = short + outer.dose_mgy * (LONG_MM - CHAMBER_MM) * scale
    extra = calibration.relative_u
    long_u = tally.total.u_kev / tally.total.energy_kev
    return Section(
        diameter_cm,
        short,
        short * math.hypot(inner.relative_u, extra),
        long,
        long * math.hypot(long_u, extra),
    )


def printed_factor(diameter_cm: float) -> float:
    """Return the printed factor of AAPM 204 for the 32 cm phantom."""
    table = load("xray/ssde_factors_aapm204")
    row = (table["ctdi_phantom_cm"] == 32) & (table["size_cm"] == diameter_cm)
    return float(table["factor"][row][0])


def cylinder_rows(shape: str, diameter_cm: int) -> list[Row]:
    """Report the section mean over CTDIvol beside the printed factor."""
    found = section(shape, float(diameter_cm))
    return [
        Row(
            suite=SUITE,
            case=f"{shape}, {diameter_cm} cm of water",
            quantity=f"section mean / CTDIvol(32), {name}",
            value=value,
            u=u,
            reference=printed_factor(diameter_cm),
            u_reference=0.0,
            tolerance=REPORTED_ONLY,
            passed=True,
            evidence="published",
            source="AAPM Report 204, Table 1D",
        )
        for name, value, u in (
            ("100 mm scan", found.short, found.short_u),
            ("long scan", found.long, found.long_u),
        )
    ]


def figure(path: Path) -> Path:
    """Plot the factors of all shapes beside AAPM 204's, and phantom profiles along z; return the path."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    canvas, panes = pyplot.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    sizes = np.arange(8, 46)
    panes[0].plot(sizes, [printed_factor(float(d)) for d in sizes], "k", lw=2.5, label="AAPM 204, printed")
    for index, shape in enumerate(bowtie_names()):
        points = [section(shape, float(d)) for d in DIAMETERS_CM]
        colour = f"C{index}"
        panes[0].plot(
            DIAMETERS_CM, [p.short for p in points], "o--", c=colour, ms=4, label=f"{shape}, 100 mm"
        )
        panes[0].plot(DIAMETERS_CM, [p.long for p in points], "s-", c=colour, ms=4, lw=1)
    panes[0].set(xlabel="water diameter / cm", ylabel="section mean dose / CTDIvol(32)")
    panes[0].legend(fontsize=7, title="dashed: 100 mm scan; solid: long scan", title_fontsize=7)
    for shape in bowtie_names():
        z, values, _ = air_profile(shape)
        panes[1].plot(z, values / values.max(), lw=1, label=shape)
    panes[1].set(xlabel="z / mm", ylabel="air kerma free in air, relative")
    panes[1].legend(fontsize=7)
    canvas.savefig(path, dpi=110)
    pyplot.close(canvas)
    return path
