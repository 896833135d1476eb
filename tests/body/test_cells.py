"""Cubes that hold a body."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from wholedose.body.cells import Cells
from wholedose.body.meshdistance import SignedDistance


def flesh(inside: NDArray[np.bool_]) -> SignedDistance:
    """Points inside or out by half a spacing of 1 mm."""
    return SignedDistance(np.where(inside, 1.0, -4.0).astype(np.float32), (0.0, 0.0, 0.0), 1.0)


def parts_of(cells: Cells) -> int:
    """How many parts of the lattice share no node."""
    tets, _, _ = cells.tets()
    n = len(cells.node_mm)
    ends = np.concatenate([tets[:, [0, k]] for k in (1, 2, 3)])
    graph = csr_array((np.ones(len(ends)), (ends[:, 0], ends[:, 1])), shape=(n, n))
    return int(connected_components(graph, directed=False)[0])


def two_bars() -> SignedDistance:
    """Two upright bars with a gap of one point between them, in the same cubes, joined at the top."""
    inside = np.zeros((25, 9, 17), dtype=bool)
    inside[1:24, 2:7, 2:7] = inside[1:24, 2:7, 8:14] = True
    return flesh(inside)


def test_parts_in_one_cube_have_nodes_of_their_own() -> None:
    """Two bars a point apart share cubes but no node; a bridge joins them again."""
    apart = two_bars()
    cells = Cells.of(apart)
    assert int(np.diff(cells.first).max()) == 2
    assert parts_of(cells) == 2
    bridged = apart.values.copy()
    bridged[20:24, 2:7, 2:14] = 1.0
    cells = Cells.of(SignedDistance(bridged, apart.origin_mm, 1.0))
    assert int(np.diff(cells.first).max()) == 2
    assert parts_of(cells) == 1


def test_a_point_belongs_to_its_own_part() -> None:
    """Points on either side of the gap are interpolated from different nodes, both at the right place."""
    cells = Cells.of(two_bars())
    points = np.array([[6.0, 4.0, 9.0], [8.0, 4.0, 9.0]])
    place, known = cells.locate(points)
    assert known.all()
    np.testing.assert_allclose(place @ cells.node_mm, points, atol=1e-12)
    one, two = (set(place[[k]].indices[place[[k]].data > 0].tolist()) for k in (0, 1))
    assert not one & two
    assert not cells.locate(np.array([[500.0, 0.0, 0.0]]))[1].any()


def test_tetrahedra_fill_the_cubes() -> None:
    """Five positively oriented tetrahedra fill each copy of a cube."""
    cells = Cells.of(two_bars())
    tets, cube, label = cells.tets()
    a, b, c, d = (cells.node_mm[tets[:, k]] for k in range(4))
    volumes = np.einsum("ij,ij->i", np.cross(b - a, c - a), d - a) / 6.0
    assert (volumes > 0).all()
    np.testing.assert_allclose(volumes.reshape(-1, 5).sum(axis=1), cells.edge_mm**3)
    assert set(np.unique(label[cube >= 0])) == {1, 2}


def test_neighbouring_cubes_split_their_common_face_the_same_way() -> None:
    """Every triangle inside the lattice belongs to two tetrahedra, so that no gap opens when it bends."""
    cells = Cells.of(flesh(np.pad(np.ones((11, 11, 11), dtype=bool), 1)))
    tets, _, _ = cells.tets()
    faces = np.sort(np.concatenate([np.delete(tets, k, axis=1) for k in range(4)]), axis=1)
    found, count = np.unique(faces, axis=0, return_counts=True)
    middle = cells.node_mm[found].mean(axis=1)
    outer = (np.abs(middle - 6.0) > 6.0 - 1e-9).any(axis=1)
    np.testing.assert_array_equal(count, np.where(outer, 1, 2))
