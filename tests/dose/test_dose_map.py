"""Dose maps and their three file forms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wholedose.base import Cause, Grid, InvalidInput, Provenance
from wholedose.dose import DVH, DoseMap, load_dose
from wholedose.dose.rtdose import LEVELS, scaling_for

GRID = Grid((3, 4, 5), (3.0, 2.0, 1.0), (-10.0, 20.0, 5.0))


def make(seed: int = 1, peak: float = 12.345678) -> DoseMap:
    rng = np.random.default_rng(seed)
    dose = rng.gamma(1.0, 2.0, GRID.shape).astype(np.float32)
    dose[1, 2, 3] = peak
    dose[dose > peak] = peak / 2
    u = rng.uniform(0.01, 0.2, GRID.shape).astype(np.float32)
    return DoseMap(GRID, dose, Provenance("test", seed=seed), u, {Cause("output calibration", "A"): 0.05})


@pytest.mark.parametrize("name", ["dose.nii.gz", "dose.nii", "dose.zarr"])
def test_lossless_forms(tmp_path: Path, name: str) -> None:
    """NIfTI and Zarr give back the same bits, place, uncertainty and provenance."""
    dose = make()
    back = load_dose(dose.save(tmp_path / name))
    np.testing.assert_array_equal(back.dose_mgy, dose.dose_mgy)
    assert back.relative_u is not None
    assert dose.relative_u is not None
    np.testing.assert_array_equal(back.relative_u, dose.relative_u)
    assert back.grid.matches(dose.grid)
    assert back.provenance == dose.provenance
    assert back.relative_parts == dose.relative_parts


def test_same_map_same_bytes(tmp_path: Path) -> None:
    """Saving twice writes the same bytes, whatever the form."""
    for name in ("dose.nii.gz", "dose.dcm"):
        first = make().save(tmp_path / "a" / name).read_bytes()
        assert make().save(tmp_path / "b" / name).read_bytes() == first


@pytest.mark.parametrize("peak", [12.345678, 1e-4, 0.1, 3.0e4, 16777216.5])
def test_rtdose_keeps_the_hottest_voxel(tmp_path: Path, peak: float) -> None:
    """The hottest voxel is full scale in RT Dose and never wraps to 0; all others are within a level."""
    dose = make(peak=peak)
    back = load_dose(dose.save(tmp_path / "dose.dcm"))
    assert back.grid.matches(dose.grid)
    assert back.dose_mgy.argmax() == np.ravel_multi_index((1, 2, 3), GRID.shape)
    assert float(back.dose_mgy.max()) == pytest.approx(float(dose.dose_mgy.max()), rel=1e-6)
    level_mgy = float(dose.dose_mgy.max()) / LEVELS * 1.01
    np.testing.assert_allclose(back.dose_mgy, dose.dose_mgy, rtol=2e-7, atol=level_mgy)


@settings(max_examples=300, deadline=None)
@given(st.floats(1e-9, 1e4))
def test_scaling_holds_the_maximum(maximum_gy: float) -> None:
    """The stored scaling fits 16 characters and the levels fit 32 bits, nearly full."""
    text = scaling_for(maximum_gy)
    assert len(text) <= 16
    assert 0.999 * LEVELS < np.rint(maximum_gy / float(text)) <= LEVELS


def test_rtdose_is_read_by_pydicom_as_written(tmp_path: Path) -> None:
    """Another reader sees the position, the units and the patient that were carried over."""
    import pydicom

    path = make().save(tmp_path / "dose.dcm", dicom={"PatientID": "X1", "FrameOfReferenceUID": "2.25.7"})
    data = pydicom.dcmread(path)
    assert data.PatientID == "X1"
    assert data.FrameOfReferenceUID == "2.25.7"
    assert [float(v) for v in data.ImagePositionPatient] == [-10.0, 20.0, 5.0]
    assert [float(v) for v in data.PixelSpacing] == [2.0, 1.0]
    assert data.DoseUnits == "GY"
    hottest_gy = data.pixel_array.max() * float(data.DoseGridScaling)
    assert hottest_gy * 1000 == pytest.approx(12.345678, rel=1e-6)


def test_rtdose_of_zero(tmp_path: Path) -> None:
    """A map of no dose is written and read as no dose."""
    zero = DoseMap(GRID, np.zeros(GRID.shape, np.float32), Provenance("test"))
    assert load_dose(zero.save(tmp_path / "zero.dcm")).dose_mgy.max() == 0.0


def test_rtdose_of_one_plane(tmp_path: Path) -> None:
    """A map of a single plane comes back on its grid, though DICOM writes one offset without a list."""
    plane = Grid((1, 3, 4), (2.0, 1.0, 1.0), (0.0, 0.0, 5.0))
    dose = DoseMap(plane, np.ones(plane.shape, np.float32), Provenance("test"))
    assert load_dose(dose.save(tmp_path / "one.dcm")).grid == plane


@pytest.mark.parametrize("comment", [b"made by another program", b'["a", "list"]'])
def test_nifti_with_a_foreign_comment(tmp_path: Path, comment: bytes) -> None:
    """A dose map in NIfTI whose header holds another program's comment is read."""
    import nibabel

    image = nibabel.Nifti1Image(np.ones((4, 3, 2), np.float32), GRID.affine_ras())
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension(6, comment))
    nibabel.save(image, tmp_path / "theirs.nii.gz")
    assert load_dose(tmp_path / "theirs.nii.gz").provenance.method == "read from NIfTI"


