"""Voxels of a posed body. Defines `Rastered` and `rastered`.

Each tetrahedron of the posed lattice claims the voxels whose centres it holds, if the same place lies under
the skin in the rest pose. Where two claim a voxel (a forearm pressed into the belly) the deeper one has it.
"""

# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from wholedose.base import available_cores
from wholedose.base.errors import InvalidInput
from wholedose.base.grid import Grid
from wholedose.body.slabs import MOST_WORKERS, over

if TYPE_CHECKING:
    from wholedose.body.lattice import Lattice

_jit: Any = njit(nogil=True, cache=True, error_model="numpy")

# the skin may be moved by so much to give a body the volume asked for
MOST_SHIFT_MM = 3.0
_SLAB_VOXELS = 1 << 24
# index, template coordinates and depth of the voxels of one slab
_Part = tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class Rastered:
    """The voxels of a grid that lie in a body, in ascending order.

    Parameters
    ----------
    index : int64 array ``[m]``
        Flat index into the grid's ``[z, y, x]`` array.
    template_mm : float32 array ``[m, 3]``
        Where each voxel's centre lies in the template, at the heights of the drawing, LPS mm.
    depth_mm : float32 array ``[m]``
        Distance under the skin, positive.
    """

    index: NDArray[np.int64]
    template_mm: NDArray[np.float32]
    depth_mm: NDArray[np.float32]


@_jit
def _plane(nodes: Any, tet: Any, q: Any) -> bool:  # pragma: no cover - compiled
    # q[k] = (a, b, c, d): share of corner k at (x, y, z) is a x + b y + c z + d; False: it is flat
    o = nodes[tet[0]]
    ux, uy, uz = nodes[tet[1], 0] - o[0], nodes[tet[1], 1] - o[1], nodes[tet[1], 2] - o[2]
    vx, vy, vz = nodes[tet[2], 0] - o[0], nodes[tet[2], 1] - o[1], nodes[tet[2], 2] - o[2]
    wx, wy, wz = nodes[tet[3], 0] - o[0], nodes[tet[3], 1] - o[1], nodes[tet[3], 2] - o[2]
    q[1, 0], q[1, 1], q[1, 2] = vy * wz - vz * wy, vz * wx - vx * wz, vx * wy - vy * wx
    q[2, 0], q[2, 1], q[2, 2] = wy * uz - wz * uy, wz * ux - wx * uz, wx * uy - wy * ux
    q[3, 0], q[3, 1], q[3, 2] = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    six = ux * q[1, 0] + uy * q[1, 1] + uz * q[1, 2]
    if abs(six) < 1e-9:
        return False
    for k in range(1, 4):
        for c in range(3):
            q[k, c] /= six
        q[k, 3] = -(q[k, 0] * o[0] + q[k, 1] * o[1] + q[k, 2] * o[2])
    for c in range(4):
        q[0, c] = -(q[1, c] + q[2, c] + q[3, c])
    q[0, 3] += 1.0
    return True


