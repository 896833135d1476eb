"""Tests of the dose pictures: which way round they are, and what they show."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from matplotlib import image as reader
from tests.report import fixtures

from wholedose.base import Grid, Provenance, Volume
from wholedose.dose import DoseMap
from wholedose.report import planes

GRID = Grid((40, 40, 40), (5.0, 5.0, 5.0), (-97.5, -97.5, -97.5))


def backdrop() -> Volume:
    """The made-up body in CT numbers."""
    made = fixtures.body()
    return Volume(made.grid, planes.hu_of(made), "HU", {})


def test_a_body_becomes_ct_numbers() -> None:
    """Water of 1.045 g/cm³ has 45 HU, of 0.22 g/cm³ −780 HU, and air −999."""
    made = fixtures.body()
    hu = planes.hu_of(made)
    found = {float(d): int(h) for d, h in zip(made.density_g_cm3.flat, hu.flat, strict=True)}
    for density, number in found.items():
        assert number == pytest.approx(1000 * (density - 1), abs=1)


def spot_view(where: tuple[float, float, float]) -> planes.View:
    """Water in air with dose in one spot, all planes through the spot."""
    z, y, x = np.meshgrid(*GRID.axes_mm(), indexing="ij")
    inside = (x / 90) ** 2 + (y / 70) ** 2 <= 1
    spot = (x - where[0]) ** 2 + (y - where[1]) ** 2 + (z - where[2]) ** 2 <= 15.0**2
    dose = DoseMap(GRID, (10.0 * spot).astype(np.float32), Provenance("test"))
    return planes.View.of(dose, Volume(GRID, np.where(inside, 0, -1000).astype(np.int16), "HU", {}))


def pixels(markup: str) -> Any:
    """The pixels of a picture, [row, column, rgb]."""
    found = re.search(r"base64,([^\"]+)", markup)
    assert found is not None
    return reader.imread(io.BytesIO(base64.b64decode(found[1])), format="png")[..., :3]


def coloured(markup: str) -> tuple[float, float]:
    """The middle of the coloured pixels as (row, column) fractions; grey ones have equal channels."""
    rgb = pixels(markup)
    mask = (rgb.max(axis=2) - rgb.min(axis=2)) > 0.15
    rows, columns = np.nonzero(mask)
    return float(rows.mean()) / mask.shape[0], float(columns.mean()) / mask.shape[1]


@pytest.mark.parametrize(
    ("where", "orientation", "axis", "beyond"),
    [
        ((45.0, 0.0, 0.0), "axial", 1, True),  # patient left: viewer's right
        ((-45.0, 0.0, 0.0), "axial", 1, False),
        ((0.0, -40.0, 0.0), "axial", 0, False),  # front: top
        ((45.0, 0.0, 0.0), "coronal", 1, True),
        ((0.0, 0.0, 60.0), "coronal", 0, False),  # head: top
        ((0.0, 40.0, 0.0), "sagittal", 1, True),  # back: viewer's right
        ((0.0, 0.0, -60.0), "sagittal", 0, True),  # feet: bottom
    ],
)
def test_pictures_follow_radiological_convention(
    where: tuple[float, float, float], orientation: str, axis: int, beyond: bool
) -> None:
    """A bright spot at the patient's left, front or head lands right, top and top in the drawn picture."""
    pictures = {picture.name: picture for picture in planes.three_planes(spot_view(where))}
    place = coloured(pictures[f"plane-{orientation}"].markup)
    assert (place[axis] > 0.5) == beyond
    assert abs(place[axis] - 0.5) > 0.1


def test_letters_agree_with_the_convention() -> None:
    """R stands left and L right in axial and coronal pictures, A left in the sagittal one, H on top."""
    assert planes.LETTERS["axial"] == ("R", "L", "A", "P")
    assert planes.LETTERS["coronal"] == ("R", "L", "H", "F")
    assert planes.LETTERS["sagittal"] == ("A", "P", "H", "F")


def test_plane_values_are_those_of_the_volumes() -> None:
    """At a voxel centre the sampled CT number and dose equal the voxel's."""
    view = replace(spot_view((45.0, 0.0, 0.0)), low_mm=GRID.lower_mm, high_mm=GRID.upper_mm)
    hu, dose = planes.plane(view, "axial", step_mm=5.0)
    k = GRID.index_of((0.0, 0.0, view.point_mm[2]))[0]
    assert view.image is not None
    np.testing.assert_allclose(hu, view.image.values[k], atol=1e-3)
    assert dose.max() == pytest.approx(10.0, rel=0.3)
    assert np.array_equal(dose > 5.0, view.dose.dose_mgy[k] > 5.0)


def test_outside_of_the_image_the_body_is_shown() -> None:
    """Where the CT ends, the calculated body stands in, in Hounsfield units."""
    view = planes.View.of(fixtures.dose_map(), fixtures.image(), backdrop())
    assert view.high_mm[2] > fixtures.image().grid.upper_mm[2]
    hu, _ = planes.plane(view, "coronal")
    assert hu[3].max() == pytest.approx(45.0, abs=1.0)


def test_without_an_image_the_view_is_cut_to_the_dose() -> None:
    """A whole body without CT is shown where it has a dose, with a margin."""
    made = fixtures.body()
    view = planes.View.of(fixtures.dose_map(), None, backdrop())
    assert made.grid.lower_mm[2] < view.low_mm[2] < fixtures.SCAN_Z[0]
    assert view.high_mm[2] > fixtures.SCAN_Z[1]


def test_a_map_without_dose_still_makes_pictures() -> None:
    """Zero dose everywhere gives three pictures and a scale that is not zero."""
    dose = DoseMap(GRID, np.zeros(GRID.shape, dtype=np.float32), Provenance("test"))
    view = planes.View.of(dose, Volume(GRID, np.zeros(GRID.shape, dtype=np.int16), "HU", {}))
    assert view.scale_mgy > 0
    assert len(planes.three_planes(view)) == 3


def test_the_colour_bar_names_its_ends() -> None:
    """The scale starts at 0, is in mGy and ends at or below the top."""
    bar = planes.colour_bar(10.2)
    ticks = [float(t) for t in re.findall(r">([\d.]+)</text>", bar)]
    assert ticks[0] == 0.0
    assert max(ticks) <= 10.2
    assert len(ticks) >= 3
    assert "mGy" in bar


def test_the_scale_is_made_for_soft_tissue() -> None:
    """A few hot bone voxels do not stretch the colour scale."""
    values = np.full(GRID.shape, 10.0, dtype=np.float32)
    values[:, :, 0] = 40.0
    dose = DoseMap(GRID, values, Provenance("test"))
    assert planes.scale_of(dose) == pytest.approx(15.0)


def test_air_around_the_body_is_cut() -> None:
    """The pictures reach a margin beyond the body in the image, not to the edge of the field of view."""
    view = spot_view((0.0, 0.0, 0.0))
    assert view.high_mm[1] == pytest.approx(67.5 + planes.TRIM_MM)
    assert view.low_mm[0] == GRID.lower_mm[0]
