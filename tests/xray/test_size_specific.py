"""Tests of the size-specific dose estimate."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from wholedose.base import Grid, InvalidInput, MissingInput, OutsideDomain, Volume
from wholedose.tables import load
from wholedose.xray.size_specific import (
    body_mask,
    effective_diameter_cm,
    ssde,
    ssde_factor,
    water_equivalent_diameter,
)


def test_fit_reproduces_every_printed_factor() -> None:
    """The exponential fit equals each printed factor of AAPM 204 within 0.005."""
    table = load("xray/ssde_factors_aapm204")
    for row in table.rows():
        phantom = int(row["ctdi_phantom_cm"])
        assert abs(ssde_factor(row["size_cm"], phantom) - row["factor"]) <= 0.005


@pytest.mark.parametrize(
    ("phantom", "size", "printed"),
    [(32, 8, 2.76), (32, 21, 1.71), (32, 45, 0.71), (16, 6, 1.49), (16, 20, 0.86), (16, 55, 0.22)],
)
def test_printed_rows(phantom: int, size: float, printed: float) -> None:
    """First, middle and last printed rows stand in the table, and the fit meets them within 0.005."""
    table = load("xray/ssde_factors_aapm204")
    row = (table["ctdi_phantom_cm"] == phantom) & (table["size_cm"] == size)
    assert table["factor"][row].tolist() == [printed]
    assert ssde_factor(size, phantom) == pytest.approx(printed, abs=0.005)


def test_size_outside_the_table_is_refused() -> None:
    """A size outside the printed range is refused with the range in the sentence."""
    with pytest.raises(OutsideDomain, match=r"50\.0 cm is outside the 8 to 45 cm of AAPM Report 204"):
        ssde_factor(50.0, 32)
    with pytest.raises(InvalidInput, match="16 or 32 cm, not 20"):
        ssde_factor(20.0, 20)


def test_effective_diameter() -> None:
    """Two dimensions give the geometric mean, one gives the printed table value, none is refused."""
    assert effective_diameter_cm(lateral_cm=40.0, ap_cm=22.5) == pytest.approx(30.0)
    assert effective_diameter_cm(ap_cm=6.0) == 5.8
    assert effective_diameter_cm(lateral_cm=10.5) == pytest.approx((10.2 + 10.7) / 2)
    with pytest.raises(MissingInput, match="No dimension"):
        effective_diameter_cm()
    with pytest.raises(OutsideDomain, match="lateral dimension 70 cm"):
        effective_diameter_cm(lateral_cm=70.0)


def cylinder_image(radius_mm: float, hu: float, *, couch: bool = False, half_mm: float = 250.0) -> Volume:
    n = int(half_mm)
    grid = Grid((3, n, n), (5.0, 2.0, 2.0), (-half_mm + 1.0, -half_mm + 1.0, 0.0))
    _, y, x = grid.axes_mm()
    r = np.hypot(y[:, None], x[None, :])
    values = np.full(grid.shape, -1000, dtype=np.int16)
    values[:, r <= radius_mm] = np.int16(hu)
    if couch:
        below = (y[:, None] > radius_mm + 1) & (y[:, None] < radius_mm + 4) & (np.abs(x)[None, :] < 200)
        values[:, below] = 200
    return Volume(grid, values, "HU", {})


def test_water_cylinder_has_its_own_diameter() -> None:
    """A water cylinder's water-equivalent diameter is its diameter, with and without a couch under it."""
    for couch in (False, True):
        size = water_equivalent_diameter(cylinder_image(150.0, 0.0, couch=couch))
        assert size.diameter_cm == pytest.approx(30.0, rel=0.003)
        assert size.truncated.max() == 0.0


def test_density_enters_as_area() -> None:
    """A cylinder of -200 HU has √0.8 of its diameter."""
    size = water_equivalent_diameter(cylinder_image(120.0, -200.0))
    assert size.diameter_cm == pytest.approx(24.0 * np.sqrt(0.8), rel=0.003)


def test_lungs_are_filled() -> None:
    """Air inside the body belongs to the mask, air outside does not."""
    slice_hu = np.asarray(cylinder_image(150.0, 0.0).values[0]).copy()
    slice_hu[100:140, 90:120] = -850
    mask = body_mask(slice_hu)
    assert mask[120, 100]
    assert not mask[2, 2]


def test_truncation_is_flagged() -> None:
    """A body that reaches the edge of the field is flagged with the share of its outline."""
    size = water_equivalent_diameter(cylinder_image(150.0, 0.0, half_mm=130.0))
    assert size.truncated.min() > 0.3


def test_current_weights_the_mean() -> None:
    """With modulated current a slice counts by its tube current; the mean over all is the mean factor."""
    image = cylinder_image(150.0, 0.0)
    size = water_equivalent_diameter(image)
    flat = ssde(10.0, 32, size)
    assert flat.dose.value == pytest.approx(10.0 * ssde_factor(size.mean_cm(), 32), rel=1e-3)
    size.diameter_cm[:] = [20.0, 30.0, 40.0]
    first = ssde(10.0, 32, size, relative_current=lambda z: np.where(z < 1.0, 1.0, 0.0))
    assert first.factor == pytest.approx(ssde_factor(20.0, 32))
    with pytest.raises(MissingInput, match="No slice"):
        ssde(10.0, 32, size, z_range=(900.0, 901.0))


@pytest.mark.shared
def test_example_series_water_equivalent_diameter(shared: Path) -> None:
    """Two slices of the example series have the diameters computed for this project, within 0.5 %."""
    import pydicom

    for z, expected in ((-804.5, 30.595), (-768.5, 30.842)):
        for path in sorted((shared / "ct/example_ct_dicom").iterdir()):
            data = pydicom.dcmread(path)
            if abs(float(data.ImagePositionPatient[2]) - z) < 0.01:
                break
        else:
            pytest.fail(f"no slice at {z}")
        hu = data.pixel_array * float(data.RescaleSlope) + float(data.RescaleIntercept)
        dy, dx = (float(d) for d in data.PixelSpacing)
        grid = Grid((1, *hu.shape), (1.0, dy, dx), (0.0, 0.0, z))
        size = water_equivalent_diameter(Volume(grid, hu[None].astype(np.float32), "HU", {}))
        assert size.diameter_cm[0] == pytest.approx(expected, rel=0.005)
