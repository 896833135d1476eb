"""Bakes the ratio of incoherent cross sections: impulse approximation over scattering function S(x).

The impulse approximation takes a bound electron as free with its momentum distribution: shell i contributes
f_i Θ(E − U_i) n_i(p_max), with n_i the part of its electrons whose momentum along the transfer allows the
energy loss U_i (Ribberfors and Berggren, Phys. Rev. A 26, 3325, doi:10.1103/PhysRevA.26.3325). Profiles
J_i(p) (Biggs et al. 1975, hydrogen exact), U_i and f_i: xraylib. The other model is Klein-Nishina times S(x)
of xraylib, on which XCOM's values rest; both are integrated alike.
"""

from __future__ import annotations

import io
import math
from functools import cache
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
MOMENTA = np.concatenate([np.linspace(0, 5, 501), np.geomspace(5.05, 100, 200)])  # atomic units
NODES, WEIGHTS = np.polynomial.legendre.leggauss(400)


def shells(z: int) -> list[tuple[float, float, int]]:
    """Return (electrons, binding energy in keV, xraylib's shell) of each occupied shell."""
    if z == 1:
        return [(1.0, 0.0136, xraylib.K_SHELL)]
    found: list[tuple[float, float, int]] = []
    for shell in range(xraylib.Q3_SHELL + 1):
        try:
            electrons = xraylib.ElectronConfig(z, shell)
        except ValueError:
            continue
        if electrons <= 0:
            continue
        try:
            edge = xraylib.EdgeEnergy(z, shell)
        except ValueError:
            edge = 0.01  # valence electrons without a listed edge: about 10 eV
        found.append((electrons, edge, shell))
    total = sum(electrons for electrons, _, _ in found)
    return [(electrons * z / total, edge, shell) for electrons, edge, shell in found]


@cache
def cumulated_profile(z: int, shell: int) -> np.ndarray:
    """Return the part of a shell's electrons between momentum 0 and each node of `MOMENTA`."""
    values = np.array([profile_at(z, shell, p) for p in MOMENTA])
    parts = np.concatenate([[0.0], np.cumsum((values[1:] + values[:-1]) / 2 * np.diff(MOMENTA))])
    return np.asarray(parts / parts[-1] / 2.0)


def profile_at(z: int, shell: int, momentum: float) -> float:
    """Return J(p) of an electron; 2p½ stands for 2p¾ where only one of two subshells is listed."""
    if z == 1:
        return float(8 / (3 * math.pi) / (1 + momentum**2) ** 3)  # the hydrogen atom, exact
    if z == 2:
        return float(xraylib.ComptonProfile(2, momentum) / 2)
    while shell >= 0:
        try:
            return float(xraylib.ComptonProfile_Partial(z, shell, momentum))
        except ValueError:
            shell -= 1
    raise ValueError(f"no Compton profile of element {z}")


def allowed(z: int, shell: int, momentum: np.ndarray) -> np.ndarray:
    """Return the part of a shell's electrons with momentum below a bound (atomic units)."""
    half = np.interp(np.abs(momentum), MOMENTA, cumulated_profile(z, shell))
    return np.asarray(0.5 + np.sign(momentum) * half)


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
    for count, edge, shell in shells(z):
        if energy_kev <= edge:
            continue
        a = energy_kev * (energy_kev - edge) * loss
        momentum = (a - MC2_KEV * edge) / (MC2_KEV * np.sqrt(2.0 * a + edge**2))
        electrons += count * allowed(z, shell, momentum * ATOMIC_MOMENTA_PER_MC)
    x = energy_kev / HC_KEV_ANGSTROM * np.sqrt(loss / 2.0)
    function = np.array([scattering_function(z, value) for value in x])
    return float(WEIGHTS @ (klein_nishina * electrons)) / float(WEIGHTS @ (klein_nishina * function))


def main() -> None:
    out = io.StringIO()
    out.write(
        "# title: Incoherent cross section of atoms in the impulse approximation over that with S(x)\n"
        "# source: computed for this project by scripts/bake_incoherent.py after Ribberfors and Berggren "
        "(1982), Phys. Rev. A 26, 3325; binding energies, occupations and Compton profiles of xraylib 4\n"
        "# doi: 10.1103/PhysRevA.26.3325\n"
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
