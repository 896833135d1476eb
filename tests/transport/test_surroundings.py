"""The medium around a grid of voxels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from wholedose.base import Grid, InvalidInput
from wholedose.matter import material
from wholedose.transport import (
    Box,
    ParallelBeam,
    Regions,
    ShapeRegions,
    Solid,
    SolidGeometry,
    VoxelGeometry,
    XrayBeam,
    simulate,
)
from wholedose.transport.crosssections import material_physics
from wholedose.transport.energies import ENERGY_KEV

pytestmark = pytest.mark.montecarlo
AIR, WATER = material("air"), material("water")
GRID = Grid((20, 20, 20), (10.0, 10.0, 10.0), (-95.0, -95.0, -95.0))


def cube(**options: object) -> VoxelGeometry:
    index, density = np.zeros(GRID.shape, np.uint8), np.ones(GRID.shape, np.float32)
    return VoxelGeometry(GRID, index, density, (WATER,), **options)  # type: ignore[arg-type]


def test_air_attenuates_the_beam() -> None:
    """A narrow beam through 1 m of air loses exp(−μd) of its photons, a part of which scatters in."""
    beam = ParallelBeam((0, 0, -1100), (0, 0, 1), (2, 2), 60.0)
    free = simulate(cube(), beam, seed=1, histories_per_batch=20000, batches=10).total
    air = simulate(
        cube(surroundings=AIR, reach_mm=1200.0), beam, seed=2, histories_per_batch=20000, batches=10
    ).total
    mu = float(np.interp(60.0, ENERGY_KEV, material_physics(AIR, 0.1).total)) * AIR.density_g_cm3
    lost = 1.0 - air.energy_kev / free.energy_kev
    u = float(np.hypot(air.u_kev, free.u_kev)) / free.energy_kev
    # some of the scattered photons fly forward into the cube, so the loss is below that of the primaries
    assert 0.4 * (1 - np.exp(-mu * 100)) - 3 * u < lost < 1 - np.exp(-mu * 100) + 3 * u


def test_voxels_in_air_equal_a_solid_in_air() -> None:
    """A cube of voxels in air and the same cube as a solid in an air box absorb the same energy."""
    beam = XrayBeam((0, -600, 0), (0, 1, 0), (1, 0, 0), 60.0, [1.0], (-0.3, 0.3), (-0.3, 0.3))
    options: dict[str, Any] = {"histories_per_batch": 20000, "batches": 24}
    voxels = simulate(
        cube(surroundings=AIR, reach_mm=600.0),
        beam,
        seed=3,
        regions=Regions(np.ones(GRID.shape, np.int16), ("cube",)),
        **options,
    )
    box = Box((0, 0, 0), (200, 200, 200))
    solid = SolidGeometry([Solid(box, WATER)], AIR, (-700, -700, -700), (700, 700, 700))
    solids = simulate(solid, beam, seed=4, regions=ShapeRegions({"cube": box}), **options)
    a, b = voxels.regions["cube"], solids.regions["cube"]
    assert abs(a.energy_kev - b.energy_kev) < 3 * np.hypot(a.u_kev, b.u_kev)
    assert a.u_kev < 0.005 * a.energy_kev


@pytest.mark.parametrize("estimator", ["track length", "analogue"])
def test_energy_balance_closes(estimator: str) -> None:
    """What is emitted is deposited, in voxels or around, or escapes: to 1e-9."""
    beam = XrayBeam((0, -600, 0), (0, 1, 0), (1, 0, 0), 2000.0, [1.0], (-0.3, 0.3), (-0.3, 0.3))
    tally = simulate(
        cube(surroundings=material("water"), reach_mm=50.0),
        beam,
        seed=5,
        histories_per_batch=5000,
        batches=4,
        estimator=estimator,  # type: ignore[arg-type]
    )
    balance = tally.energy_balance
    assert balance.emitted_kev == pytest.approx(balance.deposited_kev + balance.escaped_kev, rel=1e-9)


def test_estimators_agree_in_surroundings() -> None:
    """Ray stepping and Woodcock tracking leave the grid at the same surface."""
    beam = ParallelBeam((0, 0, -300), (0, 0, 1), (150, 150), 100.0)
    geometry = cube(surroundings=WATER, reach_mm=100.0)
    tallies = [
        simulate(geometry, beam, seed=seed, histories_per_batch=20000, batches=20, estimator=estimator)  # type: ignore[arg-type]
        for seed, estimator in ((6, "track length"), (7, "analogue"))
    ]
    track, analogue = tallies[0].total, tallies[1].total
    spread = 3 * float(np.hypot(track.u_kev, analogue.analogue_u_kev))
    assert abs(track.energy_kev - analogue.analogue_kev) < spread


def test_reach_is_checked() -> None:
    """Surroundings that reach nowhere are refused."""
    with pytest.raises(InvalidInput, match="surroundings reach -1"):
        cube(surroundings=AIR, reach_mm=-1.0)
