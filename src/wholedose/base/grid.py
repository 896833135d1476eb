"""Where voxels are. Defines `Grid` and `Volume`.

One convention everywhere: patient coordinates are DICOM LPS in mm (x to the patient's Left, y Posterior,
z Superior); arrays are ``[z, y, x]``; voxel edges are parallel to the axes and every index grows along its
axis. Readers bring files into this form; the named converters here alone know of NIfTI's RAS.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base.errors import InvalidInput

FloatArray = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Grid:
    """A regular grid of voxels in LPS mm.

    Parameters
    ----------
    shape : tuple of int
        Number of voxels ``(nz, ny, nx)``.
    spacing_mm : tuple of float
        Voxel size ``(dz, dy, dx)`` in mm, positive.
    origin_mm : tuple of float
        LPS position ``(x, y, z)`` in mm of the *centre* of voxel ``[0, 0, 0]``.

    Examples
    --------
    >>> grid = Grid((2, 4, 4), (5.0, 1.0, 1.0), (-1.5, -1.5, 0.0))
    >>> grid.centre_mm
    (0.0, 0.0, 2.5)
    >>> grid.voxel_cm3
    0.005
    """

    shape: tuple[int, int, int]
    spacing_mm: tuple[float, float, float]
    origin_mm: tuple[float, float, float]

    def __post_init__(self) -> None:
        shape = tuple(int(n) for n in self.shape)
        spacing = tuple(float(d) for d in self.spacing_mm)
        origin = tuple(float(p) for p in self.origin_mm)
        if len(shape) != 3 or min(shape) < 1:
            raise InvalidInput(f"A grid needs three positive sizes, got {shape}.")
        if len(spacing) != 3 or not all(np.isfinite(spacing)) or min(spacing) <= 0:
            raise InvalidInput(f"A grid needs three positive spacings in mm, got {spacing}.")
        if len(origin) != 3 or not all(np.isfinite(origin)):
            raise InvalidInput(f"A grid needs a finite origin in mm, got {origin}.")
        object.__setattr__(self, "shape", shape)
        object.__setattr__(self, "spacing_mm", spacing)
        object.__setattr__(self, "origin_mm", origin)

    @property
    def voxel_cm3(self) -> float:
        """The volume of a voxel in cm³."""
        dz, dy, dx = self.spacing_mm
        return dz * dy * dx / 1000.0

    @property
    def lower_mm(self) -> tuple[float, float, float]:
        """The LPS position (x, y, z) of the low corner, at voxel edges."""
        (dz, dy, dx), (x, y, z) = self.spacing_mm, self.origin_mm
        return (x - dx / 2, y - dy / 2, z - dz / 2)

    @property
    def upper_mm(self) -> tuple[float, float, float]:
        """The LPS position (x, y, z) of the high corner, at voxel edges."""
        (dz, dy, dx), (nz, ny, nx), (x, y, z) = self.spacing_mm, self.shape, self.lower_mm
        return (x + nx * dx, y + ny * dy, z + nz * dz)

    @property
    def centre_mm(self) -> tuple[float, float, float]:
        """The LPS position (x, y, z) of the middle of the grid."""
        low, high = self.lower_mm, self.upper_mm
        return ((low[0] + high[0]) / 2, (low[1] + high[1]) / 2, (low[2] + high[2]) / 2)

    def axes_mm(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return the voxel-centre positions along z, y and x, in that order."""
        (dz, dy, dx), (nz, ny, nx), (x, y, z) = self.spacing_mm, self.shape, self.origin_mm
        return z + dz * np.arange(nz), y + dy * np.arange(ny), x + dx * np.arange(nx)

    def index_of(self, point_mm: tuple[float, float, float]) -> tuple[int, int, int]:
        """Return the index ``(z, y, x)`` of the voxel that holds an LPS point; may lie outside the shape."""
        (dz, dy, dx), (x, y, z) = self.spacing_mm, self.lower_mm
        px, py, pz = point_mm
        return int((pz - z) // dz), int((py - y) // dy), int((px - x) // dx)

    def coarsened(self, factors: tuple[int, int, int]) -> Grid:
        """Return the grid whose voxels hold ``factors`` (z, y, x) voxels of this one; a rest is cut off."""
        shape = tuple(n // f for n, f in zip(self.shape, factors, strict=True))
        spacing = tuple(d * f for d, f in zip(self.spacing_mm, factors, strict=True))
        low = self.lower_mm
        origin = (low[0] + spacing[2] / 2, low[1] + spacing[1] / 2, low[2] + spacing[0] / 2)
        return Grid((shape[0], shape[1], shape[2]), (spacing[0], spacing[1], spacing[2]), origin)

    def matches(self, other: Grid, tolerance_mm: float = 0.01) -> bool:
        """Return whether two grids put every voxel at the same place."""
        if self.shape != other.shape:
            return False
        reach = np.array(self.shape) * np.abs(np.subtract(self.spacing_mm, other.spacing_mm))
        return bool(reach.max() <= tolerance_mm) and bool(
            np.abs(np.subtract(self.origin_mm, other.origin_mm)).max() <= tolerance_mm
        )

    def affine_ras(self) -> NDArray[np.float64]:
        """Return the NIfTI affine: voxel ``(x, y, z)`` of an array transposed to ``[x, y, z]`` → RAS mm."""
        (dz, dy, dx), (x, y, z) = self.spacing_mm, self.origin_mm
        return np.array([[-dx, 0, 0, -x], [0, -dy, 0, -y], [0, 0, dz, z], [0, 0, 0, 1]], dtype=np.float64)

    def to_json(self) -> dict[str, Any]:
        """Return a dictionary that `Grid.from_json` turns back into an equal grid."""
        return {
            "shape_zyx": list(self.shape),
            "spacing_mm_zyx": list(self.spacing_mm),
            "origin_mm_xyz": list(self.origin_mm),
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Grid:
        """Return the grid that `to_json` wrote."""
        return cls(tuple(data["shape_zyx"]), tuple(data["spacing_mm_zyx"]), tuple(data["origin_mm_xyz"]))


def ras_to_lps(affine_ras: NDArray[Any]) -> NDArray[np.float64]:
    """Return the affine to LPS mm that places voxels where an affine to RAS mm does; its own inverse.

    Examples
    --------
    >>> ras_to_lps(np.diag([2.0, 2.0, 3.0, 1.0])).diagonal().tolist()
    [-2.0, -2.0, 3.0, 1.0]
    """
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ np.asarray(affine_ras, dtype=np.float64)


def from_ras(affine: NDArray[Any], array: NDArray[Any], *, where: str = "") -> tuple[Grid, NDArray[Any]]:
    """Return the grid and the ``[z, y, x]`` array of a NIfTI image (``[i, j, k]`` with a RAS affine).

    Axes are permuted and flipped, never interpolated.

    Raises
    ------
    InvalidInput
        The image is not three-dimensional, or its axes are oblique by more than 0.5°.

    Examples
    --------
    >>> grid = Grid((2, 3, 4), (3.0, 2.0, 1.0), (5.0, 6.0, 7.0))
    >>> from_ras(grid.affine_ras(), np.zeros((4, 3, 2)))[0] == grid
    True
    """
    if array.ndim == 4 and array.shape[3] == 1:
        array = array[..., 0]
    if array.ndim != 3:
        raise InvalidInput(
            f"The image has {array.ndim} dimensions, not 3.", where=where, way_out="Give one volume."
        )
    lps = ras_to_lps(affine)
    spacing = np.linalg.norm(lps[:3, :3], axis=0)
    if not np.isfinite(lps).all() or (spacing <= 0).any():
        raise InvalidInput(
            "The image does not say where its voxels are.", where=where, way_out="Write its affine."
        )
    cosines = lps[:3, :3] / spacing
    axis_of = np.abs(cosines).argmax(axis=0)
    if sorted(axis_of) != [0, 1, 2] or np.abs(cosines).max(axis=0).min() < np.cos(np.radians(0.5)):
        raise InvalidInput(
            "The image axes are oblique to the patient.",
            where=where,
            way_out="Resample it to axial slices first.",
        )
    order = np.argsort(axis_of)[::-1]
    flip = [int(np.sign(cosines[axis_of[i], i])) for i in order]
    values = np.ascontiguousarray(np.transpose(array, order)[:: flip[0], :: flip[1], :: flip[2]])
    first = [0 if cosines[axis_of[i], i] > 0 else array.shape[i] - 1 for i in range(3)]
    origin = lps[:3, :3] @ first + lps[:3, 3]
    grid = Grid(
        (values.shape[0], values.shape[1], values.shape[2]),
        (float(spacing[order[0]]), float(spacing[order[1]]), float(spacing[order[2]])),
        (float(origin[0]), float(origin[1]), float(origin[2])),
    )
    return grid, values


@dataclass(frozen=True, eq=False)
class Volume:
    """A scalar image on a grid: CT numbers in HU, or labels.

    Parameters
    ----------
    grid : Grid
    values : array of shape ``grid.shape``
    unit : str
        ``"HU"`` for CT numbers, ``"label"`` for label maps.
    meta : mapping
        What the reader knows besides: modality, series UID, patient position, tags that it assumed.
    """

    grid: Grid
    values: NDArray[Any]
    unit: str
    meta: dict[str, Any]

    def __post_init__(self) -> None:
        if self.values.shape != self.grid.shape:
            raise InvalidInput(f"The array {self.values.shape} does not fit the grid {self.grid.shape}.")
