"""What a simulation gives back. Defines `Tally`, `RegionTally` and `EnergyBalance`; all are per history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Grid, InvalidInput, Provenance, digest_of

FloatArray = NDArray[np.float64]

MGY_PER_KEV_G = 1.602176634e-10
"""mGy per keV/g, from the elementary charge (exact in the 2019 SI)."""


@dataclass(frozen=True)
class EnergyBalance:
    """Where the energy went, keV per history, scored analogue.

    Attributes
    ----------
    emitted_kev, deposited_kev, escaped_kev : float
    roulette_kev : float
        Won by photons that survived Russian roulette, less what the others lost; 0 in expectation.
    """

    emitted_kev: float
    deposited_kev: float
    escaped_kev: float
    roulette_kev: float = 0.0

    @property
    def closure(self) -> float:
        """(deposited + escaped − roulette) / emitted − 1; rounding only."""
        return (self.deposited_kev + self.escaped_kev - self.roulette_kev) / self.emitted_kev - 1.0


@dataclass(frozen=True, eq=False)
class RegionTally:
    """The energy and dose of one region, per history.

    Attributes
    ----------
    name : str
    energy_kev, u_kev : float
        Energy deposited, and its standard uncertainty from the spread of the batches.
    mass_g : float
        Mass; for a response ``"<name>@response"`` 1 g by convention: its energy is per gram.
    per_batch_kev : array [batches]
        The energy in each batch, per history.
    analogue_kev, analogue_u_kev : float
        The same energy by the analogue estimator; NaN for a response.
    """

    name: str
    energy_kev: float
    u_kev: float
    mass_g: float
    per_batch_kev: FloatArray
    analogue_kev: float = np.nan
    analogue_u_kev: float = np.nan

    @classmethod
    def from_batches(
        cls, name: str, mass_g: float, per_batch: FloatArray, analogue: FloatArray | None = None
    ) -> RegionTally:
        """Return the tally of a region from its energies per batch."""
        value, u = mean_and_u(per_batch)
        other = mean_and_u(analogue) if analogue is not None else (np.nan, np.nan)
        return cls(name, value, u, mass_g, per_batch, *other)

    @property
    def dose_mgy(self) -> float:
        """Mean absorbed dose per history in mGy; 0 where there is no mass."""
        return self.energy_kev / self.mass_g * MGY_PER_KEV_G if self.mass_g > 0 else 0.0

    @property
    def u_mgy(self) -> float:
        """Its standard uncertainty in mGy."""
        return self.u_kev / self.mass_g * MGY_PER_KEV_G if self.mass_g > 0 else 0.0

    @property
    def per_batch(self) -> FloatArray:
        """The dose in each batch, mGy per history."""
        scale = MGY_PER_KEV_G / self.mass_g if self.mass_g > 0 else 0.0
        return self.per_batch_kev * scale

    @property
    def relative_u(self) -> float:
        """Standard uncertainty over value; infinite where nothing was scored."""
        return self.u_kev / self.energy_kev if self.energy_kev > 0 else np.inf

    def __repr__(self) -> str:
        return f"RegionTally({self.name!r}, {self.energy_kev:.5g} ± {self.u_kev:.2g} keV per history)"


def mean_and_u(per_batch: FloatArray) -> tuple[float, float]:
    """Return the mean of independent batches and its standard uncertainty; infinite for one batch."""
    n = len(per_batch)
    u = float(np.std(per_batch, ddof=1)) / np.sqrt(n) if n > 1 else np.inf
    return float(np.mean(per_batch)), float(u)


@dataclass(frozen=True, eq=False)
class Tally:
    """The result of `simulate`.

    Attributes
    ----------
    batches, histories : int
        Run in total. With the seed and the histories per batch they fix the result.
    regions : mapping of str to RegionTally
        By name, in the order of `Regions`, then the responses.
    total : RegionTally
        The whole geometry.
    energy_balance : EnergyBalance
    target_missed : tuple of str
        Regions whose target was not reached when time or batches ran out.
    provenance : Provenance
    grid : Grid or None
        Of the voxel arrays.
    """

    batches: int
    histories: int
    regions: Mapping[str, RegionTally]
    total: RegionTally
    energy_balance: EnergyBalance
    provenance: Provenance
    target_missed: tuple[str, ...] = ()
    grid: Grid | None = None
    mass_g: FloatArray | None = None
    sums: Mapping[str, FloatArray] = field(default_factory=dict, repr=False)

    def _voxels(self, name: str) -> FloatArray:
        if name not in self.sums or self.grid is None:
            what = "analogue_voxels=True" if name.startswith("analogue") else "voxel_scores=True"
            raise InvalidInput("These voxels were not scored.", way_out=f"Call simulate with {what}.")
        return self.sums[name].reshape(self.grid.shape)

    def _mean(self, name: str) -> FloatArray:
        return self._voxels(name) / self.histories

    def _u(self, name: str) -> FloatArray:
        if self.batches < 2:
            return np.full_like(self._voxels(name), np.inf)
        mean = self._voxels(name) / self.batches
        spread = np.maximum(self._voxels(name + " squares") / self.batches - mean**2, 0.0)
        return np.sqrt(spread / (self.batches - 1)) * (self.batches / self.histories)

    @property
    def energy_kev(self) -> FloatArray:
        """Energy deposited per history in each voxel, keV, ``[z, y, x]``, by the estimator asked for."""
        return self._mean("energy")

    @property
    def energy_u_kev(self) -> FloatArray:
        """Its standard uncertainty from the spread of the batches."""
        return self._u("energy")

    @property
    def analogue_kev(self) -> FloatArray:
        """The analogue estimator of `energy_kev`; only with ``analogue_voxels=True``."""
        return self._mean("analogue")

    @property
    def analogue_u_kev(self) -> FloatArray:
        """Its standard uncertainty."""
        return self._u("analogue")

    def dose_mgy(self) -> NDArray[np.float32]:
        """Return the absorbed dose per history in each voxel, mGy, ``[z, y, x]``; 0 without mass."""
        return self._dose(self.energy_kev)

    def dose_u_mgy(self) -> NDArray[np.float32]:
        """Return the standard uncertainty of `dose_mgy`."""
        return self._dose(self.energy_u_kev)

    def _dose(self, energy_kev: FloatArray) -> NDArray[np.float32]:
        mass = np.asarray(self.mass_g)
        with np.errstate(divide="ignore", invalid="ignore"):
            dose = np.where(mass > 0, energy_kev / mass * MGY_PER_KEV_G, 0.0)
        return dose.astype(np.float32)

    def digest(self) -> str:
        """Return a digest of all scores: equal exactly when the results are equal."""
        regions = [[name, region.per_batch_kev.tolist()] for name, region in self.regions.items()]
        arrays: list[Any] = [self.sums[name] for name in sorted(self.sums)]
        return digest_of(self.batches, self.histories, regions, self.total.per_batch_kev, *arrays)

    def __repr__(self) -> str:
        return f"Tally({self.batches} batches, {self.histories} histories, {len(self.regions)} regions)"
