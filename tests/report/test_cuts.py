"""Which sections a sheet shows."""

from __future__ import annotations

import pytest
from tests.report.ball_body import BALLS, ball_body

from wholedose.report.cuts import axial_cuts, extents_of, long_cuts


def test_extents_are_centres_and_counts() -> None:
    """Centres of ellipsoids are found within a third of a voxel, volumes within 2 %."""
    body = ball_body(3.0)
    extents = extents_of(body)
    assert set(extents) == set(BALLS)
    assert extents["spleen"].centre_mm == pytest.approx((85, 30, -10), abs=1.0)
    volume = extents["spleen"].voxels * body.grid.voxel_cm3
    assert volume == pytest.approx(4 / 3 * 3.14159 * 2.5 * 2.5 * 3.0, rel=0.02)
    for profile in extents["spleen"].profile:
        assert profile.sum() == extents["spleen"].voxels


def test_planes_pass_through_organs() -> None:
    """Coronal planes go from heart to kidneys, sagittal ones from the right to the left lung."""
    body = ball_body(6.0)
    cuts = long_cuts(body, extents_of(body))
    coronal, sagittal = cuts[:3], cuts[3:]
    assert [cut.title for cut in coronal] == ["Coronal, heart", "Coronal, mid-plane", "Coronal, kidneys"]
    assert [cut.at_mm for cut in coronal] == pytest.approx([-30.0, -5.0, 50.0], abs=6.0)
    assert [cut.at_mm for cut in sagittal] == pytest.approx([-65.0, 0.0, 65.0], abs=6.0)
    assert sagittal[0].title == "Sagittal, right lung"


def test_levels_run_from_head_to_thigh() -> None:
    """Six axial levels, each within its organ, falling."""
    body = ball_body(6.0)
    cuts = axial_cuts(body, extents_of(body))
    titles = ["Brain", "Thyroid", "Heart", "Liver and kidneys", "Pelvis", "Thighs"]
    assert [cut.title for cut in cuts] == titles
    heights = [cut.at_mm for cut in cuts]
    assert heights == sorted(heights, reverse=True)
    assert -70.0 < heights[3] < -20.0


def test_a_body_without_organs_still_has_planes() -> None:
    """Where the organs that place planes are missing, the body's extent does; levels are left out."""
    body = ball_body(6.0, only=("muscle",))
    extents = extents_of(body)
    cuts = long_cuts(body, extents)
    assert [cut.title for cut in cuts][::2] == ["Coronal, front", "Coronal, back", "Sagittal, mid-plane"]
    assert cuts[0].at_mm < cuts[1].at_mm < cuts[2].at_mm
    assert axial_cuts(body, extents) == []
