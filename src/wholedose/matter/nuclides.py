"""Radionuclides of medicine. Defines `Nuclide`, `Emission`, `Radiation`, `EmissionSpectrum` and `nuclides`.

The decay data are UKDD-12's (tables ``matter/nuclides`` and ``matter/nuclide_emissions``); the shapes of
beta and positron spectra are computed in `nuclide_spectra`, daughters' activities in `nuclide_chains`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from wholedose.base.errors import InvalidInput, UnknownName
from wholedose.matter.nuclide_spectra import BetaShape, binned
from wholedose.matter.photons import ELECTRON_MASS_KEV
from wholedose.matter.spectra import Spectrum
from wholedose.tables import load

Array = NDArray[np.float64]

ALPHA_MASS = 4.0026
"""Mass of the alpha particle and its two electrons in u, for the recoil of the daughter."""

BINS = 200
"""Bins of a continuous spectrum, from 0 to the highest endpoint."""


class Radiation(StrEnum):
    """What a nuclide emits."""

    GAMMA = "gamma"
    X_RAY = "x ray"
    ANNIHILATION = "annihilation"
    CONVERSION = "conversion"
    AUGER = "auger"
    BETA = "beta"
    POSITRON = "positron"
    ALPHA = "alpha"


PHOTONS = (Radiation.GAMMA, Radiation.X_RAY, Radiation.ANNIHILATION)
ELECTRONS = (Radiation.CONVERSION, Radiation.AUGER, Radiation.BETA, Radiation.POSITRON)
CONTINUOUS = (Radiation.BETA, Radiation.POSITRON)


def _radiation(kind: Radiation | str) -> Radiation:
    try:
        return Radiation(kind)
    except ValueError:
        raise UnknownName("radiation", str(kind), [known.value for known in Radiation]) from None


@dataclass(frozen=True)
class Emission:
    """A line, or a branch of a beta spectrum.

    Attributes
    ----------
    kind : Radiation
    energy_kev : float
        Energy of the line; of a beta or positron branch the endpoint.
    per_decay : float
        Particles per decay.
    shape : BetaShape
        Of a beta or positron branch; allowed for lines, where it means nothing.
    """

    kind: Radiation
    energy_kev: float
    per_decay: float
    shape: BetaShape = BetaShape.ALLOWED


@dataclass(frozen=True, eq=False)
class EmissionSpectrum:
    """One kind of radiation of a nuclide, as arrays to sample from.

    Attributes
    ----------
    energy_kev : array [n]
        Line energies, or the mean energy within each bin, increasing.
    per_decay : array [n]
        Particles per decay in each line or bin.
    width_kev : array [n]
        Bin widths, 0 for lines. The bins of a continuous spectrum are equal and start at 0.
    """

    energy_kev: Array
    per_decay: Array
    width_kev: Array

    @property
    def total(self) -> float:
        """Particles per decay."""
        return float(self.per_decay.sum())

    @property
    def mean_kev(self) -> float:
        """Mean energy of a particle, keV."""
        return float(self.per_decay @ self.energy_kev) / self.total


def nuclide_name(text: str) -> str:
    """Return the name of a nuclide as the tables write it, for any usual spelling.

    Raises
    ------
    UnknownName
        No such nuclide in the table; the closest is offered.

    Examples
    --------
    >>> [nuclide_name(text) for text in ("lu177", "F18", "177Lu", "99mTc", "Tc 99m", "tc-99M")]
    ['Lu-177', 'F-18', 'Lu-177', 'Tc-99m', 'Tc-99m', 'Tc-99m']
    """
    known = nuclides()
    found = re.fullmatch(r"([A-Za-z]{1,2})[\s-]*(\d{1,3})[\s-]*(m?)", text.strip(), re.IGNORECASE)
    turned = re.fullmatch(r"(\d{1,3})(m?)[\s-]*([A-Za-z]{1,2})", text.strip(), re.IGNORECASE)
    guesses = [text]
    if found:
        guesses = [f"{found[1].capitalize()}-{found[2]}{found[3].lower()}"]
    elif turned:
        guesses = [f"{turned[3].capitalize()}-{turned[1]}{turned[2].lower()}"]
    for guess in guesses:
        if guess in known:
            return guess
    raise UnknownName("nuclide", guesses[0], known)


@cache
def _names() -> tuple[str, ...]:
    return tuple(str(name) for name in load("matter/nuclides")["nuclide"])


def nuclides() -> list[str]:
    """Return the names of all nuclides in the table, by atomic and mass number.

    Examples
    --------
    >>> len(nuclides()), nuclides()[:4]
    (201, ['C-11', 'N-13', 'O-15', 'F-18'])
    """
    return list(_names())


@dataclass(frozen=True)
class Nuclide:
    """A radionuclide and what it emits per decay, daughters not included.

    Attributes
    ----------
    name : str
        As "Lu-177" or "Tc-99m".
    z, a : int
        Atomic and mass number.
    half_life_s : float
    emissions : tuple of Emission
        Photon, electron and alpha lines, and the branches of beta and positron spectra. Annihilation
        photons are twice the positrons, as if every positron annihilated at rest.
    capture_per_decay : float
        Electron captures per decay.
    stated_beta_kev, stated_positron_kev : float
        Mean energy of all betas and of all positrons per decay as UKDD-12 states it, keV: the check of
        the computed spectra.

    Examples
    --------
    >>> lutetium = Nuclide.of("177Lu")
    >>> lutetium
    Nuclide('Lu-177', half-life 574301 s, 34 emissions, UKDD-12)
    >>> round(lutetium.mean_energy_kev("beta"), 1)
    134.0
    >>> [(line.energy_kev, line.per_decay) for line in lutetium.of_kind("gamma") if line.per_decay > 0.01]
    [(112.95, 0.062), (208.366, 0.1038)]
    """

    name: str
    z: int
    a: int
    half_life_s: float
    emissions: tuple[Emission, ...]
    capture_per_decay: float = 0.0
    stated_beta_kev: float = 0.0
    stated_positron_kev: float = 0.0

    @classmethod
    def of(cls, name: str) -> Nuclide:
        """Return a nuclide of the table.

        Raises
        ------
        UnknownName
            Not in the table; the closest name is offered.

        Examples
        --------
        >>> Nuclide.of("Lu-178")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        wholedose.base.errors.UnknownName: No nuclide 'Lu-178'; did you mean 'Lu-177'? Known: ...
        """
        return _of(nuclide_name(name))

    @property
    def decay_constant_per_s(self) -> float:
        """Decay constant ln 2 / half-life, 1/s."""
        return float(np.log(2)) / self.half_life_s

    @property
    def kinds(self) -> tuple[Radiation, ...]:
        """The kinds of radiation that the nuclide emits."""
        present = {emission.kind for emission in self.emissions}
        return tuple(kind for kind in Radiation if kind in present)

    def of_kind(self, kind: Radiation | str) -> tuple[Emission, ...]:
        """Return the emissions of one kind, by energy; empty if there are none.

        Raises
        ------
        UnknownName
            Not a kind of radiation.
        """
        wanted = _radiation(kind)
        return tuple(emission for emission in self.emissions if emission.kind is wanted)

    def per_decay(self, kind: Radiation | str) -> float:
        """Return the number of particles of one kind per decay, 0 if there are none.

        Examples
        --------
        >>> fluorine = Nuclide.of("F-18")
        >>> round(fluorine.per_decay("positron"), 4), round(fluorine.per_decay("annihilation"), 4)
        (0.9686, 1.9372)
        """
        return sum(emission.per_decay for emission in self.of_kind(kind))

    def mean_energy_kev(self, kind: Radiation | str) -> float:
        """Return the mean energy of a particle of one kind, keV; betas and positrons over their spectra.

        Raises
        ------
        UnknownName
            Not a kind of radiation, or one that the nuclide does not emit.

        Examples
        --------
        >>> round(Nuclide.of("F-18").mean_energy_kev("positron"), 1)
        249.9
        """
        self._require(kind)
        return self.energy_kev_per_decay(kind) / self.per_decay(kind)

    def energy_kev_per_decay(self, *kinds: Radiation | str) -> float:
        """Return the energy emitted per decay as the given kinds of radiation, keV.

        Raises
        ------
        UnknownName
            Not a kind of radiation.
        """
        total = 0.0
        for kind in map(_radiation, kinds):
            if kind in CONTINUOUS and self.of_kind(kind):
                spectrum = self.spectrum(kind)
                total += float(spectrum.per_decay @ spectrum.energy_kev)
            else:
                total += sum(line.energy_kev * line.per_decay for line in self.of_kind(kind))
        return total

    @property
    def electron_kev_per_decay(self) -> float:
        """Energy of betas, positrons, conversion and Auger electrons per decay, keV."""
        return self.energy_kev_per_decay(*ELECTRONS)

    @property
    def photon_kev_per_decay(self) -> float:
        """Energy of gamma rays, X rays and annihilation photons per decay, keV."""
        return self.energy_kev_per_decay(*PHOTONS)

    @property
    def alpha_kev_per_decay(self) -> float:
        """Energy of alpha particles per decay, keV, without the recoil of the daughter."""
        return self.energy_kev_per_decay(Radiation.ALPHA)

    @property
    def recoil_kev_per_decay(self) -> float:
        """Energy of the nuclei that recoil from alpha particles per decay, keV."""
        return self.alpha_kev_per_decay * ALPHA_MASS / (self.a - ALPHA_MASS)

    def spectrum(self, kind: Radiation | str, bins: int = BINS) -> EmissionSpectrum:
        """Return one kind of radiation as arrays to sample from.

        Betas and positrons are continuous: every branch has its shape, an endpoint and an intensity, and
        the bins hold their sum. All else is lines.

        Parameters
        ----------
        kind : Radiation or str
        bins : int
            Bins of a continuous spectrum; lines ignore it.

        Raises
        ------
        UnknownName
            Not a kind of radiation, or one that the nuclide does not emit.
        InvalidInput
            Fewer than 1 bin.

        Examples
        --------
        >>> yttrium = Nuclide.of("Y-90").spectrum("beta")
        >>> len(yttrium.energy_kev), round(yttrium.total, 4), round(yttrium.mean_kev, 1)
        (200, 1.0, 932.5)
        """
        if bins < 1:
            raise InvalidInput(f"A spectrum of {bins} bins.", way_out="Give 1 or more.")
        return _spectrum(self, self._require(kind), bins)

    def photons(self, least_kev: float = 1.0) -> Spectrum:
        """Return all photon lines as one `Spectrum` whose weights are photons per decay.

        Parameters
        ----------
        least_kev : float
            Weaker photons are left out; cross sections begin at 1 keV.

        Raises
        ------
        UnknownName
            The nuclide emits no photons of this energy.

        Examples
        --------
        >>> round(Nuclide.of("Tc-99m").photons(10.0).mean_kev, 1)
        131.3
        """
        weights: dict[float, float] = {}
        for emission in self.emissions:
            if emission.kind in PHOTONS and emission.energy_kev >= least_kev:
                weights[emission.energy_kev] = weights.get(emission.energy_kev, 0.0) + emission.per_decay
        if not weights:
            raise UnknownName(f"radiation of {self.name}", f"photons from {least_kev:g} keV on", self.kinds)
        energy = np.array(sorted(weights))
        return Spectrum(energy, np.array([weights[float(e)] for e in energy]), np.zeros(len(energy)))

    @property
    def progeny(self) -> dict[str, float]:
        """Radioactive daughters and the fractions of decays that lead to them (table ``nuclide_chains``).

        Stable daughters and those that the table of nuclides lacks do not appear.

        Examples
        --------
        >>> Nuclide.of("Mo-99").progeny
        {'Tc-99m': 0.878864, 'Tc-99': 0.121136}
        """
        return dict(_daughters().get(self.name, {}))

    def _require(self, kind: Radiation | str) -> Radiation:
        wanted = _radiation(kind)
        if wanted not in self.kinds:
            raise UnknownName(
                f"radiation of {self.name}", wanted.value, [known.value for known in self.kinds]
            )
        return wanted

    def __repr__(self) -> str:
        number = len(self.emissions)
        return f"Nuclide({self.name!r}, half-life {self.half_life_s:g} s, {number} emissions, UKDD-12)"


@lru_cache(maxsize=512)
def _spectrum(nuclide: Nuclide, kind: Radiation, bins: int) -> EmissionSpectrum:
    branches = nuclide.of_kind(kind)
    energy = np.array([branch.energy_kev for branch in branches])
    number = np.array([branch.per_decay for branch in branches])
    width = np.zeros(len(branches))
    if kind in CONTINUOUS:
        positron = kind is Radiation.POSITRON
        daughter = nuclide.z + (-1 if positron else 1)
        edges = np.linspace(0.0, float(energy.max()), bins + 1)
        number, carried = np.zeros(bins), np.zeros(bins)
        for branch in branches:
            share, part = binned(
                edges, branch.energy_kev, daughter, nuclide.a, branch.shape, positron=positron
            )
            number += branch.per_decay * share
            carried += branch.per_decay * part
        energy = np.where(
            number > 0, carried / np.where(number > 0, number, 1.0), (edges[1:] + edges[:-1]) / 2
        )
        width = np.diff(edges)
    for array in (energy, number, width):
        array.setflags(write=False)
    return EmissionSpectrum(energy, number, width)


@cache
def _daughters() -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for row in load("matter/nuclide_chains").rows():
        daughters = found.setdefault(str(row["parent"]), {})
        name = str(row["daughter"])
        daughters[name] = daughters.get(name, 0.0) + float(row["fraction"])
    return found


@cache
def _of(name: str) -> Nuclide:
    table, lines = load("matter/nuclides"), load("matter/nuclide_emissions")
    row = _names().index(name)
    emissions: list[Emission] = []
    capture = 0.0
    for i in np.flatnonzero(lines["nuclide"] == name):
        kind, kev, per_decay = (
            str(lines["kind"][i]),
            float(lines["energy_kev"][i]),
            float(lines["per_decay"][i]),
        )
        if kind == "capture":
            capture += per_decay
        else:
            shape = str(lines["shape"][i])
            emissions.append(
                Emission(Radiation(kind), kev, per_decay, BetaShape(shape) if shape else BetaShape.ALLOWED)
            )
    positrons = sum(emission.per_decay for emission in emissions if emission.kind is Radiation.POSITRON)
    if positrons > 0:
        emissions.append(Emission(Radiation.ANNIHILATION, ELECTRON_MASS_KEV, 2 * positrons))
    return Nuclide(
        name=name,
        z=int(table["z"][row]),
        a=int(table["a"][row]),
        half_life_s=float(table["half_life_s"][row]),
        emissions=tuple(emissions),
        capture_per_decay=capture,
        stated_beta_kev=float(table["beta_kev_per_decay"][row]),
        stated_positron_kev=float(table["positron_kev_per_decay"][row]),
    )
