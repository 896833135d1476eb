"""One batch of histories in voxels, ready to run anywhere.

Defines `Batches`, `Column`, `VoxelBatches` and `BatchScores`.

`VoxelBatches` is a picklable function of the batch's index. Its score arrays are reused from batch to
batch within a process, because clearing 100 MB costs less than asking the system for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from wholedose.matter import Material, photon_data
from wholedose.transport.crosssections import PhysicsTables
from wholedose.transport.directed import NOTHING_DIRECTED, DirectedArrays, Sphere, directed_arrays
from wholedose.transport.energies import ENERGY_KEV
from wholedose.transport.geometry import Regions, Response, VoxelArrays, VoxelGeometry, response_name
from wholedose.transport.loop import run_histories
from wholedose.transport.scoring import VoxelScores, fold_batch
from wholedose.transport.sources import Source, SourceArrays
from wholedose.transport.window import NO_WINDOW, WeightWindow, WindowArrays

FloatArray = NDArray[np.float64]


class BatchScores(NamedTuple):
    """What a batch leaves: its scores and (emitted, deposited, escaped, won by roulette) in keV."""

    scores: Any
    energy_kev: tuple[float, float, float, float]


@dataclass(frozen=True)
class Column:
    """One row of the result: a region, a response, or the total (always the first)."""

    name: str
    mass_g: float
    is_response: bool = False


class Batches(Protocol):
    """What the batch loop needs of a problem, whatever its geometry."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """What `fold` returns, in order; the total first."""
        ...

    @property
    def histories(self) -> int:
        """Histories per batch."""
        ...

    def __call__(self, index: int) -> BatchScores:
        """Run a batch."""
        ...

    def new_sums(self) -> dict[str, FloatArray]:
        """Return empty voxel sums, to be handed to `fold`."""
        ...

    def fold(self, scores: Any, sums: dict[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Add a batch's voxels to the sums, take its arrays back; return the columns, asked and analogue."""
        ...


@dataclass(eq=False)
class VoxelBatches:
    """Runs batches of one problem: ``batches(index) -> BatchScores``; picklable."""

    seed: int
    histories: int
    columns: tuple[Column, ...]
    physics: PhysicsTables
    source: SourceArrays
    voxels: VoxelArrays
    labels: NDArray[np.int16]
    label_count: int
    response: NDArray[np.float32]
    response_first: NDArray[np.int16]
    response_volume_cm3: FloatArray
    by_voxel: bool
    ray_stepping: bool
    analogue_voxels: bool
    window: WindowArrays = NO_WINDOW
    directed: DirectedArrays = NOTHING_DIRECTED
    spare: deque[VoxelScores] = field(default_factory=deque)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "spare": deque()}

    def __call__(self, index: int) -> BatchScores:
        """Run the batch of that index."""
        try:
            scores = self.spare.pop()
        except IndexError:
            scores = self._new_scores()
        energies = run_histories(
            self.seed,
            index,
            0,
            self.histories,
            self.physics,
            self.source,
            self.voxels,
            scores,
            self.window,
            self.directed,
        )
        return BatchScores(scores, energies)

    def _new_scores(self) -> VoxelScores:
        voxels = len(self.voxels.material)
        track = (voxels if self.by_voxel else self.label_count) if self.ray_stepping else 1
        return VoxelScores(
            self.by_voxel,
            self.ray_stepping,
            self.labels,
            np.zeros(track),
            np.zeros(self.label_count),
            np.zeros(voxels if self.analogue_voxels else 1),
            self.response,
            self.response_first,
            np.zeros(self.response.shape[1]),
        )

    def new_sums(self) -> dict[str, FloatArray]:
        """Return empty voxel sums, to be handed to `fold`."""
        names = (["energy"] if self.by_voxel else []) + (["analogue"] if self._both else [])
        return {
            key: np.zeros(len(self.voxels.material)) for name in names for key in (name, name + " squares")
        }

    @property
    def _both(self) -> bool:
        return self.analogue_voxels and self.ray_stepping

    def fold(self, scores: VoxelScores, sums: dict[str, FloatArray]) -> tuple[FloatArray, FloatArray]:
        """Add a batch's voxels to the sums, take its arrays back; return the columns, asked and analogue."""
        asked, unused = np.zeros(self.label_count), np.zeros(self.label_count)
        analogue = scores.analogue.copy()
        if self.by_voxel:
            first = scores.track if self.ray_stepping else scores.analogue_voxels
            fold_batch(first, scores.labels, sums["energy"], sums["energy squares"], asked)
        if self._both:
            fold_batch(
                scores.analogue_voxels, scores.labels, sums["analogue"], sums["analogue squares"], unused
            )
        if not self.ray_stepping:
            asked = analogue
        elif not self.by_voxel:
            asked = scores.track.copy()
            scores.track[:] = 0.0
        response = scores.response_track / self.response_volume_cm3
        scores.analogue[:] = 0.0
        scores.response_track[:] = 0.0
        self.spare.append(scores)
        return (
            np.concatenate([[asked.sum()], asked[1:], response]),
            np.concatenate([[analogue.sum()], analogue[1:], np.full(len(response), np.nan)]),
        )


