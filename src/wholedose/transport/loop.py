"""The life of a photon in voxels. Defines `run_histories`, the one kernel for `VoxelGeometry`.

A photon flies (ray stepping from voxel to voxel, or Woodcock tracking), interacts, and flies on until it
is absorbed, leaves the grid and its surroundings, or falls below the cut-off. The physics itself is in
`interaction` and the processes that it names; the scores are explained in `scoring`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wholedose.transport.compiled import jit
from wholedose.transport.directed import direct_photon, way_to_spheres
from wholedose.transport.energies import MIN_KEV, energy_cell
from wholedose.transport.geometry import enter_box
from wholedose.transport.interaction import interact
from wholedose.transport.rng import start_stream, stream_key, uniform
from wholedose.transport.sources import emit
from wholedose.transport.surroundings import fly_outside
from wholedose.transport.window import MOST_PARTS, WIDTH, wanted_weight

STACK = 64
FULL = STACK - 4


@jit
def run_histories(
    seed: Any,
    batch: Any,
    first: Any,
    count: Any,
    physics: Any,
    source: Any,
    voxels: Any,
    scores: Any,
    window: Any,
    directed: Any,
) -> Any:
    """Run some histories of a batch, adding to its scores.

    Parameters
    ----------
    seed, batch : int
        With the history's number they key its random numbers.
    first, count : int
        Which histories of the batch.
    physics : PhysicsTables
    source : SourceArrays
        Of a beam, a source or a field.
    voxels : VoxelArrays
    scores : VoxelScores
    window : WindowArrays
    directed : DirectedArrays

    Returns
    -------
    tuple of float
        Energy in keV that was emitted, deposited (analogue), escaped, and won or lost by roulette.
    """
    key = stream_key(seed, batch)
    rng = np.empty(2, dtype=np.uint64)
    # place, direction, energy, weight, how many, and the voxel of those about to interact (else -1)
    stack = np.empty((STACK, 10))
    nx, ny, nz, dx, dy, dz = voxels.nx, voxels.ny, voxels.nz, voxels.dx, voxels.dy, voxels.dz
    sx, sy, sz = nx * dx, ny * dy, nz * dz
    per_x, per_y, per_z = 1.0 / dx, 1.0 / dy, 1.0 / dz
    material, density = voxels.material, voxels.density
    attenuation = physics.attenuation
    labels, track = scores.labels, scores.track
    by_voxel, ray_stepping = scores.by_voxel, scores.ray_stepping
    responses, labelled = scores.response.shape[1], len(labels) > 1
    plane = nx * ny
    energy_in = energy_out = energy_deposited = energy_played = 0.0
    windowed = len(window.weight) > 1
    spheres = len(directed.radius)

    for history in range(first, first + count):
        start_stream(rng, key, history)
        x, y, z, u, v, w, energy = emit(source, rng)
        energy_in += energy
        if voxels.around >= 0:
            x, y, z, u, v, w, energy, left, gone = fly_outside(
                x, y, z, u, v, w, energy, False, voxels, physics, rng
            )
            energy_deposited += left
            energy_out += gone
            if energy == 0.0:
                continue
        else:
            distance = enter_box(x, y, z, u, v, w, sx, sy, sz)
            if distance < 0.0:
                energy_out += energy
                continue
            x, y, z = x + distance * u, y + distance * v, z + distance * w
        waiting = 0
        weight = 1.0
        arrived = barred = stopped = False
        at = np.uint64(0)
        m = np.int64(-1)
        while True:
            # one flight from (x, y, z) along (u, v, w), unless the photon stands at its collision
            cell, place = energy_cell(energy)
            inside = arrived
            if arrived:
                m = np.int64(material[at])
            elif ray_stepping:
                ix = min(max(int(x * per_x), 0), nx - 1)
                iy = min(max(int(y * per_y), 0), ny - 1)
                iz = min(max(int(z * per_z), 0), nz - 1)
                if u > 0.0:
                    step_x, left_x, delta_x = np.uint64(1), nx - 1 - ix, dx / u
                    next_x = ((ix + 1) * dx - x) / u
                else:
                    step_x, left_x = np.uint64(-1), ix
                    delta_x = -dx / u if u < 0.0 else np.inf
                    next_x = (ix * dx - x) / u if u < 0.0 else np.inf
                if v > 0.0:
                    step_y, left_y, delta_y = np.uint64(nx), ny - 1 - iy, dy / v
                    next_y = ((iy + 1) * dy - y) / v
                else:
                    step_y, left_y = np.uint64(-nx), iy
                    delta_y = -dy / v if v < 0.0 else np.inf
                    next_y = (iy * dy - y) / v if v < 0.0 else np.inf
                if w > 0.0:
                    step_z, left_z, delta_z = np.uint64(plane), nz - 1 - iz, dz / w
                    next_z = ((iz + 1) * dz - z) / w
                else:
                    step_z, left_z = np.uint64(-plane), iz
                    delta_z = -dz / w if w < 0.0 else np.inf
                    next_z = (iz * dz - z) / w if w < 0.0 else np.inf
                at = np.uint64((iz * ny + iy) * nx + ix)
                depth = -math.log(uniform(rng))
                limit = way_to_spheres(x, y, z, u, v, w, directed) if barred else np.inf
                travelled = 0.0
                m = np.int64(-1)
                total = transfer = 0.0
                while True:
                    now = np.int64(material[at])
                    rho = np.float64(density[at])
                    if now != m:
                        m = now
                        total = attenuation[cell, m, 0] + place * attenuation[cell, m, 1]
                        transfer = (
                            weight * energy * (attenuation[cell, m, 2] + place * attenuation[cell, m, 3])
                        )
                    reach = min(next_x, next_z) if next_x < next_y else min(next_y, next_z)
                    if reach >= limit:
                        reach, stopped = limit, True
                    step = max(reach - travelled, 0.0)
                    mu = total * rho
                    spent = mu * step
                    if spent >= depth:
                        step = depth / mu
                        inside = True
                    depth -= spent
                    if by_voxel:
                        track[at] += transfer * rho * step
                    else:
                        track[labels[at]] += transfer * rho * step
                    if responses > 0:
                        _score_response(scores, labels[at], cell, place, weight * energy * step)
                    if inside:
                        travelled += step
                        stopped = False
                        break
                    travelled = reach
                    if stopped:
                        break
                    if reach == next_x:
                        at += step_x
                        next_x += delta_x
                        left_x -= 1
                        if left_x < 0:
                            break
                    elif reach == next_y:
                        at += step_y
                        next_y += delta_y
                        left_y -= 1
                        if left_y < 0:
                            break
                    else:
                        at += step_z
                        next_z += delta_z
                        left_z -= 1
                        if left_z < 0:
                            break
                x, y, z = x + travelled * u, y + travelled * v, z + travelled * w
            else:
                largest = voxels.majorant[cell]
                inverse = 1.0 / largest
                while True:
                    step = -math.log(uniform(rng)) * inverse
                    x, y, z = x + step * u, y + step * v, z + step * w
                    if not (0.0 <= x < sx and 0.0 <= y < sy and 0.0 <= z < sz):
                        break
                    ix, iy, iz = int(x * per_x), int(y * per_y), int(z * per_z)
                    at = np.uint64((min(iz, nz - 1) * ny + min(iy, ny - 1)) * nx + min(ix, nx - 1))
                    m = np.int64(material[at])
                    mu = density[at] * (np.float64(attenuation[cell, m, 0]) + place * attenuation[cell, m, 1])
                    if uniform(rng) * largest < mu:
                        inside = True
                        break

            if stopped:
                energy_played -= weight * energy
                energy, stopped = 0.0, False
            if inside and windowed and not arrived:
                wanted = wanted_weight(window, x, y, z)
                if weight > WIDTH * wanted and waiting < FULL:
                    parts = min(int(weight / wanted), MOST_PARTS)
                    weight /= parts
                    _store(stack[waiting], x, y, z, u, v, w, energy, weight)
                    stack[waiting, 8], stack[waiting, 9] = parts - 1, at
                    waiting += 1
                elif weight * WIDTH < wanted:
                    survives = uniform(rng) * wanted < weight
                    energy_played += ((wanted if survives else 0.0) - weight) * energy
                    weight = wanted
                    if not survives:
                        energy = 0.0
            arrived = barred = False
            if energy == 0.0:
                pass
            elif inside:
                # without room for all of them none is directed, and the photon itself may enter
                directs = waiting + spheres < FULL
                for k in range(spheres if directs else 0):
                    new = direct_photon(
                        k, x, y, z, u, v, w, energy, weight, m, physics, voxels, directed, rng
                    )
                    if new[7] > 0.0:
                        energy_played += new[7] * new[6]
                        _store(stack[waiting], new[0], new[1], new[2], new[3], new[4], new[5], new[6], new[7])
                        stack[waiting, 8], stack[waiting, 9] = 1.0, -1.0
                        waiting += 1
                energy, u, v, w, left, pair, scattered = interact(
                    energy, cell, place, m, u, v, w, physics, rng
                )
                barred = scattered and directs and spheres > 0
                if pair:
                    _store(stack[waiting], x, y, z, -u, -v, -w, energy, weight)
                    stack[waiting, 8], stack[waiting, 9] = 1.0, -1.0
                    waiting += 1
                if energy < MIN_KEV:
                    left += energy
                    energy = 0.0
                if left > 0.0:
                    left *= weight
                    energy_deposited += left
                    scores.analogue[labels[at] if labelled else 0] += left
                    if len(scores.analogue_voxels) > 1:
                        scores.analogue_voxels[at] += left
            elif voxels.around >= 0:
                back = max(enter_box(x, y, z, -u, -v, -w, sx, sy, sz), 0.0)  # Woodcock's steps end beyond
                x, y, z = x - back * u, y - back * v, z - back * w
                x, y, z, u, v, w, energy, left, gone = fly_outside(
                    x, y, z, u, v, w, energy, True, voxels, physics, rng
                )
                energy_deposited += weight * left
                energy_out += weight * gone
            else:
                energy_out += weight * energy
                energy = 0.0
            if energy == 0.0:
                if waiting == 0:
                    break
                row = stack[waiting - 1]
                x, y, z, u, v, w, energy, weight = (
                    row[0],
                    row[1],
                    row[2],
                    row[3],
                    row[4],
                    row[5],
                    row[6],
                    row[7],
                )
                arrived, barred = row[9] >= 0.0, False
                if arrived:
                    at = np.uint64(row[9])
                row[8] -= 1.0
                if row[8] < 0.5:
                    waiting -= 1
    return energy_in, energy_deposited, energy_out, energy_played


@jit
def _store(row: Any, x: Any, y: Any, z: Any, u: Any, v: Any, w: Any, energy: Any, weight: Any) -> None:
    row[0], row[1], row[2], row[3], row[4], row[5], row[6], row[7] = x, y, z, u, v, w, energy, weight


@jit
def _score_response(scores: Any, label: Any, cell: Any, place: Any, energy_track: Any) -> None:
    for slot in range(scores.response_first[label], scores.response_first[label + 1]):
        low = scores.response[cell, slot]
        scores.response_track[slot] += energy_track * (low + place * (scores.response[cell + 1, slot] - low))
