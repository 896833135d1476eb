"""Where photons are worth more. Defines `plan_window` and `plan_spheres`.

Few photons of a CT of the chest ever reach the pelvis. A window that wants the weight of a photon to fall as
the dose falls (Cooper, Larsen 2001, doi:10.13182/NSE00-34) makes their number about even, whatever the
distance. The dose comes from short runs on coarse cells, each with the window of the one before, which
reaches further; beyond what they reach it is continued exponentially. Regions that are asked for pull photons
towards them, the rest of the body does not.

To some places photons come through the air, from one collision in the skin, with their whole weight: eyes,
testes, the floor of the pelvis. No window makes more of those, so they are directed (`directed`).
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from wholedose.base import Executor, InvalidInput, SerialExecutor
from wholedose.transport.batch import voxel_batches
from wholedose.transport.directed import Sphere
from wholedose.transport.geometry import Regions, VoxelGeometry
from wholedose.transport.sources import Source
from wholedose.transport.window import WeightWindow

FloatArray = NDArray[np.float64]

EDGE_MM = 25.0
MOST_CELLS = 30_000
ROUNDS = 3
ROUND_BATCHES = 8
ROUND_HISTORIES = 10_000
FALL_MM = 40.0
"""Dose outside the beam falls by e in about so much: taken where short runs say nothing (assumption)."""

EVEN = 0.9
"""Wanted weights fall as the dose to this power; at 1 the number of photons would be the same everywhere."""

HEAVIEST = 5.0
"""In the middle of the beam, whose organs need no help."""

KNOWN_U = 0.4
LEAST_WEIGHT = 1e-7
FAR_WEIGHT, SMALL_CM3, COMPACT = 0.03, 40.0, 0.02
"""Directed at are regions that are dim, small, and fill so much of a sphere: no ureters."""

MARGIN_MM, LEAST_RADIUS_MM, LARGEST_RADIUS_MM = 8.0, 15.0, 70.0
ALIKE = 0.75
"""Spheres that overlap are joined if the radii are as alike as this."""

ARRIVING = 0.5
"""Directed photons arrive with this part of the wanted weight: small places need more of them."""

SEED_STEP = 0x5EED


def plan_window(
    geometry: VoxelGeometry,
    source: Source,
    regions: Regions | None = None,
    targets: Iterable[str] = (),
    *,
    seed: int,
    executor: Executor | None = None,
) -> WeightWindow:
    """Return the weight window for a problem.

    Parameters
    ----------
    geometry : VoxelGeometry
    source : Source
    regions : Regions, optional
    targets : iterable of str
        Names of the regions that count; without any the whole geometry counts alike.
    seed : int
        Of the short runs. The same arguments give the same window.
    executor : Executor, optional

    Examples
    --------
    ``simulate(geometry, beam, seed=1, regions=organs, window=plan_window(geometry, beam, organs, seed=1))``
    """
    edge, cell, shape = _cells(geometry)
    mass = np.bincount(cell, weights=geometry.mass_g.ravel(), minlength=math.prod(shape)).reshape(shape)
    places = Regions((cell + 1).reshape(geometry.grid.shape), tuple(str(k) for k in range(math.prod(shape))))
    inside = [] if regions is None else _held(regions, targets, cell, shape)
    distances = [ndimage.distance_transform_edt(~mask, sampling=edge) for mask in inside]
    window: WeightWindow | None = None
    for number in range(1, ROUNDS + 1):
        energy, u = _short_run(geometry, source, places, window, seed + number * SEED_STEP, executor)
        energy, u = energy.reshape(shape), u.reshape(shape)
        known = (u < KNOWN_U) & (energy > 0.0) & (mass > 0.0)
        if not known.any():
            raise InvalidInput("No photon of the source meets the geometry.", where="source")
        dose = _continued(np.where(known, energy / np.where(known, mass, 1.0), 0.0), edge)
        window = WeightWindow(edge, _wanted(dose / np.quantile(dose[known], 0.95), distances))
    assert window is not None
    return window


def plan_spheres(
    geometry: VoxelGeometry, regions: Regions, targets: Iterable[str], window: WeightWindow
) -> list[Sphere]:
    """Return the spheres that photons are directed at: around small regions far from the beam.

    Parameters
    ----------
    geometry : VoxelGeometry
    regions : Regions
    targets : iterable of str
        Names of the regions that count.
    window : WeightWindow
        Of `plan_window`: it tells which are far.
    """
    grid = geometry.grid
    z, y, x = grid.axes_mm()
    boxes = ndimage.find_objects(regions.labels)
    found: list[Sphere] = []
    for row in sorted({regions.row(name) for name in targets if name != "total"}):
        box = boxes[row - 1] if row <= len(boxes) else None
        if box is None:
            continue
        parts, count = ndimage.label(regions.labels[box] == row, structure=np.ones((3, 3, 3), dtype=np.bool_))
        if (parts > 0).sum() * grid.voxel_cm3 > SMALL_CM3:
            continue
        for number in range(1, count + 1):
            at = np.argwhere(parts == number) + [part.start for part in box]
            places = np.column_stack([x[at[:, 2]], y[at[:, 1]], z[at[:, 0]]])
            centre = 0.5 * (places.min(axis=0) + places.max(axis=0))
            radius = float(np.linalg.norm(places - centre, axis=1).max())
            if len(at) * grid.voxel_cm3 < COMPACT * 4.0 / 3.0 * math.pi * (radius / 10.0) ** 3:
                continue
            radius += MARGIN_MM
            cell = ((centre - np.asarray(grid.lower_mm)) / window.edge_mm).astype(int)[::-1]
            weight = float(window.weight[tuple(np.minimum(cell, np.array(window.weight.shape) - 1))])
            if weight < FAR_WEIGHT and radius <= LARGEST_RADIUS_MM:
                place = (float(centre[0]), float(centre[1]), float(centre[2]))
                found.append(Sphere(place, max(radius, LEAST_RADIUS_MM), ARRIVING * weight))
    return joined_spheres(found)


def joined_spheres(spheres: list[Sphere]) -> list[Sphere]:
    """Join spheres of like size that overlap, while the whole is not too large."""
    for i, one in enumerate(spheres):
        for k in range(i + 1, len(spheres)):
            other = spheres[k]
            apart = float(np.linalg.norm(np.subtract(one.centre_mm, other.centre_mm)))
            whole = one.joined(other)
            low, high = sorted((one.radius_mm, other.radius_mm))
            if apart < low + high and low > ALIKE * high and whole.radius_mm <= LARGEST_RADIUS_MM:
                return joined_spheres([*spheres[:i], whole, *spheres[i + 1 : k], *spheres[k + 1 :]])
    return spheres


def _cells(geometry: VoxelGeometry) -> tuple[float, NDArray[np.int64], tuple[int, int, int]]:
    """Return the edge of the cells, the cell of each voxel, and how many there are along z, y and x."""
    sizes = [n * d for n, d in zip(geometry.grid.shape, geometry.grid.spacing_mm, strict=True)]
    edge = EDGE_MM
    while math.prod(math.ceil(size / edge) for size in sizes) > MOST_CELLS:
        edge *= 1.1
    index = [
        ((np.arange(n) + 0.5) * d / edge).astype(np.int64)
        for n, d in zip(geometry.grid.shape, geometry.grid.spacing_mm, strict=True)
    ]
    nz, ny, nx = (math.ceil(size / edge) for size in sizes)
    z, y, x = index
    cell = (z[:, None, None] * ny + y[None, :, None]) * nx + x[None, None, :]
    return edge, cell.ravel(), (nz, ny, nx)


def _short_run(
    geometry: VoxelGeometry,
    source: Source,
    labels: Regions,
    window: WeightWindow | None,
    seed: int,
    executor: Executor | None,
) -> tuple[FloatArray, FloatArray]:
    """Return energy and relative uncertainty of each cell."""
    run = voxel_batches(
        geometry, source, labels, seed=seed, histories=ROUND_HISTORIES, voxel_scores=False,
        analogue_voxels=False, ray_stepping=True, window=window,
    )  # fmt: skip
    sums = run.new_sums()
    results = (executor or SerialExecutor()).map(run, range(ROUND_BATCHES))
    rows = np.array([run.fold(result.scores, sums)[0][1:] for result in results])
    mean = rows.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        u = rows.std(axis=0, ddof=1) / math.sqrt(len(rows)) / mean
    return mean, np.where(mean > 0.0, u, np.inf)


def _continued(dose: FloatArray, edge: float) -> FloatArray:
    """Continue a dose to the cells where it is 0, falling with the distance to the nearest others."""
    distance, nearest = ndimage.distance_transform_edt(dose == 0.0, sampling=edge, return_indices=True)
    return np.asarray(dose[tuple(nearest)] * np.exp(-distance / FALL_MM))


def _held(
    regions: Regions, targets: Iterable[str], cell: NDArray[np.int64], shape: tuple[int, int, int]
) -> list[NDArray[np.bool_]]:
    """Return the cells that hold each of some regions."""
    count = len(regions.names) + 1
    both = np.bincount(cell * count + regions.labels.ravel(), minlength=count * math.prod(shape))
    held = both.reshape(*shape, count) > 0
    rows = sorted({regions.row(name) for name in targets if name != "total"})
    return [held[..., row] for row in rows if held[..., row].any()]


def _wanted(dose: FloatArray, distances: list[FloatArray]) -> FloatArray:
    """Wanted weights for a relative dose; they rise again with the distance from all that is asked for."""
    weight = np.clip(dose**EVEN, LEAST_WEIGHT, HEAVIEST)
    if distances:
        towards = [np.median(weight[d == 0.0]) * np.exp(d / FALL_MM) for d in distances]
        weight = np.maximum(weight, np.minimum.reduce(towards))
    return np.asarray(np.clip(weight, LEAST_WEIGHT, HEAVIEST))