def voxel_batches(
    geometry: VoxelGeometry,
    source: Source,
    regions: Regions | None,
    *,
    seed: int,
    histories: int,
    voxel_scores: bool,
    analogue_voxels: bool,
    ray_stepping: bool,
    window: WeightWindow | None = None,
    directed: Sequence[Sphere] = (),
) -> VoxelBatches:
    """Return the batches of a problem; the arguments are those of `simulate`, already checked."""
    physics = geometry.physics()
    count = 1 if regions is None else len(regions.names) + 1
    need_labels = regions is not None or (ray_stepping and not voxel_scores)
    labels: NDArray[np.int16] = np.zeros(
        int(np.prod(geometry.grid.shape)) if need_labels else 1, dtype=np.int16
    )
    response_first = np.zeros(count + 1, dtype=np.int16)
    response = np.zeros((len(ENERGY_KEV), 0), dtype=np.float32)
    volumes = np.zeros(0)
    mass = geometry.mass_g.ravel()
    columns = [Column("total", float(mass.sum()))]
    if regions is not None:
        labels = regions.labels.ravel().astype(np.int16, copy=False)
        masses = np.bincount(labels, weights=mass, minlength=count)
        sizes = np.bincount(labels, minlength=count)
        columns += [Column(name, float(masses[i])) for i, name in enumerate(regions.names, start=1)]
        responses = sorted(regions.response, key=regions.row)
        rows = [regions.row(name) for name in responses]
        response_first[1:] = np.cumsum(np.bincount(rows, minlength=count))
        volumes = np.maximum(sizes[rows], 1) * geometry.grid.voxel_cm3
        # E · l · μen/ρ over the volume is keV/g: a "mass" of 1 g makes it the column's energy
        columns += [Column(response_name(name), 1.0, True) for name in responses]
        if rows:
            curves = [response_curve(regions.response[name]) for name in responses]
            response = np.stack(curves, axis=1).astype(np.float32)
    return VoxelBatches(
        seed=seed,
        histories=histories,
        columns=tuple(columns),
        physics=physics,
        source=source.arrays(geometry.lower_mm),
        voxels=geometry.arrays(physics),
        labels=labels,
        label_count=count,
        response=response,
        response_first=response_first,
        response_volume_cm3=volumes,
        by_voxel=voxel_scores,
        ray_stepping=ray_stepping,
        analogue_voxels=analogue_voxels or (voxel_scores and not ray_stepping),
        window=NO_WINDOW if window is None else window.arrays(),
        directed=directed_arrays(directed, geometry.lower_mm, physics),
    )


def response_curve(item: Response) -> FloatArray:
    """Return a response in cm²/g at the nodes of `ENERGY_KEV`: μen/ρ, or the given table."""
    if isinstance(item, tuple):
        kev, values = np.asarray(item[0], np.float64), np.asarray(item[1], np.float64)
        return np.asarray(np.exp(np.interp(np.log(ENERGY_KEV), np.log(kev), np.log(values))))
    return energy_absorption(item)


def energy_absorption(material: Material) -> FloatArray:
    """Return μen/ρ of a material in cm²/g at the nodes of `ENERGY_KEV`."""
    return photon_data(material).on("energy_absorption", ENERGY_KEV)
