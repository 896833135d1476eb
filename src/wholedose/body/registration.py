"""Bringing one set of masks onto another. Defines `Warp`, `register` and `channel`.

A displacement on a coarse mesh of cubic B-splines moves each point of the image to the point of a model that
shows the same: several channels (skin, lungs, bone, organs that a label map names) are compared at once by
the mean square of their differences, with an affine map first. Bounds and a penalty on bending keep it
smooth. One thread, no random numbers: the same input gives the same bits.
"""

# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import minimize

from wholedose.base import Grid

Field = NDArray[np.float32]
FloatArray = NDArray[np.float64]

STRETCH = (0.12, 0.12, 0.05)
"""Most stretching along x, y and z: girth varies, lengths of the trunk little once the height is known."""

_jit: Any = njit(nogil=True, cache=True, error_model="numpy")


@dataclass(frozen=True, eq=False)
class Warp:
    """A smooth displacement of points, constant beyond its grid.

    Parameters
    ----------
    grid : Grid
        Cubic voxels; the displacement is known at their centres.
    shift_mm : float32 array ``[3, z, y, x]``
        What is added to x, y and z.
    misfit : float
        Weighted mean square difference of the channels that is left, with the cost of bending.

    Examples
    --------
    ``warp.at(points)`` → displacements in mm ``[n, 3]`` of points ``[n, 3]`` in (x, y, z).
    """

    grid: Grid
    shift_mm: Field
    misfit: float = 0.0

    def at(self, points_mm: NDArray[np.floating[Any]]) -> FloatArray:
        """Return the displacement in mm ``[n, 3]`` at points ``[n, 3]``."""
        from scipy.ndimage import map_coordinates

        step, origin = self.grid.spacing_mm[0], np.array(self.grid.origin_mm)
        at = ((np.asarray(points_mm, dtype=np.float64) - origin) / step).T[::-1]
        return np.stack(
            [map_coordinates(part, at, order=1, mode="nearest") for part in self.shift_mm], axis=1
        )

    def greatest_mm(self) -> float:
        """Return the largest displacement in mm."""
        return float(np.sqrt((self.shift_mm.astype(np.float64) ** 2).sum(axis=0)).max(initial=0.0))


def channel(mask: NDArray[Any], step_mm: float, blur_mm: float) -> Field:
    """Return a mask as a blurred picture, whose slopes tell how far an edge is off."""
    from scipy.ndimage import gaussian_filter

    picture: Field = gaussian_filter(np.asarray(mask, dtype=np.float32), blur_mm / step_mm, mode="nearest")
    return picture


@_jit
def _misfit(
    fixed: Any, moving: Any, mask: Any, u: Any, before: Any, weight: Any, out: Any
) -> float:  # pragma: no cover - compiled
    # u in voxels, [3 (x, y, z), z, y, x]; out gets the slope of the misfit with u; ``before``: how many
    # voxels the moving picture begins earlier along z, y, x
    count, nz, ny, nx = fixed.shape
    mz, my, mx = moving.shape[1:]
    total = 0.0
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                out[0, z, y, x] = out[1, z, y, x] = out[2, z, y, x] = 0.0
                if not mask[z, y, x]:
                    continue
                px = min(max(x + before[2] + u[0, z, y, x], 0.0), mx - 1.001)
                py = min(max(y + before[1] + u[1, z, y, x], 0.0), my - 1.001)
                pz = min(max(z + before[0] + u[2, z, y, x], 0.0), mz - 1.001)
                i, j, k = int(pz), int(py), int(px)
                c, b, a = pz - i, py - j, px - k
                for n in range(count):
                    m = moving[n]
                    v000, v001, v010, v011 = m[i, j, k], m[i, j, k + 1], m[i, j + 1, k], m[i, j + 1, k + 1]
                    i1 = i + 1
                    v100, v101, v110, v111 = (
                        m[i1, j, k], m[i1, j, k + 1], m[i1, j + 1, k], m[i1, j + 1, k + 1],
                    )  # fmt: skip
                    low0, low1 = v000 + a * (v001 - v000), v010 + a * (v011 - v010)
                    up0, up1 = v100 + a * (v101 - v100), v110 + a * (v111 - v110)
                    low, up = low0 + b * (low1 - low0), up0 + b * (up1 - up0)
                    off = low + c * (up - low) - fixed[n, z, y, x]
                    total += weight[n] * off * off
                    slope = 2.0 * weight[n] * off
                    gx = (1 - c) * ((1 - b) * (v001 - v000) + b * (v011 - v010)) + c * (
                        (1 - b) * (v101 - v100) + b * (v111 - v110)
                    )
                    gy = (1 - c) * (low1 - low0) + c * (up1 - up0)
                    out[0, z, y, x] += slope * gx
                    out[1, z, y, x] += slope * gy
                    out[2, z, y, x] += slope * (up - low)
    return total


