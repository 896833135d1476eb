"""Make the derived tables of the xray room: sensitivities of organ doses and the scatter kernel along z.

    python scripts/make_xray_tables.py sensitivity   # writes xray/ct_sensitivity.csv, some minutes
    python scripts/make_xray_tables.py filters       # prints what the generic filters are fitted to
    python scripts/make_xray_tables.py kernel        # prints share and length of the scatter kernel

Every run has fixed seeds and batches, so that the tables can be made again.
"""

from __future__ import annotations

import math
import sys
from pathlib import Path

import numpy as np

from wholedose.base import ThreadExecutor
from wholedose.body import Body, Person, reference
from wholedose.transport import VoxelGeometry, simulate
from wholedose.xray import CtBeam, CtScan, calibrate, resolve, views
from wholedose.xray.calibration import CENTRE, PERIPHERY, chambers, cylinder
from wholedose.xray.ct_budget import OUTSIDE
from wholedose.xray.ct_estimate import organ_terms, regions_of, run_range
from wholedose.xray.ct_rules import ResolvedRange
from wholedose.xray.ct_source import rotation

DATA = Path(__file__).resolve().parents[1] / "src/wholedose/tables/data/xray"
SHAPES = {
    "head": ("generic_head", "xcist_small", "xcist_medium", "generic_body"),
    "trunk": ("generic_body", "xcist_small", "xcist_medium", "xcist_large"),
}
FILTRATIONS_MM = (4.0, 8.0)
BATCHES = 16
CALIBRATION_BATCHES = 8
VOXEL_MM = 5.0
EXECUTOR = ThreadExecutor()


def scan_of(region: str, person: Person) -> tuple[Body, ResolvedRange]:
    """A head scan (16 cm phantom) or, with arms up, one of the trunk with neck (32 cm phantom)."""
    body = reference(person, "supine, arms down" if region == "head" else "supine, arms up", VOXEL_MM)
    marks = body.landmarks
    ends = (marks["chin"], marks["vertex"]) if region == "head" else (marks["hip"], marks["chin"])
    scan = CtScan.typed(
        kv=120.0,
        ctdivol_mgy=10.0,
        phantom_cm=16 if region == "head" else 32,
        start_z_mm=ends[0],
        end_z_mm=ends[1],
        mode="helical",
        collimation_mm=40.0,
        pitch=1.0,
    )
    return body, resolve(scan.ranges[0], scan, middle_of(body, ends))


def middle_of(body: Body, z_mm: tuple[float, float]) -> tuple[float, float]:
    """The middle (x, y) of what lies between two z: where a technologist puts the isocentre."""
    z, y, x = body.grid.axes_mm()
    within = np.any(body.labels[(z >= z_mm[0]) & (z <= z_mm[1])] > 0, axis=0)
    wide, deep = x[within.any(axis=0)], y[within.any(axis=1)]
    return float(wide[0] + wide[-1]) / 2, float(deep[0] + deep[-1]) / 2


def doses(item: ResolvedRange, body: Body, beam: CtBeam) -> dict[str, tuple[float, float]]:
    """Organ doses in mGy of a beam at fixed seed and batches, with their statistical uncertainty."""
    calibration = calibrate(beam, item.phantom_cm, seed=5, batches=CALIBRATION_BATCHES, executor=EXECUTOR)
    tally = simulate(
        VoxelGeometry(*body.geometry()),
        beam.source(views(item)),
        seed=5,
        regions=regions_of(body),
        histories_per_batch=50_000,
        batches=BATCHES,
        executor=EXECUTOR,
        voxel_scores=False,
    )
    histories = calibration.histories_for(item.dlp_mgy_cm)
    found = {}
    for organ, terms in organ_terms(body).items():
        batches = sum(weight * tally.regions[key].per_batch for key, weight in terms)
        value = float(np.mean(batches)) * histories
        spread = float(np.std(batches, ddof=1)) / math.sqrt(BATCHES) * histories
        found[organ] = (value, math.hypot(spread, value * calibration.relative_u))
    return found


def spread_of(values: list[tuple[float, float]]) -> float:
    """Relative standard deviation of values, less what their statistical uncertainties explain."""
    mean = sum(value for value, _ in values) / len(values)
    variance = float(np.var([value for value, _ in values], ddof=1))
    return math.sqrt(max(variance - sum(u * u for _, u in values) / len(values), 0.0)) / mean


