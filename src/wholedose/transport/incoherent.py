"""Incoherent (Compton) scattering. Defines its tables, `sample_incoherent` and the mean energy it transfers.

The differential cross section is Klein and Nishina's times the material's incoherent scattering function
S(x): the chance that a bound electron can take the recoil. The ratio ε = E'/E is drawn from dσ/dε ∝
ε + 1/ε − sin²θ, below 1.022 MeV uniformly in ε with rejection, above from the mixture of 1/ε and ε (Butcher
and Messel 1960, doi:10.1016/0029-5582(60)90162-0), then accepted with S(x)/S(x at backscatter). The
scattered energy is that of an electron at rest: Doppler broadening, which moves no measurable dose in the
kerma approximation, is left out. The recoil energy E − E' is deposited where it arises. The total is that of
the impulse approximation, see `binding_ratio`.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.tables import load
from wholedose.transport.compiled import inlined
from wholedose.transport.energies import ELECTRON_KEV, ENERGY_KEV, HC_KEV_ANGSTROM, X2, x2_cell
from wholedose.transport.rng import uniform

_X2_PER_KEV2 = 1.0 / HC_KEV_ANGSTROM**2
_MIXTURE_ABOVE = 2.0

FloatArray = NDArray[np.float64]


def klein_nishina(energy_kev: FloatArray, cos_theta: FloatArray) -> FloatArray:
    """Return dσ/dΩ of a free electron at rest, in units of r_e² (Klein and Nishina 1929)."""
    ratio = 1.0 / (1.0 + energy_kev / ELECTRON_KEV * (1.0 - cos_theta))
    return np.asarray(0.5 * ratio**2 * (ratio + 1.0 / ratio - 1.0 + cos_theta**2))


def scattering_function(x: FloatArray, values: FloatArray) -> FloatArray:
    """Return S at the nodes of `X2` from a table over x in 1/Å (∝ x² at first, constant beyond its end)."""
    return np.asarray(np.interp(X2, x**2, values))


def binding_ratio(z: int, energy_kev: FloatArray) -> FloatArray:
    """Return the incoherent cross section in the impulse approximation over that with S(x), for an element.

    XCOM rests on S(x). EGSnrc and PENELOPE use the impulse approximation; with tabulated Compton profiles it
    gives water 0.2 % more at 60 keV, and lies between their results and XCOM's (docs/decisions/0011).
    """
    table = load("transport/incoherent_impulse")
    nodes = [name for name in table.columns if name != "z"]
    row = int(np.flatnonzero(table["z"] == z)[0])
    values = [float(table[name][row]) for name in nodes]
    return np.interp(np.log(energy_kev), np.log([float(name) for name in nodes]), values)


def mean_transfer(nodes: FloatArray) -> FloatArray:
    """Return the mean fraction of a photon's energy that an incoherent event gives to the electron.

    Parameters
    ----------
    nodes : array
        The material's S at `X2`.

    Returns
    -------
    array
        At each node of `ENERGY_KEV`, from the very distribution that `sample_incoherent` draws.
    """
    coarse = ENERGY_KEV[:: 8 if len(ENERGY_KEV) > 8 else 1]
    points, weights = np.polynomial.legendre.leggauss(160)
    half_sine = 0.5 * (points + 1.0)  # s = sin(θ/2): x is linear in s
    cos_theta = 1.0 - 2.0 * half_sine**2
    energy = coarse[:, None]
    x2 = energy**2 * _X2_PER_KEV2 * half_sine**2
    density = klein_nishina(energy, cos_theta) * np.interp(x2, X2, nodes) * half_sine * weights
    recoil = energy / ELECTRON_KEV * (1.0 - cos_theta)
    fraction = (density * recoil / (1.0 + recoil)).sum(axis=1) / density.sum(axis=1)
    return np.asarray(np.exp(np.interp(np.log(ENERGY_KEV), np.log(coarse), np.log(fraction))))


@inlined
def sample_incoherent(energy_kev: Any, m: Any, nodes: Any, rng: Any) -> Any:
    """Return (scattered energy in keV, cosine of the angle) of an incoherent event.

    Parameters
    ----------
    energy_kev : float
    m : int
        The material: which row of the table.
    nodes : array [materials, …]
        Rows of `scattering_function`.
    rng : uint64[2]
    """
    alpha = energy_kev / ELECTRON_KEV
    lowest = 1.0 / (1.0 + 2.0 * alpha)
    back_x2 = energy_kev * energy_kev * _X2_PER_KEV2
    cell, place = x2_cell(back_x2)
    s_top = nodes[m, cell] + place * (nodes[m, cell + 1] - nodes[m, cell])
    width = 1.0 - lowest
    highest = lowest + 1.0 / lowest
    log_part = -math.log(lowest) if alpha > _MIXTURE_ABOVE else 0.0
    linear_part = 0.5 * (1.0 - lowest * lowest)
    while True:
        if alpha <= _MIXTURE_ABOVE:
            ratio = lowest + width * uniform(rng)
            t = (1.0 - ratio) / (alpha * ratio)  # 1 − cosθ
            accept = (ratio + 1.0 / ratio - t * (2.0 - t)) / highest
        else:
            if uniform(rng) * (log_part + linear_part) < log_part:
                ratio = lowest * math.exp(log_part * uniform(rng))
            else:
                ratio = math.sqrt(lowest * lowest + (1.0 - lowest * lowest) * uniform(rng))
            t = (1.0 - ratio) / (alpha * ratio)
            accept = 1.0 - ratio * t * (2.0 - t) / (1.0 + ratio * ratio)
        cell, place = x2_cell(back_x2 * 0.5 * t)
        s = nodes[m, cell] + place * (nodes[m, cell + 1] - nodes[m, cell])
        if uniform(rng) * s_top < accept * s:
            return energy_kev * ratio, max(1.0 - t, -1.0)