def _basis(length: int, step: float) -> FloatArray:
    """Cubic B-splines of a knot distance (in voxels) over an axis, ``[length, controls]``."""
    count = max(1, round((length - 1) / step))
    at = np.arange(length) / max(length - 1, 1) * count
    k = np.arange(-1, count + 2)
    t = np.abs(at[:, None] - k[None, :])
    return np.where(t < 1, 2 / 3 - t * t + t**3 / 2, np.where(t < 2, (2 - t) ** 3 / 6, 0.0))


def _bending(coefficients: FloatArray) -> tuple[float, FloatArray]:
    """Mean square of the second differences along each axis, and its slope."""
    total, slope = 0.0, np.zeros_like(coefficients)
    for axis in (1, 2, 3):
        n = coefficients.shape[axis]
        if n < 3:
            continue
        c = np.moveaxis(coefficients, axis, 0)
        s = np.moveaxis(slope, axis, 0)
        second = c[:-2] - 2 * c[1:-1] + c[2:]
        total += float((second**2).sum())
        s[:-2] += 2 * second
        s[1:-1] -= 4 * second
        s[2:] += 2 * second
    size = coefficients.size
    return total / size, slope / size


@dataclass(frozen=True, eq=False)
class _Problem:
    fixed: Field
    moving: Field
    mask: NDArray[np.bool_]
    before: NDArray[np.int64]
    weight: FloatArray

    def misfit(self, u: FloatArray, scratch: FloatArray) -> tuple[float, FloatArray]:
        count = max(int(self.mask.sum()), 1)
        value = _misfit(self.fixed, self.moving, self.mask, u, self.before, self.weight, scratch)
        return value / count, scratch / count


def _affine(problem: _Problem, limit: float, iterations: int) -> tuple[FloatArray, float]:
    """The affine displacement in voxels at every voxel that fits best, and the misfit that it leaves."""
    nz, ny, nx = problem.mask.shape
    half = np.array([nx, ny, nz]) / 2.0
    z, y, x = ((np.arange(n) - (n - 1) / 2) / h for n, h in ((nz, half[2]), (ny, half[1]), (nx, half[0])))
    ones = np.ones((nz, ny, nx))
    basis = np.stack([ones, ones * x, ones * y[:, None], ones * z[:, None, None]])
    scratch = np.empty((3, nz, ny, nx))

    def cost(p: FloatArray) -> tuple[float, FloatArray]:
        u = np.tensordot(p.reshape(3, 4), basis, axes=1)
        value, slope = problem.misfit(u, scratch)
        return value, np.tensordot(slope.reshape(3, -1), basis.reshape(4, -1), axes=([1], [1])).ravel()

    bounds: list[tuple[float, float]] = []
    for own in range(3):
        # shift, stretching, 6 degrees of turning and shear, these at the edge of the image
        most = [limit, *((STRETCH[own] if axis == own else 0.1) * half[axis] for axis in range(3))]
        bounds += [(-value, value) for value in most]
    found = minimize(
        cost, np.zeros(12), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": iterations}
    )
    return np.asarray(np.tensordot(found.x.reshape(3, 4), basis, axes=1)), float(found.fun)