@_jit
def _fill(
    nodes: Any,
    rest: Any,
    tets: Any,
    several: Any,
    part: Any,
    labels: Any,
    depth: Any,
    which: Any,
    first: int,
    floor: float,
    out_depth: Any,
    out_tet: Any,
) -> None:  # pragma: no cover - compiled
    # nodes in voxels from voxel [0, 0, 0] of the grid; rest in spacings of the depth grid; the slab out_*
    # begins at slice ``first``
    nz, ny, nx = out_depth.shape
    q = np.empty((4, 4))
    for n in range(which.shape[0]):
        t = which[n]
        tet = tets[t]
        low, high = np.full(3, 1e30), np.full(3, -1e30)
        for k in range(4):
            for c in range(3):
                low[c] = min(low[c], nodes[tet[k], c])
                high[c] = max(high[c], nodes[tet[k], c])
        z0, z1 = max(int(np.ceil(low[2])), first), min(int(np.floor(high[2])), first + nz - 1)
        y0, y1 = max(int(np.ceil(low[1])), 0), min(int(np.floor(high[1])), ny - 1)
        if z0 > z1 or y0 > y1 or high[0] < 0.0 or low[0] > nx - 1 or not _plane(nodes, tet, q):
            continue
        cube = several[t]
        r0, r1, r2, r3 = rest[tet[0]], rest[tet[1]], rest[tet[2]], rest[tet[3]]
        bx = int(min(r0[0], r1[0], r2[0], r3[0]) + 0.5)
        by = int(min(r0[1], r1[1], r2[1], r3[1]) + 0.5)
        bz = int(min(r0[2], r1[2], r2[2], r3[2]) + 0.5)
        for z in range(z0, z1 + 1):
            for y in range(y0, y1 + 1):
                a, b = max(low[0] - 1e-6, 0.0), min(high[0] + 1e-6, nx - 1.0)
                for k in range(4):
                    # a hair outside counts, lest a voxel between two tetrahedra is lost
                    value = q[k, 1] * y + q[k, 2] * z + q[k, 3] + 1e-9
                    if q[k, 0] > 1e-14:
                        a = max(a, -value / q[k, 0])
                    elif q[k, 0] < -1e-14:
                        b = min(b, -value / q[k, 0])
                    elif value < 0.0:
                        b = -1.0
                for x in range(int(np.ceil(a)), int(np.floor(b)) + 1):
                    rx, ry, rz = 0.0, 0.0, 0.0
                    for k in range(4):
                        share = q[k, 0] * x + q[k, 1] * y + q[k, 2] * z + q[k, 3]
                        rx += share * rest[tet[k], 0]
                        ry += share * rest[tet[k], 1]
                        rz += share * rest[tet[k], 2]
                    i, j, k0 = int(rx), int(ry), int(rz)
                    if cube >= 0:
                        u, v, w = int(rx + 0.5) - bx, int(ry + 0.5) - by, int(rz + 0.5) - bz
                        if labels[cube, (w * 5 + v) * 5 + u] != part[t]:
                            continue
                    fx, fy, fz = rx - i, ry - j, rz - k0
                    d = (
                        (depth[k0, j, i] * (1.0 - fx) + depth[k0, j, i + 1] * fx) * (1.0 - fy)
                        + (depth[k0, j + 1, i] * (1.0 - fx) + depth[k0, j + 1, i + 1] * fx) * fy
                    ) * (1.0 - fz) + (
                        (depth[k0 + 1, j, i] * (1.0 - fx) + depth[k0 + 1, j, i + 1] * fx) * (1.0 - fy)
                        + (depth[k0 + 1, j + 1, i] * (1.0 - fx) + depth[k0 + 1, j + 1, i + 1] * fx) * fy
                    ) * fz
                    if d > floor and d > out_depth[z - first, y, x]:
                        out_depth[z - first, y, x] = d
                        out_tet[z - first, y, x] = t


@_jit
def _collect(
    nodes: Any,
    template: Any,
    tets: Any,
    first: int,
    depth: Any,
    tet_of: Any,
    index: Any,
    mapped: Any,
    deep: Any,
) -> None:  # pragma: no cover - compiled
    nz, ny, nx = depth.shape
    q = np.empty((4, 4))
    known = -1
    m = 0
    for z in range(nz):
        for y in range(ny):
            for x in range(nx):
                t = tet_of[z, y, x]
                if t < 0:
                    continue
                if t != known:
                    _plane(nodes, tets[t], q)
                    known = t
                index[m] = ((first + z) * ny + y) * nx + x
                deep[m] = depth[z, y, x]
                for c in range(3):
                    total = 0.0
                    for k in range(4):
                        share = q[k, 0] * x + q[k, 1] * y + q[k, 2] * (first + z) + q[k, 3]
                        total += share * template[tets[t, k], c]
                    mapped[m, c] = total
                m += 1


