"""Activity in voxels, and the dose of decays. Defines `ActivitySource`, `DecayDose` and `simulate_decays`.

Photons are transported. Electrons, positrons and alphas leave their kinetic energy in the voxel where they
arise: right where their range is small beside the voxels and the region, which ``DecayDose.local_range_mm``
lets a reader judge.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wholedose.base import Grid, InvalidInput, UnknownName
from wholedose.matter import Nuclide
from wholedose.matter.nuclides import PHOTONS
from wholedose.transport.geometry import Regions, VoxelGeometry
from wholedose.transport.simulation import simulate
from wholedose.transport.sources import (
    ACTIVITY,
    Energy,
    Point,
    SourceArrays,
    _digest,
    _empty,
    alias_table,
    checked_spectrum,
)
from wholedose.transport.tally import MGY_PER_KEV_G, Tally

FloatArray = NDArray[np.float64]
PER_MBQ_S = 1e6


@dataclass(frozen=True, eq=False)
class ActivitySource:
    """Photons in all directions from voxels, in proportion to their activity.

    Parameters
    ----------
    grid : Grid
        Of the activity; it need not be the geometry's.
    activity : array of shape ``grid.shape``
        Activity, or number of decays, of each voxel in any unit; 0 or more.
    energy : float, spectrum or (energies, weights)
        Of the photons, such as ``Nuclide.of("Tc-99m").photons()``.

    Raises
    ------
    InvalidInput
        Another shape, a negative or infinite activity, or none at all.
    OutsideDomain
        Energies outside 1 keV to 10 MeV.

    Examples
    --------
    ``ActivitySource(body.grid, body.mask("liver"), Nuclide.of("Tc-99m").photons())``
    """

    grid: Grid
    activity: NDArray[Any]
    energy: Energy

    def __post_init__(self) -> None:
        checked_spectrum(self.energy)
        values = np.asarray(self.activity)
        if values.shape != self.grid.shape:
            raise InvalidInput(
                f"The activity has shape {values.shape}, its grid {self.grid.shape}.", where="activity"
            )
        values = values.astype(np.float64)
        if not np.isfinite(values).all() or values.min() < 0.0:
            raise InvalidInput(
                "The activity holds values that are negative or not finite.",
                where="activity",
                way_out="Set what is no activity to 0: noise of a reconstruction may be negative.",
            )
        if not values.any():
            raise InvalidInput("There is no activity.", where="activity")
        object.__setattr__(self, "activity", values)

    def arrays(self, lower_mm: Point) -> SourceArrays:
        """Return the source relative to a geometry's low corner."""
        kev, weight = checked_spectrum(self.energy)
        chance, alias = alias_table(weight)
        flat = self.activity.ravel()
        active = np.flatnonzero(flat)
        cumulated = np.cumsum(flat[active])
        low = (np.asarray(self.grid.lower_mm) - lower_mm) / 10.0
        edges = np.asarray(self.grid.spacing_mm[::-1]) / 10.0
        _, ny, nx = self.grid.shape
        return _empty(
            kind=ACTIVITY,
            frame=np.concatenate([low, edges, np.zeros(6)]),
            size=np.array([float(nx), float(ny), 0.0]),
            view_chance=(cumulated / cumulated[-1])[None],
            view_alias=active.astype(np.int32)[None],
            energy_kev=kev,
            energy_chance=chance[None],
            energy_alias=alias[None],
        )

    def digest(self) -> str:
        """Return a digest of everything that defines the source."""
        return _digest("activity", self.arrays((0.0, 0.0, 0.0)))


@dataclass(frozen=True, eq=False)
class DecayDose:
    """Dose per decay of a nuclide, of photons that were transported and of particles that were not.

    Attributes
    ----------
    nuclide : Nuclide
    tally : Tally
        Of the photons, per emitted photon.
    photons_per_decay : float
    weak_photon_kev : float
        Energy per decay of photons that were too weak to be transported.
    share : mapping of region name to float
        Part of the decays in each region.
    local_range_mm : float
        Range in water, by Katz and Penfold (1952), of the fastest beta, positron or conversion electron.
    """

    nuclide: Nuclide
    tally: Tally
    photons_per_decay: float
    weak_photon_kev: float
    share: Mapping[str, float]
    local_range_mm: float

    def photon_mgy(self, region: str) -> float:
        """Return the dose by photons per decay, mGy."""
        return float(self._tally(region).dose_mgy * self.photons_per_decay)

    def u_mgy(self, region: str) -> float:
        """Return the statistical standard uncertainty of the dose per decay, mGy."""
        return float(self._tally(region).u_mgy * self.photons_per_decay)

    def electron_mgy(self, region: str) -> float:
        """Return the dose by electrons, positrons and weak photons per decay, mGy."""
        return self._local(region, self.nuclide.electron_kev_per_decay + self.weak_photon_kev)

    def alpha_mgy(self, region: str) -> float:
        """Return the dose by alphas and recoils per decay, mGy, without any weight for their effect."""
        return self._local(region, self.nuclide.alpha_kev_per_decay + self.nuclide.recoil_kev_per_decay)

    def dose_mgy(self, region: str) -> float:
        """Return the absorbed dose per decay, mGy."""
        return self.photon_mgy(region) + self.electron_mgy(region) + self.alpha_mgy(region)

    def s_value(self, region: str) -> float:
        """Return the absorbed dose per MBq s, mGy: the S value where all activity is in one region."""
        return self.dose_mgy(region) * PER_MBQ_S

    def _tally(self, region: str) -> Any:
        if region not in self.tally.regions:
            raise UnknownName("region", region, tuple(self.tally.regions))
        return self.tally.regions[region]

    def _local(self, region: str, kev: float) -> float:
        mass = self._tally(region).mass_g
        return kev * self.share[region] / mass * MGY_PER_KEV_G if mass > 0.0 else 0.0


