"""The grids that all tables stand on. Defines `ENERGY_KEV`, `X2` and how to find a value's cell in them.

Both grids split each power of two evenly, so that a number's cell is a slice of its own bit pattern
(exponent and leading mantissa bits) and its place within the cell is the rest: no logarithm, no search.
Photon energies run from 1 keV to 10 MeV in 256 cells an octave (0.2–0.4 % wide); x² (x = sin(θ/2)/λ in 1/Å,
the variable of form factors) in 16 cells an octave, after a first cell from 0 to 2⁻²⁴ Å⁻².
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.transport.compiled import inlined

ELECTRON_KEV = 510.99895
"""Electron rest energy in keV (CODATA 2018, doi:10.1103/RevModPhys.93.025010)."""

HC_KEV_ANGSTROM = 12.398419843
"""Planck constant times speed of light in keV Å (exact in the 2019 SI)."""

MIN_KEV = 1.0
MAX_KEV = 10_000.0
"""The engine's domain; also the cut-off below which a photon is deposited where it is."""

_E_BITS = 8
_E_SHIFT = 52 - _E_BITS
_E_FIRST = 1023 << _E_BITS
_E_MASK = (1 << _E_SHIFT) - 1
_E_UNIT = 2.0**-_E_SHIFT

_X_BITS = 4
_X_SHIFT = 52 - _X_BITS
_X_LOWEST = 24
_X_FIRST = ((1023 - _X_LOWEST) << _X_BITS) - 1  # cell 0 lies below the first octave
_X_MASK = (1 << _X_SHIFT) - 1
_X_UNIT = 2.0**-_X_SHIFT
_X_FLOOR = 2.0**-_X_LOWEST


def _octaves(first: int, last: int, bits: int) -> NDArray[np.float64]:
    steps = np.arange(2**bits) / 2**bits
    return np.concatenate([2.0**k * (1 + steps) for k in range(first, last)] + [[2.0**last]])


ENERGY_KEV = _octaves(0, 14, _E_BITS)
ENERGY_KEV = ENERGY_KEV[: int(np.searchsorted(ENERGY_KEV, MAX_KEV, side="right")) + 2]
"""Nodes of the energy grid in keV; a function is tabulated here and linear between."""

X2 = np.concatenate([[0.0], _octaves(-_X_LOWEST, 20, _X_BITS)])
"""Nodes of the grid of x² in 1/Å²; reaches beyond backscatter at 10 MeV."""


@inlined
def energy_cell(energy_kev: Any) -> Any:
    """Return (cell, place in it from 0 to 1) of a photon energy."""
    bits = np.float64(energy_kev).view(np.int64)
    return (bits >> _E_SHIFT) - _E_FIRST, np.float64(bits & _E_MASK) * _E_UNIT


@inlined
def x2_cell(x2: Any) -> Any:
    """Return (cell, place in it from 0 to 1) of a squared momentum transfer."""
    if x2 < _X_FLOOR:
        return 0, x2 / _X_FLOOR
    bits = np.float64(x2).view(np.int64)
    return (bits >> _X_SHIFT) - _X_FIRST, np.float64(bits & _X_MASK) * _X_UNIT