def sensitivity() -> None:
    """Write the spread of organ dose per CTDIvol over filter shapes and filtrations."""
    rows: dict[str, tuple[float, float, str]] = {}
    outside: list[tuple[float, float]] = []
    for person in (Person("M", 40.0, 176.0, 73.0), Person("F", 40.0, 163.0, 60.0)):
        for region in SHAPES:
            body, item = scan_of(region, person)
            beam = CtBeam.of(item)
            shapes = [doses(item, body, CtBeam.of(item, filter_shape=name)) for name in SHAPES[region]]
            soft, hard = (doses(item, body, CtBeam.of(item, filtration_mm=mm)) for mm in FILTRATIONS_MM)
            print(person.sex, region, beam, flush=True)
            for organ in shapes[0]:
                values = [found[organ] for found in shapes]
                if min(value for value, _ in values) <= 0.0:
                    continue
                filter_u = spread_of(values)
                # the two filtrations are the ends of the spread considered, two standard uncertainties apart:
                # half of their difference is the standard deviation of two values over √2
                spectrum_u = spread_of([hard[organ], soft[organ]]) / math.sqrt(2.0)
                if body.inside(organ, item.irradiated_z_mm) >= 0.5:
                    old = rows.get(organ, (0.0, 0.0, region))
                    rows[organ] = (max(filter_u, old[0]), max(spectrum_u, old[1]), region)
                elif organ in ("brain", "thyroid", "lungs", "eye_lenses", "salivary_glands", "thymus"):
                    outside.append((filter_u, spectrum_u))
                print(
                    f"  {organ:22s} {filter_u:.4f} {spectrum_u:.4f}", np.round(values, 3).tolist(), flush=True
                )
    floor = {
        region: [float(np.median([row[k] for row in rows.values() if row[2] == region])) for k in (0, 1)]
        for region in SHAPES
    }
    rows = {
        organ: (max(a, floor[region][0]), max(b, floor[region][1]), region)
        for organ, (a, b, region) in rows.items()
    }
    # far organs are rarely resolved statistically: they get no less than the larger floor
    filter_u, spectrum_u = (
        max(float(np.median([pair[k] for pair in outside])), *(pair[k] for pair in floor.values()))
        for k in (0, 1)
    )
    rows[OUTSIDE] = (filter_u, spectrum_u, "median of organs up to 30 cm outside")
    head = [
        "# title: Spread of organ dose per CTDIvol over beam-shaping filters and over filtration",
        "# source: own simulation, scripts/make_xray_tables.py sensitivity; reference adults, 120 kV, "
        "scans of the head and of the trunk",
        f"# note: filter_u is the standard deviation over {SHAPES}; spectrum_u is half the difference "
        f"between {FILTRATIONS_MM[0]:g} and {FILTRATIONS_MM[1]:g} mm Al; "
        "the statistical variance is subtracted, and no organ has less than the median of its scan",
        "# unit: filter_u and spectrum_u are standard uncertainties as fractions of the dose",
        "# licence: made by the wholedose authors",
        "organ,filter_u,spectrum_u,scan",
    ]
    lines = [f"{organ},{a:.4f},{b:.4f},{region}" for organ, (a, b, region) in sorted(rows.items())]
    (DATA / "ct_sensitivity.csv").write_text("\n".join(head + lines) + "\n", encoding="utf-8")


def filters() -> None:
    """Print CTDIw(16)/CTDIw(32) of the body filter and edge/centre in 13 cm of water of the head filter."""
    beam = CtBeam(120.0, "generic_body", 40.0, 570.0)
    small, large = (calibrate(beam, size, target=0.002, executor=EXECUTOR) for size in (16, 32))
    print("generic_body: CTDIw(16)/CTDIw(32) =", small.weighted_mgy / large.weighted_mgy, "aim 2.14")
    beam = CtBeam(120.0, "generic_head", 40.0, 570.0)
    geometry = cylinder(130.0, 150.0, "water", 130.0 / 160.0)
    source = beam.source(rotation(np.zeros(2), 570.0), math.asin(66.0 / 570.0))
    target = {f"{CENTRE}@response": 0.004, f"{PERIPHERY}@response": 0.002}
    tally = simulate(
        geometry,
        source,
        seed=3,
        regions=chambers(geometry, 130.0),
        target=target,
        executor=EXECUTOR,
        voxel_scores=False,
    )
    ratio = tally.regions[f"{PERIPHERY}@response"].dose_mgy / tally.regions[f"{CENTRE}@response"].dose_mgy
    print("generic_head: periphery over centre in 13 cm of water =", ratio, "aim 1")


def kernel() -> None:
    """Print the share of the dose outside the beam and its exponential length, in the trunk of a man."""
    body = reference(Person("M", 40.0, 176.0, 73.0), "supine, arms up", VOXEL_MM)
    middle = (body.landmarks["hip"] + body.landmarks["lung_top"]) / 2.0
    scan = CtScan.typed(
        kv=120.0, ctdivol_mgy=10.0, phantom_cm=32, start_z_mm=middle, end_z_mm=middle, mode="stationary",
        collimation_mm=20.0, scan_z_mm=(middle, middle),
    )  # fmt: skip
    item = resolve(scan.ranges[0], scan, middle_of(body, (middle - 10.0, middle + 10.0)))
    own = calibrate(CtBeam.of(item), 32, executor=EXECUTOR)
    run = run_range(item, body, own, seed=5, batches=BATCHES, executor=EXECUTOR)
    z = body.grid.axes_mm()[0]
    energy = run.tally.energy_kev.sum(axis=(1, 2))
    away = np.abs(z - middle)
    beam = away <= 12.0
    near, far = (away > 12.0) & (away < 20.0), (away > 20.0) & (away < 200.0)
    slope = np.polyfit(away[far], np.log(energy[far]), 1)
    length = -1.0 / slope[0]
    tail = np.exp(np.polyval(slope, away[beam])).sum()
    share = (energy[~beam].sum() + tail) / energy.sum()
    print(f"scatter_share {share:.3f}, scatter_length {length:.1f} mm, near/far {energy[near].mean():.4g}")


if __name__ == "__main__":
    {"sensitivity": sensitivity, "filters": filters, "kernel": kernel}[sys.argv[1]]()
