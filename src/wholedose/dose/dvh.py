"""Dose–volume histograms. Defines `DVH`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wholedose.base import InvalidInput


@dataclass(frozen=True, eq=False)
class DVH:
    """The distribution of dose over the volume (or mass) of a structure.

    Parameters
    ----------
    dose_mgy : array of shape (n,)
        Dose of each voxel, in mGy.
    weight : array of shape (n,), optional
        Volume or mass of each voxel, by default equal.

    Raises
    ------
    InvalidInput
        The structure is empty.

    Examples
    --------
    >>> dvh = DVH.of([1.0, 2.0, 3.0, 4.0])
    >>> dvh.mean_mgy, dvh.volume_above(2.5), dvh.dose_to_hottest(0.25)
    (2.5, 0.5, 4.0)
    """

    dose_mgy: NDArray[np.float64]
    weight: NDArray[np.float64]

    @classmethod
    def of(cls, dose_mgy: ArrayLike, weight: ArrayLike | None = None) -> DVH:
        """Return the histogram of voxel doses; both arrays are flattened and sorted by dose."""
        dose = np.asarray(dose_mgy, dtype=np.float64).ravel()
        mass = np.ones_like(dose) if weight is None else np.asarray(weight, dtype=np.float64).ravel()
        if dose.shape != mass.shape:
            raise InvalidInput(f"{dose.size} doses do not fit {mass.size} weights.")
        if not dose.size or not mass.sum() > 0:
            raise InvalidInput(
                "The structure is empty: it holds no voxel.", way_out="Choose one that the image holds."
            )
        order = np.argsort(dose, kind="stable")
        return cls(dose[order], mass[order] / mass.sum())

    @property
    def mean_mgy(self) -> float:
        """The mean dose, in mGy."""
        return float(self.dose_mgy @ self.weight)

    def volume_above(self, dose_mgy: float) -> float:
        """Return the fraction of the volume that receives at least a dose (V_x)."""
        return float(self.weight[np.searchsorted(self.dose_mgy, dose_mgy, side="left") :].sum())

    def dose_to_hottest(self, fraction: float) -> float:
        """Return the least dose within the hottest fraction of the volume (D_x), in mGy."""
        if not 0 < fraction <= 1:
            raise InvalidInput(f"A volume fraction lies between 0 and 1, not {fraction}.")
        hottest = np.cumsum(self.weight[::-1])
        index = int(np.searchsorted(hottest, fraction - 1e-12, side="left"))
        return float(self.dose_mgy[::-1][min(index, self.dose_mgy.size - 1)])

    def curve(self, points: int = 200) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return (dose in mGy, volume fraction with at least it) at equal steps from 0 to the maximum."""
        dose = np.linspace(0.0, float(self.dose_mgy[-1]), points)
        below = np.concatenate(([0.0], np.cumsum(self.weight)))
        return dose, np.clip(1.0 - below[np.searchsorted(self.dose_mgy, dose, side="left")], 0.0, 1.0)
