"""The sums over batches, in the order of their indices. Defines `BatchSums`."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from wholedose.transport.batch import Batches, BatchScores
from wholedose.transport.tally import EnergyBalance, RegionTally

FloatArray = NDArray[np.float64]


class BatchSums:
    """Takes batches one by one and knows the uncertainty so far."""

    def __init__(self, run: Batches) -> None:
        self.run = run
        self.done = 0
        self.voxels = run.new_sums()
        self._index = {column.name: k for k, column in enumerate(run.columns)}
        self._asked: list[FloatArray] = []
        self._analogue: list[FloatArray] = []
        self._energies: list[tuple[float, float, float, float]] = []
        self._sum = np.zeros(len(run.columns))
        self._squares = np.zeros(len(run.columns))

    def add(self, result: BatchScores) -> None:
        """Add the next batch."""
        asked, analogue = self.run.fold(result.scores, self.voxels)
        asked, analogue = asked / self.run.histories, analogue / self.run.histories
        self._asked.append(asked)
        self._analogue.append(analogue)
        self._energies.append(result.energy_kev)
        self._sum += asked
        self._squares += asked**2
        self.done += 1

    def relative_u(self, name: str) -> float:
        """Return the relative standard uncertainty of a column so far; infinite where nothing was scored."""
        k, n = self._index[name], self.done
        mean = self._sum[k] / n
        if n < 2 or not mean > 0:
            return math.inf
        variance = max(self._squares[k] / n - mean**2, 0.0) / (n - 1)
        return math.sqrt(variance) / float(mean)

    def missed(self, wanted: Mapping[str, float]) -> tuple[str, ...]:
        """Return the names whose target is not reached yet."""
        return tuple(name for name, target in wanted.items() if self.relative_u(name) > target)

    def progress_to(self, wanted: Mapping[str, float]) -> float:
        """Return the expected share of the work done, by the slowest target (u falls as 1/√n)."""
        return min(min(1.0, (target / self.relative_u(name)) ** 2) for name, target in wanted.items())

    def columns(self) -> list[RegionTally]:
        """Return the tallies, total first."""
        asked, analogue = np.array(self._asked), np.array(self._analogue)
        return [
            RegionTally.from_batches(
                column.name, column.mass_g, asked[:, k], None if column.is_response else analogue[:, k]
            )
            for k, column in enumerate(self.run.columns)
        ]

    def energy_balance(self) -> EnergyBalance:
        """Return the energy balance per history."""
        histories = self.done * self.run.histories
        sums = [math.fsum(energies[k] for energies in self._energies) / histories for k in range(4)]
        return EnergyBalance(*sums)
