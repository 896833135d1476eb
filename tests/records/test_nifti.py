"""Promises of `records.nifti`: every orientation lands in LPS; what is no CT is refused."""

from __future__ import annotations

from itertools import permutations
from pathlib import Path

import nibabel
import numpy as np
import pytest
from tests.records.make_ct import phantom

from wholedose.base import Grid, InvalidInput, OutsideDomain
from wholedose.records.nifti import read_nifti

GRID = Grid((6, 24, 20), (3.0, 2.0, 2.5), (-20.0, -30.0, 100.0))


def save(path: Path, array: np.ndarray, affine: np.ndarray) -> Path:
    nibabel.save(nibabel.Nifti1Image(array, affine), path)
    return path


def test_a_grid_survives_the_round_trip(tmp_path: Path) -> None:
    """A volume written with `Grid.affine_ras` is read on the equal grid with equal values."""
    path = save(tmp_path / "v.nii.gz", phantom().transpose(2, 1, 0), GRID.affine_ras())
    volume = read_nifti(path)
    assert volume.grid.matches(GRID, 1e-4)
    assert np.array_equal(volume.values, np.maximum(phantom(), -1024))
    assert volume.values.dtype == np.int16


@pytest.mark.parametrize("order", list(permutations(range(3))))
@pytest.mark.parametrize("flip", [0, 1, 2])
def test_every_axis_order_and_direction(tmp_path: Path, order: tuple[int, int, int], flip: int) -> None:
    """Permuted and flipped arrays with matching affines give the same volume."""
    xyz = phantom().transpose(2, 1, 0)
    array, affine = xyz.transpose(order), GRID.affine_ras()[:, [*order, 3]]
    affine[:3, 3] += affine[:3, flip] * (array.shape[flip] - 1)
    affine[:3, flip] *= -1
    volume = read_nifti(save(tmp_path / "v.nii", np.flip(array, flip), affine))
    assert volume.grid.matches(GRID, 1e-4)
    assert np.array_equal(volume.values, np.maximum(phantom(), -1024))


def test_oblique_volumes_are_resampled_with_a_finding(tmp_path: Path) -> None:
    """A volume turned by 10° about z keeps a linear field at its place and says that it was resampled."""
    angle = np.radians(10)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn * 2.0
    i, j, k = np.indices((30, 30, 8))
    x_ras = affine[0, 0] * i + affine[0, 1] * j
    values = (10 * x_ras - 800).astype(np.float32)
    volume = read_nifti(save(tmp_path / "v.nii", values, affine))
    assert volume.meta["findings"] == ("The volume is oblique by 10.0° and was resampled.",)
    expected = -10 * volume.grid.axes_mm()[2] - 800
    middle = volume.values[4, 15]
    inside = middle > -1000
    assert inside.sum() > 10
    assert np.abs(middle - expected)[inside][2:-2].max() < 0.1
    assert k.max() == 7


def test_what_is_no_ct_is_refused(tmp_path: Path) -> None:
    """No air or lung, no orientation, four dimensions, broken, empty: each has its sentence."""
    array = phantom().transpose(2, 1, 0)
    with pytest.raises(OutsideDomain, match="a CT in HU has air or lung below −500"):
        read_nifti(save(tmp_path / "mr.nii", np.abs(array), GRID.affine_ras()))
    image = nibabel.Nifti1Image(array, None)
    nibabel.save(image, tmp_path / "no.nii")
    with pytest.raises(InvalidInput, match="has no orientation"):
        read_nifti(tmp_path / "no.nii")
    with pytest.raises(InvalidInput, match="three dimensions"):
        read_nifti(save(tmp_path / "4d.nii", np.stack([array] * 2, -1), GRID.affine_ras()))
    (tmp_path / "empty.nii").write_bytes(b"")
    with pytest.raises(InvalidInput, match="The file is empty"):
        read_nifti(tmp_path / "empty.nii")
    whole = save(tmp_path / "cut.nii.gz", array, GRID.affine_ras()).read_bytes()
    (tmp_path / "cut.nii.gz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InvalidInput, match="broken or not readable"):
        read_nifti(tmp_path / "cut.nii.gz")


def test_labels_are_whole_numbers(tmp_path: Path) -> None:
    """A float label map of integers is read; a probability map is refused."""
    labels = (phantom() > 0).astype(np.float32).transpose(2, 1, 0)
    volume = read_nifti(save(tmp_path / "l.nii", labels, GRID.affine_ras()), unit="label")
    assert volume.values.dtype == np.int32
    assert set(np.unique(volume.values)) == {0, 1}
    with pytest.raises(InvalidInput, match="no integers"):
        read_nifti(save(tmp_path / "p.nii", labels * 0.4, GRID.affine_ras()), unit="label")


@pytest.mark.shared
def test_shared_volumes(shared: Path) -> None:
    """The reference CT reads in HU; the reference MR is refused."""
    assert read_nifti(shared / "ct" / "example_ct.nii.gz").grid.shape == (112, 101, 122)
    with pytest.raises(OutsideDomain, match="an MR or a CT stored with an offset"):
        read_nifti(shared / "ct" / "example_mr_sm.nii.gz")
