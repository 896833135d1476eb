"""Masses of a body beside what they should be."""

from __future__ import annotations

import math

import pytest
from tests.report.ball_body import ball_body

from wholedose.body.masses import targets_of
from wholedose.report.body_masses import masses_of


def test_masses_add_up_to_the_body() -> None:
    """The voxel masses of all labels are the body's mass."""
    body = ball_body(6.0)
    rows = masses_of(body)
    assert sum(row.voxel_mass_g for row in rows) == pytest.approx(1000 * body.total_mass_kg, rel=1e-6)


def test_targets_are_those_of_the_person() -> None:
    """A label has its own target, an organ with labelled parts theirs together; tissue is without blood."""
    body = ball_body(6.0)
    targets = targets_of(body.person)
    rows = {row.organ: row for row in masses_of(body)}
    assert rows["liver"].target_mass_g == targets["liver"].mass_g
    assert rows["liver"].reference_mass_g == targets["liver"].tissue_g < targets["liver"].mass_g
    parts = ("heart_wall", "heart_right_chambers", "heart_left_chambers")
    assert rows["heart"].target_mass_g == pytest.approx(sum(targets[name].mass_g for name in parts))


def test_pieces_and_places() -> None:
    """Paired organs have two pieces; tissues between organs are not counted."""
    rows = {row.organ: row for row in masses_of(ball_body(6.0))}
    assert (rows["kidneys"].pieces, rows["liver"].pieces, rows["muscle"].pieces) == (2, 1, 0)
    assert rows["liver"].centre_mm[0] < 0 < rows["spleen"].centre_mm[0]


def test_unknown_masses_are_empty_cells() -> None:
    """What no source lists is an empty cell, never a zero."""
    rows = {row.organ: row for row in masses_of(ball_body(6.0))}
    assert math.isnan(rows["heart"].reference_mass_g)
    assert rows["heart"].to_row()["reference_mass_g"] == ""
    assert float(rows["liver"].to_row()["voxel_mass_g"]) == pytest.approx(
        rows["liver"].voxel_mass_g, rel=1e-3
    )
