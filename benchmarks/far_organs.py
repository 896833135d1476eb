"""Core-seconds that the organs of a whole person take in a chest CT, near and far from the beam.

``python benchmarks/far_organs.py`` simulates one scan of a reference man plain, with a planned weight window,
and with directed photons besides, on one core, and prints for each organ the CPU seconds to 2 % (in the beam)
or 10 % (elsewhere) statistical standard uncertainty: (u / asked)² times the CPU time. ``--json`` prints them
as JSON.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
from typing import Any

from machine import machine  # type: ignore[import-not-found]  # beside this file, found when it is run
from wholedose import __version__
from wholedose.body import Body, Person, reference
from wholedose.transport import Tally, VoxelGeometry, simulate
from wholedose.transport.importance import plan_spheres, plan_window
from wholedose.xray import CtScan
from wholedose.xray.ct_estimate import goals_of, organ_terms, regions_of
from wholedose.xray.ct_rules import resolve
from wholedose.xray.ct_source import CtBeam, views

IN_BEAM, ELSEWHERE = 0.02, 0.10


def seconds_needed(body: Body, span: tuple[float, float], tally: Tally, cpu_s: float) -> dict[str, float]:
    """Return the CPU seconds that each organ takes to what is asked of it."""
    found = {}
    for organ, terms in organ_terms(body).items():
        batches = sum(weight * tally.regions[key].per_batch for key, weight in terms)
        mean = float(batches.mean())  # type: ignore[union-attr]
        u = float(batches.std(ddof=1)) / math.sqrt(tally.batches) / mean if mean > 0 else math.inf  # type: ignore[union-attr]
        asked = IN_BEAM if body.inside(organ, span) >= 0.9 else ELSEWHERE
        found[organ] = (u / asked) ** 2 * cpu_s
    return found


def measure(voxel_mm: float, seconds: float) -> dict[str, Any]:
    body = reference(Person("M", 40, 176, 73), "supine, arms up", voxel_mm)
    x, y, _ = body.grid.centre_mm
    marks = body.landmarks
    scan = CtScan.typed(
        kv=120, ctdivol_mgy=10.0, phantom_cm=32, mode="helical", collimation_mm=40, pitch=1.0,
        start_z_mm=marks["lung_bottom"], end_z_mm=marks["lung_top"], isocentre_mm=(x, y),
    )  # fmt: skip
    item = resolve(scan.ranges[0], scan, (x, y))
    geometry, source, regions = (
        VoxelGeometry(*body.geometry()), CtBeam.of(item).source(views(item)), regions_of(body)
    )  # fmt: skip
    goals = goals_of(item, body, {"organs": IN_BEAM, "outside": ELSEWHERE})
    found: dict[str, Any] = {}
    for name in ("plain", "window", "planned"):
        begun = time.process_time()
        window = plan_window(geometry, source, regions, goals, seed=1) if name != "plain" else None
        directed = (
            plan_spheres(geometry, regions, goals, window) if name == "planned" and window is not None else []
        )
        planned = time.process_time() - begun
        options: dict[str, Any] = {
            "regions": regions, "histories_per_batch": 20_000, "voxel_scores": False, "window": window,
            "directed": directed,
        }  # fmt: skip
        simulate(geometry, source, seed=1, batches=1, **options)  # reads compiled code
        begun = time.process_time()
        tally = simulate(geometry, source, seed=2, seconds=seconds, **options)
        cpu = time.process_time() - begun
        found[name] = {
            "plan_cpu_s": planned,
            "spheres": len(directed),
            "histories_per_s": tally.histories / cpu,
            "batches": tally.batches,
            "organ_cpu_s": {
                k: round(v, 2) for k, v in seconds_needed(body, item.irradiated_z_mm, tally, cpu).items()
            },
        }
    return {
        "format": 1,
        "load": os.getloadavg()[0],
        "voxel_mm": voxel_mm,
        "asked": {"in the beam": IN_BEAM, "elsewhere": ELSEWHERE},
        **found,
        "version": __version__,
        "machine": machine(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voxel-mm", type=float, default=3.0)
    parser.add_argument("--seconds", type=float, default=60.0, help="of each of the three runs")
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    found = measure(chosen.voxel_mm, chosen.seconds)
    if chosen.json:
        print(json.dumps(found, indent=1))
        return
    plain, window, planned = (found[name]["organ_cpu_s"] for name in ("plain", "window", "planned"))
    print(f"{'CPU s for 2 % in the beam, 10 % elsewhere':<44}{'plain':>10}{'window':>10}{'planned':>10}")
    for organ in sorted(plain, key=lambda name: -planned[name]):
        print(f"{organ:<44}{plain[organ]:>10.1f}{window[organ]:>10.1f}{planned[organ]:>10.1f}")
    print(f"plan: {found['planned']['plan_cpu_s']:.1f} s")


if __name__ == "__main__":
    main()
