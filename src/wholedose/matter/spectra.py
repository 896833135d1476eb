"""Photon spectra in bins. Defines `Spectrum`, with tube spectra, filters, half-value layers and air kerma."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholedose.base.errors import InvalidInput, OutsideDomain
from wholedose.matter.materials import Material, material
from wholedose.matter.photons import photon_data
from wholedose.tables import load

Array = NDArray[np.float64]

KERMA_PGY_G_KEV = 0.1602176634
"""1 keV/g in pGy."""

BIN_KEV = 0.5


@dataclass(frozen=True, eq=False)
class Spectrum:
    """A photon spectrum in bins of energy.

    Attributes
    ----------
    energy_kev : array [n]
        Bin centres, strictly increasing.
    weight : array [n]
        Photons per bin (not per keV), in any unit; `tube` gives photons per cm² per mAs at 1 m.
    width_kev : array [n]
        Bin widths, 0 for lines.

    Raises
    ------
    InvalidInput
        Arrays of different lengths, energies that do not increase, weights that are negative or all zero.

    Examples
    --------
    >>> beam = Spectrum.tube(120, anode_deg=12, filters={"aluminium": 6.0})
    >>> round(beam.hvl_mm("aluminium"), 1)
    6.4
    """

    energy_kev: Array
    weight: Array
    width_kev: Array

    def __post_init__(self) -> None:
        for name in ("energy_kev", "weight", "width_kev"):
            array = np.array(getattr(self, name), dtype=float)
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        if not (self.energy_kev.ndim == 1 and self.energy_kev.size > 0) or not (
            self.energy_kev.shape == self.weight.shape == self.width_kev.shape
        ):
            raise InvalidInput("Energies, weights and widths of a spectrum differ in length.")
        if np.any(np.diff(self.energy_kev) <= 0):
            raise InvalidInput("The energies of a spectrum do not increase.")
        if not np.all(self.weight >= 0) or not self.weight.sum() > 0 or not np.all(np.isfinite(self.weight)):
            raise InvalidInput(
                "The weights of a spectrum are negative, not finite or all zero.",
                way_out="Give photons per bin; at least one bin must hold some.",
            )

    @classmethod
    def line(cls, kev: float) -> Spectrum:
        """Return a spectrum of one energy."""
        return cls(np.array([kev]), np.array([1.0]), np.array([0.0]))

    @classmethod
    def tube(
        cls, kv: float, anode_deg: float = 12.0, filters: Mapping[str | Material, float] | None = None
    ) -> Spectrum:
        """Return the spectrum of a tungsten-anode tube behind filters.

        The bare spectrum is interpolated in the table ``matter/tube_spectra`` (spekpy): bremsstrahlung
        per (kV − E) by four-point polynomials in the tube voltage, lines likewise, linear in the angle.
        Filters attenuate exponentially (narrow beam).

        Parameters
        ----------
        kv : float
            Tube voltage (constant potential), 40 to 150 kV.
        anode_deg : float
            Anode angle on the central axis, 6 to 20 degrees.
        filters : mapping of material (or its name) to millimetres
            All filtration, inherent and added.

        Raises
        ------
        OutsideDomain
            A voltage or angle outside the table.

        Examples
        --------
        >>> round(Spectrum.tube(80, filters={"aluminium": 2.5}).mean_kev, 1)
        43.0
        """
        table = load("matter/tube_spectra")
        volts, angles = table["kv"], table["angle"]
        if not volts[0] <= kv <= volts[-1]:
            raise OutsideDomain(
                f"No tube spectrum for {kv:g} kV.",
                where="tube voltage",
                way_out=f"The table holds {volts[0]:g} to {volts[-1]:g} kV, tungsten; "
                "give other beams as Spectrum(energy_kev, weight, width_kev).",
            )
        if not angles[0] <= anode_deg <= angles[-1]:
            raise OutsideDomain(
                f"No tube spectrum for an anode angle of {anode_deg:g} degrees.",
                where="anode angle",
                way_out=f"The table holds {angles[0]:g} to {angles[-1]:g} degrees.",
            )
        i = int(np.clip(np.searchsorted(angles, anode_deg, side="right") - 1, 0, len(angles) - 2))
        t = (anode_deg - angles[i]) / (angles[i + 1] - angles[i])
        brems = (1 - t) * table["brems"][i].astype(float) + t * table["brems"][i + 1]
        lines = (1 - t) * table["line_fluence"][i].astype(float) + t * table["line_fluence"][i + 1]
        centres = np.asarray(table["energy"], dtype=float)
        low = centres - BIN_KEV / 2
        overlap = np.clip(kv - low, 0.0, BIN_KEV)
        keep = overlap > 0
        energy = low[keep] + overlap[keep] / 2
        density = _along_kv(volts, brems[:, keep], centres[keep], kv) * (kv - energy)
        weight = density * overlap[keep]
        line_kev = np.asarray(table["line_kev"], dtype=float)
        emitted = np.maximum(_along_kv(volts, lines, line_kev, kv), 0.0)
        for at, fluence in zip(line_kev, emitted, strict=True):
            bin_index = int(np.searchsorted(low, at, side="right")) - 1
            if fluence > 0 and bin_index < len(weight):
                weight[bin_index] += fluence
        spectrum = cls(energy, np.maximum(weight, 0.0), overlap[keep])
        for name, millimetres in (filters or {}).items():
            spectrum = spectrum.filtered(name, millimetres / 10)
        return spectrum

    def filtered(self, matter: str | Material, cm: float) -> Spectrum:
        """Return the spectrum behind a layer: weight × exp(−μ cm).

        Raises
        ------
        InvalidInput
            A negative thickness.
        """
        if not cm >= 0:
            raise InvalidInput(f"A filter of {cm:g} cm.", way_out="Give a thickness of 0 or more.")
        weight = self.weight * np.exp(-_linear(matter, self.energy_kev) * cm)
        return Spectrum(self.energy_kev, weight, self.width_kev)

    @property
    def mean_kev(self) -> float:
        """Mean photon energy, keV."""
        return float(self.weight @ self.energy_kev / self.weight.sum())

    @property
    def fluence(self) -> float:
        """Sum of the weights: photons per cm² per mAs at 1 m for a tube spectrum."""
        return float(self.weight.sum())

    @property
    def air_kerma_per_photon(self) -> float:
        """Air kerma in pGy for a fluence of one photon per cm² (mean over the spectrum)."""
        return float(self._kerma() @ self.weight / self.weight.sum())

    @property
    def air_kerma_mgy(self) -> float:
        """Air kerma in mGy when the weights are photons per cm² (a tube spectrum: per mAs at 1 m)."""
        return self.air_kerma_per_photon * self.fluence * 1e-9

    def hvl_mm(self, matter: str | Material = "aluminium", layers: int = 1) -> float:
        """Return the half-value layer of air kerma, millimetres, narrow beam.

        Parameters
        ----------
        matter : str or Material
        layers : int
            1 for the first half-value layer, 2 for the second (from one half to one quarter), and so on.

        Examples
        --------
        >>> round(Spectrum.line(60.0).hvl_mm("aluminium"), 3)
        9.244
        """
        done = self.transmission_mm(matter, 0.5 ** (layers - 1)) if layers > 1 else 0.0
        return self.transmission_mm(matter, 0.5**layers) - done

    def transmission_mm(self, matter: str | Material, fraction: float) -> float:
        """Return the thickness in mm that lets this fraction of the air kerma through.

        Raises
        ------
        InvalidInput
            A fraction that is not between 0 and 1.
        """
        if not 0 < fraction <= 1:
            raise InvalidInput(f"A transmission of {fraction:g}.", way_out="Give a fraction between 0 and 1.")
        signal = self._kerma() * self.weight
        signal = signal / signal.sum()
        mu = _linear(matter, self.energy_kev)
        cm, target = 0.0, np.log(fraction)
        # Newton on the logarithm: convex and falling, so it approaches from below without overshoot
        for _ in range(200):
            left = signal * np.exp(-mu * cm)
            total = left.sum()
            step = (np.log(total) - target) * total / (left @ mu)
            cm += step
            if abs(step) < 1e-12 * max(cm, 1e-12):
                break
        return float(cm * 10)

    @property
    def homogeneity(self) -> float:
        """First over second half-value layer in aluminium; 1 for a line."""
        return self.hvl_mm("aluminium", 1) / self.hvl_mm("aluminium", 2)

    def effective_kev(self, matter: str | Material = "aluminium") -> float:
        """Return the energy of the line that has the same first half-value layer, keV."""
        mu = np.log(2) / (self.hvl_mm(matter) / 10)
        grid = np.linspace(self.energy_kev[0], self.energy_kev[-1], 4001)
        return float(grid[np.argmin(np.abs(_linear(matter, grid) - mu))])

    def resampled(self, edges_kev: Array) -> Spectrum:
        """Return the spectrum in other bins: each bin's photons go to the new bin of its centre.

        Raises
        ------
        InvalidInput
            Edges that do not cover all photons.
        """
        edges = np.asarray(edges_kev, dtype=float)
        index = np.searchsorted(edges, self.energy_kev, side="right") - 1
        outside = (index < 0) | (index >= len(edges) - 1)
        if np.any(self.weight[outside] > 0):
            raise InvalidInput("The new bins do not cover the spectrum.", where="edges_kev")
        weight = np.bincount(index[~outside], self.weight[~outside], len(edges) - 1).astype(float)
        return Spectrum((edges[1:] + edges[:-1]) / 2, weight, np.diff(edges))

    def __repr__(self) -> str:
        return (
            f"Spectrum({len(self.weight)} bins to {self.energy_kev[-1]:g} keV, mean {self.mean_kev:.1f} keV)"
        )

    def _kerma(self) -> Array:
        air = photon_data(material("air"))
        return self.energy_kev * air.on("energy_transfer", self.energy_kev) * KERMA_PGY_G_KEV


def _linear(matter: str | Material, energy_kev: Array) -> Array:
    layer = material(matter) if isinstance(matter, str) else matter
    return photon_data(layer).on("total", energy_kev) * layer.density_g_cm3


def _along_kv(volts: Array, values: Array, energy: Array, kv: float) -> Array:
    """Interpolate each column in the tube voltage by a polynomial through the four nearest nodes.

    A column has no photons where the voltage is below its energy: such nodes are left out, so that
    the last bins use fewer nodes (down to one).
    """
    count = min(4, len(volts))
    start = int(np.clip(np.searchsorted(volts, kv, side="right") - count // 2, 0, len(volts) - count))
    result = np.zeros(values.shape[1])
    for first in range(count):
        # columns whose first usable node of the window is this one
        node = volts[start + first]
        usable = energy < node
        if first:
            usable &= energy >= volts[start + first - 1]
        if not usable.any():
            continue
        nodes = np.arange(start + first, start + count)
        for i in nodes:
            others = volts[nodes[nodes != i]]
            factor = np.prod((kv - others) / (volts[i] - others))
            result[usable] += factor * values[i, usable]
    return result
