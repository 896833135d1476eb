"""What voxel size and mirroring do to doses in reference bodies. Defines `dose_rows` and its parts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Grid, ThreadExecutor
from wholedose.body import Body, Person, reference
from wholedose.transport import ParallelBeam, Tally, simulate
from wholedose.validation.icrp116 import field, voxels_of
from wholedose.validation.suites import REPORTED_ONLY, Evidence, Progress, Row

SUITE = "bodies"
OURS: tuple[Evidence, str] = ("own simulation", "our own bodies and transport, compared with each other")
ENERGY_KEV = 60.0
BATCHES, HISTORIES = 20, 20_000
PGY_PER_MGY = 1e9

BEAMS: Mapping[str, tuple[str, float]] = {
    "eye_lenses": ("eye_lenses", 140.0),
    "thyroid": ("thyroid", 140.0),
    "skin": ("", 0.0),
}
"""Thin organs, and the square beam from the front that finds them: its middle, and its side in mm; the skin
is scored in a beam that covers the whole body."""

DOSE_LIMIT = 0.05
"""How far the dose of a thin organ may move between coarse and finest voxels, beside 2σ."""
DEPTH_LIMIT_MM = 2.0
SHARE_WITHIN = 0.90
"""Of many organs, 95 % are expected to agree within 2σ."""


def dose_rows(
    person: Person, voxels_mm: Sequence[float], progress: Progress = lambda text: None
) -> list[Row]:
    """Return masses, depths and doses of thin organs at several voxel sizes, and the mirrored body's doses.

    Parameters
    ----------
    person : Person
    voxels_mm : sequence of float
        From coarse to fine: each is compared with the last.
    """
    found: list[Row] = []
    seen: dict[float, dict[str, tuple[float, float, float, float]]] = {}
    for size in voxels_mm:
        progress(f"thin organs in voxels of {size:g} mm")
        body = reference(person, "standing", size)
        seen[size] = {organ: _thin(body, organ) for organ in BEAMS}
    finest = voxels_mm[-1]
    for size in voxels_mm[:-1]:
        for organ in BEAMS:
            mass, depth, dose, u = seen[size][organ]
            mass_0, depth_0, dose_0, u_0 = seen[finest][organ]
            case = f"voxels of {size:g} mm beside {finest:g} mm"
            name = organ.replace("_", " ")
            rule = "mass: 3 %"
            found.append(
                row(case, f"mass of {name}, g", mass, mass_0, rule, abs(mass / mass_0 - 1) <= 0.03, *OURS)
            )
            rule = f"depth: {DEPTH_LIMIT_MM:g} mm"
            passed = abs(depth - depth_0) <= DEPTH_LIMIT_MM
            found.append(
                row(case, f"mean depth of {name} from the front, mm", depth, depth_0, rule, passed, *OURS)
            )
            rule = f"dose of a thin organ: {DOSE_LIMIT:.0%} + 2σ"
            passed = abs(dose - dose_0) <= DOSE_LIMIT * dose_0 + 2 * math.hypot(u, u_0)
            text = f"dose of {name} per fluence, AP {ENERGY_KEV:g} keV, pGy cm²"
            found.append(row(case, text, dose, dose_0, rule, passed, *OURS, u, u_0))
    return found + mirror_dose_rows(reference(person, "standing", voxels_mm[0]), progress)


def _thin(body: Body, organ: str) -> tuple[float, float, float, float]:
    """Mass in g, mean depth from the front in mm, dose per fluence in pGy cm² and its u."""
    dose, u = thin_dose(body, organ)
    return body.label_mass_g(organ), depth_mm(body, organ), dose, u


def depth_mm(body: Body, organ: str) -> float:
    """Return how much of the body lies in front of the voxels of a label, mean in mm."""
    where = np.argwhere(body.labels == body.label(organ))
    total = 0.0
    for z in np.unique(where[:, 0]):
        here = where[where[:, 0] == z]
        before = np.cumsum(body.labels[z] > 0, axis=0)
        total += float((before[here[:, 1], here[:, 2]] - 0.5).sum())
    return total / len(where) * body.grid.spacing_mm[0]


def thin_dose(body: Body, organ: str) -> tuple[float, float]:
    """Return the dose per fluence of an organ in the beam that finds it, and its standard uncertainty."""
    at, side = BEAMS[organ]
    voxels = voxels_of(body)
    grid = voxels.geometry.grid
    source, fluence = field("AP", grid, ENERGY_KEV)
    if at:
        x, z = _middle(body, at)
        front = float(grid.lower_mm[1])
        source = ParallelBeam((x, front, z), (0.0, 1.0, 0.0), (side, side), ENERGY_KEV, (1.0, 0.0, 0.0))
        fluence = 100.0 / side**2
    tally = simulate(
        voxels.geometry,
        source,
        seed=11,
        regions=voxels.regions,
        batches=BATCHES,
        histories_per_batch=HISTORIES,
        executor=ThreadExecutor(),
        voxel_scores=False,
    )
    values = _doses(tally, organ) * PGY_PER_MGY / fluence
    return float(values.mean()), float(values.std(ddof=1)) / math.sqrt(len(values))


def _middle(body: Body, organ: str) -> tuple[float, float]:
    where = np.argwhere(body.labels == body.label(organ)).mean(axis=0)
    origin = body.grid.origin_mm
    h = body.grid.spacing_mm[0]
    return float(origin[0] + h * where[2]), float(origin[2] + h * where[0])


def _doses(tally: Tally, organ: str) -> NDArray[np.float64]:
    return np.asarray(tally.regions[organ].per_batch, dtype=np.float64)


def mirrored(body: Body) -> Body:
    """Return the mirror image of a body: left and right changed.

    Examples
    --------
    The liver of ``mirrored(reference(Person("F", 40)))`` lies at the left.
    """
    low = body.grid.upper_mm[0] - body.grid.spacing_mm[2] / 2
    grid = Grid(body.grid.shape, body.grid.spacing_mm, (-low, *body.grid.origin_mm[1:]))
    turned = {
        name: np.ascontiguousarray(getattr(body, name)[:, :, ::-1])
        for name in ("labels", "material", "density_g_cm3")
    }
    return body.with_(grid=grid, **turned)


def mirror_dose_rows(body: Body, progress: Progress = lambda text: None) -> list[Row]:
    """Return how organ doses of a mirrored body lit from the left agree with the body's from the right."""
    progress("mirrored body from the other side")
    found = {}
    for name, one, side, seed in (("here", body, "RLAT", 21), ("there", mirrored(body), "LLAT", 22)):
        voxels = voxels_of(one)
        source, fluence = field(side, voxels.geometry.grid, ENERGY_KEV)
        tally = simulate(
            voxels.geometry,
            source,
            seed=seed,
            regions=voxels.regions,
            batches=BATCHES,
            histories_per_batch=HISTORIES,
            executor=ThreadExecutor(),
            voxel_scores=False,
        )
        found[name] = {organ: _doses(tally, organ) * PGY_PER_MGY / fluence for organ in body.organs}
    score = {}
    for organ in body.organs:
        here, there = found["here"][organ], found["there"][organ]
        spread = math.hypot(float(here.std(ddof=1)), float(there.std(ddof=1))) / math.sqrt(len(here))
        if spread > 0.0:
            score[organ] = float(here.mean() - there.mean()) / spread
    within = float(np.mean([abs(z) <= 2.0 for z in score.values()]))
    case = "LLAT of the mirrored body beside RLAT"
    rule = f"share of organs within 2σ: at least {SHARE_WITHIN:.0%}"
    rows = [
        row(case, f"share of {len(score)} organs within 2σ", within, 1.0, rule, within >= SHARE_WITHIN, *OURS)
    ]
    worst = max(score, key=lambda name: abs(score[name]))
    here, there = found["here"][worst], found["there"][worst]
    spreads = [float(v.std(ddof=1)) / math.sqrt(len(v)) for v in (there, here)]
    text = f"dose of {worst.replace('_', ' ')} per fluence, pGy cm²: the furthest of all"
    rows.append(row(case, text, there.mean(), here.mean(), REPORTED_ONLY, True, *OURS, *spreads))
    return rows


def row(
    case: str,
    quantity: str,
    value: float,
    reference_value: float,
    tolerance: str,
    passed: bool,
    evidence: Evidence,
    source: str,
    u: float = 0.0,
    u_reference: float = 0.0,
) -> Row:
    """Return a row of this suite."""
    return Row(
        SUITE,
        case,
        quantity,
        float(value),
        u,
        float(reference_value),
        u_reference,
        tolerance,
        bool(passed),
        evidence,
        source,
    )
