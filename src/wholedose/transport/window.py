"""Weight windows: more photons where few come, fewer where many do. Defines `WeightWindow`.

Photons carry a weight. At each collision it is compared with the one that the window wants there: a heavier
photon is split into several of equal parts, each with a collision of its own; a lighter one plays Russian
roulette (Booth, Hendricks 1984, doi:10.13182/FST84-A23082). Both leave every expectation as it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wholedose.base import InvalidInput, digest_of
from wholedose.transport.compiled import inlined

WIDTH = 2.0
"""Weights within this factor of the wanted one are left alone."""

MOST_PARTS = 10


class WindowArrays(NamedTuple):
    """A weight window as the kernels read it; cubic cells from the geometry's low corner.

    Attributes
    ----------
    nx, ny, nz : int
    per_cm : float
        Cells per cm.
    weight : float32 [cells]
        Wanted weight; of length 1 where there is no window.
    """

    nx: int
    ny: int
    nz: int
    per_cm: float
    weight: NDArray[np.float32]


NO_WINDOW = WindowArrays(1, 1, 1, 0.0, np.ones(1, dtype=np.float32))


@dataclass(frozen=True, eq=False)
class WeightWindow:
    """Wanted weights of photons on cubic cells.

    Parameters
    ----------
    edge_mm : float
        Edge of the cells, which start at the geometry's low corner and cover it.
    weight : float array [z, y, x]
        Above 0; source photons have weight 1.

    Examples
    --------
    ``WeightWindow(25.0, np.array([[[1.0, 0.1]]]))``: ten times as many photons beyond x = 25 mm.
    """

    edge_mm: float
    weight: NDArray[np.floating[Any]]

    def __post_init__(self) -> None:
        weight = np.ascontiguousarray(self.weight, dtype=np.float32)
        if weight.ndim != 3 or weight.size < 2 or not (np.isfinite(weight).all() and weight.min() > 0.0):
            raise InvalidInput(
                "A weight window needs two or more finite weights above 0 on axes z, y, x.", where="weight"
            )
        if not 0.0 < self.edge_mm < np.inf:
            raise InvalidInput(f"The cells' edge is {self.edge_mm} mm.", where="edge_mm")
        object.__setattr__(self, "weight", weight)

    def arrays(self) -> WindowArrays:
        """Return the window as the kernels read it."""
        nz, ny, nx = self.weight.shape
        return WindowArrays(nx, ny, nz, 10.0 / self.edge_mm, np.asarray(self.weight.ravel(), np.float32))

    def digest(self) -> str:
        """Return a digest of everything that defines the window."""
        return digest_of(self.edge_mm, np.asarray(self.weight))


@inlined
def wanted_weight(window: Any, x: Any, y: Any, z: Any) -> Any:
    """Return the weight that a window wants at a place in cm."""
    ix = min(int(x * window.per_cm), window.nx - 1)
    iy = min(int(y * window.per_cm), window.ny - 1)
    iz = min(int(z * window.per_cm), window.nz - 1)
    return np.float64(window.weight[(iz * window.ny + iy) * window.nx + ix])
