"""Shapes of beta spectra. Defines `BetaShape`, `beta_density`, `binned` and `capture_to_positron`.

The density of the kinetic energy of a beta particle or positron is p W (W₀ − W)² F(Z, W) C(W), with the
Fermi function F of a point nucleus taken at the nuclear radius, Wilkinson's correction L₀ for the size of
the nucleus, Rose's for the screening by the atom's electrons, and the shape factor C: 1 for an allowed
transition, the unique-forbidden forms otherwise. Momentum p and total energy W are in units of the
electron mass. Sources: Behrens and Bühring, "Electron Radial Wave Functions and Nuclear Beta-decay"
(Oxford 1982); Wilkinson, Nucl. Instrum. Methods A 290 (1990) 509, doi:10.1016/0168-9002(90)90570-V; Rose,
Phys. Rev. 49 (1936) 727, doi:10.1103/PhysRev.49.727; Bambynek et al., Rev. Mod. Phys. 49 (1977) 77,
doi:10.1103/RevModPhys.49.77.
"""

from __future__ import annotations

from enum import StrEnum
from math import factorial

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln, loggamma

from wholedose.base.errors import InvalidInput
from wholedose.matter.photons import ELECTRON_MASS_KEV

Array = NDArray[np.float64]

FINE_STRUCTURE = 1 / 137.035999
"""Fine-structure constant (CODATA 2018)."""

COMPTON_FM = 386.15927
"""Reduced Compton wavelength of the electron in fm (CODATA 2018): the unit of length here."""

RADIUS_FM = 1.2
"""Nuclear radius is this × A^(1/3) fm (the usual radius of a uniformly charged sphere)."""

SCREENING = 1.13
"""Rose's potential of the atomic electrons at the nucleus: this × α² Z^(4/3) electron masses."""

NODES = 8
"""Gauss–Legendre points per bin."""


class BetaShape(StrEnum):
    """Which shape factor a transition has.

    Non-unique forbidden transitions have no factor that holds for all of them; they are given the
    allowed shape, which is right where the Coulomb energy is large (the ξ approximation).
    """

    ALLOWED = "allowed"
    UNIQUE_1 = "unique 1"
    UNIQUE_2 = "unique 2"
    UNIQUE_3 = "unique 3"

    @property
    def rank(self) -> int:
        """Angular momentum that the leptons carry away: 1 for allowed, n + 1 for n-th forbidden unique."""
        return list(BetaShape).index(self) + 1


def _log_fermi(k: int, z: int, a: int, p: Array, w: Array) -> Array:
    """Return ln F(k−1), the Fermi functions of Behrens and Bühring; z is negative for positrons."""
    gamma = np.sqrt(k * k - (FINE_STRUCTURE * z) ** 2)
    eta = FINE_STRUCTURE * z * w / p
    radius = RADIUS_FM * np.cbrt(a) / COMPTON_FM
    odd = float(np.prod(np.arange(1, 2 * k, 2)))
    log = (
        np.pi * eta
        + 2 * (gamma - k) * np.log(2 * p * radius)
        + 2 * (loggamma(gamma + 1j * eta).real - gammaln(2 * gamma + 1))
    )
    result: Array = log + np.log(4.0 ** (k - 1) * 2 * k * (k + gamma) * odd**2)
    return result


def _size(z: int, a: int, w: Array) -> Array:
    """Return L₀, leading orders in the radius: electrons of high energy see less than the point charge."""
    strength = FINE_STRUCTURE * z
    gamma = np.sqrt(1 - strength**2)
    radius = RADIUS_FM * np.cbrt(a) / COMPTON_FM
    slope = (41 - 26 * gamma) / 15 * w + gamma * (17 - 2 * gamma) / 30 / w
    result: Array = 1 + 13 / 60 * strength**2 - strength * radius * slope / (2 * gamma - 1)
    return result


def beta_density(
    energy_kev: Array, endpoint_kev: float, z_daughter: int, a: int, shape: BetaShape, *, positron: bool
) -> Array:
    """Return the density of beta kinetic energies, not normalised.

    Parameters
    ----------
    energy_kev : array
        Kinetic energies; the density is 0 outside 0 to the endpoint.
    endpoint_kev : float
    z_daughter, a : int
        Atomic number of the daughter, mass number.
    shape : BetaShape
    positron : bool
        Positrons instead of electrons.

    Returns
    -------
    array
        p W (W₀ − W)² F C in units of the electron mass: its integral over W is the phase space f.

    Examples
    --------
    >>> energy = np.array([100.0, 600.0, 1200.0])
    >>> density = beta_density(energy, 1710.66, 16, 32, BetaShape.ALLOWED, positron=False)
    >>> np.round(density / density[1], 3)
    array([0.49 , 1.   , 0.522])
    """
    energy = np.asarray(energy_kev, dtype=float)
    inside = (energy > 0) & (energy < endpoint_kev)
    w = 1 + np.where(inside, energy, 0.5 * endpoint_kev) / ELECTRON_MASS_KEV
    p = np.sqrt(w * w - 1)
    q = 1 + endpoint_kev / ELECTRON_MASS_KEV - w
    sign = -1 if positron else 1
    shift = sign * SCREENING * FINE_STRUCTURE**2 * z_daughter ** (4 / 3)
    # below the potential the product p'W'F is held at its limit at the nucleus's threshold
    w_in = np.maximum(w - shift, 1 + 1e-9)
    p_in = np.sqrt(w_in * w_in - 1)
    z = sign * z_daughter
    first = np.exp(_log_fermi(1, z, a, p_in, w_in))
    density = p_in * w_in * first * _size(z, a, w) * q * q
    rank = shape.rank
    if rank > 1:
        plain = _log_fermi(1, z, a, p, w)
        factor = np.zeros_like(w)
        for k in range(1, rank + 1):
            number = factorial(2 * rank - 1) / factorial(2 * k - 1) / factorial(2 * (rank - k) + 1)
            ratio = np.exp(_log_fermi(k, z, a, p, w) - plain)
            factor += number * ratio * p ** (2 * k - 2) * q ** (2 * (rank - k))
        density = density * factor
    return np.where(inside, density, 0.0)


