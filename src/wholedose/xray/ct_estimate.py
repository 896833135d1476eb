"""From a CT examination and a body to doses. Defines `estimate`."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import (
    AbsorbedDose,
    Cause,
    EffectiveDose,
    Executor,
    InvalidInput,
    MissingInput,
    Provenance,
    ThreadExecutor,
    digest_of,
)
from wholedose.body import ORGANS, Body
from wholedose.body.skeletal_response import SKELETAL_TISSUES, response_key, skeletal_response
from wholedose.dose import DoseMap, OrganDose, OrganDoses
from wholedose.dose.anatomy_spread import ensemble_spread
from wholedose.tables import digest as table_digest
from wholedose.transport import Regions, Tally, VoxelGeometry, simulate
from wholedose.transport.tally import MGY_PER_KEV_G
from wholedose.xray.calibration import Calibration, calibrate
from wholedose.xray.checks import consistency, section_dose_mgy, size_estimates
from wholedose.xray.ct_budget import Budget, coverage, rival_change
from wholedose.xray.ct_dose import CtDose
from wholedose.xray.ct_rules import ResolvedRange, resolve
from wholedose.xray.ct_scan import CtScan
from wholedose.xray.ct_source import CtBeam, views

FloatArray = NDArray[np.float64]
Progress = Callable[[float, str], Any]

METHOD = "photon Monte Carlo in voxels (kerma approximation, track length), normalised by CTDIvol and DLP"
TABLES = (
    "xray/ct_assumptions",
    "xray/ct_sensitivity",
    "xray/bowtie_generic",
    "matter/tube_spectra",
    "matter/elements",
    "body/skeletal_response",
)
# the 20 batches by which a target is judged are 2 million photons, 1 % in the organs of a chest scan
HISTORIES_PER_BATCH = 100_000
SEED_STEP = 1_000_003  # between the ranges of one scan
ORGANS_INSIDE, OUTSIDE = "organs", "outside"  # keys of a target in two parts
SPREAD = (
    "red_bone_marrow",
    "endosteum",
    "bone",
    "skin",
    "muscle",
    "adipose",
    "lymphatic_nodes",
    "residual_soft_tissue",
)  # everywhere in the body: never outside
TARGET_SHARE = 0.9  # an organ is a target when this share of it lies in the irradiated range


@dataclass(frozen=True, eq=False)
class RangeRun:
    """The finished simulation of one range.

    Attributes
    ----------
    item : ResolvedRange
    calibration : Calibration
    tally : Tally
    histories : float
        Number of photons that the scan's DLP stands for; doses are tallies times this.
    """

    item: ResolvedRange
    calibration: Calibration
    tally: Tally
    histories: float


def estimate(
    scan: CtScan,
    body: Body,
    *,
    target: float | Mapping[str, float] | None = 0.01,
    seconds: float | None = None,
    seed: int = 1,
    batches: int | Sequence[int] | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> CtDose:
    """Calculate organ doses, effective dose and the dose map of a CT examination.

    Parameters
    ----------
    scan : CtScan
    body : Body
        In the coordinates of the scan's range or image.
    target : float or mapping of organ to float, optional
        Relative statistical standard uncertainty at which to stop: a number holds for all organs of which at
        least 90 % lie in the irradiated range; of a scan too short for that, the organs most inside it.
        ``{"organs": 0.02, "outside": 0.1}`` asks it of those, and another of every other organ, bones and
        fat apart; photons are then sent where they are needed (`wholedose.transport.importance`).
    seconds : float, optional
        Stop after this time, whatever was reached; the number of batches is stored.
    seed : int
    batches : int or sequence of int, optional
        Fixed number of batches (one per range), as a replay needs; overrides target and seconds.
    executor : Executor, optional
        Threads on all cores by default; it changes the speed, never the result.
    progress : callable, optional
        Called with a fraction and a text; returning False stops the work with `Cancelled`.

    Returns
    -------
    CtDose

    Raises
    ------
    MissingInput
        kV, CTDIvol, the phantom or the place of the scan is unknown.
    InvalidInput
        The irradiated range does not meet the body.
    OutsideDomain
        A tube voltage without a spectrum.
    """
    begun = time.monotonic()
    workers = ThreadExecutor() if executor is None else executor
    items = _resolve(scan, body)
    fixed = _fixed(batches, len(items))
    runs = []
    for index, item in enumerate(items):
        own_seed = seed + index * SEED_STEP
        calibration = calibrate(CtBeam.of(item), item.phantom_cm, seed=own_seed, executor=workers)
        used = time.monotonic() - begun
        left = None if seconds is None else max(seconds - used, 0.1) / (len(items) - index)
        runs.append(
            run_range(
                item,
                body,
                calibration,
                seed=own_seed,
                target=target,
                seconds=left,
                batches=fixed[index],
                executor=workers,
                progress=_part(progress, index, len(items)),
            )
        )
    return _collect(scan, body, runs, seed, {"target": _plain(target), "seconds": seconds})


def _plain(target: float | Mapping[str, float] | None) -> Any:
    return dict(target) if isinstance(target, Mapping) else target


def _part(progress: Progress | None, index: int, count: int) -> Progress | None:
    if progress is None:
        return None
    text = f" (range {index + 1} of {count})" if count > 1 else ""
    return lambda fraction, words: progress((index + fraction) / count, words + text)


def _fixed(batches: int | Sequence[int] | None, count: int) -> list[int | None]:
    if batches is None:
        return [None] * count
    numbers = [batches] * count if isinstance(batches, int) else list(batches)
    if len(numbers) != count:
        raise InvalidInput(
            f"{len(numbers)} numbers of batches are given for {count} ranges.", where="batches"
        )
    return list(numbers)


def _resolve(scan: CtScan, body: Body) -> list[ResolvedRange]:
    """Return the ranges with a rotating source, completed, and check that they meet the body."""
    x, y, _ = body.grid.centre_mm
    found = [
        resolve(item, scan, (x, y))
        for item in scan.ranges
        if item.mode is None or item.mode.value != "topogram"
    ]
    if not found:
        raise MissingInput(
            "The scan has only topograms, which are not calculated.",
            where="CtScan.ranges",
            way_out="Give an acquisition with a CTDIvol.",
        )
    z = body.grid.axes_mm()[0][body.labels.any(axis=(1, 2))]
    for item in found:
        low, high = item.irradiated_z_mm
        if high < z.min() or low > z.max():
            raise InvalidInput(
                f"The irradiated range, z {low:.0f} to {high:.0f} mm, does not meet the body, "
                f"z {z.min():.0f} to {z.max():.0f} mm.",
                where=item.name or "CT range",
                way_out="Body and scan need one coordinate system; or give start_z_mm and end_z_mm.",
            )
    return found


def run_range(
    item: ResolvedRange,
    body: Body,
    calibration: Calibration,
    *,
    seed: int = 1,
    target: float | Mapping[str, float] | None = 0.01,
    seconds: float | None = None,
    batches: int | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
) -> RangeRun:
    """Simulate one resolved range with its assumed beam."""
    planned = isinstance(target, Mapping) and OUTSIDE in target
    goal = goals_of(item, body, target) if batches is None or planned else None
    tally = simulate(
        VoxelGeometry(*body.geometry()),
        CtBeam.of(item).source(views(item)),
        seed=seed,
        regions=regions_of(body),
        histories_per_batch=HISTORIES_PER_BATCH,
        batches=batches,
        target=goal,
        seconds=None if batches is not None else seconds,
        executor=executor,
        progress=progress,
        window="plan" if planned else None,
    )
    return RangeRun(item, calibration, tally, calibration.histories_for(item.dlp_mgy_cm))


def regions_of(body: Body) -> Regions:
    """Return a body's labels as transport regions, bone sites with the responses of marrow and endosteum."""
    response = {
        response_key(site.name, tissue): skeletal_response(site.name, tissue)
        for site in body.skeleton
        for tissue in SKELETAL_TISSUES
    }
    return Regions(body.labels, body.organs, response)