@pytest.mark.parametrize("name", ["dose.nii.gz", "dose.dcm"])
def test_broken_files_are_refused(tmp_path: Path, name: str) -> None:
    """Truncated and bit-flipped files give one of our errors or a valid map, never another exception."""
    raw = make().save(tmp_path / name).read_bytes()
    rng = np.random.default_rng(3)
    for trial in range(60):
        damaged = bytearray(raw[: int(rng.integers(0, len(raw)))] if trial % 3 == 0 else raw)
        for _ in range(3 if damaged else 0):
            damaged[int(rng.integers(0, min(len(damaged), 1200)))] ^= 1 << int(rng.integers(0, 8))
        path = tmp_path / f"{trial}-{name}"
        path.write_bytes(bytes(damaged))
        try:
            load_dose(path)
        except InvalidInput:
            continue


def test_unknown_ending_and_absent_file(tmp_path: Path) -> None:
    """Another ending lists what is possible; an absent file is named."""
    with pytest.raises(InvalidInput, match=r"Use \.nii\.gz, \.dcm or \.zarr"):
        make().save(tmp_path / "dose.mhd")
    with pytest.raises(InvalidInput, match="no such file"):
        load_dose(tmp_path / "absent.nii.gz")


def test_at_a_point() -> None:
    """A point's dose carries the voxel's statistics and the map's common causes."""
    dose = make().at((-7.0, 24.0, 8.0))
    assert dose.value == pytest.approx(12.345678, rel=1e-6)
    assert dose.by_name()["output calibration"] == pytest.approx(0.05 * dose.value)
    with pytest.raises(InvalidInput, match="outside the map"):
        make().at((0.0, 0.0, 0.0))


def test_linear_in_output() -> None:
    """Twice the tube charge is twice the dose in each voxel, to the last bit."""
    np.testing.assert_array_equal(make().scaled(2.0).dose_mgy, 2 * make().dose_mgy)


def test_negative_and_infinite_doses_are_refused() -> None:
    """A map never holds what is not a dose."""
    for bad in (-1.0, np.nan, np.inf):
        with pytest.raises(InvalidInput, match="finite"):
            DoseMap(GRID, np.full(GRID.shape, bad, np.float32), Provenance("test"))


def test_dvh_closed_form() -> None:
    """A linear ramp of dose has a linear histogram, mean in the middle, D50 = V50."""
    dvh = DVH.of(np.linspace(0, 10, 1001))
    assert dvh.mean_mgy == pytest.approx(5.0)
    assert dvh.volume_above(2.5) == pytest.approx(0.75, abs=1e-3)
    assert dvh.dose_to_hottest(0.25) == pytest.approx(7.5, abs=0.02)
    dose, volume = dvh.curve()
    np.testing.assert_allclose(volume, 1 - dose / 10, atol=2e-3)
    assert (np.diff(volume) <= 0).all()


def test_dvh_by_mass() -> None:
    """A heavy voxel counts by its mass."""
    assert DVH.of([1.0, 3.0], [3.0, 1.0]).mean_mgy == 1.5


def test_empty_structure() -> None:
    """An empty structure has no histogram."""
    with pytest.raises(InvalidInput, match="empty"):
        DVH.of([])
