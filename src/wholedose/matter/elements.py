"""Elements and their photon data. Defines `ElementData`, `element_data`, `symbol` and `atomic_number`.

Cross sections are NIST XCOM's; form factors, incoherent scattering functions and K-shell data are
those that xraylib distributes. Both are baked into the table ``matter/elements`` by
``scripts/bake_matter.py``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from wholedose.base.errors import InvalidInput, OutsideDomain, UnknownName
from wholedose.tables import load

Array = NDArray[np.float64]

AVOGADRO_BARN = 0.602214076
"""Avogadro's constant times 1e-24 cm²: barn/atom × this / (g/mol) = cm²/g."""

HC_KEV_ANGSTROM = 12.398419843
"""hc in keV·Å: x = sin(θ/2) · E / hc in 1/Å (CODATA 2018)."""

PROCESSES = ("coherent", "incoherent", "photoelectric", "pair_nuclear", "pair_electron")

EDGE_WIDTH = 1e-9
"""An edge is two grid points: E(1 − 1e-9) with the value below, E with the value above."""

_SYMBOLS = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr "
    "Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb "
    "Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn"
)
SYMBOLS = _SYMBOLS.split()
"""Chemical symbols, hydrogen to radon."""


def symbol(z: int) -> str:
    """Return the chemical symbol of an atomic number.

    Examples
    --------
    >>> symbol(82)
    'Pb'
    """
    _check(z)
    return SYMBOLS[z - 1]


def atomic_number(name: str) -> int:
    """Return the atomic number of a chemical symbol.

    Raises
    ------
    UnknownName
        Not a symbol of an element up to radon.

    Examples
    --------
    >>> atomic_number("I")
    53
    """
    try:
        return SYMBOLS.index(name) + 1
    except ValueError:
        raise UnknownName("element", name, SYMBOLS) from None


@dataclass(frozen=True, eq=False)
class ElementData:
    """Photon data of one element.

    Attributes
    ----------
    z : int
        Atomic number.
    symbol : str
    atomic_weight : float
        g/mol, as XCOM uses it.
    energy_kev : array [n]
        Strictly increasing, 1 keV to 100 MeV; an absorption edge E is the pair E(1 − 1e-9), E.
    coherent, incoherent, photoelectric, pair_nuclear, pair_electron : array [n]
        barn/atom; pair_electron is triplet production.
    edges_kev : array
        Absorption edges at or above 1 keV.
    x : array [m]
        sin(θ/2)/λ in 1/Å, from 0 to 1000.
    form_factor : array [m]
        F(x), electrons; F(0) = Z. Beyond the last x it falls as x⁻⁴ or faster; take 0.
    incoherent_function : array [m]
        S(x), electrons; proportional to x² below the first positive x, Z beyond the last.
    k_edge_kev : float
    k_share : float
        Share of photoelectric absorption above the K edge that ionises the K shell, 1 − 1/jump.
    k_yield : float
        K fluorescence yield: photons per K vacancy.
    line_kev, line_share : array [6]
        K lines, strongest first, and their shares of the K photons (sum 1, or all 0 without data).

    Examples
    --------
    >>> element_data(53).k_edge_kev
    33.1694
    """

    z: int
    symbol: str
    atomic_weight: float
    energy_kev: Array
    coherent: Array
    incoherent: Array
    photoelectric: Array
    pair_nuclear: Array
    pair_electron: Array
    edges_kev: Array
    x: Array
    form_factor: Array
    incoherent_function: Array
    k_edge_kev: float
    k_share: float
    k_yield: float
    line_kev: Array
    line_share: Array

    @property
    def k_photon_kev(self) -> float:
        """Mean energy leaving as K fluorescence per photoelectric event above the K edge, keV."""
        return float(self.k_share * self.k_yield * (self.line_kev @ self.line_share))

    def on(self, energy_kev: Array) -> dict[str, Array]:
        """Interpolate every process at other energies, barn/atom.

        Log-log between neighbouring points (linear where a value is 0), so never across an edge:
        an energy equal to an edge takes the value above it.

        Raises
        ------
        OutsideDomain
            An energy below 1 keV or above 100 MeV.
        """
        return {name: log_interpolate(energy_kev, self.energy_kev, getattr(self, name)) for name in PROCESSES}

    def __repr__(self) -> str:
        return f"ElementData({self.symbol!r}, Z={self.z}, table {load('matter/elements').digest})"


