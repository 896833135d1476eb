"""Smooth functions on the cubes of a body that meet given values. Defines `Levels` and `fitted`.

A function bends as little as it can (second differences along and across the axes, so that a linear function
costs nothing) while it meets values at points. It is found on cubes of four times the size first, then twice,
then on the cubes themselves, each time from the coarser answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array, vstack
from scipy.sparse.csgraph import connected_components

from wholedose.body.cells import CORNERS, Cells, corners_of

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

_BENDING = 0.02  # stiffness against the fit to one cube face of skin
_STRETCHING = 1e-4
_COARSER = 2  # how often cubes are merged for the first answers
# the coarser answers are solved to the end; the finest then only has to settle detail
_STEPS, _LAST_STEPS = 600, 24


@dataclass(frozen=True, eq=False)
class Levels:
    """Cubes of one size: which corners they have and which are joined.

    Parameters
    ----------
    cube : int array ``[copy, 3]``
        Index ``(z, y, x)``.
    corner : int array ``[copy, 8]``
    pairs : tuple of int arrays ``[k, 2]``
        Copies joined along x, y and z.
    """

    cube: IntArray
    corner: IntArray
    pairs: tuple[IntArray, ...]

    @property
    def nodes(self) -> int:
        """Number of corners, each counted once."""
        return int(self.corner.max()) + 1

    def edges(self) -> IntArray:
        """Return the two ends ``[k, 2]`` of every edge."""
        ends = [(c, c | bit) for bit in (1, 2, 4) for c in range(8) if not c & bit]
        return _once(np.concatenate([self.corner[:, pair] for pair in ends]), self.nodes)

    def energy(self) -> csr_array:
        """Return the array A so that ``u·A u`` says how much a function u on the corners bends."""
        rows: list[csr_array] = []
        n = self.nodes
        for axis, pair in enumerate(self.pairs):
            bit, one, two = (1 << ((axis + k) % 3) for k in range(3))
            low = np.array([c for c in range(8) if not c & bit])
            before, after = self.corner[pair[:, 0]], self.corner[pair[:, 1]]
            lines = np.stack([before[:, low], after[:, low], after[:, low | bit]], axis=2).reshape(-1, 3)
            rows.append(_difference(_once(lines, n, (0, 2)), (1.0, -2.0, 1.0), n))
            faces = np.concatenate([self.corner[:, [c, c | one, c | two, c | one | two]] for c in (0, bit)])
            rows.append(_difference(_once(faces, n, (0, 3)), (1.0, -1.0, -1.0, 1.0), n) * np.sqrt(2.0))
        bends = csr_array(vstack(rows))
        stretch = _difference(self.edges(), (1.0, -1.0), n)
        return csr_array(_BENDING * (bends.T @ bends) + _STRETCHING * (stretch.T @ stretch))

    def merged(self) -> tuple[Levels, csr_array]:
        """Return cubes of twice the size, and the array that interpolates from their corners to these."""
        big = self.cube // 2
        inner = np.concatenate(
            [pair[(big[pair[:, 0]] == big[pair[:, 1]]).all(axis=1)] for pair in self.pairs]
        )
        graph = csr_array(
            (np.ones(len(inner), dtype=np.int8), (inner[:, 0], inner[:, 1])), shape=(len(big), len(big))
        )
        count, owner = connected_components(graph, directed=False)
        cube = np.zeros((count, 3), dtype=np.int64)
        cube[owner] = big
        pairs = []
        for pair in self.pairs:
            crossing = (big[pair[:, 0]] != big[pair[:, 1]]).any(axis=1)
            pairs.append(_once(owner[pair[crossing]].astype(np.int64), count))
        corner = corners_of(tuple(pairs), count)
        # each corner takes its value in one of its merged cubes; where these are joined all give the same
        at = np.zeros(self.nodes, dtype=np.int64)
        part = np.zeros((self.nodes, 3))
        for c in range(8):
            at[self.corner[:, c]] = owner
            part[self.corner[:, c]] = (self.cube[:, ::-1] + CORNERS[c] - 2 * big[:, ::-1]) / 2.0
        shares = np.ones((self.nodes, 8))
        for axis in range(3):
            up = CORNERS[:, axis] == 1
            shares[:, up] *= part[:, axis, None]
            shares[:, ~up] *= 1.0 - part[:, axis, None]
        start = np.arange(0, self.nodes * 8 + 1, 8)
        spread = csr_array(
            (shares.ravel(), corner[at].ravel(), start), shape=(self.nodes, int(corner.max()) + 1)
        )
        return Levels(cube, corner, tuple(pairs)), spread


def fitted(
    cells: Cells, place: csr_array, weight: FloatArray, values: FloatArray, tolerance: float
) -> FloatArray:
    """Return the smooth function on the nodes that nearly has given values at points.

    Parameters
    ----------
    cells : Cells
    place : sparse array ``[points, nodes]``
        Interpolates at the points, see `Cells.locate`.
    weight : array ``[points]``
        How much a point counts.
    values : array ``[points, k]``
    tolerance : float
        Size of the last correction, in the unit of ``values``, at which the answer is good enough.
    """
    level = Levels(cells.cube, cells.corner, cells.pairs)
    levels, spreads, places = [level], [], [place]
    for _ in range(_COARSER):
        level, spread = level.merged()
        levels.append(level)
        spreads.append(spread)
        places.append(csr_array(places[-1] @ spread))
    answer = np.zeros((levels[-1].nodes, values.shape[1]))
    for depth in range(_COARSER, -1, -1):
        here = places[depth]
        # a coarser cube bends 1/2 as much per node for the same function in the sum of squares
        system = csr_array(levels[depth].energy() * 0.5**depth + here.T @ (diags_array(weight) @ here))
        start = spreads[depth] @ answer if depth < _COARSER else answer
        most = _STEPS if depth else _LAST_STEPS
        answer, _ = solved(system, np.asarray(here.T @ (weight[:, None] * values)), start, tolerance, most)
    return answer


def solved(a: csr_array, b: FloatArray, x: FloatArray, tolerance: float, most: int) -> tuple[FloatArray, int]:
    """Return x with a x = b for several right-hand sides by conjugate gradients, and the number of steps."""
    inverse = 1.0 / np.maximum(a.diagonal(), 1e-12)[:, None]
    r = b - a @ x
    z = inverse * r
    p = z.copy()
    rz = np.einsum("ij,ij->j", r, z)
    for step in range(most):
        if float(np.abs(z).max()) <= tolerance:
            return x, step
        q = a @ p
        alpha = rz / np.maximum(np.einsum("ij,ij->j", p, q), 1e-300)
        x = x + alpha * p
        r -= alpha * q
        z = inverse * r
        new = np.einsum("ij,ij->j", r, z)
        p = z + (new / np.maximum(rz, 1e-300)) * p
        rz = new
    return x, most


def _once(rows: IntArray, size: int, key: tuple[int, int] = (0, 1)) -> IntArray:
    """Drop repeated rows; two of their entries, each below ``size``, tell rows apart."""
    _, first = np.unique(rows[:, key[0]] * size + rows[:, key[1]], return_index=True)
    return np.asarray(rows[first])


def _difference(rows: IntArray, coefficients: tuple[float, ...], nodes: int) -> csr_array:
    """The array whose row k sums the nodes ``rows[k]`` with the coefficients."""
    count, width = rows.shape
    values = np.tile(np.asarray(coefficients, dtype=np.float64), count)
    return csr_array((values, rows.ravel(), np.arange(0, count * width + 1, width)), shape=(count, nodes))
