"""Time and memory that bodies take: a new person, a new pose of the same person, a chest CT completed.

``python benchmarks/bodies.py`` prints wall and CPU seconds (all threads together) of each, at 3 mm by
default; ``--json`` prints them as JSON. Every repeat is another person, so that nothing is remembered. The
wall time is the least of the repeats, the CPU time the median; ``first`` is the first body of this process,
which reads tables and compiled code.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from machine import machine  # type: ignore[import-not-found]  # beside this file, found when it is run
from wholedose import __version__
from wholedose.base import Grid, Volume
from wholedose.body import Body, Person, from_ct, reference
from wholedose.matter import HuCalibration

AIR_ROWS = 8


def chest_ct(body: Body, noise_hu: float = 8.0) -> Volume:
    """Return CT numbers by density from the lung base to the shoulders, with noise."""
    scale = np.arange(-1000, 3000, dtype=float)
    density = np.maximum.accumulate(HuCalibration.schneider2000().density(scale))
    z = body.grid.axes_mm()[0]
    first, last = np.searchsorted(
        z, [body.landmarks["lung_bottom"] - 60.0, body.landmarks["lung_top"] + 30.0]
    )
    part = np.pad(
        body.density_g_cm3[first:last], ((0, 0), (AIR_ROWS, AIR_ROWS), (0, 0)), constant_values=0.0012
    )
    hu = np.where(part < 0.01, -1000.0, np.interp(part, density, scale))
    hu += np.random.default_rng(7).normal(0.0, noise_hu, hu.shape)
    x, y, _ = body.grid.origin_mm
    origin = (x, y - AIR_ROWS * body.grid.spacing_mm[1], float(z[first]))
    return Volume(Grid(hu.shape, body.grid.spacing_mm, origin), hu.astype(np.int16), "HU", {"modality": "CT"})


def timed(calls: Sequence[Callable[[], Any]]) -> dict[str, Any]:
    """Return the least wall time and the median CPU time of calls, s."""
    walls, cpus = [], []
    for call in calls:
        wall, cpu = time.perf_counter(), time.process_time()
        call()
        walls.append(time.perf_counter() - wall)
        cpus.append(time.process_time() - cpu)
    return {"wall_s": min(walls), "cpu_s": float(np.median(cpus)), "repeats": len(calls)}


def measure(voxel_mm: float, repeats: int) -> dict[str, Any]:
    woman = Person("F", 35, 168, 70)
    people = [woman.with_(weight_kg=70.0 + 0.5 * n) for n in range(repeats)]
    found = {"first": timed([lambda: reference(Person("M", 40, 175, 75), voxel_mm=voxel_mm)])}
    found["new_person"] = timed([lambda p=p: reference(p, voxel_mm=voxel_mm) for p in people])  # type: ignore[misc]
    found["new_pose"] = timed([lambda p=p: reference(p, "sitting", voxel_mm) for p in people])  # type: ignore[misc]
    image = chest_ct(reference(woman, "supine, arms up", voxel_mm))
    from_ct(image, Person("F", 45, 160, 60), voxel_mm=voxel_mm)  # reads compiled code
    others = [Person("F", 35, 165, 66.0 + 0.5 * n) for n in range(repeats)]
    found["chest_ct"] = timed([lambda p=p: from_ct(image, p, voxel_mm=voxel_mm) for p in others])  # type: ignore[misc]
    return {
        "format": 1,
        # wall times of a busy machine tell little
        "load": os.getloadavg()[0],
        "voxel_mm": voxel_mm,
        **found,
        "peak_memory_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
        "version": __version__,
        "machine": machine(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--voxel-mm", type=float, default=3.0)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    result = measure(arguments.voxel_mm, arguments.repeats)
    if arguments.json:
        print(json.dumps(result, indent=1))
        return
    for name in ("first", "new_person", "new_pose", "chest_ct"):
        print(f"{name:12s} {result[name]['wall_s']:7.2f} s wall {result[name]['cpu_s']:7.2f} s CPU")
    print(f"peak memory  {result['peak_memory_gb']:7.2f} GB")


if __name__ == "__main__":
    main()
