"""Promises of `Body`, its tables and the room."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from wholedose.base import InvalidInput, UnknownName
from wholedose.body import Body, region_range
from wholedose.body.anatomy import anatomy_u_of, small_organs
from wholedose.body.masses import targets_of
from wholedose.body.organs import ORGANS
from wholedose.tables import load


def test_a_body_that_does_not_fit_together_is_refused(man: Body) -> None:
    """Arrays of another shape, unknown organs and labels without a name are refused."""
    with pytest.raises(InvalidInput, match="does not fit the grid"):
        replace(man, labels=man.labels[1:])
    with pytest.raises(UnknownName, match="No organ 'tail'"):
        replace(man, organs=(*man.organs, "tail"))
    with pytest.raises(InvalidInput, match="organs are named"):
        replace(man, organs=man.organs[:-1])


def test_masses_add_up(man: Body) -> None:
    """The total is the sum over labels; an organ is the sum over its members, by the voxels' densities."""
    assert sum(man.label_mass_g(name) for name in man.organs) == pytest.approx(1000 * man.total_mass_kg)
    for organ in ("bone", "stomach", "brain", "liver"):
        members = man.members(organ)
        assert sum(man.label_mass_g(name) for name in members) == pytest.approx(man.mass_g(organ))
    grams = man.density_g_cm3[man.mask("liver")].sum(dtype=float) * man.grid.voxel_cm3
    assert man.mass_g("liver") == pytest.approx(grams)


def test_absent_organ_is_named(man: Body) -> None:
    """Asking a man's body for ovaries offers what there is."""
    with pytest.raises(UnknownName, match="No organ in this body 'ovaries'"):
        man.label("ovaries")
    assert man.members("ovaries") == ()
    assert man.mass_g("ovaries") == 0.0


def test_parts_of_marrow_add_up(man: Body) -> None:
    """Shares in two ranges that share only an edge between voxels add up to the share in both."""
    cut = man.grid.lower_mm[2] + 300 * man.grid.spacing_mm[0]
    low, high = man.grid.lower_mm[2], man.grid.upper_mm[2]
    for organ in ("red_bone_marrow", "endosteum", "skin"):
        both = man.inside(organ, (low, cut)) + man.inside(organ, (cut, high))
        assert both == pytest.approx(1.0)


def test_inside_tells_the_share_in_a_range(man: Body) -> None:
    """The share is 1 in a scan of the whole body, 0 for brain in one of the chest, between for marrow."""
    everything = (man.landmarks["sole"] - 50, man.landmarks["vertex"] + 500)
    assert man.inside("liver", everything) == pytest.approx(1.0)
    chest = region_range(man, "chest")
    assert man.inside("brain", chest) == 0.0
    assert man.inside("heart", chest) > 0.97
    assert 0.25 < man.inside("red_bone_marrow", chest) < 0.55


def test_geometry_is_what_transport_takes(man: Body) -> None:
    """Geometry gives grid, material index, density and materials, the first of which is air."""
    grid, material, density, materials = man.geometry()
    assert grid is man.grid
    assert material.dtype == np.uint8
    assert density.dtype == np.float32
    assert int(material.max()) < len(materials)
    assert materials[0].name == "air"


def test_report_form(man: Body) -> None:
    """The JSON form names person, origins, masses and assumptions."""
    form = man.to_json()
    assert form["mass_g"]["liver"] == pytest.approx(targets_of(man.person)["liver"].mass_g, rel=0.02)
    assert form["person"]["sex"] == "M"
    assert form["origin"]["liver"] == "reference"


@pytest.mark.parametrize(
    ("table", "column", "first", "last"),
    [
        ("body/marrow_distribution", "active_marrow_pct", 7.6, 0.0),
        ("body/icrp89_size", "height_cm", 51, 163),
    ],
)
def test_tables_hold_what_is_printed(table: str, column: str, first: float, last: float) -> None:
    """First and last values of the published tables are those of their sources."""
    values = load(table)[column]
    assert (values[0], values[-1]) == (first, last)


def test_uncertainty_rule() -> None:
    """Labelled organs are surer than segmented, these than a reference body's; those outside are worst."""
    u = [
        anatomy_u_of({"liver": source}, {"liver": share})["liver"]
        for source, share in (("label map", 1.0), ("image", 1.0), ("reference", 1.0), ("reference", 0.0))
    ]
    assert u == sorted(u)
    assert len(set(u)) == 4
    assert small_organs() <= set(ORGANS)


def test_importing_the_room_is_light() -> None:
    """Person and organ names come without scipy, numba or SimpleITK."""
    code = (
        "import sys, wholedose.body; print([m for m in ('scipy', 'numba', 'SimpleITK') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