def rastered(
    lattice: Lattice, nodes_mm: NDArray[np.float64], grid: Grid, volume_cm3: float | None = None
) -> Rastered:
    """Return the voxels of a posed lattice; see `Lattice.raster`."""
    cells = lattice.cells
    distance = cells.distance
    nodes_mm = np.asarray(nodes_mm, dtype=np.float64)
    if nodes_mm.shape != lattice.node_mm.shape or not np.isfinite(nodes_mm).all():
        raise InvalidInput(
            f"The lattice has {len(lattice.node_mm)} nodes, got positions of shape {nodes_mm.shape}."
        )
    nodes = (nodes_mm - grid.origin_mm) / np.array(grid.spacing_mm)[::-1]
    rest = (lattice.node_mm - distance.origin_mm) / distance.spacing_mm
    # so that a corner on the last grid plane keeps a neighbour above
    rest = np.clip(rest, 0.0, np.array(distance.values.shape)[::-1] - 1.0 - 1e-6)
    tets, several, part = cells.tets()
    floor = 0.0 if volume_cm3 is None else -MOST_SHIFT_MM
    nz, ny, nx = grid.shape
    workers = min(available_cores(), MOST_WORKERS)
    thick = max(1, min(_SLAB_VOXELS // (ny * nx), -(-nz // (4 * workers))))
    starts = range(0, nz, thick)
    z = nodes[:, 2][tets]
    low, high = z.min(axis=1), z.max(axis=1)

    def slab(first: int) -> _Part:
        count = min(thick, nz - first)
        which = np.flatnonzero((high >= first) & (low <= first + count - 1))
        depth = np.full((count, ny, nx), -1e30, dtype=np.float32)
        tet_of = np.full((count, ny, nx), -1, dtype=np.int32)
        _fill(
            nodes,
            rest,
            tets,
            several,
            part,
            cells.labels,
            distance.values,
            which,
            first,
            floor,
            depth,
            tet_of,
        )
        m = int(np.count_nonzero(tet_of >= 0))
        index, deep = np.empty(m, dtype=np.int64), np.empty(m, dtype=np.float32)
        mapped = np.empty((m, 3), dtype=np.float32)
        _collect(nodes, lattice.drawn_mm, tets, first, depth, tet_of, index, mapped, deep)
        return index, mapped, deep

    with ThreadPoolExecutor(workers) as pool:
        parts = dict(enumerate(pool.map(slab, starts)))
    if volume_cm3 is None:
        return Rastered(*(np.concatenate(arrays) for arrays in zip(*parts.values(), strict=True)))
    return _sized(parts, round(volume_cm3 / grid.voxel_cm3))


def _sized(parts: dict[int, _Part], count: int) -> Rastered:
    """Keep the deepest ``count`` voxels of all parts, which are used up, and count depth from there."""
    level = _level([deep for _, _, deep in parts.values()], count)
    kept = [np.flatnonzero(deep > level) for _, _, deep in parts.values()]
    ends = np.cumsum([len(keep) for keep in kept])
    index, mapped = np.empty(ends[-1], dtype=np.int64), np.empty((ends[-1], 3), dtype=np.float32)
    depth = np.empty(ends[-1], dtype=np.float32)

    def put(first: int, last: int) -> None:
        for n in range(first, last):
            own = slice(ends[n] - len(kept[n]), ends[n])
            all_index, all_mapped, deep = parts.pop(n)
            np.take(all_index, kept[n], out=index[own], mode="clip")
            np.take(all_mapped, kept[n], axis=0, out=mapped[own], mode="clip")
            np.subtract(deep[kept[n]], level, out=depth[own])

    over(len(parts), 1, put)
    return Rastered(index, mapped, depth)


def _level(deep: list[NDArray[np.float32]], count: int) -> np.float32:
    """Return the depth of the shallowest voxel that is dropped when the deepest ``count`` are kept."""
    total = sum(len(part) for part in deep)
    if not 0 < count < total:
        raise InvalidInput(
            f"The body has {total} voxels within {MOST_SHIFT_MM:g} mm of its skin, {count} are asked.",
            way_out="Fit the figure to the volume first, or give a larger grid.",
        )
    # the level lies where the skin may move to, or is refused
    shallow = np.concatenate([part[part <= MOST_SHIFT_MM] for part in deep])
    drop = total - count
    if drop > len(shallow):
        level = np.partition(np.concatenate(deep), drop - 1)[drop - 1]
        raise InvalidInput(
            f"The skin would have to move in by {level:.1f} mm, more than {MOST_SHIFT_MM:g} mm.",
            way_out="Fit the figure to the volume first.",
        )
    return np.float32(np.partition(shallow, drop - 1)[drop - 1])
