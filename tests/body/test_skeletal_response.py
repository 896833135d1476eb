"""Promises of the dose to red marrow and endosteum per photon fluence."""

from __future__ import annotations

import numpy as np
import pytest

from wholedose.base import Grid, UnknownName
from wholedose.body import BONE_SITES, Person
from wholedose.body.skeletal_response import (
    SKELETAL_TISSUES,
    marrow_enhancement,
    response_key,
    skeletal_response,
)
from wholedose.body.skeleton import marrow_shares, spongiosa_material
from wholedose.matter import Material, material, photon_data
from wholedose.tables import load
from wholedose.transport import ParallelBeam, Regions, VoxelGeometry, simulate

KEV = np.array([10.0, 15.0, 20.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0, 150.0, 200.0, 300.0, 1000.0])
SHARES = {site: share for site, share in marrow_shares().items() if share > 0}


def without_iron() -> Material:
    parts = [(z, part) for z, part in material("red_marrow").composition if z != 26]
    total = sum(part for _, part in parts)
    return Material("marrow without iron", 1.03, tuple((z, part / total) for z, part in parts))


def test_the_published_functions_come_back() -> None:
    """Energy times the response is the published dose per fluence at every tabulated energy below 200 keV."""
    table = load("body/skeletal_response")
    for row in table.rows():
        kev, coefficient = skeletal_response(str(row["site"]), str(row["tissue"]))
        for energy in KEV[KEV < 200]:
            pgy = np.interp(energy, kev, coefficient) * energy * 1.602176634e-16 * 1e15
            assert pgy == pytest.approx(float(row[f"kev_{energy:g}"]), rel=2e-3)


def test_the_table_is_marrow_in_equilibrium_from_200_kev_on() -> None:
    """At 200 keV each published value is our own marrow in electron equilibrium within 1 %: units and
    energies are right."""
    own = 200.0 * photon_data(material("red_marrow")).at("energy_absorption", 200.0) * 1.602176634e-1
    for row in load("body/skeletal_response").rows():
        assert float(row["kev_200"]) == pytest.approx(own, rel=0.01)


def test_the_factor_is_one_from_200_kev_on() -> None:
    """At 200 keV and above every site and tissue has the dose of marrow in electron equilibrium."""
    for site in BONE_SITES:
        for tissue in SKELETAL_TISSUES:
            assert (marrow_enhancement(site, tissue, KEV[KEV >= 200]) == 1.0).all()


def test_sites_without_enhancement_are_marrow_without_iron() -> None:
    """Where trabeculae are thin the published dose is that to marrow without iron within 1 %, from 10 keV on:
    what lies below 1 is the iron of our material, not the electrons."""
    kev = KEV[KEV < 200]
    bare = photon_data(without_iron()).on("energy_absorption", kev)
    full = photon_data(material("red_marrow")).on("energy_absorption", kev)
    found = marrow_enhancement("bone_humeri_upper", "red_bone_marrow", kev) / (bare / full)
    assert np.abs(found - 1.0).max() < 0.01


def test_trabeculae_enhance_the_marrow_by_some_per_cent() -> None:
    """Without the iron the skeleton's marrow gets 5 to 9 % more at 40 to 60 keV, the cranium's 20 to 25 %;
    that is far below the dose of the bone mixture."""
    kev = np.array([40.0, 50.0, 60.0])
    bare = photon_data(without_iron()).on("energy_absorption", kev)
    full = photon_data(material("red_marrow")).on("energy_absorption", kev)
    mean = sum(share * marrow_enhancement(site, "red_bone_marrow", kev) for site, share in SHARES.items())
    enhanced = mean / sum(SHARES.values()) / (bare / full)
    assert ((enhanced > 1.05) & (enhanced < 1.09)).all()
    skull = marrow_enhancement("bone_cranium", "red_bone_marrow", kev) / (bare / full)
    assert ((skull > 1.18) & (skull < 1.26)).all()
    spongy = photon_data(spongiosa_material(Person("M", 40), "bone_ribs")).on("energy_absorption", kev)
    assert (marrow_enhancement("bone_ribs", "red_bone_marrow", kev) < 0.6 * spongy / full).all()


def test_endosteum_gets_more_than_marrow() -> None:
    """Within 50 µm of bone the dose exceeds the marrow's at 30 to 100 keV in every site, by up to 80 %."""
    kev = KEV[(KEV >= 30) & (KEV <= 100)]
    for site in BONE_SITES:
        marrow, layer = (marrow_enhancement(site, tissue, kev) for tissue in SKELETAL_TISSUES)
        assert (layer > marrow).all()
        assert layer.max() < 1.8


def test_young_sites_take_their_neighbour() -> None:
    """Sites with active marrow in children only respond as the nearest that the adult's table has."""
    for site, other in (("bone_lower_legs", "bone_femora_upper"), ("bone_forearms", "bone_humeri_upper")):
        one, two = (marrow_enhancement(name, "red_bone_marrow", KEV) for name in (site, other))
        assert (one == two).all()


def test_a_simulation_is_scaled_by_the_factor() -> None:
    """In one photon fluence of 60 keV both tissues of a site get the plain response times their factors."""
    grid = Grid((1, 40, 40), (5.0, 5.0, 5.0), (0.0, 0.0, 0.0))
    geometry = VoxelGeometry(
        grid, np.zeros(grid.shape, np.uint8), np.full(grid.shape, 1e-4), (material("water"),)
    )
    keys = {response_key("bone_cranium", tissue): tissue for tissue in SKELETAL_TISSUES}
    response = {key: skeletal_response("bone_cranium", tissue) for key, tissue in keys.items()}
    regions = Regions(
        np.ones(grid.shape, np.int16),
        ("bone_cranium",),
        {**response, "bone_cranium": material("red_marrow")},
    )
    beam = ParallelBeam((100.0, 100.0, -10.0), (0.0, 0.0, 1.0), (100.0, 100.0), 60.0)
    tally = simulate(geometry, beam, seed=1, regions=regions, batches=2, histories_per_batch=500)
    plain = tally.regions["bone_cranium@response"].dose_mgy
    for key, tissue in keys.items():
        factor = marrow_enhancement("bone_cranium", tissue, np.array([60.0]))[0]
        assert tally.regions[key].dose_mgy / plain == pytest.approx(factor, rel=2e-3)


def test_unknown_names_are_refused() -> None:
    """A site or tissue that is not there is named, with those that are."""
    with pytest.raises(UnknownName, match=r"bone site.*bone_rib'"):
        marrow_enhancement("bone_rib", "endosteum", KEV)
    with pytest.raises(UnknownName, match=r"skeletal tissue.*marrow"):
        skeletal_response("bone_ribs", "marrow")
