"""Batches of histories among solids. Defines `SolidBatches`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholedose.base import InvalidInput
from wholedose.transport.batch import BatchScores, Column, response_curve
from wholedose.transport.crosssections import PhysicsTables
from wholedose.transport.energies import ENERGY_KEV
from wholedose.transport.shapes import SHAPE_NUMBERS, Shape, contains
from wholedose.transport.solid_loop import SolidScores, run_solid_histories
from wholedose.transport.solids import ShapeRegions, SolidArrays, SolidGeometry, material_at
from wholedose.transport.sources import Source, SourceArrays

FloatArray = NDArray[np.float64]
_SEVERAL = -2
_PROBES = 17


@dataclass(eq=False)
class SolidBatches:
    """Runs batches of one problem of solids: ``batches(index) -> BatchScores``; picklable."""

    seed: int
    histories: int
    columns: tuple[Column, ...]
    physics: PhysicsTables
    source: SourceArrays
    solids: SolidArrays
    empty: SolidScores
    response_volume_cm3: FloatArray

    def __call__(self, index: int) -> BatchScores:
        """Run the batch of that index."""
        fresh = self.empty
        scores = fresh._replace(
            track=np.zeros_like(fresh.track),
            analogue=np.zeros_like(fresh.analogue),
            response_track=np.zeros_like(fresh.response_track),
        )
        energies = run_solid_histories(
            self.seed, index, 0, self.histories, self.physics, self.source, self.solids, scores
        )
        return BatchScores(scores, (*energies, 0.0))

    def new_sums(self) -> dict[str, FloatArray]:
        """Return no voxel sums: solids have no voxels."""
        return {}

    def fold(self, scores: SolidScores, sums: dict[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Return the columns: track length (or collision) estimator, and analogue."""
        response = scores.response_track / self.response_volume_cm3
        return (
            np.concatenate([scores.track, response]),
            np.concatenate([scores.analogue, np.full(len(response), np.nan)]),
        )


def solid_batches(
    geometry: SolidGeometry, source: Source, regions: ShapeRegions | None, *, seed: int, histories: int
) -> SolidBatches:
    """Return the batches of a problem; the arguments are those of `simulate`, already checked."""
    physics = geometry.physics()
    arrays = geometry.arrays(physics)
    low, high = geometry.box_mm
    shapes = dict(regions.shapes) if regions is not None else {}
    response = dict(regions.response) if regions is not None else {}
    for name, shape in shapes.items():
        bounds = shape.bounds_mm()
        if (bounds[0] < np.asarray(low) - 1e-6).any() or (bounds[1] > np.asarray(high) + 1e-6).any():
            raise InvalidInput(
                f"The region {name!r} sticks out of the geometry's box, {low} to {high} mm.",
                where="regions",
                way_out="Give the geometry a larger box with lower_mm and upper_mm.",
            )
    probes = [_probe(arrays, shape, low) for shape in shapes.values()]
    columns = [Column("total", _box_mass(arrays))]
    for (name, shape), probe in zip(shapes.items(), probes, strict=True):
        columns.append(Column(name, shape.volume_cm3 * probe[2]))
    columns += [Column(f"{name}@response", 1.0, True) for name in response]
    slots = list(response)
    curves = [response_curve(item) for item in response.values()]
    empty = SolidScores(
        shapes=np.array([shape.row(low) for shape in shapes.values()]).reshape(-1, SHAPE_NUMBERS),
        material=np.array([probe[0] for probe in probes], dtype=np.int64),
        density=np.array([probe[1] for probe in probes], dtype=np.float64),
        response_of=np.array([slots.index(n) if n in slots else -1 for n in shapes], dtype=np.int64),
        response=np.stack(curves, axis=1).astype(np.float32)
        if curves
        else np.zeros((len(ENERGY_KEV), 0), dtype=np.float32),
        track=np.zeros(len(shapes) + 1),
        analogue=np.zeros(len(shapes) + 1),
        response_track=np.zeros(len(slots)),
    )
    volumes = np.array([shapes[name].volume_cm3 for name in slots], dtype=np.float64)
    source_arrays = source.arrays(low)
    return SolidBatches(seed, histories, tuple(columns), physics, source_arrays, arrays, empty, volumes)


def _points(shape: Shape, low: tuple[float, float, float]) -> FloatArray:
    """Return probe points in cm of a regular lattice over a shape's bounds, off its faces."""
    corners = shape.bounds_mm()
    steps = (np.arange(_PROBES) + 0.5) / _PROBES
    axes = [(a + (b - a) * steps - c) / 10.0 for a, b, c in zip(*corners, low, strict=True)]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)


def _probe(solids: SolidArrays, shape: Shape, low: tuple[float, float, float]) -> tuple[int, float, float]:
    """Return (material, density, mean density) of a shape from a lattice of probes; -2 for several."""
    found = inside_materials(solids, shape.row(low), _points(shape, low))
    kinds = np.unique(found, axis=0)
    if len(kinds) == 1:
        return int(kinds[0, 0]), float(kinds[0, 1]), float(kinds[0, 1])
    return _SEVERAL, 0.0, float(found[:, 1].mean())


def inside_materials(solids: SolidArrays, row: FloatArray, points: FloatArray) -> FloatArray:
    """Return (material, density) at those points that lie in a shape; at its centre for a flat one."""
    held = [material_at(solids, *point) for point in points if contains(row, *point)]
    return np.array(held or [material_at(solids, row[1], row[2], row[3])], dtype=np.float64)


def _box_mass(solids: SolidArrays) -> float:
    """Return the mass in the box in g, from a lattice of probes."""
    steps = (np.arange(_PROBES) + 0.5) / _PROBES
    axes = [length * steps for length in solids.size]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    return float(np.mean([material_at(solids, *point)[1] for point in points]) * np.prod(solids.size))