def goals_of(item: ResolvedRange, body: Body, target: float | Mapping[str, float] | None) -> Any:
    """Return the target of each region of a body; see `estimate`."""
    if target is None or (isinstance(target, Mapping) and not {ORGANS_INSIDE, OUTSIDE} & set(target)):
        return target
    asked: Any = target if isinstance(target, Mapping) else {ORGANS_INSIDE: target}
    if not set(asked) <= {ORGANS_INSIDE, OUTSIDE}:
        raise InvalidInput(
            f"The target names {', '.join(sorted(asked))}.",
            where="target",
            way_out=f'Give "{ORGANS_INSIDE}" and "{OUTSIDE}", or names of organs only.',
        )
    shares = {name: body.inside(name, item.irradiated_z_mm) for name in body.organs}
    # a short scan holds no organ as a whole: then the organs of which it holds the most
    enough = min(TARGET_SHARE, 0.9 * max(shares.values()))
    inside = [name for name, share in shares.items() if share >= enough > 0.0]
    goals = dict.fromkeys(inside, asked[ORGANS_INSIDE]) if ORGANS_INSIDE in asked else {}
    if OUTSIDE in asked:
        small = {name for organ in organ_terms(body) if organ not in SPREAD for name in body.members(organ)}
        goals |= {
            name: asked[OUTSIDE]
            for name in body.organs
            if name in small and name not in inside and body.label_mass_g(name) > 0.0
        }
    return goals or target


