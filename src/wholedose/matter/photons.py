"""Photon coefficients of materials. Defines `PhotonData` and `photon_data`.

Mixing is by mass: (μ/ρ) = Σ w (μ/ρ) of the elements (no molecular or solid-state effects). The energy
coefficients are what a kerma-approximation Monte Carlo deposits where a photon interacts::

    μtr/ρ = (τ/ρ)(1 - K̄/E) + (σ_inc/ρ)(1 - Ē'/E) + (κ/ρ)(1 - 2mc²/E)

with K̄ the mean K-fluorescence energy per photoelectric event and Ē' the mean energy of the scattered
photon under the Klein-Nishina cross section times the incoherent scattering function S(x).
Bremsstrahlung, annihilation in flight, and fluorescence of L and higher shells count as deposited.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from wholedose.matter.elements import (
    AVOGADRO_BARN,
    HC_KEV_ANGSTROM,
    PROCESSES,
    ElementData,
    element_data,
    log_interpolate,
)
from wholedose.matter.materials import Material

Array = NDArray[np.float64]

ELECTRON_MASS_KEV = 510.99895
"""mc² in keV (CODATA 2018)."""

LOCAL_FLUORESCENCE_KEV = 10.0
"""K fluorescence of elements whose mean line lies below this (Z ≤ 32) counts as deposited where it is made.

