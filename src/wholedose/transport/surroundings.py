"""The medium around a grid of voxels. Defines `fly_outside`.

Sources stand in air, half a metre from the patient: it takes 1 % of the photons of a CT beam, and a few of
those that it scatters arrive elsewhere. The medium fills a box around the grid; beyond it is vacuum.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from wholedose.transport.compiled import jit
from wholedose.transport.energies import MIN_KEV, energy_cell
from wholedose.transport.geometry import enter_box
from wholedose.transport.interaction import interact
from wholedose.transport.rng import uniform


@jit
def fly_outside(
    x: Any,
    y: Any,
    z: Any,
    u: Any,
    v: Any,
    w: Any,
    energy: Any,
    leaving: Any,
    voxels: Any,
    physics: Any,
    rng: Any,
) -> Any:
    """Follow a photon outside the grid until it enters, is absorbed, or leaves the surroundings.

    Parameters
    ----------
    x, y, z, u, v, w, energy : float
        Position in cm, direction, energy in keV.
    leaving : bool
        Whether it has just left the grid, and so flies away from it.
    voxels : VoxelArrays
    physics : PhysicsTables
    rng : uint64 [2]

    Returns
    -------
    tuple
        x, y, z, u, v, w, energy (0 when it is gone), energy deposited and energy escaped outside. The second
        photon of a pair that is made outside counts as escaped.
    """
    sx, sy, sz = voxels.nx * voxels.dx, voxels.ny * voxels.dy, voxels.nz * voxels.dz
    reach, m, rho = voxels.reach, voxels.around, voxels.around_density
    deposited = escaped = 0.0
    while True:
        cell, place = energy_cell(energy)
        row = physics.attenuation[cell, m]
        mu = rho * (np.float64(row[0]) + place * row[1])
        to_grid = -1.0 if leaving else enter_box(x, y, z, u, v, w, sx, sy, sz)
        step = -math.log(uniform(rng)) / mu
        if 0.0 <= to_grid <= step:
            return x + to_grid * u, y + to_grid * v, z + to_grid * w, u, v, w, energy, deposited, escaped
        x, y, z = x + step * u, y + step * v, z + step * w
        beyond = not (-reach <= x <= sx + reach and -reach <= y <= sy + reach and -reach <= z <= sz + reach)
        if beyond:
            return x, y, z, u, v, w, 0.0, deposited, escaped + energy
        leaving = False
        energy, u, v, w, left, pair, _ = interact(energy, cell, place, m, u, v, w, physics, rng)
        if pair:
            escaped += energy
        deposited += left
        if energy < MIN_KEV:
            return x, y, z, u, v, w, 0.0, deposited + energy, escaped
