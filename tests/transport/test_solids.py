"""Solids: shapes, regions, and agreement with voxels and analytic transmission."""

from __future__ import annotations

import numpy as np
import pytest

from wholedose.base import Grid, InvalidInput, UnknownName
from wholedose.matter import material, photon_data
from wholedose.transport import (
    Box,
    Cylinder,
    Disc,
    ParallelBeam,
    Regions,
    Shape,
    ShapeRegions,
    Solid,
    SolidGeometry,
    VoxelGeometry,
    XrayBeam,
    simulate,
)
from wholedose.transport.shapes import chord, contains

SHAPES: dict[str, Shape] = {
    "box": Box((5, -3, 2), (20, 30, 40)),
    "cylinder": Cylinder((5, -3, 2), 15, 40, (1, 1, 0.3)),
    "half": Cylinder((5, -3, 2), 15, 40, "z", half=(1, 0, 0)),
    "along y": Cylinder((5, -3, 2), 15, 40, "y"),
}


@pytest.mark.parametrize("name", SHAPES)
def test_volumes_and_bounds(name: str) -> None:
    """Points inside, counted over the bounds, make the volume within 1 %; none lies beyond."""
    shape = SHAPES[name]
    low, high = shape.bounds_mm()
    rng = np.random.default_rng(1)
    points = (low - 5 + (high - low + 10) * rng.random((100_000, 3))) / 10
    row = shape.row((0.0, 0.0, 0.0))
    inside = np.array([contains(row, *point) for point in points])
    volume = inside.mean() * np.prod((high - low + 10) / 10)
    assert volume == pytest.approx(shape.volume_cm3, rel=0.01)
    held = points[inside] * 10
    assert (held >= low - 1e-9).all()
    assert (held <= high + 1e-9).all()


@pytest.mark.parametrize("name", SHAPES)
def test_chords_are_the_lengths_inside(name: str) -> None:
    """A chord is the length of the flight's points inside the shape, to the step of 1/2000."""
    shape = SHAPES[name]
    row = shape.row((0.0, 0.0, 0.0))
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(60):
        start = rng.uniform(-2, 2, 3)
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction)
        steps = (np.arange(2000) + 0.5) / 2000 * 6.0
        inside = sum(contains(row, *(start + t * direction)) for t in steps)
        length = chord(row, *start, *direction, 6.0)
        assert length == pytest.approx(inside / 2000 * 6.0, abs=0.01)
        hits += length > 0
    assert hits > 10


def test_disc_counts_the_inverse_cosine() -> None:
    """A flight through a disc counts 1/|cosθ|, one that stops before it or passes beside it 0."""
    row = Disc((0, 0, 10), 5).row((0.0, 0.0, 0.0))
    slope = np.sqrt(0.5)
    assert chord(row, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0) == 1.0
    assert chord(row, -1.0, 0.0, 0.0, slope, 0.0, slope, 2.0) == pytest.approx(np.sqrt(2))
    assert chord(row, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.9) == 0.0
    assert chord(row, 0.6, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0) == 0.0


def test_solids_agree_with_voxels() -> None:
    """The same box of water with a lung insert gives the same doses as solids and as voxels, within 4σ."""
    water, lung = material("water"), material("lung")
    grid = Grid((10, 10, 10), (10.0, 10.0, 10.0), (-45.0, -45.0, 5.0))
    index, density = np.zeros(grid.shape, np.uint8), np.ones(grid.shape, np.float32)
    index[4:7, 3:7, 3:7], density[4:7, 3:7, 3:7] = 1, 0.26
    beam = ParallelBeam((0, 0, -50), (0, 0, 1), (60, 40), 60.0)
    voxels = simulate(
        VoxelGeometry(grid, index, density, (water, lung)),
        beam,
        seed=1,
        regions=Regions(index.astype(np.int16), ("lung",)),
        batches=20,
        histories_per_batch=5000,
    )
    insert = Box.between((-20, -20, 40), (20, 20, 70))
    solids = SolidGeometry([Solid(Box.between((-50, -50, 0), (50, 50, 100)), water), Solid(insert, lung)])
    mixed = Box.between((-50, -50, 0), (50, 50, 100))
    tally = simulate(
        solids,
        beam,
        seed=2,
        regions=ShapeRegions({"lung": insert, "all": mixed}, {"lung": lung}),
        batches=20,
        histories_per_batch=5000,
    )
    assert abs(tally.energy_balance.closure) < 1e-9
    pairs = [(tally.regions["lung"], voxels.regions["lung"]), (tally.total, voxels.total)]
    pairs += [(tally.regions["all"], tally.total)]
    for a, b in pairs:
        assert abs(a.energy_kev - b.energy_kev) < 4 * np.hypot(a.u_kev, b.u_kev)
        assert abs(a.energy_kev - a.analogue_kev) < 4 * np.hypot(a.u_kev, a.analogue_u_kev)
    lung_region = tally.regions["lung"]
    assert lung_region.mass_g == pytest.approx(48 * 0.26)
    assert tally.regions["lung@response"].dose_mgy == pytest.approx(lung_region.dose_mgy, rel=5e-3, abs=0.0)


