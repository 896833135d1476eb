"""What is scored. Defines `VoxelScores` and `fold_batch`.

Two estimators of one expectation, the energy deposited in the kerma approximation:

- **analogue**: what interactions leave where they happen. It closes the energy balance.
- **track length** (TLE; Williamson 1987, doi:10.1118/1.596111): every photon of energy E that crosses a
  length l of a voxel deposits E · μtr/ρ · ρ · l there in expectation. Ray stepping knows all the lengths,
  so each flight scores dozens of voxels, not one.

Scores are summed per batch; batches are independent, so the spread between them gives the uncertainty of
anything linear in the scores, correlations within a history included.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wholedose.transport.compiled import jit

FloatArray = NDArray[np.float64]


class VoxelScores(NamedTuple):
    """One batch's scores in keV, and what the kernel must know to add to them.

    Attributes
    ----------
    by_voxel : bool
        Whether ``track`` is per voxel; otherwise per label.
    ray_stepping : bool
        False: Woodcock tracking, analogue scores only.
    labels : int16 [voxels] or [1]
    track : float64 [voxels] or [labels]
    analogue : float64 [labels]
    analogue_voxels : float64 [voxels] or [1]
    response : float32 [nodes, slots]
        μen/ρ of the response materials.
    response_first : int16 [labels + 1]
        First slot of each label; it has those below the next label's first.
    response_track : float64 [slots]
        Sum of E · l · μen/ρ in keV cm³/g.
    """

    by_voxel: bool
    ray_stepping: bool
    labels: NDArray[np.int16]
    track: FloatArray
    analogue: FloatArray
    analogue_voxels: FloatArray
    response: NDArray[np.float32]
    response_first: NDArray[np.int16]
    response_track: FloatArray


@jit
def fold_batch(batch: Any, labels: Any, total: Any, squares: Any, per_label: Any) -> None:
    """Add a batch's voxels to the sums and the sums of squares, sum it per label, and clear it.

    Parameters
    ----------
    batch : float64 [voxels]
        Cleared on return, for the next batch.
    labels : int16 [voxels] or [1]
    total, squares : float64 [voxels]
    per_label : float64 [labels]
        Added to.
    """
    labelled = len(labels) > 1
    for i in range(len(batch)):
        value = batch[i]
        if value != 0.0:
            total[i] += value
            squares[i] += value * value
            per_label[labels[i] if labelled else 0] += value
            batch[i] = 0.0
