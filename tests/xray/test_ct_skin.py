"""The dose to the skin in a CT."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from wholedose.base import AbsorbedDose, Cause, ThreadExecutor
from wholedose.body import Body
from wholedose.dose import DoseMap, OrganDose, OrganDoses
from wholedose.xray import CtDose, CtScan, estimate
from wholedose.xray.ct_skin import skin_of

Scans = Callable[..., CtScan]


def run(scan: CtScan, body: Body) -> CtDose:
    return estimate(scan, body, seed=1, batches=6, executor=ThreadExecutor())


@pytest.fixture(scope="module")
def result(body: Body, little_scan: Scans) -> CtDose:
    return run(little_scan(), body)


def test_the_peak_lies_in_the_range_on_the_skin(result: CtDose) -> None:
    """The highest dose lies in the scanned range, above the mean, below the hottest voxel."""
    assert result.skin is not None
    peak, mean = result.skin.peak, result.skin.mean
    low, high = result.ranges[0].irradiated_z_mm
    assert low < peak.place_mm[2] < high
    assert peak.area_cm2 == pytest.approx(1.0)
    assert mean.value < peak.dose.value < 1.3 * float(result.map.dose_mgy.max())


def test_skin_of_a_scan_is_near_the_dose_of_its_surface(result: CtDose, body: Body) -> None:
    """In the range the skin has the mean dose of the outermost voxels of soft tissue there."""
    assert result.skin is not None
    surface = result.skin.surface.surface
    low, high = result.ranges[0].irradiated_z_mm
    z = body.grid.axes_mm()[0]
    slices = (z > low + 30.0) & (z < high - 30.0)
    inside = np.pad(body.labels > 0, ((0, 0), (1, 1), (1, 1)))
    all_round = inside[:, 2:, 1:-1] & inside[:, :-2, 1:-1] & inside[:, 1:-1, 2:] & inside[:, 1:-1, :-2]
    layer = (body.labels == 1) & ~all_round & slices[:, None, None]  # the others are ribs
    patches = (surface.points_mm[:, 2] > low + 30.0) & (surface.points_mm[:, 2] < high - 30.0)
    mean = np.average(result.skin.surface.dose_mgy[patches], weights=surface.area_mm2[patches])
    assert mean / result.map.dose_mgy[layer].mean() == pytest.approx(1.0, abs=0.1)


def test_it_is_linear_in_ctdivol(result: CtDose, body: Body, little_scan: Scans) -> None:
    """Twice the CTDIvol at the same length is twice the dose with the same relative uncertainty."""
    twice = run(little_scan(ctdivol_mgy=2.0 * result.ctdivol_mgy), body)
    assert twice.skin is not None
    assert result.skin is not None
    for one, other in ((result.skin.mean, twice.skin.mean), (result.skin.peak.dose, twice.skin.peak.dose)):
        assert other.value == pytest.approx(2.0 * one.value, rel=1e-5)
        assert other.relative_u == pytest.approx(one.relative_u, rel=1e-5)


def test_uncertainties_are_those_of_what_each_depends_on(result: CtDose) -> None:
    """The mean has the causes of the organ skin, such as the ends of the range; the peak those of a beam."""
    dose = AbsorbedDose(2.0, {Cause("scan range", "ends"): 0.2, Cause("statistical", "batches"): 0.1})
    organs = OrganDoses([*result.organs.values(), OrganDose("skin", dose, 3000.0, 0.2)])
    skin = skin_of(result.scan, result.body, result.map, organs, result.ranges)
    assert skin is not None
    assert result.skin is not None
    shared = {"output calibration", "cross sections", "statistical", "voxel size"}
    mean, peak = skin.mean.by_name(), skin.peak.dose.by_name()
    own = {"beam shaping filter", "spectrum", "scan range"}
    assert own & set(mean) == {"scan range"}
    assert mean["scan range"] == pytest.approx(0.1 * skin.mean.value)
    assert own & set(peak) == {"beam shaping filter", "spectrum"}
    assert shared <= set(mean) & set(peak)
    # a body without skin as an organ: the mean has what the peak has
    assert set(result.skin.mean.by_name()) == set(result.skin.peak.dose.by_name())


def test_it_is_worked_out_when_asked_for(
    body: Body, little_scan: Scans, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An estimate does not pay for the skin; the second look is free."""
    calls = []

    def count(*given: Any) -> Any:
        calls.append(given)
        return skin_of(*given)

    monkeypatch.setattr("wholedose.xray.ct_dose.skin_of", count)
    dose = run(little_scan(), body)
    assert not calls
    assert dose.skin is dose.skin
    assert len(calls) == 1


def test_voxels_without_skin(result: CtDose, body: Body) -> None:
    """A body that fills its grid from side to side shows no skin, and has no dose of it."""
    middle = body.grid.shape[1] // 2, body.grid.shape[2] // 2
    part = (slice(None), slice(middle[0] - 2, middle[0] + 3), slice(middle[1] - 2, middle[1] + 3))
    x, y, z = body.grid.origin_mm
    _, dy, dx = body.grid.spacing_mm
    grid = replace(
        body.grid,
        shape=body.labels[part].shape,
        origin_mm=(x + dx * part[2].start, y + dy * part[1].start, z),
    )
    inner = body.with_(
        grid=grid,
        labels=body.labels[part],
        material=body.material[part],
        density_g_cm3=body.density_g_cm3[part],
    )
    dose = DoseMap(grid, result.map.dose_mgy[part], result.provenance)
    assert skin_of(result.scan, inner, dose, result.organs, result.ranges) is None
