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
from wholedose.body import Person, from_ct, reference
from wholedose.validation.completion import ct_of


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
    body = reference(woman, "supine, arms up", voxel_mm)
    image = ct_of(body, (body.landmarks["lung_bottom"] - 60.0, body.landmarks["lung_top"] + 30.0))
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
