"""Bakes the ratio of incoherent cross sections: impulse approximation over scattering function S(x).

The impulse approximation takes a bound electron as free with its momentum distribution: shell i contributes
f_i Θ(E − U_i) n_i(p_max), with n_i the part of its electrons whose momentum along the transfer allows the
energy loss U_i. As in PENELOPE and EGSnrc, one-parameter profiles are used, fixed by J_i(0) (Brusa et al.,
Nucl. Instrum. Meth. A 379, 167, doi:10.1016/0168-9002(96)00652-3). J_i(0), U_i and f_i: xraylib. The
other model is Klein-Nishina times S(x) of xraylib, on which XCOM's values rest; both are integrated alike.
"""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import xraylib

ROOT = Path(__file__).resolve().parents[1]
MC2_KEV = 510.99895
RE2_BARN = 0.079407877  # classical electron radius squared
ATOMIC_MOMENTA_PER_MC = 137.035999
MAX_Z = 86
HC_KEV_ANGSTROM = 12.398419843
ENERGIES_KEV = (
    1,
    1.5,
    2,
    3,
    4,
    5,
    6,
    8,
    10,
    12,
    15,
    20,
    25,
    30,
    40,
    50,
    60,
    80,
    100,
    150,
    200,
    300,
    500,
    1000,
)
NODES, WEIGHTS = np.polynomial.legendre.leggauss(400)


def shells(z: int) -> list[tuple[float, float, float]]:
    """Return (electrons, binding energy in keV, J(0) in atomic units) of each occupied shell."""
    found: list[tuple[float, float, float]] = []
    for shell in range(xraylib.Q3_SHELL + 1):
        try:
            electrons = xraylib.ElectronConfig(z, shell)
        except ValueError:
            continue
        if electrons <= 0:
            continue
        try:
            profile = xraylib.ComptonProfile_Partial(z, shell, 0.0)
        except ValueError:
            profile = found[-1][2]  # listed for the first of two subshells only, such as 2p½ for 2p
        try:
            edge = xraylib.EdgeEnergy(z, shell)
        except ValueError:
            edge = 0.01  # valence electrons without a listed edge: about 10 eV
        found.append((electrons, edge, profile))
    if z == 1:
        return [(1.0, 0.0136, 8 / (3 * math.pi))]
    if z == 2:
        found = [(2.0, 0.0246, xraylib.ComptonProfile(2, 0.0) / 2)]
    total = sum(electrons for electrons, _, _ in found)
    return [(electrons * z / total, edge, profile) for electrons, edge, profile in found]


def allowed(momentum: np.ndarray, profile: float) -> np.ndarray:
    """Return the part of a shell's electrons with momentum below a bound (atomic units)."""
    d1, d2 = math.sqrt(0.5), math.sqrt(2.0)
    tail = 0.5 * np.exp(d1**2 - (d1 + d2 * profile * np.abs(momentum)) ** 2)
    return np.asarray(np.where(momentum < 0, tail, 1.0 - tail))


def scattering_function(z: int, x: float) -> float:
    """Return S(x); beyond xraylib's table all electrons scatter."""
    try:
        return float(xraylib.SF_Compt(z, x))
    except ValueError:
        return float(z)


def ratio(z: int, energy_kev: float) -> float:
    """Return the cross section of the impulse approximation over that with S(x)."""
    loss = 1.0 - NODES  # 1 − cosθ
    k = 1.0 / (1.0 + energy_kev / MC2_KEV * loss)
    klein_nishina = math.pi * RE2_BARN * k * k * (k + 1.0 / k - (1.0 - NODES**2))
    electrons = np.zeros_like(NODES)
    for count, edge, profile in shells(z):
        if energy_kev <= edge:
            continue
        a = energy_kev * (energy_kev - edge) * loss
        momentum = (a - MC2_KEV * edge) / (MC2_KEV * np.sqrt(2.0 * a + edge**2))
        electrons += count * allowed(momentum * ATOMIC_MOMENTA_PER_MC, profile)
    x = energy_kev / HC_KEV_ANGSTROM * np.sqrt(loss / 2.0)
    function = np.array([scattering_function(z, value) for value in x])
    return float(WEIGHTS @ (klein_nishina * electrons)) / float(WEIGHTS @ (klein_nishina * function))


def main() -> None:
    out = io.StringIO()
    out.write(
        "# title: Incoherent cross section of atoms in the impulse approximation over that with S(x)\n"
        "# source: computed for this project by scripts/bake_incoherent.py after Brusa et al. (1996), "
        "Nucl. Instrum. Meth. A 379, 167; binding energies, occupations and Compton profiles of xraylib 4\n"
        "# doi: 10.1016/0168-9002(96)00652-3\n"
        "# unit: energy_kev keV; ratio 1\n"
        "# licence: facts, own computation; xraylib data BSD-3\n"
    )
    out.write("z," + ",".join(f"{e:g}" for e in ENERGIES_KEV) + "\n")
    for z in range(1, MAX_Z + 1):
        out.write(f"{z}," + ",".join(f"{ratio(z, float(e)):.4f}" for e in ENERGIES_KEV) + "\n")
    path = ROOT / "src/wholedose/tables/data/transport/incoherent_impulse.csv"
    path.write_text(out.getvalue(), encoding="utf-8")


if __name__ == "__main__":
    main()
