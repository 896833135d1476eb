"""Grids: one convention, named converters."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from wholedose.base import Grid, InvalidInput, Volume, from_ras, ras_to_lps

GRID = Grid((2, 3, 4), (3.0, 2.0, 1.0), (5.0, -6.0, 7.0))


def test_edges_and_centre() -> None:
    """Corners lie half a voxel outside the first and last voxel centres."""
    assert GRID.lower_mm == (4.5, -7.0, 5.5)
    assert GRID.upper_mm == (8.5, -1.0, 11.5)
    assert GRID.centre_mm == (6.5, -4.0, 8.5)
    assert GRID.voxel_cm3 == pytest.approx(0.006)


def test_index_of_inverts_axes() -> None:
    """The voxel that holds a voxel's centre is that voxel."""
    z, y, x = GRID.axes_mm()
    for k, j, i in itertools.product(range(2), range(3), range(4)):
        assert GRID.index_of((float(x[i]), float(y[j]), float(z[k]))) == (k, j, i)


def test_ras_round_trip_any_orientation() -> None:
    """Each of the 48 axis orders and flips of a NIfTI image comes back as the same voxels in place."""
    values = np.arange(24).reshape(GRID.shape)
    affine = GRID.affine_ras()
    stored = values.transpose(2, 1, 0)
    for order in itertools.permutations(range(3)):
        for flips in itertools.product((1, -1), repeat=3):
            array = np.transpose(stored, order)[:: flips[0], :: flips[1], :: flips[2]]
            turn = np.zeros((4, 4))
            turn[3, 3] = 1
            for new, old in enumerate(order):
                turn[old, new] = flips[new]
                turn[old, 3] = stored.shape[old] - 1 if flips[new] < 0 else 0
            grid, back = from_ras(affine @ turn, array)
            assert grid.matches(GRID)
            np.testing.assert_array_equal(back, values)


def test_oblique_is_refused() -> None:
    """An image turned by 5° is refused with the way out."""
    angle = np.radians(5)
    affine = np.array(
        [
            [np.cos(angle), -np.sin(angle), 0, 0],
            [np.sin(angle), np.cos(angle), 0, 0],
            [0, 0, 1, 0],
            [0, 0, 0, 1],
        ]
    )
    with pytest.raises(InvalidInput, match=r"oblique to the patient\. \[scan.nii\] Resample"):
        from_ras(affine, np.zeros((2, 2, 2)), where="scan.nii")


def test_coarsened_keeps_the_low_corner() -> None:
    """A coarser grid starts at the same corner and holds whole voxels."""
    coarse = GRID.coarsened((2, 1, 2))
    assert coarse.shape == (1, 3, 2)
    assert coarse.lower_mm == GRID.lower_mm
    assert coarse.spacing_mm == (6.0, 2.0, 2.0)


def test_matches_within_a_hundredth_of_a_millimetre() -> None:
    """A drift that adds up over the grid is seen."""
    assert GRID.matches(Grid(GRID.shape, GRID.spacing_mm, (5.005, -6.0, 7.0)))
    assert not GRID.matches(Grid(GRID.shape, (3.0, 2.01, 1.0), GRID.origin_mm))
    assert not GRID.matches(Grid((2, 3, 5), GRID.spacing_mm, GRID.origin_mm))


@pytest.mark.parametrize("spacing", [(0.0, 1.0, 1.0), (-1.0, 1.0, 1.0), (float("nan"), 1.0, 1.0)])
def test_bad_spacing(spacing: tuple[float, float, float]) -> None:
    """A spacing that is not positive is refused."""
    with pytest.raises(InvalidInput, match="positive spacings"):
        Grid((1, 1, 1), spacing, (0, 0, 0))


def test_json_round_trip() -> None:
    """JSON gives back an equal grid."""
    assert Grid.from_json(GRID.to_json()) == GRID


def test_volume_checks_its_shape() -> None:
    """An array that does not fit its grid is refused."""
    with pytest.raises(InvalidInput, match="does not fit"):
        Volume(GRID, np.zeros((2, 3, 5)), "HU", {})


def test_ras_to_lps_is_its_own_inverse() -> None:
    """Converting twice changes nothing."""
    grid = Grid((6, 24, 20), (3.0, 2.0, 2.5), (-20.0, -30.0, 100.0))
    affine = grid.affine_ras()
    assert np.array_equal(ras_to_lps(ras_to_lps(affine)), affine)
    assert ras_to_lps(affine)[:3, 3].tolist() == [-20, -30, 100]
