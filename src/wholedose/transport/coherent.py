"""Coherent (Rayleigh) scattering. Defines its tables and `sample_coherent`.

The differential cross section is dσ/dx² ∝ F²(x) (1 + cos²θ)/2, with F² the sum over a material's atoms of
their squared form factors (independent atoms: no interference between molecules). x² is drawn from the
cumulated F² up to backscatter, and accepted with (1 + cos²θ)/2, as in Williamson and Morin 1983
(doi:10.1088/0031-9155/28/7/004) and in most codes since.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.transport.compiled import inlined
from wholedose.transport.energies import HC_KEV_ANGSTROM, X2, x2_cell
from wholedose.transport.rng import uniform

GUIDES = 512
_X2_PER_KEV2 = 1.0 / HC_KEV_ANGSTROM**2

FloatArray = NDArray[np.float64]


def cumulated_form_factor(x: FloatArray, squared: FloatArray) -> FloatArray:
    """Return ∫F² dx² from 0 to each node of `X2`, scaled to 1 at the last.

    Parameters
    ----------
    x : array
        Momentum transfer in 1/Å, from 0.
    squared : array
        The material's F² at ``x``, in any unit.
    """
    fine = np.append((X2[:-1, None] + np.diff(X2)[:, None] * np.arange(4) / 4).ravel(), X2[-1])
    with np.errstate(divide="ignore"):
        values = np.exp(np.interp(np.sqrt(fine), x, np.log(np.maximum(squared, 1e-30))))
    steps = np.diff(fine) * 0.5 * (values[1:] + values[:-1])
    total = np.concatenate([[0.0], np.cumsum(steps)[3::4]])
    return np.asarray(total / total[-1])


def guide_table(cumulated: FloatArray) -> NDArray[np.int32]:
    """Return, for each of `GUIDES` equal slices of probability, the cell where the slice begins."""
    starts = np.searchsorted(cumulated, np.arange(GUIDES) / GUIDES, side="right") - 1
    return np.clip(starts, 0, len(cumulated) - 2).astype(np.int32)


@inlined
def sample_coherent(energy_kev: Any, m: Any, cumulated: Any, guide: Any, rng: Any) -> Any:
    """Return the cosine of a coherent scattering angle.

    Parameters
    ----------
    energy_kev : float
    m : int
        The material: which row of the tables.
    cumulated, guide : array [materials, …]
        Rows of `cumulated_form_factor` and `guide_table`.
    rng : uint64[2]
    """
    top_x2 = energy_kev * energy_kev * _X2_PER_KEV2
    cell, place = x2_cell(top_x2)
    low = cumulated[m, cell]
    top = low + place * (cumulated[m, cell + 1] - low)
    while True:
        target = top * uniform(rng)
        k = guide[m, int(target * GUIDES)]
        while cumulated[m, k + 1] < target:
            k += 1
        low = cumulated[m, k]
        x2 = X2[k] + (X2[k + 1] - X2[k]) * (target - low) / (cumulated[m, k + 1] - low)
        cos_theta = 1.0 - 2.0 * x2 / top_x2
        if 2.0 * uniform(rng) < 1.0 + cos_theta * cos_theta:
            return max(cos_theta, -1.0)
