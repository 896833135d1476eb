"""Promises of directed photons: nothing changes in expectation, small far places become known sooner."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from wholedose.base import Grid, InvalidInput
from wholedose.matter import material
from wholedose.transport import ParallelBeam, Regions, Tally, VoxelGeometry, simulate
from wholedose.transport.coherent import sample_coherent
from wholedose.transport.directed import Sphere, directed_arrays, scattering_density, way_to_spheres
from wholedose.transport.importance import joined_spheres, plan_spheres, plan_window
from wholedose.transport.incoherent import sample_incoherent
from wholedose.transport.rng import start_stream, stream_key
from wholedose.transport.window import WeightWindow

STEPS = 400


@pytest.fixture(scope="module")
def pair() -> tuple[VoxelGeometry, Regions]:
    """A block of water in a beam, and two small ones 20 cm away through nothing, one before bone."""
    grid = Grid((30, 16, 30), (10.0, 10.0, 10.0), (5.0, 5.0, 5.0))
    which, density = np.zeros(grid.shape, np.uint8), np.zeros(grid.shape, np.float32)
    density[2:12, 3:13, 2:12] = 1.0
    density[20:24, 6:10, 20:24] = 1.0
    density[24:28, 6:10, 20:24] = 1.3
    which[24:28, 6:10, 20:24] = 1
    density[20:24, 6:10, 5:9] = 1.0
    labels = np.zeros(grid.shape, np.int16)
    labels[2:12, 3:13, 2:12] = 1
    labels[21:23, 7:9, 21:23] = 2
    labels[20:23, 6:9, 5:8] = 3
    labels[24:27, 6:9, 20:23] = 4
    geometry = VoxelGeometry(grid, which, density, (material("water"), material("cortical_bone")))
    return geometry, Regions(labels, ("beam", "lens", "other", "bone"))


BEAM = ParallelBeam((70.0, -100.0, 70.0), (0.0, 1.0, 0.0), (60.0, 60.0), 70.0)
# around the whole blocks: a photon that collides beside a sphere would send a heavy one into it
SPHERES = (Sphere((220.0, 80.0, 220.0), 36.0, 1e-3), Sphere((70.0, 80.0, 220.0), 36.0, 1e-3))


def run(pair: tuple[VoxelGeometry, Regions], seed: int, **more: object) -> Tally:
    geometry, regions = pair
    options: dict[str, object] = {"histories_per_batch": 4000, "batches": 50, "voxel_scores": False}
    return simulate(geometry, BEAM, seed=seed, regions=regions, **{**options, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize("kev", [8.0, 30.0, 80.0, 511.0, 4000.0])
@pytest.mark.parametrize("coherent", [False, True])
def test_density_is_that_of_the_sampling(
    pair: tuple[VoxelGeometry, Regions], kev: float, coherent: bool
) -> None:
    """The chance per steradian integrates to 1 over all angles, and sampled cosines follow it (χ²)."""
    geometry, _ = pair
    physics = geometry.physics()
    directed = directed_arrays(SPHERES, geometry.lower_mm, physics)
    for m in (0, 1):
        # even steps of sin(θ/2) to the power of 1/2: coherent scattering peaks forward
        edges = 1.0 - 2.0 * np.linspace(0.0, 1.0, STEPS * 20 + 1) ** 4
        middle = 0.5 * (edges[1:] + edges[:-1])
        density = np.array([scattering_density(kev, c, m, coherent, physics, directed)[0] for c in middle])
        part = density * 2.0 * np.pi * -np.diff(edges)
        assert part.sum() == pytest.approx(1.0, abs=5e-3)
        rng, n = np.empty(2, np.uint64), 10_000
        key = stream_key(7, m)
        cosines = np.empty(n)
        for k in range(n):
            start_stream(rng, key, k)
            if coherent:
                cosines[k] = sample_coherent(kev, m, physics.form_factor, physics.guide, rng)
            else:
                cosines[k] = sample_incoherent(kev, m, physics.scattering, rng)[1]
        cumulated = np.concatenate([[0.0], np.cumsum(part)]) / part.sum()
        cuts = np.interp(np.linspace(0.0, 1.0, 21), cumulated, edges)
        counts = np.histogram(cosines, bins=np.concatenate([[-1.001], cuts[::-1][1:-1], [1.001]]))[0]
        assert stats.chisquare(counts).pvalue > 1e-4


@pytest.mark.parametrize("windowed", [False, True])
def test_directed_and_not_agree(pair: tuple[VoxelGeometry, Regions], windowed: bool) -> None:
    """Each region has one dose with and without directed photons (3.5σ), with a weight window and without."""
    window = plan_window(pair[0], BEAM, pair[1], pair[1].names, seed=3) if windowed else None
    on = run(pair, 1, directed=SPHERES, window=window, batches=60)
    off = run(pair, 2, batches=700)
    for name in pair[1].names:
        a, b = on.regions[name], off.regions[name]
        assert b.relative_u < 0.1
        assert abs(a.energy_kev - b.energy_kev) < 3.5 * np.hypot(a.u_kev, b.u_kev), name
        assert abs(a.analogue_kev - b.energy_kev) < 3.5 * np.hypot(a.analogue_u_kev, b.u_kev), name
    assert abs(on.energy_balance.closure) < 1e-9


def test_small_places_are_known_sooner(pair: tuple[VoxelGeometry, Regions]) -> None:
    """As many histories tell at least fifteen times as much (1/σ²) of a place within a sphere."""
    on, off = run(pair, 4, directed=SPHERES, batches=60), run(pair, 5, batches=60)
    assert (off.regions["lens"].relative_u / on.regions["lens"].relative_u) ** 2 > 15.0


def test_rays_meet_spheres_where_they_should(pair: tuple[VoxelGeometry, Regions]) -> None:
    """A ray meets the nearest sphere ahead; behind, beside and from inside it meets none."""
    geometry, _ = pair
    directed = directed_arrays(SPHERES, geometry.lower_mm, geometry.physics())
    assert way_to_spheres(2.0, 8.0, 22.0, 1.0, 0.0, 0.0, directed) == pytest.approx(1.4)
    assert way_to_spheres(12.0, 8.0, 22.0, 1.0, 0.0, 0.0, directed) == pytest.approx(6.4)
    assert way_to_spheres(12.0, 8.0, 22.0, 0.0, 1.0, 0.0, directed) == np.inf
    assert way_to_spheres(22.0, 8.0, 22.5, 0.0, 0.0, 1.0, directed) == np.inf


def test_spheres_that_make_no_sense_are_refused() -> None:
    """A sphere without radius or weight, or at no place, is named."""
    for args in (((0.0, 0.0, 0.0), 0.0, 1.0), ((0.0, 0.0, 0.0), 1.0, 0.0), ((np.nan, 0.0, 0.0), 1.0, 1.0)):
        with pytest.raises(InvalidInput, match="sphere"):
            Sphere(*args)


def test_spheres_are_planned_for_small_far_regions(pair: tuple[VoxelGeometry, Regions]) -> None:
    """Each far region lies in a sphere, the one in the beam in none."""
    geometry, regions = pair
    window = plan_window(geometry, BEAM, regions, regions.names, seed=3)
    spheres = plan_spheres(geometry, regions, regions.names, window)
    z, y, x = geometry.grid.axes_mm()
    for name, held in (("lens", True), ("other", True), ("bone", True), ("beam", False)):
        at = np.argwhere(regions.labels == regions.row(name))
        places = np.column_stack([x[at[:, 2]], y[at[:, 1]], z[at[:, 0]]])
        inside = [np.linalg.norm(places - s.centre_mm, axis=1).max() < s.radius_mm for s in spheres]
        assert any(inside) == held, name
    assert len(spheres) == 3
    bright = WeightWindow(window.edge_mm, np.ones_like(window.weight))
    assert plan_spheres(geometry, regions, regions.names, bright) == []


def test_the_joined_sphere_holds_both() -> None:
    """The smallest sphere around two touches both; of one within the other it is the larger."""
    a, b = Sphere((0.0, 0.0, 0.0), 10.0, 0.5), Sphere((30.0, 0.0, 0.0), 5.0, 0.1)
    whole = a.joined(b)
    assert whole.centre_mm == pytest.approx((12.5, 0.0, 0.0))
    assert (whole.radius_mm, whole.weight) == pytest.approx((22.5, 0.1))
    assert a.joined(Sphere((2.0, 0.0, 0.0), 3.0, 0.9)) == a


def test_like_spheres_that_overlap_become_one() -> None:
    """Two like ones that overlap are joined; one far away, and a small one within a large one, are not."""
    a, b = Sphere((0.0, 0.0, 0.0), 20.0, 1.0), Sphere((30.0, 0.0, 0.0), 18.0, 0.5)
    far, small = Sphere((300.0, 0.0, 0.0), 20.0, 1.0), Sphere((5.0, 0.0, 0.0), 6.0, 0.1)
    found = joined_spheres([a, b, far, small])
    assert sorted(round(s.radius_mm) for s in found) == [6, 20, 34]


def test_analogue_runs_direct_nothing(pair: tuple[VoxelGeometry, Regions]) -> None:
    """Directed photons with Woodcock tracking are refused: nothing would stop the others at the sphere."""
    with pytest.raises(InvalidInput, match="ray stepping"):
        run(pair, 1, directed=SPHERES, estimator="analogue")
