"""Tests of the CTDI calibration."""

from __future__ import annotations

import numpy as np
import pytest

from wholedose.base import InvalidInput, ThreadExecutor
from wholedose.transport import simulate
from wholedose.xray import Calibration, CtBeam, calibrate
from wholedose.xray.calibration import (
    CHAMBER_MM,
    HISTORIES_PER_BATCH,
    RING_HALF_WIDTH_MM,
    chambers,
    ctdi_phantom,
    cylinder,
    from_tally,
)
from wholedose.xray.ct_source import rotation

BEAM = CtBeam(120.0, "generic_body", 40.0, 570.0)


@pytest.fixture(scope="module")
def body_phantom() -> Calibration:
    return calibrate(BEAM, 32, batches=8, executor=ThreadExecutor())


def test_photons_of_a_scan_follow_from_the_dose_length_product() -> None:
    """N = DLP / (100 mm · K): CTDIw of one rotation with N histories times its NT is the DLP again."""
    found = Calibration(32, 1e-13, 0.0, 2e-13, 0.0, 5e-13 / 3, 0.0, 40.0, 1, 1, 1)
    histories = found.histories_for(dlp_mgy_cm=300.0)
    assert found.ctdiw_mgy(histories) * 40.0 / 10.0 == pytest.approx(300.0)
    assert found.ratio == pytest.approx(2.0)


def test_phantom_has_its_mass_and_chambers() -> None:
    """The phantom weighs what PMMA of its size weighs; the chambers are 100 mm long and lie where they
    should."""
    for size in (16, 32):
        geometry, regions = ctdi_phantom(size)
        expected = np.pi * (size / 2) ** 2 * 15.0 * 1.19
        assert geometry.mass_g.sum() == pytest.approx(expected, rel=1e-3)
        z, y, x = geometry.grid.axes_mm()
        centre = np.argwhere(regions.labels == 1)
        assert len(np.unique(centre[:, 0])) * geometry.grid.spacing_mm[0] == CHAMBER_MM
        radius = np.hypot(y[:, None], x[None, :])[(regions.labels == 2).any(axis=0)]
        assert radius.mean() == pytest.approx(size * 5.0 - 10.0, abs=0.3)
        assert np.abs(radius - (size * 5.0 - 10.0)).max() <= RING_HALF_WIDTH_MM
        assert abs(z.mean()) < 1e-9
    with pytest.raises(InvalidInput, match="16 or 32 cm, not 20"):
        ctdi_phantom(20)


def test_body_phantom_is_hotter_at_its_edge(body_phantom: Calibration) -> None:
    """In the 32 cm phantom the periphery gets about twice the centre, with a shaped filter."""
    assert 1.7 < body_phantom.ratio < 2.4
    assert body_phantom.relative_u < 0.02


def test_calibration_is_repeatable_and_independent_of_workers(body_phantom: Calibration) -> None:
    """One seed and number of batches give one calibration on any workers; CTDIw is a third centre."""
    assert calibrate(BEAM, 32, batches=8) is body_phantom
    phantom = ctdi_phantom(16)
    place = rotation(np.zeros(2), 570.0)
    runs = [
        simulate(
            phantom[0],
            BEAM.source(place),
            seed=2,
            regions=phantom[1],
            batches=4,
            histories_per_batch=5000,
            executor=executor,
            voxel_scores=False,
        )
        for executor in (None, ThreadExecutor(2))
    ]
    first, second = (from_tally(run, 16, 40.0, 2) for run in runs)
    assert first == second
    expected = (first.centre_mgy + 2.0 * first.periphery_mgy) / 3.0
    assert first.weighted_mgy == pytest.approx(expected, rel=1e-12, abs=0.0)
    apart = np.hypot(first.centre_u_mgy, 2.0 * first.periphery_u_mgy) / 3.0
    assert 0.2 * apart < first.weighted_u_mgy < 1.5 * apart


def test_inner_part_of_the_fan_counts_all_photons() -> None:
    """Leaving out photons that cannot meet the phantom changes the speed, not the kerma per history."""
    whole = simulate(
        ctdi_phantom(16)[0],
        BEAM.source(rotation(np.zeros(2), 570.0)),
        seed=3,
        regions=ctdi_phantom(16)[1],
        histories_per_batch=HISTORIES_PER_BATCH,
        batches=20,
        executor=ThreadExecutor(),
        voxel_scores=False,
    )
    all_photons = from_tally(whole, 16, 40.0, 3)
    inner = calibrate(BEAM, 16, seed=3, batches=20, executor=ThreadExecutor())
    difference = inner.weighted_mgy - all_photons.weighted_mgy
    assert abs(difference) < 4.0 * np.hypot(inner.weighted_u_mgy, all_photons.weighted_u_mgy)
    assert inner.weighted_u_mgy < all_photons.weighted_u_mgy


def test_rim_voxels_keep_the_volume() -> None:
    """A coarse cylinder still has its volume, because rim voxels carry part of the density."""
    geometry = cylinder(130.0, 50.0, "water", 5.0)
    assert geometry.mass_g.sum() == pytest.approx(np.pi * 6.5**2 * 5.0, rel=2e-3)
    assert set(np.unique(chambers(geometry, 130.0).labels)) == {0, 1, 2}
