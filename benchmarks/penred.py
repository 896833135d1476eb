"""A peer for the transport benchmark: PenRed (pyPenred, AGPL) driven through its Python interface.

Batches come from one interactive run; the tally is cumulative, so a batch is the difference of two readings.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.transport.sources import PARALLEL
from wholedose.validation.water_problems import Problem

_GAMMA_KEV = 1.0
_KEPT: list[Any] = []
"""Runs are neither ended (version 1.15.2 then frees memory twice) nor destroyed (it waits for ever)."""

# electrons must be absorbed where they arise; PenRed spells the key this way and ignores other spellings
_CONFIG = """
sources/generic/s/nhist 1.0E12
sources/generic/s/kpar "gamma"
sources/generic/s/direction/type "CONE"
sources/generic/s/direction/theta 0.0
sources/generic/s/direction/phi 0.0
sources/generic/s/direction/alpha 0.0
sources/generic/s/spatial/type "BOX"
sources/generic/s/spatial/size/dx 10.0
sources/generic/s/spatial/size/dy 10.0
sources/generic/s/spatial/size/dz 0.0
sources/generic/s/spatial/position/x 15.0
sources/generic/s/spatial/position/y 15.0
sources/generic/s/spatial/position/z -1.0
tallies/dose/type "SPATIAL_DOSE_DISTRIB"
tallies/dose/print-xyz false
geometry/type "VOXEL"
geometry/filename "box.txt"
geometry/ascii true
geometry/enclosure-margin 1.0e-4
geometry/enclosure-material 1
simulation/threads 1
"""


def batches(problem: Problem, seed: int, histories: int) -> Iterator[tuple[NDArray[np.float64], float]]:
    """Yield (dose per voxel [z, y, x] of one batch, eV/g, CPU seconds); endless, close it when done."""
    from pyPenred import simulation

    home = os.getcwd()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)  # PenRed reads and writes its files in the working folder
        try:
            simulation.setConfigurationLog("configuration.log")
            simulation.setSimulationLog("simulation.log")
            run = simulation.create()
            _KEPT.append(run)
            run.configFromString(_configuration(problem, seed))
            run.simulate(True, True)
            before = np.zeros(problem.geometry.grid.shape)
            first = run.instructionUpdateResults("dose")
            run.instructionWait(first, 600)  # the set-up is not timed
            done = 0
            while True:
                started = time.process_time()
                run.instructionSimulate("s", histories)
                if not run.instructionWait(run.instructionUpdateResults("dose"), 600):
                    raise RuntimeError("PenRed did not answer within 600 s")
                spent = time.process_time() - started
                done += histories
                mean = np.array(run.getResults(["dose"])["dose"][0].data()[0])
                total = mean.reshape(before.shape) * done
                yield total - before, spent
                before = total
        finally:
            os.chdir(home)


def _configuration(problem: Problem, seed: int) -> str:
    from pyPenred import simulation

    geometry = problem.geometry
    source: Any = problem.source.arrays(geometry.lower_mm)
    if source.kind != PARALLEL:
        raise ValueError("only the parallel beams are set up for PenRed")
    lines = [_CONFIG, f"simulation/seed1 {seed}"]
    if len(source.energy_kev) == 1:
        lines += [
            'sources/generic/s/energy/type "MONOENERGETIC"',
            f"sources/generic/s/energy/energy {source.energy_kev[0] * 1e3}",
        ]
    else:
        kev, weight = problem.source.energy  # type: ignore[attr-defined]
        half = (kev[1] - kev[0]) / 2
        lines.append('sources/generic/s/energy/type "FILE_SPECTRUM"')
        lines.append('sources/generic/s/energy/filename "spectrum.txt"')
        with open("spectrum.txt", "w", encoding="ascii") as file:
            for k, w in zip(kev, weight, strict=True):
                file.write(f"{(k - half) * 1e3} {w}\n")
            file.write(f"{(kev[-1] + half) * 1e3} -1\n")
    for axis, n, spacing in zip("zyx", geometry.grid.shape, geometry.grid.spacing_mm, strict=True):
        lines += [
            f"tallies/dose/{axis}min 0",
            f"tallies/dose/{axis}max {n * spacing / 10}",
            f"tallies/dose/n{axis} {n}",
        ]
    used = [int(m) for m in np.unique(geometry.material)]
    for number, m in enumerate(used, start=1):
        item = geometry.materials[m]
        simulation.materials.create(item.name, item.density_g_cm3, list(item.composition), f"{item.name}.mat")
        lines += [
            f"materials/{item.name}/number {number}",
            f"materials/{item.name}/eabs/electron 1e9",
            f"materials/{item.name}/eabs/positron 1e9",
            f"materials/{item.name}/eabs/gamma {_GAMMA_KEV * 1e3}",
            f"materials/{item.name}/C1 0.1",
            f"materials/{item.name}/C2 0.1",
            f"materials/{item.name}/WCC 1e3",
            f"materials/{item.name}/WCR 1e3",
            f'materials/{item.name}/filename "{item.name}.mat"',
        ]
    with open("box.txt", "w", encoding="ascii") as file:
        (nz, ny, nx), (dz, dy, dx) = geometry.grid.shape, geometry.grid.spacing_mm
        file.write(f"{nx} {ny} {nz}\n{dx / 10} {dy / 10} {dz / 10}\n")
        numbers = {m: number for number, m in enumerate(used, start=1)}
        # the second number is the density over the material's own
        file.writelines(f"{numbers[int(m)]} 1.0\n" for m in geometry.material.ravel())
    return "\n".join(lines) + "\n"
