"""Cubes that hold a body, joined only where flesh joins them. Defines `Cells`.

Two parts of a body that come near each other (a thigh and the other, an arm and the flank) share cubes of a
plain lattice, and would drag each other along when the body moves. Here such a cube is there twice, once for
each part, each copy with corners of its own; copies of neighbouring cubes share corners where flesh runs from
one to the other.
"""

# mypy: disallow-untyped-decorators=False

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from wholedose.body.meshdistance import SignedDistance

_jit: Any = njit(nogil=True, cache=True, error_model="numpy")

SIDE = 4  # grid spacings along the edge of a cube
POINTS = SIDE + 1
REACH = 1.25  # points up to so many spacings outside the skin belong to the body's cubes
CORNERS = np.array([[x, y, z] for z in (0, 1) for y in (0, 1) for x in (0, 1)])  # corner c = x + 2 y + 4 z
# five tetrahedra of a cube, by corner; the second split is the mirror image of the first
_EVEN = np.array([[0, 3, 5, 6], [1, 0, 3, 5], [2, 0, 6, 3], [4, 0, 5, 6], [7, 3, 6, 5]])
_SPLITS = np.stack([_EVEN, _EVEN ^ 1])


@_jit
def _label(
    values: Any, cubes: Any, reach: float, out: Any, copies: Any
) -> None:  # pragma: no cover - compiled
    # out[cube, point]: which connected part of the cube's flesh a grid point belongs to, from 1; 0: air.
    # points outside the skin follow their deepest neighbour
    n = 5
    stack = np.empty(n * n * n, dtype=np.int64)
    follow = np.empty(n * n * n, dtype=np.int64)
    for c in range(cubes.shape[0]):
        z0, y0, x0 = cubes[c, 0] * 4, cubes[c, 1] * 4, cubes[c, 2] * 4
        count = 0
        label = out[c]
        for p in range(n * n * n):
            z, y, x = p // (n * n), p // n % n, p % n
            here = values[z0 + z, y0 + y, x0 + x]
            follow[p] = p
            if here > 0.0 or here < -reach:
                continue
            best = here
            for dz in range(-1, 2):
                for dy in range(-1, 2):
                    for dx in range(-1, 2):
                        a, b, e = z + dz, y + dy, x + dx
                        if 0 <= a < n and 0 <= b < n and 0 <= e < n:
                            there = values[z0 + a, y0 + b, x0 + e]
                            if there > best:
                                best = there
                                follow[p] = (a * n + b) * n + e
        for seed in range(n * n * n):
            z, y, x = seed // (n * n), seed // n % n, seed % n
            here = values[z0 + z, y0 + y, x0 + x]
            root = here > 0.0 or (here >= -reach and follow[seed] == seed)
            if label[seed] != 0 or not root:
                continue
            count += 1
            label[seed] = count
            stack[0], top = seed, 1
            while top > 0:
                top -= 1
                p = stack[top]
                z, y, x = p // (n * n), p // n % n, p % n
                if values[z0 + z, y0 + y, x0 + x] <= 0.0:
                    continue
                for axis in range(3):
                    for step in (-1, 1):
                        a = z + (step if axis == 0 else 0)
                        b = y + (step if axis == 1 else 0)
                        e = x + (step if axis == 2 else 0)
                        if 0 <= a < n and 0 <= b < n and 0 <= e < n:
                            q = (a * n + b) * n + e
                            if label[q] == 0 and values[z0 + a, y0 + b, x0 + e] > 0.0:
                                label[q] = count
                                stack[top] = q
                                top += 1
        for p in range(n * n * n):
            z, y, x = p // (n * n), p // n % n, p % n
            here = values[z0 + z, y0 + y, x0 + x]
            if label[p] == 0 and here >= -reach:
                q = p
                while follow[q] != q and values[z0 + q // (n * n), y0 + q // n % n, x0 + q % n] <= 0.0:
                    q = follow[q]
                label[p] = label[q]
        copies[c] = count


@dataclass(frozen=True, eq=False)
class Cells:
    """The cubes of a body, each as often as separate parts of the body run through it.

    Parameters
    ----------
    distance : SignedDistance
        Depth under the skin; cubes have four of its spacings along an edge.
    lookup : int32 array ``[z, y, x]``
        The row of a cube in ``labels``, or -1.
    labels : uint8 array ``[cube, 125]``
        Which copy of the cube, from 1, each of its grid points belongs to; 0: air.
    first : int array ``[cube + 1]``
        The first copy of each cube.
    cube : int array ``[copy, 3]``
        Index ``(z, y, x)`` of the copy's cube.
    corner : int array ``[copy, 8]``
        Nodes at the corners.
    pairs : tuple of int arrays ``[k, 2]``
        Copies joined across a face along x, y and z: the lower one first.
    node_mm : float array ``[n, 3]``
    """

    distance: SignedDistance
    lookup: NDArray[np.int32]
    labels: NDArray[np.uint8]
    first: NDArray[np.int64]
    cube: NDArray[np.int64]
    corner: NDArray[np.int64]
    pairs: tuple[NDArray[np.int64], ...]
    node_mm: NDArray[np.float64]

    @classmethod
    def of(cls, distance: SignedDistance, joined: NDArray[np.float32] | None = None) -> Cells:
        """Return the cubes that touch a body.

        Parameters
        ----------
        distance : SignedDistance
            Its grid has a multiple of four spacings along each axis.
        joined : float32 array, optional
            Depth in mm that says which points are joined (positive) where that differs from ``distance``.
        """
        values = distance.values if joined is None else joined
        h = distance.spacing_mm
        size = tuple((n - 1) // SIDE for n in values.shape)
        touched = _maxima(values, size) >= -REACH * h
        cubes = np.argwhere(touched)
        lookup = np.full(size, -1, dtype=np.int32)
        lookup[touched] = np.arange(len(cubes))
        labels = np.zeros((len(cubes), POINTS**3), dtype=np.uint8)
        copies = np.zeros(len(cubes), dtype=np.int64)
        _label(values, cubes, REACH * h, labels, copies)
        first = np.concatenate([[0], np.cumsum(copies)])
        owner = np.repeat(np.arange(len(cubes)), copies)
        pairs = tuple(_joined(axis, cubes, lookup, labels, first) for axis in range(3))
        corner = corners_of(pairs, len(owner))
        position = np.zeros((int(corner.max()) + 1, 3))
        where = cubes[owner][:, None, ::-1] + CORNERS[None]
        position[corner] = where * (SIDE * h) + np.array(distance.origin_mm)
        return cls(distance, lookup, labels, first, cubes[owner], corner, pairs, position)

    @property
    def edge_mm(self) -> float:
        """Length of a cube's edge in mm."""
        return SIDE * self.distance.spacing_mm

    def tets(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.uint8]]:
        """Return the corners ``[t, 4]`` of five tetrahedra for every copy, and each one's cube and label.

        The cube is -1 where the cube has one copy only. Tetrahedra are positively oriented.
        """
        odd = self.cube.sum(axis=1) % 2
        tets = np.take_along_axis(self.corner[:, None, :], _SPLITS[odd].reshape(len(odd), 1, 20), axis=2)
        row = self.lookup[tuple(self.cube.T)]
        several = np.diff(self.first)[row] > 1
        label = np.arange(len(row)) - self.first[row] + 1
        turned = tets.reshape(-1, 4).astype(np.int32)
        a, b, c, d = (self.node_mm[turned[:, i]] for i in range(4))
        flip = np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a) < 0
        turned[flip] = turned[flip][:, [0, 2, 1, 3]]
        cube, part = np.repeat(np.where(several, row, -1), 5), np.repeat(label, 5)
        return np.asarray(turned), np.asarray(cube, dtype=np.int32), np.asarray(part, dtype=np.uint8)

    def locate(self, points_mm: NDArray[np.floating[Any]]) -> tuple[csr_array, NDArray[np.bool_]]:
        """Return the weights ``[points, nodes]`` that interpolate at points, and which points lie in a cube.

        Rows of points that lie in no cube are empty.
        """
        h = self.distance.spacing_mm
        grid = (np.asarray(points_mm, dtype=np.float64) - self.distance.origin_mm) / h
        size = np.array(self.lookup.shape)[::-1]
        index = np.floor(grid / SIDE).astype(np.int64)
        known = ((index >= 0) & (index < size)).all(axis=1)
        index[~known] = 0
        row = self.lookup[index[:, 2], index[:, 1], index[:, 0]]
        known &= row >= 0
        local = grid - index * SIDE
        nearest = np.clip(np.rint(local), 0, SIDE).astype(np.int64)
        label = self.labels[row, (nearest[:, 2] * POINTS + nearest[:, 1]) * POINTS + nearest[:, 0]]
        label = np.where(label > 0, label, 1)
        copy = self.first[np.maximum(row, 0)] + label - 1
        t = local / SIDE
        weight = np.ones((len(grid), 8))
        for c, (x, y, z) in enumerate(CORNERS):
            for axis, up in enumerate((x, y, z)):
                weight[:, c] *= t[:, axis] if up else 1 - t[:, axis]
        found = np.flatnonzero(known)
        entries = (weight[found].ravel(), (np.repeat(found, 8), self.corner[copy[found]].ravel()))
        return csr_array(entries, shape=(len(grid), len(self.node_mm))), known


