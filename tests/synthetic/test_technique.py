"""Promises of the simulated scanner: its current follows the patient, its output the voltage."""

from __future__ import annotations

import numpy as np
import pytest
from tests.synthetic.conftest import WOMAN

from wholedose.base import OutsideDomain
from wholedose.body import Body, Person, reference
from wholedose.synthetic.ct_image import beam, couch, relative_mu_of
from wholedose.synthetic.technique import ScanPlan, nominal_output, plan_scan, protocol_of, water_diameter_cm


def body_of(person: Person, region: str = "chest") -> Body:
    return reference(person, protocol_of(region).pose, voxel_mm=8.0)


def plan_of(person: Person, kv: float, region: str = "chest") -> ScanPlan:
    body = body_of(person, region)
    diameter = water_diameter_cm(relative_mu_of(body, beam(kv)), body.labels > 0, body.grid)
    return plan_scan(body, diameter, region=region, kv=kv, spacing_mm=3.0, thickness_mm=3.0)


def test_the_current_follows_the_size() -> None:
    """A heavier person gets more current, and within a person the thicker slices do."""
    slim, heavy = plan_of(WOMAN, 120), plan_of(Person("F", 34, 168, 90), 120)
    assert heavy.diameter_cm.mean() > slim.diameter_cm.mean() + 2
    assert heavy.mean_ctdivol_mgy > 1.3 * slim.mean_ctdivol_mgy
    assert float(np.corrcoef(slim.ma, slim.diameter_cm)[0, 1]) > 0.9


def test_a_lower_voltage_is_made_up_by_current() -> None:
    """At 100 kV the current rises so that CTDIvol stays nearly."""
    at_120, at_100 = plan_of(WOMAN, 120), plan_of(WOMAN, 100)
    assert at_100.mean_ma > 1.3 * at_120.mean_ma
    assert at_100.mean_ctdivol_mgy == pytest.approx(at_120.mean_ctdivol_mgy, rel=0.1)


def test_nominal_output() -> None:
    """The published value is met, between voltages it grows, and outside it is refused."""
    assert nominal_output(120) == pytest.approx(6.01)
    assert nominal_output(100) < nominal_output(105) < nominal_output(110)
    with pytest.raises(OutsideDomain, match=r"no 60 kV.*Give 70 to 150 kV"):
        nominal_output(60)


@pytest.mark.parametrize("person", [WOMAN, Person("M", 1)], ids=["woman", "infant"])
def test_regions_cover_their_organs(person: Person) -> None:
    """The chest scan covers the lungs, the abdomen scan lung bases to hip, the head scan chin to vertex."""
    marks = body_of(person).landmarks
    chest, belly = plan_of(person, 120), plan_of(person, 120, "abdomen_pelvis")
    assert chest.slices_mm[0] < marks["lung_bottom"] < marks["lung_top"] < chest.slices_mm[-1]
    assert belly.slices_mm[0] < marks["hip"] < marks["lung_bottom"] < belly.slices_mm[-1]
    head, marks = plan_of(person, 120, "head"), body_of(person, "head").landmarks
    assert head.slices_mm[0] - 1.6 < marks["chin"] < marks["vertex"] < head.slices_mm[-1]
    for plan in (chest, belly, head):
        assert plan.irradiated_mm[0] < plan.slices_mm[0] < plan.slices_mm[-1] < plan.irradiated_mm[1]
        assert plan.z_mm[0] <= plan.irradiated_mm[0]
        assert plan.z_mm[-1] >= plan.irradiated_mm[1]


def test_a_head_has_its_own_phantom() -> None:
    """CTDIvol of a head scan is that of the 16 cm phantom, and of the usual height."""
    head, chest = plan_of(WOMAN, 120, "head"), plan_of(WOMAN, 120)
    assert (head.phantom_cm, chest.phantom_cm) == (16, 32)
    assert head.output == pytest.approx(2 * chest.output)
    # typical values lie between 30 and 60 mGy for an adult's head
    assert 25 < head.mean_ctdivol_mgy < 60


def test_the_diameter_of_a_water_cylinder_is_its_own() -> None:
    """A body of water has the diameter of its cross section."""
    from wholedose.base import Grid

    grid = Grid((2, 200, 200), (1.0, 2.0, 2.0), (-199.0, -199.0, 0.0))
    _, y, x = grid.axes_mm()
    inside = np.broadcast_to(np.hypot(y[:, None], x[None, :]) < 150, grid.shape)
    found = water_diameter_cm(np.ones(grid.shape, np.float32), inside, grid)
    assert found == pytest.approx([30.0, 30.0], rel=1e-3)


def test_the_couch_lies_below_its_top() -> None:
    """In the middle the couch begins at its top, is thin-skinned, and ends above its full depth."""
    axis = np.arange(-256, 256) * 0.9
    middle = couch(axis, axis)[:, 256]
    assert (middle[axis < -1] == 0).all()
    assert middle.max() > 0.9
    assert (middle[axis > 46] == 0).all()
    assert float(np.median(middle[(axis > 5) & (axis < 40)])) == pytest.approx(0.06)
