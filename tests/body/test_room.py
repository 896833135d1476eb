"""Walls of the trunk: what is drawn moves outward where they are thinner, in order, and stays inside."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from wholedose.body import Person
from wholedose.body.drawn import drawn
from wholedose.body.masses import targets_of
from wholedose.body.room import BELLY, CHEST, DRAWN, DRAWN_WALL_MM, SPACES, _held, moved, with_room

RADIUS_MM = 150.0


def _column(n: int = 60) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Points of a round trunk from its axis to its skin at the level of the heart, and their depth."""
    y = np.linspace(-RADIUS_MM + 1.0, -20.0, n) - 40.0
    points = np.stack([np.zeros(n), y, np.full(n, 1350.0)], axis=1).astype(np.float32)
    return points, (RADIUS_MM - np.abs(points[:, 1] + 40.0)).astype(np.float32)


def test_usual_walls_move_nothing() -> None:
    """With the walls that are drawn, every point stays where it is."""
    points, depth = _column()
    np.testing.assert_allclose(moved(points, depth, 5.0, 1.0, 1.0), points, atol=1e-3)


@pytest.mark.parametrize("wall", [0.45, 0.7, 1.3])
@pytest.mark.parametrize("fat", [0.0, 20.0])
def test_order_is_kept(wall: float, fat: float) -> None:
    """What lies deeper stays deeper, and a thin wall's inner side is where the drawn one is drawn."""
    points, depth = _column()
    new = moved(points, depth, fat, wall, wall)
    assert (np.diff(new[:, 1]) > 0).all()
    inner = np.interp(wall * (DRAWN_WALL_MM + fat) - fat, depth, new[:, 1])
    assert inner == pytest.approx(-(RADIUS_MM - DRAWN_WALL_MM) - 40.0, abs=1.0)


def test_limbs_and_head_stay() -> None:
    """Outside chest and belly nothing moves."""
    points = np.array([[0, -50, 1600], [120, -20, 700], [300, -30, 1250]], dtype=np.float32)
    depth = np.full(3, 60.0, dtype=np.float32)
    np.testing.assert_allclose(moved(points, depth, 10.0, 0.5, 0.5), points, atol=1e-3)


def test_without_spaces_nothing_moves() -> None:
    """A drawing without chest and belly is left as it is."""
    points, depth = _column()
    shapes = {name: shape for name, shape in drawn("M").items() if name not in SPACES}
    assert with_room(points, depth, 1.0, {"lungs": 4000.0}, shapes, lambda at: depth) is points


def test_spaces_are_as_full_as_the_drawing_says() -> None:
    """The numbers in the module are those of the drawn spaces and of the man's organs: their ratio to 6 %."""
    step = 5.0
    axes = np.arange(850.0, 1550.0, step), np.arange(-200.0, 150.0, step), np.arange(-220.0, 220.0, step)
    z, y, x = np.meshgrid(*axes, indexing="ij")
    points = np.stack([x, y, z], axis=-1).reshape(-1, 3).astype(np.float32)
    shapes = drawn("M")
    targets = targets_of(Person("M", 35, 176, 73))
    for space, organs in zip(SPACES, (CHEST, BELLY), strict=True):
        held = sum(targets[n].mass_g / targets[n].density_g_cm3 for n in organs if n in targets)
        room = _held(points, shapes, space) * step**3 / 1000.0
        assert DRAWN[space][1] / DRAWN[space][0] == pytest.approx(room / held, rel=0.06), space
