"""Promises of the map from an image to a model body."""

from __future__ import annotations

import numpy as np
import pytest

from wholedose.base import Grid
from wholedose.body.locate import Fit
from wholedose.body.placement import FADE_MM, Placement, taken
from wholedose.body.registration import Warp

ENDS = np.array([0.0, 100.0])
ONE = np.ones(2)


def fit(z_shift: float = 0.0, scale: float = 1.0, x_shift: float = 0.0) -> Fit:
    return Fit(
        np.array([50.0]), np.array([50.0 + z_shift]), ENDS,
        0 * ONE, scale * ONE, x_shift * ONE, 0 * ONE, ONE, 0 * ONE, 0.0, (),
    )  # fmt: skip


SOURCE = Grid((40, 30, 20), (5.0, 5.0, 5.0), (-47.5, -72.5, -47.5))


def test_a_body_is_read_where_the_fit_says() -> None:
    """Identity gives the source back; a shift by two voxels and a scale of 2 read what they should."""
    values = np.arange(SOURCE.shape[0] * 600, dtype=np.int32).reshape(SOURCE.shape)
    assert np.array_equal(taken(values, Placement(fit()).look_up(SOURCE, SOURCE)), values)
    shifted = taken(values, Placement(fit(z_shift=10.0)).look_up(SOURCE, SOURCE), -1)
    assert np.array_equal(shifted[:-2], values[2:])
    assert (shifted[-2:] == -1).all()
    half = Grid((40, 30, 20), (5.0, 5.0, 5.0), (-46.0, -72.5, -47.5))
    wide = taken(values, Placement(fit(scale=2.0)).look_up(half, SOURCE), -1)
    assert wide[0, 0, 9] == values[0, 0, 9]
    assert wide[0, 0, 12] == values[0, 0, 15]


def test_heights_there_and_back() -> None:
    """Heights on the body and in the image are inverse, with a registered displacement too."""
    field = np.zeros((3, 10, 2, 2), dtype=np.float32)
    field[2] = 8.0 * np.sin(np.arange(10) / 3.0)[:, None, None]
    placement = Placement(
        fit(z_shift=30.0), Warp(Grid((10, 2, 2), (10.0, 10.0, 10.0), (-5.0, -5.0, 5.0)), field)
    )
    z = np.linspace(-400.0, 600.0, 21)
    assert placement.to_image_z(placement.to_body_z(z)) == pytest.approx(z, abs=0.1)
    assert placement.to_body_z(0.0) == pytest.approx(
        30.0 + float(placement.warp.at(np.zeros((1, 3)))[0, 2]), abs=0.1
    )


def test_a_registered_displacement_fades_to_a_shift() -> None:
    """At the image's end it goes on without a step; beyond the fade it is the mean of the end."""
    grid = Grid((12, 4, 4), (10.0, 10.0, 10.0), (0.0, 0.0, 0.0))
    field = np.zeros((3, *grid.shape), dtype=np.float32)
    field[0] = np.linspace(-6, 18, 4)[None, None, :]
    placement = Placement(fit()).with_registered(Warp(grid, field), np.ones(grid.shape, dtype=bool))
    top = 110.0
    at = np.array(
        [[30.0, 0.0, top], [30.0, 0.0, top + 5.0], [30.0, 0.0, top + FADE_MM + 20], [0.0, 0.0, top + 900]]
    )
    edge, next_to, far, farther = placement.warp.at(at)[:, 0]
    assert edge == pytest.approx(18.0)
    assert next_to == pytest.approx(18.0, abs=0.2)
    assert far == pytest.approx(6.0, abs=0.01)
    assert farther == pytest.approx(6.0, abs=0.01)


def test_a_further_displacement_comes_first() -> None:
    """The displacement of an ensemble member moves the place before all else."""
    more = Warp(
        Grid((2, 2, 2), (1e3, 1e3, 1e3), (-500.0, -500.0, -500.0)), np.zeros((3, 2, 2, 2), dtype=np.float32)
    )
    more.shift_mm[2] = 10.0
    values = np.arange(SOURCE.shape[0], dtype=np.int32)[:, None, None] * np.ones((1, 30, 20), dtype=np.int32)
    found = taken(values, Placement(fit()).look_up(SOURCE, SOURCE, more), -1)
    assert found[0, 0, 0] == 2
