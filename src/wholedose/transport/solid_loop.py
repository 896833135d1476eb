"""The life of a photon among solids. Defines `run_solid_histories`, the kernel for `SolidGeometry`.

Woodcock tracking: flights are drawn with the largest attenuation coefficient anywhere, and a tentative
collision is real with the ratio of the local to the largest (Woodcock et al. 1965, ANL-7050), so that no
surface is ever searched for. Outside the box that holds all solids only the background's coefficient
counts, so that a metre of air costs nothing. Scored volumes get the length of each flight inside them (track
length), from the intersection of a line with a convex shape; a volume of more than one material gets instead
the collision estimator E · μtr / μ_largest at each tentative collision.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wholedose.transport.compiled import jit
from wholedose.transport.energies import MIN_KEV, energy_cell
from wholedose.transport.geometry import enter_box
from wholedose.transport.interaction import interact
from wholedose.transport.loop import STACK
from wholedose.transport.rng import start_stream, stream_key, uniform
from wholedose.transport.shapes import chord, contains
from wholedose.transport.solids import material_at
from wholedose.transport.sources import emit

FloatArray = NDArray[np.float64]

FAR = 1e9
"""A distance in cm beyond any geometry."""


class SolidScores(NamedTuple):
    """One batch's scores in keV; index 0 is everything, then the regions in order.

    Attributes
    ----------
    shapes : float64 [regions, numbers]
    material : int64 [regions]
        The one material of the region; -1 vacuum, -2 several.
    density : float64 [regions]
    response_of : int64 [regions]
    response : float32 [nodes, slots]
    track, analogue : float64 [regions + 1]
    response_track : float64 [slots]
    """

    shapes: FloatArray
    material: NDArray[np.int64]
    density: FloatArray
    response_of: NDArray[np.int64]
    response: NDArray[np.float32]
    track: FloatArray
    analogue: FloatArray
    response_track: FloatArray


@jit
def background_mu(solids: Any, attenuation: Any, cell: Any, place: Any) -> Any:
    """Return μ of the background in 1/cm, 0 for vacuum, rounded up as a majorant."""
    if solids.background < 0:
        return 0.0
    k = solids.background
    mu = solids.background_density * (attenuation[cell, k, 0] + place * attenuation[cell, k, 1])
    return mu * (1.0 + 1e-12)


@jit
def core_interval(solids: Any, x: Any, y: Any, z: Any, u: Any, v: Any, w: Any) -> Any:
    """Return where along a ray, in cm, the box that holds all solids begins and ends; (0, 0) if it misses."""
    near, far = 0.0, FAR
    for k, p, d in ((0, x, u), (1, y, v), (2, z, w)):
        low, high = solids.core[0, k] - p, solids.core[1, k] - p
        if d == 0.0:
            if low > 0.0 or high < 0.0:
                return 0.0, 0.0
        else:
            near = max(near, min(low / d, high / d))
            far = min(far, max(low / d, high / d))
    if far <= near:
        return 0.0, 0.0
    return near, far


@jit
def next_tentative(t: Any, near: Any, far: Any, largest: Any, around: Any, rng: Any) -> Any:
    """Return (distance of the next tentative collision, the coefficient it was drawn with)."""
    depth = -math.log(uniform(rng))
    if t < near:
        spent = around * (near - t)
        if depth < spent:
            return t + depth / around, around
        depth -= spent
        t = near
    if t < far:
        spent = largest * (far - t)
        if depth < spent:
            return t + depth / largest, largest
        depth -= spent
        t = far
    if around > 0.0:
        return min(t + depth / around, FAR), around
    return FAR, 1.0


@jit
def run_solid_histories(
    seed: Any, batch: Any, first: Any, count: Any, physics: Any, source: Any, solids: Any, scores: Any
) -> Any:
    """Run some histories of a batch, adding to its scores; as `loop.run_histories`."""
    key = stream_key(seed, batch)
    rng = np.empty(2, dtype=np.uint64)
    stack = np.empty((STACK, 7))
    sx, sy, sz = solids.size[0], solids.size[1], solids.size[2]
    attenuation = physics.attenuation
    regions = len(scores.shapes)
    energy_in = energy_out = energy_deposited = 0.0

    for history in range(first, first + count):
        start_stream(rng, key, history)
        x, y, z, u, v, w, energy = emit(source, rng)
        energy_in += energy
        distance = enter_box(x, y, z, u, v, w, sx, sy, sz)
        if distance < 0.0:
            energy_out += energy
            continue
        x, y, z = x + distance * u, y + distance * v, z + distance * w
        waiting = 0
        while True:
            cell, place = energy_cell(energy)
            largest = solids.majorant[cell]
            around = background_mu(solids, attenuation, cell, place)
            x0, y0, z0 = x, y, z
            near, far = core_interval(solids, x, y, z, u, v, w)
            flown = 0.0
            inside = False
            m, rho = -1, 0.0
            while True:
                flown, ceiling = next_tentative(flown, near, far, largest, around, rng)
                x, y, z = x0 + flown * u, y0 + flown * v, z0 + flown * w
                if not (0.0 <= x < sx and 0.0 <= y < sy and 0.0 <= z < sz):
                    break
                m, rho = material_at(solids, x, y, z)
                if m < 0:
                    continue
                transfer = attenuation[cell, m, 2] + place * attenuation[cell, m, 3]
                kerma = energy * rho / ceiling * transfer
                scores.track[0] += kerma
                for r in range(regions):
                    if scores.material[r] == -2 and contains(scores.shapes[r], x, y, z):
                        scores.track[r + 1] += kerma
                if uniform(rng) * ceiling < rho * (attenuation[cell, m, 0] + place * attenuation[cell, m, 1]):
                    inside = True
                    break
            for r in range(regions):
                length = chord(scores.shapes[r], x0, y0, z0, u, v, w, flown)
                if length > 0.0:
                    own = scores.material[r]
                    if own >= 0:
                        transfer = attenuation[cell, own, 2] + place * attenuation[cell, own, 3]
                        scores.track[r + 1] += energy * transfer * scores.density[r] * length
                    slot = scores.response_of[r]
                    if slot >= 0:
                        low = np.float64(scores.response[cell, slot])
                        high = np.float64(scores.response[cell + 1, slot])
                        scores.response_track[slot] += energy * length * (low + place * (high - low))

            if inside:
                energy, u, v, w, left, pair, _ = interact(energy, cell, place, m, u, v, w, physics, rng)
                if pair:
                    stack[waiting, 0], stack[waiting, 1], stack[waiting, 2] = x, y, z
                    stack[waiting, 3], stack[waiting, 4], stack[waiting, 5] = -u, -v, -w
                    stack[waiting, 6] = energy
                    waiting += 1
                if energy < MIN_KEV:
                    left += energy
                    energy = 0.0
                if left > 0.0:
                    energy_deposited += left
                    scores.analogue[0] += left
                    for r in range(regions):
                        if contains(scores.shapes[r], x, y, z):
                            scores.analogue[r + 1] += left
            else:
                energy_out += energy
                energy = 0.0
            if energy == 0.0:
                if waiting == 0:
                    break
                waiting -= 1
                x, y, z = stack[waiting, 0], stack[waiting, 1], stack[waiting, 2]
                u, v, w = stack[waiting, 3], stack[waiting, 4], stack[waiting, 5]
                energy = stack[waiting, 6]
    return energy_in, energy_deposited, energy_out