def simulate_decays(
    geometry: VoxelGeometry,
    regions: Regions,
    activity: Mapping[str, float] | ArrayLike,
    nuclide: Nuclide,
    *,
    seed: int,
    least_kev: float = 10.0,
    **options: Any,
) -> DecayDose:
    """Return the dose per decay in regions.

    Parameters
    ----------
    geometry : VoxelGeometry
    regions : Regions
    activity : mapping of region name to float, or array of the grid's shape
        Decays in each region, evenly spread over its *mass*, or in each voxel; any unit.
    nuclide : Nuclide
        Without its daughters: add theirs (`wholedose.matter.equilibrium_activities`).
    seed : int
    least_kev : float
        Photons below it are left where they arise.
    **options
        Of `simulate`: target, batches, seconds, executor, progress, window …

    Raises
    ------
    UnknownName
        A region that is not there.
    InvalidInput
        No activity.

    Examples
    --------
    ``simulate_decays(geometry, organs, {"liver": 1.0}, Nuclide.of("Lu-177"), seed=1).s_value("kidneys")``
    """
    decays = _decays(geometry, regions, activity)
    lines = [one for one in nuclide.emissions if one.kind in PHOTONS and one.energy_kev >= least_kev]
    number = sum(one.per_decay for one in lines)
    photons: Energy = nuclide.photons(least_kev) if lines else least_kev
    source = ActivitySource(geometry.grid, decays, photons)
    if not lines:  # nothing flies: the shortest of runs, which counts for nothing
        options = {"histories_per_batch": 1, "batches": 1, "voxel_scores": False}
    tally = simulate(geometry, source, seed=seed, regions=regions, **options)
    left = nuclide.photon_kev_per_decay - sum(one.per_decay * one.energy_kev for one in lines)
    total = float(decays.sum())
    inside = np.bincount(regions.labels.ravel(), weights=decays.ravel(), minlength=len(regions.names) + 1)
    share = {name: float(inside[k]) / total for k, name in enumerate(regions.names, start=1)}
    return DecayDose(nuclide, tally, number, left, share, _longest_range_mm(nuclide))


def _decays(
    geometry: VoxelGeometry, regions: Regions, activity: Mapping[str, float] | ArrayLike
) -> FloatArray:
    if not isinstance(activity, Mapping):
        return np.asarray(activity, dtype=np.float64)
    mass = geometry.mass_g
    by_label = np.bincount(regions.labels.ravel(), weights=mass.ravel(), minlength=len(regions.names) + 1)
    per_gram = np.zeros(len(regions.names) + 1)
    for name, value in activity.items():
        if name not in regions.names:
            raise UnknownName("region", name, regions.names, where="activity")
        row = regions.row(name)
        if by_label[row] <= 0.0:
            raise InvalidInput(f"The region {name!r} has no mass.", where="activity")
        per_gram[row] = value / by_label[row]
    return np.asarray(per_gram[regions.labels] * mass)


def _longest_range_mm(nuclide: Nuclide) -> float:
    """Return the range in water by Katz and Penfold (1952, doi:10.1103/RevModPhys.24.28)."""
    kinds = [kind for kind in ("beta", "positron", "conversion") if kind in nuclide.kinds]
    kev = max((one.energy_kev for kind in kinds for one in nuclide.of_kind(kind)), default=0.0)
    mev = kev / 1000.0
    if mev <= 0.0:
        return 0.0
    grams = 0.412 * mev ** (1.265 - 0.0954 * math.log(mev)) if mev < 2.5 else 0.530 * mev - 0.106
    return 10.0 * grams