def test_filtered_air_kerma_is_analytic() -> None:
    """Kerma through a disc behind aluminium is the primary's exp(−μx) plus little scatter (below 1 %)."""
    aluminium, air = material("aluminium"), material("air")
    kev, thick = 60.0, 10.0
    geometry = SolidGeometry(
        [Solid(Cylinder((0, 0, 100 + thick / 2), 20, thick), aluminium)], air, (-60, -60, 0), (60, 60, 1010)
    )
    disc = Disc((0, 0, 1000), 5)
    table = (np.array([1.0, 10_000.0]), np.array([0.03, 0.03]))
    tan = 5 / 1000
    beam = XrayBeam((0, 0, 0), (0, 0, 1), (1, 0, 0), kev, [1.0], (-tan, tan), (-tan, tan))
    tally = simulate(
        geometry, beam, seed=3, regions=ShapeRegions({"disc": disc}, {"disc": table}), batches=20,
        histories_per_batch=10_000,
    )  # fmt: skip
    depth = photon_data(aluminium).at("total", kev) * aluminium.density_g_cm3 * thick / 10
    depth += photon_data(air).at("total", kev) * air.density_g_cm3 * (100 - thick / 10)
    # the disc holds π/4 of the square field at 1 m; there the field is 1 cm², fluence 1 per cm² and photon
    expected = kev * 0.03 * np.exp(-depth)
    found = tally.regions["disc@response"]
    assert found.energy_kev - 4 * found.u_kev < expected * 1.01
    assert found.energy_kev + 4 * found.u_kev > expected


def test_errors_of_solids() -> None:
    """Bad lengths, cuts and axes, regions that stick out, and mixed kinds are refused with a reason."""
    water = material("water")
    with pytest.raises(InvalidInput, match="The cylinder needs positive lengths"):
        Cylinder((0, 0, 0), 0, 10)
    with pytest.raises(InvalidInput, match="cut along its axis"):
        Cylinder((0, 0, 0), 5, 10, "z", half=(0, 0, 1))
    with pytest.raises(InvalidInput, match="No axis 'w'"):
        Cylinder((0, 0, 0), 5, 10, "w").row((0, 0, 0))
    with pytest.raises(InvalidInput, match="needs a background and a box"):
        SolidGeometry([])
    with pytest.raises(UnknownName, match="No region 'rod'"):
        ShapeRegions({"slab": Box((0, 0, 0), (1, 1, 1))}, {"rod": water})
    geometry = SolidGeometry([Solid(Box((0, 0, 50), (100, 100, 100)), water)])
    beam = ParallelBeam((0, 0, -50), (0, 0, 1), (60, 40), 60.0)
    with pytest.raises(InvalidInput, match="The region 'far' sticks out"):
        simulate(geometry, beam, seed=1, regions=ShapeRegions({"far": Box((0, 0, 95), (10, 10, 20))}))
    with pytest.raises(InvalidInput, match="Regions do not go with SolidGeometry"):
        simulate(geometry, beam, seed=1, regions=Regions(np.zeros((1, 1, 1), np.int16), ()))