def organ_terms(body: Body) -> dict[str, list[tuple[str, float]]]:
    """Return each organ's dose as a weighted sum of region tallies, in the order of the organ list."""
    terms: dict[str, list[tuple[str, float]]] = {}
    for organ in (*ORGANS, *body.added):
        if organ == "red_bone_marrow":
            found = [(response_key(site.name, organ), site.marrow_share) for site in body.skeleton]
        elif organ == "endosteum":
            found = [(response_key(site.name, organ), site.endosteum_share) for site in body.skeleton]
        else:
            total = sum(body.label_mass_g(name) for name in body.members(organ))
            found = [(name, body.label_mass_g(name) / total) for name in body.members(organ) if total > 0.0]
        if found:
            terms[organ] = found
    return terms


def _profiles(body: Body) -> dict[str, FloatArray]:
    """Return mass (or marrow share) per slice of each organ."""
    nz = body.grid.shape[0]
    count = len(body.organs) + 1
    index = body.labels.reshape(nz, -1).astype(np.int64) + count * np.arange(nz)[:, None]
    flat = np.bincount(index.ravel(), weights=body.density_g_cm3.ravel(), minlength=count * nz)
    by_label = flat.reshape(nz, count).T
    found = {}
    for organ, terms in organ_terms(body).items():
        profile = np.zeros(nz)
        for key, weight in terms:
            one = by_label[body.label(key.split("@")[0])]
            if one.sum() > 0.0:
                profile += weight * one / one.sum()
        found[organ] = profile
    return found


def _collect(scan: CtScan, body: Body, runs: list[RangeRun], seed: int, options: dict[str, Any]) -> CtDose:
    provenance = _provenance(scan, body, runs, seed, options)
    dose_map = _map(scan, body, runs, provenance)
    # what the ensemble of bodies tells replaces the table; where the map is too noisy the table stays
    body = body.with_(anatomy_u={**body.anatomy_u, **ensemble_spread(body, dose_map)})
    profiles, terms = _profiles(body), organ_terms(body)
    spans = _union([run.item.irradiated_z_mm for run in runs])
    doses = []
    for organ, combination in terms.items():
        total = AbsorbedDose.total(
            _organ(scan, body, run, organ, combination, profiles[organ]) for run in runs
        )
        inside = min(1.0, sum(body.inside(organ, span) for span in spans))
        doses.append(OrganDose(organ, total, body.mass_g(organ), inside))
    organs = OrganDoses(doses)
    sizes = size_estimates(scan, body, [run.item for run in runs])
    effective: EffectiveDose | None
    try:
        effective = organs.effective()
    except MissingInput:
        effective = None
    checks = consistency(scan, body, runs, sizes, effective is not None)
    return CtDose(
        organs=organs,
        effective=effective,
        map=dose_map,
        ssde=sizes,
        checks=checks,
        provenance=provenance,
        scan=scan,
        body=body,
        ranges=tuple(run.item for run in runs),
        calibrations=tuple(run.calibration for run in runs),
    )