Such photons travel less than 0.2 mm in tissue-like matter of unit density up to 4 keV (calcium), a few
millimetres at 10 keV; their emitters are either light or rare. The Monte Carlo transports the others.
"""

_ANGLES = 96


@dataclass(frozen=True, eq=False)
class PhotonData:
    """Photon interaction data of a material.

    Attributes
    ----------
    material : Material
    elements : tuple of ElementData
        In the order of ``material.composition``.
    energy_kev : array [n]
        Strictly increasing, 1 keV to 100 MeV, 128 points a decade; an absorption edge E is the pair
        E(1 − 1e-9), E.
    coherent, incoherent, photoelectric, pair, total : array [n]
        Mass attenuation coefficients, cm²/g. Pair holds triplet production too.
    energy_transfer : array [n]
        μtr/ρ in cm²/g: all K fluorescence leaves. Use it for kerma.
    energy_absorption : array [n]
        As `energy_transfer`, but fluorescence of light elements (`LOCAL_FLUORESCENCE_KEV`) stays: what
        the Monte Carlo scores by track length. It is μen/ρ but for bremsstrahlung (below 0.1 % in water
        to 200 keV, 3 to 4 % at 10 MeV).
    photoelectric_by_element : array [elements, n]
        The parts of `photoelectric`, cm²/g, to pick the absorbing atom.
    x : array [m]
        sin(θ/2)/λ in 1/Å.
    form_factor_squared, incoherent_function : array [m]
        Σ n F²(x) and Σ n S(x) of independent atoms with n = w/A, mol of electrons (squared) per gram.

    Examples
    --------
    >>> from wholedose.matter import material
    >>> round(photon_data(material("water")).at("total", 60.0), 4)
    0.2059
    """

    material: Material
    elements: tuple[ElementData, ...]
    energy_kev: Array
    coherent: Array
    incoherent: Array
    photoelectric: Array
    pair: Array
    total: Array
    energy_transfer: Array
    energy_absorption: Array
    photoelectric_by_element: Array
    x: Array
    form_factor_squared: Array
    incoherent_function: Array

    def at(self, quantity: str, energy_kev: float) -> float:
        """Return one coefficient at one energy, cm²/g; see `on`."""
        return float(self.on(quantity, np.array([energy_kev]))[0])

    def on(self, quantity: str, energy_kev: Array) -> Array:
        """Interpolate a coefficient log-log, cm²/g; at an edge the value above it.

        Parameters
        ----------
        quantity : str
            The name of an attribute, such as ``"total"`` or ``"energy_absorption"``.
        energy_kev : array

        Raises
        ------
        OutsideDomain
            An energy outside 1 keV to 100 MeV.
        """
        return log_interpolate(energy_kev, self.energy_kev, getattr(self, quantity))

    def __repr__(self) -> str:
        return f"PhotonData({self.material.name!r}, {len(self.energy_kev)} energies)"


def scattered_fraction(energy_kev: Array, x: Array, incoherent_function: Array) -> Array:
    """Return the mean E'/E of Compton scattering with Klein-Nishina × S(x).

    The integral runs over u = sin(θ/2) by Gauss-Legendre quadrature in √u (96 points, better than 1e-5).

    Parameters
    ----------
    energy_kev : array [n]
    x, incoherent_function : array [m]
        S on x in 1/Å, any normalisation.

    Returns
    -------
    array [n]
    """
    nodes, weights = np.polynomial.legendre.leggauss(_ANGLES)
    v = 0.5 * (nodes + 1)
    u = v * v
    jacobian = weights * 2 * v * u
    energy = np.asarray(energy_kev, dtype=float)[:, None]
    ratio = 1 / (1 + 2 * energy / ELECTRON_MASS_KEV * u**2)
    sine_squared = 4 * u**2 * (1 - u**2)
    klein_nishina = ratio**2 * (ratio + 1 / ratio - sine_squared)
    at = energy / HC_KEV_ANGSTROM * u
    scale = np.where(at < x[1], (at / x[1]) ** 2, 1.0)
    function = np.exp(np.interp(np.log(np.maximum(at, x[1])), np.log(x[1:]), np.log(incoherent_function[1:])))
    density = klein_nishina * function * scale * jacobian
    result: Array = (density * ratio).sum(axis=1) / density.sum(axis=1)
    return result


@lru_cache(maxsize=512)
def photon_data(material: Material) -> PhotonData:
    """Return the photon data of a material, mixed from its elements (cached).

    Raises
    ------
    OutsideDomain
        An element beyond radon.
    """
    elements = tuple(element_data(z) for z, _ in material.composition)
    moles = np.array(
        [fraction / e.atomic_weight for (_, fraction), e in zip(material.composition, elements, strict=True)]
    )
    energy = np.unique(np.concatenate([e.energy_kev for e in elements]))
    parts = dict.fromkeys(PROCESSES, np.zeros_like(energy))
    photo = np.empty((len(elements), len(energy)))
    escaping, escaping_far = np.zeros_like(energy), np.zeros_like(energy)
    for i, (element, n) in enumerate(zip(elements, moles, strict=True)):
        values = element.on(energy)
        for name in PROCESSES:
            parts[name] = parts[name] + values[name] * (n * AVOGADRO_BARN)
        photo[i] = values["photoelectric"] * (n * AVOGADRO_BARN)
        leaves = np.where(energy >= element.k_edge_kev, photo[i] * element.k_photon_kev / energy, 0.0)
        escaping += leaves
        if not is_local(element):
            escaping_far += leaves
    x = elements[0].x
    squared = np.asarray(sum(n * e.form_factor**2 for n, e in zip(moles, elements, strict=True)))
    function = np.asarray(sum(n * e.incoherent_function for n, e in zip(moles, elements, strict=True)))
    pair = parts["pair_nuclear"] + parts["pair_electron"]
    deposited = (
        parts["photoelectric"]
        + parts["incoherent"] * (1 - scattered_fraction(energy, x, function))
        + pair * np.maximum(1 - 2 * ELECTRON_MASS_KEV / energy, 0.0)
    )
    arrays = {
        "energy_kev": energy,
        "coherent": parts["coherent"],
        "incoherent": parts["incoherent"],
        "photoelectric": parts["photoelectric"],
        "pair": pair,
        "total": parts["coherent"] + parts["incoherent"] + parts["photoelectric"] + pair,
        "energy_transfer": deposited - escaping,
        "energy_absorption": deposited - escaping_far,
        "photoelectric_by_element": photo,
        "x": x,
        "form_factor_squared": squared,
        "incoherent_function": function,
    }
    for array in arrays.values():
        array.setflags(write=False)
    return PhotonData(material=material, elements=elements, **arrays)


def is_local(element: ElementData) -> bool:
    """Say whether an element's K fluorescence counts as deposited where it is made."""
    return float(element.line_kev @ element.line_share) < LOCAL_FLUORESCENCE_KEV