def _maxima(values: NDArray[np.float32], size: tuple[int, ...]) -> NDArray[np.float32]:
    """Return the greatest value among the grid points of each cube, faces included."""
    for axis, n in enumerate(size):
        moved = np.moveaxis(values, axis, 0)
        inner = moved[:-1].reshape(n, SIDE, *moved.shape[1:]).max(axis=1)
        values = np.moveaxis(np.maximum(inner, moved[SIDE::SIDE]), 0, axis)
    return values


def _joined(axis: int, cubes: Any, lookup: Any, labels: Any, first: Any) -> NDArray[np.int64]:
    """Pairs of copies that share flesh on the face between two cubes along x (0), y (1) or z (2)."""
    step = np.zeros(3, dtype=np.int64)
    step[2 - axis] = 1
    upper = cubes + step
    fits = (upper < lookup.shape).all(axis=1)
    low = np.flatnonzero(fits)
    high = lookup[tuple(upper[low].T)]
    low, high = low[high >= 0], high[high >= 0].astype(np.int64)
    points = np.arange(POINTS**3).reshape(POINTS, POINTS, POINTS)
    last, start = np.take(points, SIDE, axis=2 - axis).ravel(), np.take(points, 0, axis=2 - axis).ravel()
    a, b = labels[low][:, last], labels[high][:, start]
    single = (a.max(axis=1) <= 1) & (b.max(axis=1) <= 1)
    touch = ((a > 0) & (b > 0)).any(axis=1)
    plain = single & touch
    # the label of a face point may be above 1 though the cube's other labels are not on this face
    pair = np.stack([first[low[plain]], first[high[plain]]], axis=1)
    rest = np.flatnonzero(~single & touch)
    a, b = a[rest].astype(np.int64), b[rest].astype(np.int64)
    both = (a > 0) & (b > 0)
    several = np.stack(
        [(first[low[rest]][:, None] + a - 1)[both], (first[high[rest]][:, None] + b - 1)[both]], axis=1
    )
    return np.unique(np.concatenate([pair, several]), axis=0)


def corners_of(pairs: tuple[NDArray[np.int64], ...], count: int) -> NDArray[np.int64]:
    """Return the node at each corner of ``count`` copies ``[count, 8]``.

    Copies joined across a face along x, y or z (``pairs``) share the four corners of that face.
    """
    one, two = [], []
    for axis, pair in enumerate(pairs):
        bit = 1 << axis
        for c in range(8):
            if not c & bit:
                one.append(pair[:, 0] * 8 + (c | bit))
                two.append(pair[:, 1] * 8 + c)
    i, j = np.concatenate(one), np.concatenate(two)
    graph = csr_array((np.ones(len(i), dtype=np.int8), (i, j)), shape=(count * 8, count * 8))
    _, number = connected_components(graph, directed=False)
    return number.reshape(count, 8).astype(np.int64)