def _organ(
    scan: CtScan, body: Body, run: RangeRun, organ: str, terms: list[tuple[str, float]], profile: FloatArray
) -> AbsorbedDose:
    per_batch = sum(weight * run.tally.regions[key].per_batch for key, weight in terms)
    batches = np.asarray(per_batch, dtype=np.float64) * run.histories
    value = float(batches.mean())
    spread = float(batches.std(ddof=1) / math.sqrt(batches.size)) if batches.size > 1 else value
    if value == 0.0:
        spread = one_photon_mgy(run, body.mass_g(organ))
    parts = {
        cause: value * part for cause, part in Budget(scan, run.item, body).parts(organ, profile).items()
    }
    parts[statistical(run)] = spread
    sources = {body.origin.get(key.split("@")[0]) for key, _ in terms}
    if body.rival_mm and sources != {"label map"}:
        parts[Cause("anatomy", "place of the image on the body")] = _other_place(run, body, profile)
    own = run.calibration
    origin = f"CTDI calibration, seed {own.seed}, {own.batches} batches"
    parts[Cause("statistical", origin)] = value * own.relative_u
    return AbsorbedDose(value, parts)


def _other_place(run: RangeRun, body: Body, profile: FloatArray) -> float:
    """Return the standard uncertainty of a dose whose image fits two places of the body equally well.

    Half of the cases are at the other place, so the root mean square error is the change over √2. The dose of
    a long scan there is that of the section here.
    """
    z = body.grid.axes_mm()[0]
    low, high = run.item.irradiated_z_mm
    here = coverage(z, low, high)[(z >= low) & (z <= high)]
    if here.size == 0:
        return 0.0
    plateau = section_dose_mgy(run, body) / float(here.mean())
    return plateau * rival_change(z, profile, run.item, body.rival_mm) / math.sqrt(2.0)


def one_photon_mgy(run: RangeRun, mass_g: float) -> float:
    """Return the dose if one of the simulated photons had left all its energy: the resolution of an empty
    tally."""
    if mass_g <= 0.0:
        return 0.0
    share = run.histories / run.tally.histories
    return run.tally.energy_balance.emitted_kev * MGY_PER_KEV_G / mass_g * share


def statistical(run: RangeRun) -> Cause:
    """Return the cause of a run's statistical uncertainty."""
    seed = run.tally.provenance.seed
    return Cause("statistical", f"seed {seed}, {run.tally.batches} batches")


def _union(spans: list[tuple[float, float]]) -> list[tuple[float, float]]:
    merged: list[tuple[float, float]] = []
    for low, high in sorted(spans):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return merged


def _map(scan: CtScan, body: Body, runs: list[RangeRun], provenance: Provenance) -> DoseMap:
    dose = np.zeros(body.grid.shape, dtype=np.float64)
    square = np.zeros(body.grid.shape, dtype=np.float64)
    common: dict[Cause, float] = {}
    for run in runs:
        dose += run.tally.dose_mgy().astype(np.float64) * run.histories
        square += (run.tally.dose_u_mgy().astype(np.float64) * run.histories) ** 2
        share = run.item.dlp_mgy_cm / sum(other.item.dlp_mgy_cm for other in runs)
        for cause, part in Budget(scan, run.item, body).common().items():
            common[cause] = common.get(cause, 0.0) + share * part
    relative = np.divide(np.sqrt(square), dose, out=np.zeros_like(dose), where=dose > 0.0)
    relative[~np.isfinite(relative)] = 1.0
    return DoseMap(body.grid, dose.astype(np.float32), provenance, relative.astype(np.float32), common)


def _provenance(
    scan: CtScan, body: Body, runs: list[RangeRun], seed: int, options: dict[str, Any]
) -> Provenance:
    inputs = dict(scan.inputs) | {"body": body.digest()}
    if scan.image is not None:
        inputs["image"] = digest_of(scan.image.grid.to_json(), scan.image.values)
    assumptions = [item for run in runs for item in run.item.assumptions]
    used = sorted({run.item.filter_shape for run in runs} & {"xcist_small", "xcist_medium", "xcist_large"})
    names = (*TABLES, *(f"xray/bowtie_{name}" for name in used))
    return Provenance(
        method=METHOD,
        seed=seed,
        batches=sum(run.tally.batches for run in runs),
        histories=sum(run.tally.histories for run in runs),
        tables={name: table_digest(name) for name in names},
        inputs=inputs,
        options=options
        | {
            "batches": [run.tally.batches for run in runs],
            "calibration_batches": [run.calibration.batches for run in runs],
            "ranges": [run.item.to_json() for run in runs],
        },
        assumptions=tuple(dict.fromkeys(assumptions)) + body.assumptions,
    )