def log_interpolate(at: Array, x: Array, y: Array) -> Array:
    """Interpolate y(x) at other points, log-log, linear in an interval where y reaches 0.

    Raises
    ------
    OutsideDomain
        A point outside the range of x.
    """
    at = np.asarray(at, dtype=float)
    if at.size and (np.nanmin(at) < x[0] * (1 - 1e-12) or np.nanmax(at) > x[-1] * (1 + 1e-12)):
        raise OutsideDomain(
            f"Energies from {np.nanmin(at):g} to {np.nanmax(at):g} keV.",
            where="photon cross sections",
            way_out=f"The tables hold {x[0]:g} to {x[-1]:g} keV.",
        )
    i = np.clip(np.searchsorted(x, at, side="right") - 1, 0, len(x) - 2)
    x0, x1, y0, y1 = x[i], x[i + 1], y[i], y[i + 1]
    t = np.clip(np.log(at / x0) / np.log(x1 / x0), 0.0, 1.0)
    positive = (y0 > 0) & (y1 > 0)
    ratio = np.where(positive, y1 / np.where(y0 > 0, y0, 1.0), 1.0)
    result: Array = np.where(positive, y0 * ratio**t, y0 + (y1 - y0) * t)
    return result


def _check(z: int) -> None:
    if not 1 <= z <= len(SYMBOLS):
        raise OutsideDomain(
            f"No photon data for Z = {z}.",
            way_out=f"Elements from hydrogen (1) to {SYMBOLS[-1]} ({len(SYMBOLS)}) are there.",
        )


@cache
def element_data(z: int) -> ElementData:
    """Return the photon data of an element.

    Parameters
    ----------
    z : int
        Atomic number, 1 to 86.

    Raises
    ------
    OutsideDomain
        Beyond radon: the source lacks the cross section just above the K edge of most of them.
    """
    _check(z)
    table = load("matter/elements")
    row = z - 1
    mine = table["edge_z"] == z
    edges = np.asarray(table["edge_kev"][mine], dtype=float)
    below, above = table["edge_below"][mine], table["edge_above"][mine]
    base = np.asarray(table["energy"], dtype=float)
    doubled = np.ravel(np.column_stack([edges * (1 - EDGE_WIDTH), edges]))
    energy = np.concatenate([base, doubled])
    order = np.argsort(energy, kind="stable")
    energy = energy[order]
    if not np.all(np.diff(energy) > 0):
        raise InvalidInput(f"The energy grid of Z = {z} is not increasing.", where="table matter/elements")
    values: dict[str, Array] = {}
    for name in PROCESSES:
        stored = np.asarray(table[name][row], dtype=float)
        at_edges = (
            np.ravel(np.column_stack([below, above]))
            if name == "photoelectric"
            else log_interpolate(doubled, base, stored)
        )
        values[name] = np.concatenate([stored, at_edges])[order]
    arrays = {
        **values,
        "energy_kev": energy,
        "edges_kev": edges,
        "x": np.asarray(table["x"], dtype=float),
        "form_factor": np.asarray(table["form_factor"][row], dtype=float),
        "incoherent_function": np.asarray(table["incoherent_function"][row], dtype=float),
        "line_kev": np.asarray(table["line_kev"][row], dtype=float),
        "line_share": np.asarray(table["line_share"][row], dtype=float),
    }
    for array in arrays.values():
        array.setflags(write=False)
    return ElementData(
        z=z,
        symbol=SYMBOLS[row],
        atomic_weight=float(table["atomic_weight"][row]),
        k_edge_kev=float(table["k_edge"][row]),
        k_share=float(table["k_share"][row]),
        k_yield=float(table["k_yield"][row]),
        **arrays,
    )
