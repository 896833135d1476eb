"""Voxels of a posed lattice."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from wholedose.base.errors import InvalidInput
from wholedose.base.grid import Grid
from wholedose.body import raster
from wholedose.body.figure import skin_volume_cm3, template_figure
from wholedose.body.lattice import Lattice
from wholedose.body.levels import drawn_height


@pytest.fixture(scope="module")
def lattice(template_lattice: Lattice) -> Lattice:
    return template_lattice


def grid_round(lattice: Lattice, nodes: NDArray[np.float64], voxel: float) -> Grid:
    low, high = lattice.bounds_mm(nodes)
    shape = np.ceil((high - low) / voxel).astype(int) + 3
    x, y, z = (low + high) / 2 - (shape - 1) / 2 * voxel
    return Grid((int(shape[2]), int(shape[1]), int(shape[0])), (voxel, voxel, voxel), (x, y, z))


def centres(grid: Grid, index: NDArray[np.int64]) -> NDArray[np.float64]:
    z, y, x = grid.axes_mm()
    k, j, i = np.unravel_index(index, grid.shape)
    return np.stack([x[i], y[j], z[k]], axis=1)


def test_the_resting_body_is_the_voxels_under_its_skin(lattice: Lattice) -> None:
    """At rest the voxels are those of positive depth, each once, at its own place in the template."""
    grid = grid_round(lattice, lattice.posed(), 7.0)
    found = lattice.raster(lattice.posed(), grid)
    every = np.arange(np.prod(grid.shape))
    depth = lattice.cells.distance.at(centres(grid, every))
    sure = every[depth > 1e-4]
    assert np.isin(sure, found.index).all()
    assert len(found.index) - len(sure) < 20
    assert (np.diff(found.index) > 0).all()
    there = centres(grid, found.index)
    np.testing.assert_allclose(found.template_mm[:, :2], there[:, :2], atol=1e-3)
    # heights are those of the drawing, linear between nodes 12 mm apart
    np.testing.assert_allclose(found.template_mm[:, 2], drawn_height(there), atol=6.0)
    assert abs(found.template_mm[:, 2] - drawn_height(there)).mean() < 0.1
    np.testing.assert_allclose(found.depth_mm, depth[found.index], atol=1e-3)
    volume = len(found.index) * grid.voxel_cm3
    mesh = skin_volume_cm3(template_figure().vertices_mm, template_figure().faces)
    assert volume == pytest.approx(mesh, rel=0.005)


def test_a_turned_body_is_the_same_body(lattice: Lattice) -> None:
    """Turned by odd angles and moved, the body has the same volume, depths and places in the template."""
    c, s = np.cos([0.4, 1.1]), np.sin([0.4, 1.1])
    turn = np.array([[c[0], -s[0], 0], [s[0], c[0], 0], [0, 0, 1]])
    turn = turn @ np.array([[1, 0, 0], [0, c[1], -s[1]], [0, s[1], c[1]]])
    shift = np.array([10.0, -20.0, 30.0])
    nodes = lattice.posed() @ turn.T + shift
    grid = grid_round(lattice, nodes, 6.0)
    found = lattice.raster(nodes, grid)
    back = (centres(grid, found.index) - shift) @ turn
    np.testing.assert_allclose(found.template_mm[:, :2], back[:, :2], atol=2e-3)
    np.testing.assert_allclose(found.template_mm[:, 2], drawn_height(back), atol=6.0)
    np.testing.assert_allclose(found.depth_mm, lattice.cells.distance.at(back), atol=2e-3)
    mesh = skin_volume_cm3(template_figure().vertices_mm, template_figure().faces)
    assert len(found.index) * grid.voxel_cm3 == pytest.approx(mesh, rel=0.005)


def test_the_volume_asked_for_is_met(lattice: Lattice) -> None:
    """The skin moves so that the body has a given volume, and depth counts from the moved skin."""
    grid = grid_round(lattice, lattice.posed(), 6.0)
    plain = lattice.raster(lattice.posed(), grid)
    wanted = 1.04 * len(plain.index) * grid.voxel_cm3
    larger = lattice.raster(lattice.posed(), grid, volume_cm3=wanted)
    assert len(larger.index) * grid.voxel_cm3 == pytest.approx(wanted, abs=3 * grid.voxel_cm3)
    assert larger.depth_mm.min() > 0
    both = np.isin(larger.index, plain.index)
    shift = larger.depth_mm[both] - plain.depth_mm[np.isin(plain.index, larger.index)]
    np.testing.assert_allclose(shift, shift[0], atol=1e-3)
    assert 0.5 < shift[0] < 3.0
    with pytest.raises(InvalidInput, match="are asked"):
        lattice.raster(lattice.posed(), grid, volume_cm3=2 * wanted)
    with pytest.raises(InvalidInput, match="move in"):
        lattice.raster(lattice.posed(), grid, volume_cm3=wanted / 2)


def test_where_parts_meet_the_deeper_one_wins(lattice: Lattice) -> None:
    """Folded onto its mirror image, each voxel takes the greater of the two depths."""
    grid = grid_round(lattice, lattice.posed(), 8.0)
    nodes = lattice.posed()
    # all that lies right of x = 40 mm is slid over the rest, and so is claimed twice
    nodes[:, 0] = 40.0 - np.abs(nodes[:, 0] - 40.0)
    found = lattice.raster(nodes, grid)
    where = centres(grid, found.index)
    other = where * [-1.0, 1.0, 1.0] + [80.0, 0.0, 0.0]
    truth = np.maximum(lattice.cells.distance.at(where), lattice.cells.distance.at(other))
    clear = where[:, 0] < 40.0 - lattice.cells.edge_mm
    np.testing.assert_allclose(found.depth_mm[clear], truth[clear], atol=2e-3)


def test_slabs_do_not_show(lattice: Lattice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether the grid is worked through in thin or thick slabs, the voxels are the same to the bit."""
    grid = grid_round(lattice, lattice.posed(), 8.0)
    one = lattice.raster(lattice.posed(), grid)
    monkeypatch.setattr(raster, "_SLAB_VOXELS", 7 * grid.shape[1] * grid.shape[2])
    two = lattice.raster(lattice.posed(), grid)
    np.testing.assert_array_equal(one.index, two.index)
    np.testing.assert_array_equal(one.template_mm, two.template_mm)
    np.testing.assert_array_equal(one.depth_mm, two.depth_mm)


def test_positions_that_do_not_fit_are_refused(lattice: Lattice) -> None:
    """Positions of too few nodes are refused with a sentence."""
    grid = Grid((4, 4, 4), (8.0, 8.0, 8.0), (0.0, 0.0, 900.0))
    with pytest.raises(InvalidInput, match="nodes"):
        lattice.raster(np.zeros((3, 3)), grid)