def binned(
    edges_kev: Array, endpoint_kev: float, z_daughter: int, a: int, shape: BetaShape, *, positron: bool
) -> tuple[Array, Array]:
    """Return a spectrum in bins: the share of the particles in each bin and the energy in each, keV.

    Parameters
    ----------
    edges_kev : array [n + 1]
        Increasing, from 0 to the endpoint or beyond.
    endpoint_kev, z_daughter, a, shape, positron
        As for `beta_density`.

    Returns
    -------
    share : array [n]
        Sums to 1.
    energy_kev : array [n]
        Share × mean energy of the bin; its sum is the mean energy of the branch.

    Raises
    ------
    InvalidInput
        Edges that end below the endpoint.

    Examples
    --------
    >>> edges = np.linspace(0.0, 1710.66, 101)
    >>> share, energy = binned(edges, 1710.66, 16, 32, BetaShape.ALLOWED, positron=False)
    >>> round(float(energy.sum()), 1)
    695.0
    """
    edges = np.asarray(edges_kev, dtype=float)
    if edges[0] > 0 or edges[-1] < endpoint_kev * (1 - 1e-12) or np.any(np.diff(edges) <= 0):
        raise InvalidInput(
            f"Bins from {edges[0]:g} to {edges[-1]:g} keV do not hold a spectrum that ends at "
            f"{endpoint_kev:g} keV.",
            way_out="Give increasing edges from 0 to the endpoint or beyond.",
        )
    low, high = np.minimum(edges[:-1], endpoint_kev), np.minimum(edges[1:], endpoint_kev)
    node, weight = np.polynomial.legendre.leggauss(NODES)
    half = (high - low)[:, None] / 2
    at = (high + low)[:, None] / 2 + half * node
    mass = half * weight * beta_density(at, endpoint_kev, z_daughter, a, shape, positron=positron)
    total = mass.sum()
    return mass.sum(axis=1) / total, (mass * at).sum(axis=1) / total


def capture_to_positron(q_kev: float, z_parent: int, a: int, shape: BetaShape) -> float:
    """Return the ratio of positron emission to electron capture of one branch, by theory.

    Capture from the K, L and M shells with hydrogen-like relativistic densities and Slater's screening;
    for a unique transition both get its shape factor. Good to about 10 %, so a ratio is for splitting
    a measured total over branches.

    Parameters
    ----------
    q_kev : float
        Energy of the capture: Q minus the energy of the level; positrons need more than 1021.998 keV.
    z_parent, a : int
    shape : BetaShape

    Examples
    --------
    >>> round(capture_to_positron(1655.3, 9, 18, BetaShape.ALLOWED), 0)
    31.0
    """
    endpoint = q_kev - 2 * ELECTRON_MASS_KEV
    if endpoint <= 0:
        return 0.0
    node, weight = np.polynomial.legendre.leggauss(64)
    at = endpoint / 2 * (node + 1)
    density = beta_density(at, endpoint, z_parent - 1, a, shape, positron=True)
    phase = float(weight @ density) * endpoint / 2 / ELECTRON_MASS_KEV
    radius = RADIUS_FM * np.cbrt(a) / COMPTON_FM
    capture = 0.0
    for n, screened in ((1, 0.3), (2, 4.15), (3, 11.25)):
        if z_parent - screened <= n:
            continue
        strength = FINE_STRUCTURE * (z_parent - screened)
        gamma = np.sqrt(1 - (FINE_STRUCTURE * z_parent) ** 2)
        at_radius = (2 * strength * radius) ** (2 * gamma - 2)
        relativistic = (1 + gamma) / np.exp(gammaln(2 * gamma + 1)) * at_radius
        neutrino = max(q_kev / ELECTRON_MASS_KEV - (strength / n) ** 2 / 2, 0.0)
        capture += np.pi / 2 * 4 * (strength / n) ** 3 * relativistic * neutrino ** (2 * shape.rank)
    return phase / float(capture)
