"""Speed and efficiency of the photon Monte Carlo beside PenRed, in one run on one core.

``python benchmarks/transport.py --problem A --json`` runs both codes in this process, alternating batch by
batch so that both see the same machine, and prints histories per CPU second and the efficiency 1/(σ²T) of
the voxel and of the sphere at 10 cm depth; σ relative, from the spread of the batches; T CPU seconds. Ours is
one untargeted run that scores the whole grid by track length; ``analogue`` repeats it with the analogue
estimator.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

import penred  # type: ignore[import-not-found]  # beside this file, found when it is run
from machine import machine  # type: ignore[import-not-found]
from wholedose import __version__
from wholedose.transport.batch import voxel_batches
from wholedose.validation.water_problems import Problem, problem

REGIONS = ("voxel", "sph10", "box")
FEWEST = 30


class Collector:
    """Region sums and CPU time of the batches of one code."""

    def __init__(self, setup: Problem, per_batch: int) -> None:
        self.index = {name: np.flatnonzero(setup.masks[name].ravel()) for name in REGIONS}
        self.per_batch = per_batch
        self.values: dict[str, list[float]] = {name: [] for name in REGIONS}
        self.seconds = 0.0

    def add(self, grid: NDArray[np.float64], seconds: float) -> None:
        flat = grid.ravel()
        for name, index in self.index.items():
            self.values[name].append(float(flat[index].sum()))
        self.seconds += seconds

    @property
    def batches(self) -> int:
        return len(self.values["box"])

    def efficiency(self, name: str) -> float:
        values = np.array(self.values[name])
        relative = values.std(ddof=1) / values.mean() / np.sqrt(len(values))
        return float(1.0 / (relative**2 * self.seconds))

    def report(self) -> dict[str, float]:
        return {
            "histories_per_s_core": self.batches * self.per_batch / self.seconds,
            "efficiency_voxel": self.efficiency("voxel"),
            "efficiency_sph10": self.efficiency("sph10"),
            "batches": self.batches,
            "histories": self.batches * self.per_batch,
            "cpu_seconds": self.seconds,
        }


def our_batches(setup: Problem, seed: int, histories: int, ray_stepping: bool) -> Iterator[Any]:
    """Yield (energy per voxel of one batch, CPU seconds, including the sums over batches)."""
    run = voxel_batches(
        setup.geometry,
        setup.source,
        None,
        seed=seed,
        histories=histories,
        voxel_scores=True,
        analogue_voxels=False,
        ray_stepping=ray_stepping,
    )
    sums = run.new_sums()
    run.fold(run(2**40).scores, run.new_sums())  # compiles; an index that no timed batch has
    index = 0
    while True:
        started = time.process_time()
        result = run(index)
        spent = time.process_time() - started
        scores = result.scores.track if ray_stepping else result.scores.analogue_voxels
        yield scores, spent
        started = time.process_time()
        run.fold(result.scores, sums)
        index += 1
        yield None, time.process_time() - started


def measure(name: str, seconds: float, seed: int) -> dict[str, Any]:
    setup = problem(name)
    per_batch = 50_000
    sizes = {"wholedose": per_batch, "analogue": per_batch, "penred": 20_000}
    collectors = {code: Collector(setup, size) for code, size in sizes.items()}
    ours = {
        "wholedose": our_batches(setup, seed, per_batch, True),
        "analogue": our_batches(setup, seed, per_batch, False),
    }
    theirs = penred.batches(setup, seed, sizes["penred"])
    next(theirs)  # warm-up
    started = time.monotonic()
    while time.monotonic() - started < seconds or collectors["penred"].batches < FEWEST:
        for code, run in ours.items():
            grid, spent = next(run)
            collectors[code].add(grid, spent)
            collectors[code].seconds += next(run)[1]
        for _ in range(2):
            collectors["penred"].add(*next(theirs))
    theirs.close()
    reports: dict[str, Any] = {code: collector.report() for code, collector in collectors.items()}
    keys = ("histories_per_s_core", "efficiency_voxel", "efficiency_sph10")
    ratios = {key: reports["wholedose"][key] / reports["penred"][key] for key in keys}
    # each efficiency carries the spread of a variance from n batches: sqrt(2 / (n - 1))
    n, m = reports["wholedose"]["batches"], reports["penred"]["batches"]
    return {
        "format": 1,
        "problem": name,
        **reports["wholedose"],
        "wholedose": reports["wholedose"],
        "analogue": reports["analogue"],
        "penred": reports["penred"],
        "ratio_to_penred": ratios,
        "ratio_to_penred_relative_u_of_efficiencies": float(np.sqrt(2 / (n - 1) + 2 / (m - 1))),
        "version": __version__,
        "machine": machine(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--problem", choices=["A", "B", "C"], default="A")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--seconds", type=float, default=30.0, help="wall time of the timed part")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    result = measure(arguments.problem, arguments.seconds, arguments.seed)
    if arguments.json:
        print(json.dumps(result, indent=1))
        return
    for key in ("histories_per_s_core", "efficiency_voxel", "efficiency_sph10"):
        row = " ".join(f"{result[code][key]:12.4g}" for code in ("wholedose", "analogue", "penred"))
        print(f"{key:22s} {row}   ratio {result['ratio_to_penred'][key]:.3g}")


if __name__ == "__main__":
    main()
    sys.stdout.flush()
    os._exit(0)  # PenRed would write its tally into the working folder when it is torn down
