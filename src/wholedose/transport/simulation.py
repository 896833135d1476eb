"""The batch loop. Defines `simulate`."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np

from wholedose.base import (
    Cancelled,
    Executor,
    InvalidInput,
    Provenance,
    SerialExecutor,
    UnknownName,
    digest_of,
)
from wholedose.tables import digest as table_digest
from wholedose.transport.batch import VoxelBatches, voxel_batches
from wholedose.transport.batch_sums import BatchSums
from wholedose.transport.directed import Sphere
from wholedose.transport.geometry import Regions, VoxelGeometry, response_name
from wholedose.transport.importance import plan_spheres, plan_window
from wholedose.transport.solid_batch import SolidBatches, solid_batches
from wholedose.transport.solids import ShapeRegions, SolidGeometry
from wholedose.transport.sources import Source
from wholedose.transport.tally import Tally
from wholedose.transport.window import WeightWindow

DEFAULT_BATCHES = 32
"""Batches where neither a number, nor a target, nor a time is given."""

FEWEST_BATCHES = 20
"""A target is judged from this many batches on: the spread of fewer says too little (±16 % here)."""

FEWEST_TIMED = 4
MOST_BATCHES = 100_000
MAX_SEED = 2**63

Estimator = Literal["track length", "analogue"]
Progress = Callable[[float, str], Any]


def default_histories(voxels: int) -> int:
    """Return the histories per batch for a grid: 50 000, or a twentieth of the voxels if that is more.

    It depends on nothing but the problem's size, so that results do not depend on the machine: 0.1 to 0.5 s
    of one core, of which folding the voxels into the sums takes less than a tenth.
    """
    return int(min(max(50_000, voxels // 20), 2_000_000))


def simulate(
    geometry: VoxelGeometry | SolidGeometry,
    source: Source,
    *,
    seed: int,
    regions: Regions | ShapeRegions | None = None,
    histories_per_batch: int | None = None,
    batches: int | None = None,
    target: Mapping[str, float] | float | None = None,
    seconds: float | None = None,
    executor: Executor | None = None,
    progress: Progress | None = None,
    voxel_scores: bool = True,
    analogue_voxels: bool = False,
    estimator: Estimator = "track length",
    window: WeightWindow | Literal["plan"] | None = None,
    directed: Sequence[Sphere] = (),
) -> Tally:
    """Run photons from a source through a geometry and score the energy they deposit.

    Batches run until their number, every target, or the time is reached, whichever is first. Whether a target
    is reached is judged after each batch in the order of their indices, so the number of batches does not
    depend on the workers; it is stored, and a replay with ``batches=N`` gives the identical result.

    Parameters
    ----------
    geometry : VoxelGeometry or SolidGeometry
    source : ParallelBeam, XrayBeam or IsotropicSource
    seed : int
        0 ≤ seed < 2⁶³.
    regions : Regions or ShapeRegions, optional
        Named groups of voxels, or shapes among solids.
    histories_per_batch : int, optional
        By default `default_histories`.
    batches : int, optional
        Number of batches, or the most where a target or a time is given too.
    target : float or mapping of region name to float, optional
        Relative standard uncertainty to reach, in every region (without regions: in the whole geometry) or in
        the named ones (including ``"<name>@response"``).
    seconds : float, optional
        Wall time after which no further batch is waited for.
    executor : base.Executor, optional
        Where batches run; in this thread by default.
    progress : callable, optional
        Called as ``progress(fraction, text)`` after each batch; returning False cancels.
    voxel_scores : bool
        False saves the voxel arrays and is faster where only regions matter.
    analogue_voxels : bool
        Score voxels by the analogue estimator too.
    estimator : {"track length", "analogue"}
        Analogue uses Woodcock tracking: more histories a second, much less information from each. Regions
        get the analogue score in any case.
    window : WeightWindow or "plan", optional
        Weights that photons are split and rouletted to, at collisions in voxels. ``"plan"`` makes one for the
        regions of ``target`` by short runs (`plan_window`), and spheres for ``directed`` (`plan_spheres`):
        out of the beam that is worth factors of 10 to 400.
    directed : sequence of Sphere
        Small places that one more photon of each collision is directed at.

    Returns
    -------
    Tally

    Raises
    ------
    InvalidInput
        Numbers that make no sense, or regions of another shape than the geometry's.
    UnknownName
        A target for a region that is not there.
    OutsideDomain
        Photon energies outside 1 keV to 10 MeV (from the source).
    Cancelled
        ``progress`` returned False.

    Examples
    --------
    >>> import numpy as np
    >>> from wholedose.base import Grid
    >>> from wholedose.matter import material
    >>> from wholedose.transport import ParallelBeam, VoxelGeometry, simulate
    >>> grid = Grid((10, 10, 10), (10.0, 10.0, 10.0), (-45.0, -45.0, 5.0))
    >>> water = VoxelGeometry(grid, np.zeros(grid.shape, np.uint8), np.ones(grid.shape), (material("water"),))
    >>> beam = ParallelBeam((0, 0, -10), (0, 0, 1), (50, 50), 60.0)
    >>> tally = simulate(water, beam, seed=1, histories_per_batch=2000, batches=10)
    >>> 18 < tally.total.energy_kev < 20
    True
    """
    per_batch = _checked(geometry, seed, regions, histories_per_batch, batches, seconds, estimator, directed)
    wanted = _targets(regions, target)
    limit = (
        batches
        if batches is not None
        else (MOST_BATCHES if target is not None or seconds else DEFAULT_BATCHES)
    )
    run: VoxelBatches | SolidBatches
    if isinstance(geometry, SolidGeometry):
        shapes = regions if isinstance(regions, ShapeRegions) else None
        run = solid_batches(geometry, source, shapes, seed=seed, histories=per_batch)
    else:
        voxel_regions = regions if isinstance(regions, Regions) else None
        if window == "plan":
            asked = {name.split("@")[0] for name in wanted}
            window = plan_window(geometry, source, voxel_regions, asked, seed=seed, executor=executor)
            if voxel_regions is not None and estimator == "track length" and not directed:
                directed = plan_spheres(geometry, voxel_regions, asked, window)
        run = voxel_batches(
            geometry,
            source,
            voxel_regions,
            seed=seed,
            histories=per_batch,
            voxel_scores=voxel_scores,
            analogue_voxels=analogue_voxels,
            ray_stepping=estimator == "track length",
            window=window,
            directed=directed,
        )
    sums = BatchSums(run)
    started = time.monotonic()
    results = (executor or SerialExecutor()).map(run, range(limit))
    try:
        for result in results:
            sums.add(result)
            elapsed = time.monotonic() - started
            missed = sums.missed(wanted)
            judged = bool(wanted) and sums.done >= FEWEST_BATCHES
            if progress is not None:
                fraction = max(sums.done / limit, elapsed / seconds if seconds else 0.0)
                if judged:
                    fraction = max(fraction, sums.progress_to(wanted))
                if progress(min(1.0, fraction), f"{sums.done * per_batch:,} photons") is False:
                    raise Cancelled("The simulation was cancelled.", where=f"after {sums.done} batches")
            if judged and not missed:
                break
            if seconds is not None and elapsed >= seconds and sums.done >= FEWEST_TIMED:
                break
    finally:
        close = getattr(results, "close", None)
        if close is not None:
            close()
    columns = sums.columns()
    return Tally(
        batches=sums.done,
        histories=sums.done * per_batch,
        regions={column.name: column for column in columns[1:]},
        total=columns[0],
        energy_balance=sums.energy_balance(),
        provenance=_provenance(run, sums.done, geometry, source, regions, estimator, window, directed),
        target_missed=sums.missed(wanted),
        grid=geometry.grid if isinstance(geometry, VoxelGeometry) else None,
        mass_g=geometry.mass_g if isinstance(geometry, VoxelGeometry) else None,
        sums=sums.voxels,
    )


def _provenance(
    run: VoxelBatches | SolidBatches,
    done: int,
    geometry: VoxelGeometry | SolidGeometry,
    source: Source,
    regions: Regions | ShapeRegions | None,
    estimator: str,
    window: Any,
    directed: Sequence[Sphere],
) -> Provenance:
    inputs = {"geometry": geometry.digest(), "source": source.digest()}
    if regions is not None:
        inputs["regions"] = regions.digest()
    if window is not None:
        inputs["window"] = window.digest()
    if directed:
        inputs["directed"] = digest_of([[*s.centre_mm, s.radius_mm, s.weight] for s in directed])
    return Provenance(
        method=f"photon Monte Carlo, kerma approximation, {estimator} estimator",
        seed=run.seed,
        batches=done,
        histories=done * run.histories,
        tables={name: table_digest(name) for name in ("matter/elements", "transport/incoherent_impulse")},
        inputs=inputs,
        options={
            "histories_per_batch": run.histories,
            "estimator": estimator,
            "voxel_scores": getattr(run, "by_voxel", False),
        },
    )


def _checked(
    geometry: VoxelGeometry | SolidGeometry,
    seed: int,
    regions: Regions | ShapeRegions | None,
    histories_per_batch: int | None,
    batches: int | None,
    seconds: float | None,
    estimator: str,
    directed: Sequence[Sphere],
) -> int:
    if not 0 <= int(seed) < MAX_SEED:
        raise InvalidInput(f"The seed {seed} is not between 0 and 2⁶³ − 1.", where="seed")
    for name, value in (
        ("histories_per_batch", histories_per_batch),
        ("batches", batches),
        ("seconds", seconds),
    ):
        if value is not None and not value > 0:
            raise InvalidInput(f"{name} is {value}; it must be positive.", where=name)
    if estimator not in ("track length", "analogue"):
        raise UnknownName("estimator", str(estimator), ["track length", "analogue"])
    if isinstance(geometry, SolidGeometry) != isinstance(regions, ShapeRegions) and regions is not None:
        raise InvalidInput(
            f"{type(regions).__name__} do not go with {type(geometry).__name__}.",
            where="regions",
            way_out="Voxels are scored by Regions, solids by ShapeRegions.",
        )
    if isinstance(geometry, SolidGeometry):
        if estimator == "analogue":
            raise InvalidInput(
                "Solids are always scored by both estimators.",
                where="estimator",
                way_out="Read analogue_kev of the regions.",
            )
        return int(histories_per_batch or default_histories(0))
    if directed and estimator == "analogue":
        raise InvalidInput(
            "Photons are directed only in ray stepping.", where="directed", way_out='Use "track length".'
        )
    if isinstance(regions, Regions) and regions.labels.shape != geometry.grid.shape:
        raise InvalidInput(
            f"The labels have shape {regions.labels.shape}, the geometry {geometry.grid.shape}.",
            where="regions",
        )
    if estimator == "analogue" and regions is not None and regions.response:
        raise InvalidInput("Responses need track lengths.", where="estimator", way_out='Use "track length".')
    return int(histories_per_batch or default_histories(int(np.prod(geometry.grid.shape))))


def _targets(
    regions: Regions | ShapeRegions | None, target: Mapping[str, float] | float | None
) -> dict[str, float]:
    """Return the target of each region by name; "total" where there are no regions."""
    if target is None:
        return {}
    names = [*regions.names, *(response_name(key) for key in regions.response)] if regions is not None else []
    wanted = dict(target) if isinstance(target, Mapping) else dict.fromkeys(names or ["total"], float(target))
    for name, value in wanted.items():
        if name not in names and name != "total":
            raise UnknownName("region", name, [*names, "total"], where="target")
        if not 0 < value < 1:
            raise InvalidInput(
                f"The target of {name!r} is {value}; give a relative uncertainty between 0 and 1.",
                where="target",
            )
    return wanted
