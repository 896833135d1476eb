"""How deep a point lies under a triangle mesh. Defines `SignedDistance` and `signed_distance`.

The mesh must be closed and its triangles face outward; parts may overlap (eyeballs in a head, thighs that
touch): a point is inside when the surface winds round it at least once, and triangles that lie inside another
part are no surface. A triangle that another part cuts counts whole, on the side of its middle.
"""

# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.ndimage import binary_dilation, distance_transform_edt, map_coordinates

from wholedose.base.errors import InvalidInput
from wholedose.body.slabs import over

# no contraction to fused operations: the side of an edge must come out exactly opposite for its two triangles
_jit: Any = njit(nogil=True, cache=True, error_model="numpy")

BAND_CELLS = 4  # how far from the surface distances are exact, in grid spacings
_PART, _SLICES = 16_384, 8  # points and slices that are worth a thread
_COARSE = 4  # distances beyond the band come from every fourth grid point
_NEIGHBOURS = np.array([[0, 0, 1], [0, 0, -1], [0, 1, 0], [0, -1, 0], [1, 0, 0], [-1, 0, 0]])


@dataclass(frozen=True, eq=False)
class SignedDistance:
    """Distance to a surface on a regular grid of points, positive inside.

    Parameters
    ----------
    values : float32 array ``[z, y, x]``
        Distance in mm; exact within four spacings of the surface, within two spacings deep inside, and no
        lower than minus four spacings outside.
    origin_mm : tuple of float
        LPS position ``(x, y, z)`` of point ``[0, 0, 0]``.
    spacing_mm : float
    """

    values: NDArray[np.float32]
    origin_mm: tuple[float, float, float]
    spacing_mm: float

    def at(self, points_mm: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Return the distance in mm at points ``[n, 3]``, interpolated; beyond the grid: far out."""
        points = np.asarray(points_mm)
        far = -float(BAND_CELLS * self.spacing_mm)
        found = np.empty(len(points))

        def part(first: int, last: int) -> None:
            where = (points[first:last].astype(np.float64) - self.origin_mm) / self.spacing_mm
            map_coordinates(self.values, where.T[::-1], order=1, cval=far, output=found[first:last])

        over(len(points), _PART, part)
        return found


@_jit
def _orientation(x1: float, y1: float, x2: float, y2: float) -> int:  # pragma: no cover - compiled
    # which side of the edge 1→2 the origin lies on; a tie is broken as if the origin were moved a hair, so
    # that of two triangles which share an edge exactly one holds a point on it
    area = y1 * x2 - x1 * y2
    if area != 0.0:
        return 1 if area > 0.0 else -1
    if y2 != y1:
        return 1 if y2 > y1 else -1
    if x1 != x2:
        return 1 if x1 > x2 else -1
    return 0


@_jit
def _crossing(
    v: Any, i: int, j: int, k: int, first: int, second: int, along: int, x: float, y: float
) -> tuple[int, float]:  # pragma: no cover - compiled
    # sign (0: none) and height of the crossing of the line at (x, y) along an axis with a triangle
    ax, ay = v[i, first] - x, v[i, second] - y
    bx, by = v[j, first] - x, v[j, second] - y
    cx, cy = v[k, first] - x, v[k, second] - y
    s = _orientation(bx, by, cx, cy)
    if s == 0 or _orientation(cx, cy, ax, ay) != s or _orientation(ax, ay, bx, by) != s:
        return 0, 0.0
    wa, wb, wc = by * cx - bx * cy, cy * ax - cx * ay, ay * bx - ax * by
    total = wa + wb + wc
    if total == 0.0:
        return 0, 0.0
    return -s, (wa * v[i, along] + wb * v[j, along] + wc * v[k, along]) / total


@_jit
def _outside_windings(v: Any, f: Any, order: Any, start: Any, nx: int, out: Any) -> None:  # pragma: no cover
    # v in bin units; triangles of bin b are order[start[b]:start[b + 1]]
    for t in range(f.shape[0]):
        i, j, k = f[t, 0], f[t, 1], f[t, 2]
        x = (v[i, 0] + v[j, 0] + v[k, 0]) / 3.0
        y = (v[i, 1] + v[j, 1] + v[k, 1]) / 3.0
        z = (v[i, 2] + v[j, 2] + v[k, 2]) / 3.0
        b = int(y) * nx + int(x)
        count = 0
        for n in range(start[b], start[b + 1]):
            o = order[n]
            sign, height = _crossing(v, f[o, 0], f[o, 1], f[o, 2], 0, 1, 2, x, y)
            if o == t:
                count += min(sign, 0)
            elif height > z:
                count += sign
        out[t] = count


@_jit
def _slab(
    v: Any, faces: Any, bounding: Any, band: float, spacing: float, first: int, values: Any
) -> None:  # pragma: no cover - compiled
    # v in grid units; fills values (slices from ``first``): distances within the band to the triangles that
    # bound the body, with the sign of the winding of all triangles
    nz, ny, nx = values.shape
    last = first + nz
    values[:] = band * band
    for t in range(faces.shape[0]):
        if not bounding[t]:
            continue
        i, j, k = faces[t, 0], faces[t, 1], faces[t, 2]
        z0 = max(int(np.ceil(min(v[i, 2], v[j, 2], v[k, 2]) - band)), first)
        z1 = min(int(np.floor(max(v[i, 2], v[j, 2], v[k, 2]) + band)), last - 1)
        if z0 > z1:
            continue
        y0 = max(int(np.ceil(min(v[i, 1], v[j, 1], v[k, 1]) - band)), 0)
        y1 = min(int(np.floor(max(v[i, 1], v[j, 1], v[k, 1]) + band)), ny - 1)
        x0 = max(int(np.ceil(min(v[i, 0], v[j, 0], v[k, 0]) - band)), 0)
        x1 = min(int(np.floor(max(v[i, 0], v[j, 0], v[k, 0]) + band)), nx - 1)
        ax, ay, az = v[i, 0], v[i, 1], v[i, 2]
        ux, uy, uz = v[j, 0] - ax, v[j, 1] - ay, v[j, 2] - az
        wx, wy, wz = v[k, 0] - ax, v[k, 1] - ay, v[k, 2] - az
        px, py, pz = uy * wz - uz * wy, uz * wx - ux * wz, ux * wy - uy * wx
        area = np.sqrt(px * px + py * py + pz * pz)
        if area == 0.0:
            continue
        px, py, pz = px / area, py / area, pz / area
        uu, uw, ww = ux * ux + uy * uy + uz * uz, ux * wx + uy * wy + uz * wz, wx * wx + wy * wy + wz * wz
        edge = uu - 2.0 * uw + ww
        det = uu * ww - uw * uw
        for z in range(z0, z1 + 1):
            dz = z - az
            for y in range(y0, y1 + 1):
                dy = y - ay
                for x in range(x0, x1 + 1):
                    dx = x - ax
                    height = dx * px + dy * py + dz * pz
                    best = values[z - first, y, x]
                    if height * height >= best:
                        continue
                    du = dx * ux + dy * uy + dz * uz
                    dw = dx * wx + dy * wy + dz * wz
                    s, r = (ww * du - uw * dw) / det, (uu * dw - uw * du) / det
                    if s >= 0.0 and r >= 0.0 and s + r <= 1.0:
                        values[z - first, y, x] = height * height
                        continue
                    # otherwise the nearest point lies on one of the edges
                    dd = dx * dx + dy * dy + dz * dz
                    q = min(max(du / uu, 0.0), 1.0)
                    near = dd - 2.0 * q * du + q * q * uu
                    q = min(max(dw / ww, 0.0), 1.0)
                    near = min(near, dd - 2.0 * q * dw + q * q * ww)
                    de = dw - du - uw + uu
                    q = min(max(de / edge, 0.0), 1.0)
                    near = min(near, dd - 2.0 * du + uu - 2.0 * q * de + q * q * edge)
                    if near < best:
                        values[z - first, y, x] = max(near, 0.0)
    # rays along x: how often the surface winds round each point
    winding = np.zeros((nz, ny, nx), dtype=np.int8)
    for t in range(faces.shape[0]):
        i, j, k = faces[t, 0], faces[t, 1], faces[t, 2]
        z0 = max(int(np.ceil(min(v[i, 2], v[j, 2], v[k, 2]))), first)
        z1 = min(int(np.floor(max(v[i, 2], v[j, 2], v[k, 2]))), last - 1)
        if z0 > z1:
            continue
        y0 = max(int(np.ceil(min(v[i, 1], v[j, 1], v[k, 1]))), 0)
        y1 = min(int(np.floor(max(v[i, 1], v[j, 1], v[k, 1]))), ny - 1)
        for z in range(z0, z1 + 1):
            for y in range(y0, y1 + 1):
                sign, x = _crossing(v, i, j, k, 1, 2, 0, float(y), float(z))
                below = int(np.ceil(x)) - 1
                if sign != 0 and below >= 0:
                    winding[z - first, y, min(below, nx - 1)] += sign
    for z in range(nz):
        for y in range(ny):
            count = 0
            for x in range(nx - 1, -1, -1):
                count += winding[z, y, x]
                value = np.sqrt(values[z, y, x]) * spacing
                values[z, y, x] = value if count > 0 else -value


def surface_of(vertices_mm: NDArray[np.float64], faces: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which faces bound the union of all parts: those with nothing but air on their outer side.

    Parameters
    ----------
    vertices_mm : array ``[v, 3]``
    faces : int array ``[f, 3]``
        Closed, facing outward.
    """
    f = np.ascontiguousarray(faces, dtype=np.int64)
    # a turn about odd angles, so that no face stands upright along the rays, square ones among them
    c, s = np.cos([0.37, 0.71]), np.sin([0.37, 0.71])
    turn = np.array([[c[0], 0, s[0]], [0, 1, 0], [-s[0], 0, c[0]]])
    turn = turn @ np.array([[1, 0, 0], [0, c[1], -s[1]], [0, s[1], c[1]]])
    v = np.asarray(vertices_mm, dtype=np.float64) @ turn.T
    low, size = v.min(axis=0), np.ptp(v, axis=0).max()
    v = (v - low) * (100.0 / size)
    corners = v[f][..., :2].astype(np.int64)
    first, last = corners.min(axis=1), corners.max(axis=1)
    nx = 102
    counts = np.prod(last - first + 1, axis=1)
    owner = np.repeat(np.arange(len(f)), counts)
    step = np.arange(len(owner)) - np.repeat(np.cumsum(counts) - counts, counts)
    wide = (last - first + 1)[owner, 0]
    bins = (first[owner, 1] + step // wide) * nx + first[owner, 0] + step % wide
    order = owner[np.argsort(bins, kind="stable")]
    start = np.concatenate([[0], np.cumsum(np.bincount(bins, minlength=nx * nx))])
    outside = np.zeros(len(f), dtype=np.int64)
    _outside_windings(v, f, order, start, nx, outside)
    return np.asarray(outside == 0)


@_jit
def _fill_deep(values: Any, coarse: Any, edge: float, step: int) -> None:  # pragma: no cover - compiled
    # values at the band's inner edge and beyond come from every step-th point by interpolation
    nz, ny, nx = values.shape
    for z in range(nz):
        k = min(z // step, coarse.shape[0] - 2)
        w = z / step - k
        for y in range(ny):
            j = min(y // step, coarse.shape[1] - 2)
            v = y / step - j
            for x in range(nx):
                if values[z, y, x] < edge:
                    continue
                i = min(x // step, coarse.shape[2] - 2)
                u = x / step - i
                below = (coarse[k, j, i] * (1.0 - u) + coarse[k, j, i + 1] * u) * (1.0 - v)
                below += (coarse[k, j + 1, i] * (1.0 - u) + coarse[k, j + 1, i + 1] * u) * v
                above = (coarse[k + 1, j, i] * (1.0 - u) + coarse[k + 1, j, i + 1] * u) * (1.0 - v)
                above += (coarse[k + 1, j + 1, i] * (1.0 - u) + coarse[k + 1, j + 1, i + 1] * u) * v
                values[z, y, x] = max(edge, below * (1.0 - w) + above * w)


def _deepen(values: NDArray[np.float32], spacing_mm: float) -> None:
    """Replace the distances deep inside, which end at the band, by those to the nearest known skin.

    Every fourth grid point takes over the point of the skin that is nearest to the nearest grid point in the
    band, or its neighbour's, if that is nearer; between these points distances are interpolated.
    """
    step = _COARSE
    coarse = values[::step, ::step, ::step].copy()
    edge = float(np.float32(BAND_CELLS * spacing_mm) * (1 - 1e-6))
    deep = coarse >= edge
    ring = binary_dilation(deep, np.ones((3, 3, 3), dtype=bool)) & ~deep
    if not deep.any():
        return
    # the skin lies down the gradient
    at = np.argwhere(ring) * step
    gradient = np.empty((len(at), 3), dtype=np.float32)
    for axis, size in enumerate(values.shape):
        up, down = at.copy(), at.copy()
        up[:, axis] = np.minimum(up[:, axis] + 1, size - 1)
        down[:, axis] = np.maximum(down[:, axis] - 1, 0)
        gradient[:, axis] = values[tuple(up.T)] - values[tuple(down.T)]
    gradient /= np.maximum(np.linalg.norm(gradient, axis=1, keepdims=True), 1e-6)
    skin = at - gradient * (coarse[ring] / spacing_mm)[:, None]
    number = np.full(coarse.shape, -1, dtype=np.int32)
    number[ring] = np.arange(len(at))
    source = distance_transform_edt(~ring, return_distances=False, return_indices=True)
    number[deep] = number[tuple(axis[deep] for axis in source)]
    points = np.argwhere(deep)
    best = np.full(len(points), np.inf)
    for shift in np.concatenate([np.zeros((1, 3), dtype=np.int64), _NEIGHBOURS]):
        other = number[tuple((points + shift).T)]
        off = points * step - skin[other]
        best = np.where(other >= 0, np.minimum(best, np.einsum("ij,ij->i", off, off)), best)
    coarse[deep] = np.sqrt(best) * spacing_mm
    # ties among the nearest know no left and right
    mirrored = coarse[:, :, ::-1]
    if np.array_equal(deep, deep[:, :, ::-1]) and np.allclose(
        coarse[ring], mirrored[ring], atol=1e-3 * spacing_mm
    ):
        coarse = np.minimum(coarse, mirrored)
    _fill_deep(values, coarse, edge, step)


def signed_distance(
    vertices_mm: NDArray[np.floating[Any]],
    faces: NDArray[Any],
    spacing_mm: float,
    *,
    margin_mm: float = 0.0,
    multiple: int = 1,
) -> SignedDistance:
    """Return the distance to a closed mesh on a grid of points, positive inside.

    The grid reaches ``margin_mm`` beyond the mesh and lies evenly about ``x = 0``, so that a mirror-symmetric
    mesh gets a mirror-symmetric grid. Within four spacings of the surface distances are exact.

    Parameters
    ----------
    vertices_mm : array ``[v, 3]``
    faces : int array ``[f, 3]``
        Closed, facing outward; parts may overlap.
    spacing_mm : float
        Grid spacing in mm.
    margin_mm : float
        Least distance in mm from the mesh to the edge of the grid.
    multiple : int
        The grid begins and ends at multiples of this many spacings from the origin along every axis.

    Raises
    ------
    InvalidInput
        The mesh is not closed.

    Examples
    --------
    >>> corners = np.array([[-9.0, 0, 0], [9, 0, 0], [0, 9, 0], [0, 0, 9]])
    >>> tetrahedron = np.array([[0, 2, 1], [0, 1, 3], [1, 2, 3], [0, 3, 2]])
    >>> signed_distance(corners, tetrahedron, 1.0).at(np.array([[0.0, 1.0, 3.0], [0.0, -1.0, 1.0]])).tolist()
    [1.0, -1.0]
    """
    mesh = np.asarray(vertices_mm, dtype=np.float64)
    f = np.ascontiguousarray(faces, dtype=np.int64)
    edges = np.concatenate([f[:, [0, 1]], f[:, [1, 2]], f[:, [2, 0]]])
    codes = [np.sort(e[:, 0] * len(mesh) + e[:, 1]) for e in (edges, edges[:, ::-1])]
    if not np.array_equal(codes[0], codes[1]):
        raise InvalidInput(
            "The surface mesh is not closed: an edge has a triangle on one side only.",
            way_out="Fill its holes and make its triangles face outward.",
        )
    low = np.floor((mesh.min(axis=0) - margin_mm) / spacing_mm) - 1
    high = np.ceil((mesh.max(axis=0) + margin_mm) / spacing_mm) + 1
    low, high = np.floor(low / multiple) * multiple, np.ceil(high / multiple) * multiple
    # even, so that every fourth point lies evenly about the middle too
    low[0] = 2.0 * np.floor(min(low[0], -high[0]) / 2.0)
    high[0] = -low[0]
    v = mesh / spacing_mm - low
    nx, ny, nz = (int(n) for n in high - low + 1)
    values = np.empty((nz, ny, nx), dtype=np.float32)
    bounding = surface_of(mesh, f)

    def slab(first: int, last: int) -> None:
        _slab(v, f, bounding, float(BAND_CELLS), float(spacing_mm), first, values[first:last])

    over(nz, _SLICES, slab)
    _deepen(values, spacing_mm)
    low_x, low_y, low_z = (float(n) for n in low * spacing_mm)
    return SignedDistance(values, (low_x, low_y, low_z), float(spacing_mm))
