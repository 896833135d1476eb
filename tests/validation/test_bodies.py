"""The suite of the reference bodies."""

from __future__ import annotations

import numpy as np
import pytest

from wholedose.body import POSES, Body, Person, reference
from wholedose.body.masses import listed
from wholedose.tables import load
from wholedose.validation import bodies
from wholedose.validation.body_beams import BEAMS, depth_mm, dose_rows, mirrored
from wholedose.validation.suites import REPORTED_ONLY, suite

GIRL = Person("F", 5)


@pytest.fixture(scope="module")
def girl() -> Body:
    return reference(GIRL, "standing", 6.0)


def test_every_row_of_icrp89_is_compared() -> None:
    """Each part and content of Table 2.8 is in exactly one comparison, but for blood."""
    used = [name for names, _ in bodies.row_groups().values() for name in names]
    assert len(used) == len(set(used))
    table = load("body/icrp89_masses")
    roles = {str(r["tissue"]): str(r["role"]) for r in table.rows()}
    wanted = {name for name, role in roles.items() if role in ("part", "content")} - {"blood_mass"}
    # periosteum and vessels of the skeleton are drawn with the residual tissue
    assert wanted - set(used) == {"skeleton_miscellaneous"}
    assert set(used) <= set(roles)


def test_published_masses_are_those_of_the_table() -> None:
    """The reference of a row is the sum of the printed ones at that age: 570 g of liver at 5 years."""
    assert bodies.published_g(GIRL, ("liver",)) == 570.0
    assert bodies.published_g(Person("M", 40), ("stomach_wall", "stomach_contents")) == 400.0
    assert bodies.published_g(Person("F", 0), ("liver",)) == listed("F")["liver"][0]
    assert np.isnan(bodies.published_g(GIRL, ("breasts",)))


def test_masses_agree_and_wrong_ones_are_found(girl: Body) -> None:
    """A girl's masses agree with ICRP 89; with a liver 5 % too heavy just that row does not."""
    rows = {row.quantity: row for row in bodies.mass_rows(girl) if row.tolerance != REPORTED_ONLY}
    assert len(rows) > 40
    liver = rows["tissue of liver, g"]
    assert (liver.passed, liver.reference) == (True, 570.0)
    assert liver.value == pytest.approx(570.0, rel=0.02)
    heavy = np.where(girl.mask("liver"), girl.density_g_cm3 * np.float32(1.05), girl.density_g_cm3)
    wrong = {row.quantity: row for row in bodies.mass_rows(girl.with_(density_g_cm3=heavy))}
    changed = {name for name, row in rows.items() if row.passed != wrong[name].passed}
    assert changed == {"tissue of liver, g"}


def test_what_no_source_lists_is_reported_only(girl: Body) -> None:
    """Hippocampi count with the brain; lymph nodes, which no list names, are shown without verdict."""
    reported = [row.quantity for row in bodies.mass_rows(girl) if row.tolerance == REPORTED_ONLY]
    assert any(quantity.startswith("lymphatic nodes") for quantity in reported)
    assert not any("hippocampi" in quantity for quantity in reported)


def test_size_rows_find_a_wrong_size(girl: Body) -> None:
    """Height and weight agree; the voxels of a girl do not pass for a taller or heavier one."""
    assert [row.passed for row in bodies.size_rows(girl)] == [True, True]
    other = girl.with_(person=GIRL.with_(height_cm=112.0, weight_kg=19.5))
    assert [row.passed for row in bodies.size_rows(other)] == [False, False]


def test_held_out_persons_are_odd_enough() -> None:
    """12 or more, none a reference, both sexes, from the first to the last percent, some pregnant."""
    odd = bodies.HELD_OUT
    assert len(odd) >= 12
    assert {item.sex for item in odd} == {"M", "F"}
    for percentiles in ([item.height_pct for item in odd], [item.weight_pct for item in odd]):
        assert min(percentiles) <= 1
        assert max(percentiles) >= 99
    assert sum(item.week is not None for item in odd) >= 3
    assert not {item.age_y for item in odd} & {0.0, 1.0, 5.0, 10.0, 15.0}
    tall = bodies.Odd("M", 30, 97, 50).person
    assert tall.height_cm is not None
    assert 187 < tall.height_cm < 192


def test_volumes_in_another_pose(girl: Body) -> None:
    """Each asked pose gives a row; the supine body is what they are compared with."""
    rows = bodies.pose_rows(GIRL, ("supine, arms down", "sitting"), 8.0)
    assert {row.case for row in rows} == {"girl of 5 y, sitting"}
    assert all(row.passed for row in rows)


def test_mirror_image_turns_left_to_right(girl: Body) -> None:
    """The liver of a mirrored body lies at the left, and mirroring twice gives the body back."""
    turned = mirrored(girl)

    def x_of(body: Body) -> float:
        i = np.nonzero(body.mask("liver"))[2].mean()
        return float(body.grid.origin_mm[0] + i * body.grid.spacing_mm[2])

    assert x_of(turned) == pytest.approx(-x_of(girl))
    again = mirrored(turned)
    assert again.grid == girl.grid
    assert (again.labels == girl.labels).all()
    liver, other = girl.mask("liver"), turned.mask("liver")
    assert bodies.overlap(liver, girl, other[:, :, ::-1], turned) == 1.0
    assert bodies.overlap(liver, girl, girl.mask("spleen"), girl) == 0.0


def test_depth_counts_what_lies_in_front(girl: Body) -> None:
    """The lens lies nearer the front than the thyroid, and that nearer than the spinal cord."""
    depths = [depth_mm(girl, organ) for organ in ("eye_lenses", "thyroid", "spinal_cord")]
    assert depths == sorted(depths)
    assert depths[0] < 20.0


def test_suite_is_offered() -> None:
    """`wholedose validate bodies` needs no reference data."""
    assert not suite("bodies").needs_reference
    assert "supine, arms down" in POSES
    assert set(BEAMS) == {"eye_lenses", "thyroid", "skin"}


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_whole_suite_agrees() -> None:
    """Every comparison that has a tolerance is inside it."""
    rows = suite("bodies").rows(None)
    assert [(row.case, row.quantity, row.value, row.reference) for row in rows if not row.passed] == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_thin_organs_converge_to_one_millimetre() -> None:
    """Mass, depth and dose of lens, skin and thyroid at 2 mm agree with those at 1 mm."""
    rows = dose_rows(GIRL, (2.0, 1.0))
    assert [(row.case, row.quantity, row.value, row.reference) for row in rows if not row.passed] == []
