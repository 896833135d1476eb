"""What happens when a photon interacts. Defines `interact`, which picks the process and calls it."""

from __future__ import annotations

from typing import Any

import numpy as np

from wholedose.transport.coherent import sample_coherent
from wholedose.transport.compiled import inlined
from wholedose.transport.direction import deflect, isotropic
from wholedose.transport.incoherent import sample_incoherent
from wholedose.transport.pair import PAIR_THRESHOLD_KEV, annihilation_photons
from wholedose.transport.photoelectric import sample_fluorescence
from wholedose.transport.rng import uniform


@inlined
def interact(
    energy: Any, cell: Any, place: Any, m: Any, u: Any, v: Any, w: Any, physics: Any, rng: Any
) -> Any:
    """Return (energy, u, v, w, energy deposited, whether a second annihilation photon is to be
    stored, whether the photon was scattered).

    An energy of 0 means that the photon is gone. The second photon of a pair flies opposite to the first.
    """
    chance = uniform(rng)
    branch = physics.branch
    low, high = np.float64(branch[cell, m, 0]), np.float64(branch[cell + 1, m, 0])
    if chance < low + place * (high - low):
        scattered, cos_theta = sample_incoherent(energy, m, physics.scattering, rng)
        u, v, w = deflect(u, v, w, cos_theta, rng)
        return scattered, u, v, w, energy - scattered, False, True
    low, high = np.float64(branch[cell, m, 1]), np.float64(branch[cell + 1, m, 1])
    if chance < low + place * (high - low):
        if physics.fluorescence.shape[2] > 0:
            line = sample_fluorescence(cell, place, m, physics, rng)
            if line > 0.0:
                u, v, w = isotropic(rng)
                return line, u, v, w, energy - line, False, False
        return 0.0, u, v, w, energy, False, False
    low, high = np.float64(branch[cell, m, 2]), np.float64(branch[cell + 1, m, 2])
    if chance < low + place * (high - low):
        cos_theta = sample_coherent(energy, m, physics.form_factor, physics.guide, rng)
        u, v, w = deflect(u, v, w, cos_theta, rng)
        return energy, u, v, w, 0.0, False, True
    kev, u, v, w = annihilation_photons(rng)
    return kev, u, v, w, energy - PAIR_THRESHOLD_KEV, True, False
