"""Smooth functions on the cubes of a body."""

from __future__ import annotations

import numpy as np
import pytest

from wholedose.body.bending import Levels, fitted
from wholedose.body.cells import Cells
from wholedose.body.meshdistance import SignedDistance


@pytest.fixture(scope="module")
def cells() -> Cells:
    inside = np.full((25, 21, 29), -4.0, dtype=np.float32)
    inside[1:24, 1:20, 1:28] = 1.0
    return Cells.of(SignedDistance(inside, (0.0, 0.0, 0.0), 1.0))


def test_a_linear_function_does_not_bend(cells: Cells) -> None:
    """The energy of bending is nought for a linear function, and not for a curved one."""
    energy = Levels(cells.cube, cells.corner, cells.pairs).energy()
    shift = np.ones(len(cells.node_mm))
    assert abs(shift @ (energy @ shift)) < 1e-12
    linear = cells.node_mm @ [0.3, -0.2, 0.5]
    curved = cells.node_mm[:, 0] ** 2 / 8
    edges = Levels(cells.cube, cells.corner, cells.pairs).edges()
    stretching = 1e-4 * ((linear[edges[:, 0]] - linear[edges[:, 1]]) ** 2).sum()
    assert linear @ (energy @ linear) == pytest.approx(stretching, rel=1e-9)
    assert curved @ (energy @ curved) > 100 * stretching


def test_values_at_points_are_met_and_carried_on_smoothly(cells: Cells) -> None:
    """A linear function known at points of one half is found in the other half too."""
    rng = np.random.default_rng(7)
    points = rng.uniform([2, 2, 2], [13, 18, 22], (300, 3))
    slope = np.array([[0.2], [-0.1], [0.3]])
    place, _ = cells.locate(points)
    found = fitted(cells, place, np.ones(len(points)), points @ slope, 1e-5)
    error = np.abs(found - cells.node_mm @ slope)
    assert error[cells.node_mm[:, 0] < 14].max() < 0.1
    assert error.max() < 0.5


def test_coarser_cubes_interpolate_linear_functions(cells: Cells) -> None:
    """The corners of merged cubes give back a linear function at the corners of the cubes."""
    level = Levels(cells.cube, cells.corner, cells.pairs)
    coarse, spread = level.merged()
    where = np.zeros((coarse.nodes, 3))
    for c in range(8):
        where[coarse.corner[:, c]] = coarse.cube[:, ::-1] * 8.0 + [8.0 * (c >> k & 1) for k in range(3)]
    np.testing.assert_allclose(spread @ where, cells.node_mm, atol=1e-9)