def register(
    fixed: Sequence[Field],
    moving: Sequence[Field],
    grid: Grid,
    before: tuple[int, int, int],
    *,
    weights: Sequence[float] | None = None,
    mask: NDArray[np.bool_] | None = None,
    mesh_mm: float | None = 75.0,
    limit_mm: float = 35.0,
    stiffness: float = 0.02,
    iterations: int = 30,
) -> Warp:
    """Find the displacement that brings pictures of a model onto those of an image.

    Parameters
    ----------
    fixed : sequence of arrays ``grid.shape``
        Channels of the image, each about 0 to 1 (see `channel`).
    moving : sequence of arrays
        The same channels of the model, on voxels of the same size and place that begin ``before`` voxels
        earlier along z, y, x and may reach further.
    grid : Grid
        Of the image's channels.
    weights : sequence of float, optional
        Of the channels; 1 each.
    mask : bool array, optional
        Where the image tells; everywhere by default.
    mesh_mm : float
        Distance of the spline's knots; None leaves it at the affine map.
    limit_mm : float
        Bound of the affine shift, and of what the spline adds to it.
    stiffness : float
        Weight of the mean square second difference of neighbouring knots, in units of (limit)².
    iterations : int
        At most, of the spline.

    Returns
    -------
    Warp
        On ``grid``: image point + displacement = model point.

    Examples
    --------
    ``register([channel(a, 6, 9)], [channel(b, 6, 9)], grid, (0, 0, 0))`` finds where ``a`` lies in ``b``.
    """
    step = grid.spacing_mm[0]
    problem = _Problem(
        np.ascontiguousarray(np.stack(fixed), dtype=np.float32),
        np.ascontiguousarray(np.stack(moving), dtype=np.float32),
        np.ones(grid.shape, dtype=np.bool_) if mask is None else np.ascontiguousarray(mask),
        np.array(before, dtype=np.int64),
        np.ones(len(fixed)) if weights is None else np.array(weights, dtype=np.float64),
    )
    limit = limit_mm / step
    start, left = _affine(problem, limit, iterations)
    if mesh_mm is None:
        return Warp(grid, (start * step).astype(np.float32), left)
    bases = [_basis(n, mesh_mm / step) for n in grid.shape]
    shape = (3, *(b.shape[1] for b in bases))
    scratch = np.empty((3, *grid.shape))

    across_z, across_y, across_x = bases
    nk = shape[1]
    nz, ny, nx = grid.shape

    def spread(c: FloatArray) -> FloatArray:
        lines = across_y @ (c @ across_x.T)
        return np.asarray((across_z @ lines.reshape(3, nk, ny * nx)).reshape(3, nz, ny, nx))

    def gathered(slope: FloatArray) -> FloatArray:
        planes = (across_z.T @ slope.reshape(3, nz, ny * nx)).reshape(3, nk, ny, nx)
        return np.asarray((across_y.T @ planes) @ across_x)

    def cost(p: FloatArray) -> tuple[float, FloatArray]:
        c = p.reshape(shape) * limit
        value, slope = problem.misfit(start + spread(c), scratch)
        down = gathered(slope) * limit
        bent, bent_slope = _bending(p.reshape(shape))
        return value + stiffness * bent, (down + stiffness * bent_slope).ravel()

    found = minimize(
        cost,
        np.zeros(int(np.prod(shape))),
        jac=True,
        method="L-BFGS-B",
        bounds=[(-1.0, 1.0)] * int(np.prod(shape)),
        options={"maxiter": iterations},
    )
    total = (start + spread(found.x.reshape(shape) * limit)) * step
    return Warp(grid, total.astype(np.float32), float(found.fun))
