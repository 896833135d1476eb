"""Pair production. Defines `PAIR_THRESHOLD_KEV` and `annihilation_photons`.

Electron and positron deposit their kinetic energy, E − 2 m_e c², on the spot, where the positron annihilates
at rest into two photons of m_e c², emitted back to back and isotropic. Triplet production, in the field of
the electrons, is treated the same.
"""

from __future__ import annotations

from typing import Any

from wholedose.transport.compiled import inlined
from wholedose.transport.direction import isotropic
from wholedose.transport.energies import ELECTRON_KEV

PAIR_THRESHOLD_KEV = 2.0 * ELECTRON_KEV


@inlined
def annihilation_photons(rng: Any) -> Any:
    """Return (energy of each in keV, direction of the first); the second flies the other way."""
    u, v, w = isotropic(rng)
    return ELECTRON_KEV, u, v, w
