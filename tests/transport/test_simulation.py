"""The batch loop: laws, statistics, replay, workers, targets and errors."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest
from scipy import stats

from wholedose.base import (
    Cancelled,
    Grid,
    InvalidInput,
    OutsideDomain,
    SerialExecutor,
    ThreadExecutor,
    UnknownName,
)
from wholedose.matter import Material, material, photon_data
from wholedose.transport import (
    IsotropicSource,
    ParallelBeam,
    Regions,
    Tally,
    VoxelGeometry,
    XrayBeam,
    simulate,
)
from wholedose.transport.batch import voxel_batches


def _run(phantom: VoxelGeometry, source: object, **changes: object) -> Tally:
    options: dict[str, object] = {"seed": 1, "histories_per_batch": 2000, "batches": 10}
    return simulate(phantom, source, **{**options, **changes})  # type: ignore[arg-type]


def _agree(a: float, ua: float, b: float, ub: float, sigmas: float = 4.0) -> bool:
    return abs(a - b) <= sigmas * float(np.hypot(ua, ub))


def test_energy_in_is_energy_deposited_and_escaped(phantom: VoxelGeometry) -> None:
    """Emitted energy equals deposited plus escaped to 1e-9, from 1.5 keV to 10 MeV."""
    for kev in (1.5, 20.0, 60.0, 511.0, 3000.0, 10_000.0):
        for estimator in ("track length", "analogue"):
            source = ParallelBeam((0, 0, -50), (0, 0, 1), (60, 40), kev)
            balance = _run(phantom, source, estimator=estimator, batches=2).energy_balance
            assert balance.emitted_kev == pytest.approx(kev, rel=1e-12)
            assert abs(balance.closure) < 1e-9
            assert 0 < balance.deposited_kev <= kev * (1 + 1e-9)


def test_workers_do_not_change_the_result(
    phantom: VoxelGeometry, beam: ParallelBeam, regions: Regions
) -> None:
    """One seed gives one digest on 1, 2 and 4 workers, and again; another seed gives another."""
    digests = {
        _run(phantom, beam, regions=regions, executor=executor, analogue_voxels=True).digest()
        for executor in (None, SerialExecutor(), ThreadExecutor(1), ThreadExecutor(2), ThreadExecutor(4))
    }
    assert len(digests) == 1
    assert _run(phantom, beam, regions=regions, seed=2, analogue_voxels=True).digest() not in digests


def test_batches_are_picklable_and_give_the_same_scores(phantom: VoxelGeometry, beam: ParallelBeam) -> None:
    """A batch run from a pickled problem, as on a cluster, has the scores of the original."""
    run = voxel_batches(
        phantom,
        beam,
        None,
        seed=3,
        histories=500,
        voxel_scores=True,
        analogue_voxels=False,
        ray_stepping=True,
    )
    again = pickle.loads(pickle.dumps(run))
    np.testing.assert_array_equal(run(7).scores.track, again(7).scores.track)


def test_both_estimators_and_both_trackers_agree(
    phantom: VoxelGeometry, beam: ParallelBeam, regions: Regions
) -> None:
    """Track length, its analogue twin, and Woodcock tracking agree in every region within 4σ."""
    for source in (beam, ParallelBeam((0, 0, -50), (0, 0, 1), (60, 40), 4000.0)):
        long = _run(phantom, source, regions=regions, batches=30)
        short = _run(phantom, source, regions=regions, batches=30, seed=2, estimator="analogue")
        for name, region in long.regions.items():
            twin = short.regions[name]
            assert _agree(region.energy_kev, region.u_kev, region.analogue_kev, region.analogue_u_kev)
            assert _agree(region.energy_kev, region.u_kev, twin.energy_kev, twin.u_kev)


def test_fluorescence_escapes_in_both_estimators() -> None:
    """Above iodine's K edge K lines leave a thin foam: both estimators agree, below full absorption."""
    foam = Material("iodine foam", 0.1, ((53, 1.0),))
    grid = Grid((2, 2, 2), (5.0, 50.0, 50.0), (-25.0, -25.0, 2.5))
    slab = VoxelGeometry(grid, np.zeros(grid.shape, np.uint8), np.full(grid.shape, 0.1), (foam,))
    source = ParallelBeam((0, 0, -10), (0, 0, 1), (10, 10), 40.0)
    total = _run(slab, source, batches=20).total
    assert _agree(total.energy_kev, total.u_kev, total.analogue_kev, total.analogue_u_kev)
    below = _run(slab, ParallelBeam((0, 0, -10), (0, 0, 1), (10, 10), 33.0), batches=5).total
    attenuation = photon_data(foam)
    absorbed, absorbed_below = (
        kev * (1.0 - np.exp(-0.1 * attenuation.at("photoelectric", kev))) for kev in (40.0, 33.0)
    )
    assert below.analogue_kev > 0.95 * absorbed_below
    assert total.analogue_kev < 0.8 * absorbed


def test_voxels_add_up_to_regions(phantom: VoxelGeometry, beam: ParallelBeam, regions: Regions) -> None:
    """Region energies are the sums of voxels, with or without voxel scores; masses and doses follow."""
    full = _run(phantom, beam, regions=regions, analogue_voxels=True)
    lean = _run(phantom, beam, regions=regions, voxel_scores=False)
    for label, name in enumerate(regions.names, start=1):
        mask = regions.labels == label
        region = full.regions[name]
        assert full.energy_kev[mask].sum() == pytest.approx(region.energy_kev, rel=1e-9)
        assert full.analogue_kev[mask].sum() == pytest.approx(region.analogue_kev, rel=1e-9)
        assert lean.regions[name].energy_kev == pytest.approx(region.energy_kev, rel=1e-9)
        assert region.mass_g == pytest.approx(phantom.mass_g[mask].sum())
        mean = np.average(full.dose_mgy()[mask].astype(float), weights=phantom.mass_g[mask])
        assert region.dose_mgy == pytest.approx(mean, rel=1e-5, abs=0.0)
        assert region.per_batch.mean() == pytest.approx(region.dose_mgy, rel=1e-12, abs=0.0)
    with pytest.raises(InvalidInput, match="These voxels were not scored"):
        _ = lean.energy_kev


def test_no_voxel_is_negative(phantom: VoxelGeometry, beam: ParallelBeam) -> None:
    """No dose and no uncertainty is negative, and vacuum has dose 0."""
    tally = _run(phantom, beam)
    assert tally.dose_mgy().min() >= 0
    assert tally.dose_u_mgy().min() >= 0
    empty = VoxelGeometry(
        phantom.grid, phantom.material, phantom.density_g_cm3 * (phantom.material < 2), phantom.materials
    )
    dose = _run(empty, beam).dose_mgy()
    assert np.isfinite(dose).all()
    assert not dose[phantom.material == 2].any()


def test_narrow_beam_is_attenuated_exponentially() -> None:
    """Photons that leave a slab with their whole energy are exp(−μx): the table's μ, within 4σ."""
    # one column of voxels far narrower than the mean free path: scattered photons leave through its side
    grid = Grid((40, 1, 1), (5.0, 0.002, 0.002), (0.0, 0.0, 2.5))
    column = VoxelGeometry(
        grid, np.zeros(grid.shape, np.uint8), np.ones(grid.shape, np.float32), (material("water"),)
    )
    for kev in (30.0, 60.0, 662.0):
        tally = _run(
            column, ParallelBeam((0, 0, -1), (0, 0, 1), (0, 0), kev), batches=20, histories_per_batch=5000
        )
        data = photon_data(material("water"))
        mu, scored = data.at("total", kev), tally.energy_kev[:, 0, 0]
        edges = np.exp(-mu * 0.5 * np.arange(41))
        expected = kev * data.at("energy_absorption", kev) / mu * (edges[:-1] - edges[1:])
        u = np.maximum(tally.energy_u_kev[:, 0, 0], 1e-12)
        assert (((scored - expected) / u) ** 2)[:20].mean() < 2.5
        assert scored[:20].sum() == pytest.approx(expected[:20].sum(), rel=0.01)


def _mirrored(phantom: VoxelGeometry, axis: int) -> VoxelGeometry:
    return VoxelGeometry(
        phantom.grid,
        np.flip(phantom.material, axis).copy(),
        np.flip(phantom.density_g_cm3, axis).copy(),
        phantom.materials,
    )


def test_shift_turn_and_mirror_of_the_whole_setup(
    phantom: VoxelGeometry, beam: ParallelBeam, regions: Regions
) -> None:
    """Shifting, turning by 90° or mirroring phantom and beam leaves every region's dose, within 4σ."""
    base = _run(phantom, beam, regions=regions, batches=30)
    grid = phantom.grid
    moved = Grid(grid.shape, grid.spacing_mm, (grid.origin_mm[0] + 123.0, *grid.origin_mm[1:]))
    shifted = simulate(
        VoxelGeometry(moved, phantom.material, phantom.density_g_cm3, phantom.materials),
        ParallelBeam((123.0, 0, -50), (0, 0, 1), (60, 40), beam.energy),
        seed=5,
        regions=regions,
        histories_per_batch=2000,
        batches=30,
    )
    # x → z, z → x: the beam then flies along +x
    turned_grid = Grid((10, 10, 12), (10.0, 10.0, 10.0), (5.0, -45.0, -45.0))
    turned_regions = Regions(regions.labels.transpose(2, 1, 0).copy(), regions.names)
    turned = simulate(
        VoxelGeometry(
            turned_grid,
            phantom.material.transpose(2, 1, 0).copy(),
            phantom.density_g_cm3.transpose(2, 1, 0).copy(),
            phantom.materials,
        ),
        ParallelBeam((-50, 0, 0), (1, 0, 0), (60, 40), beam.energy, across=(0, 0, 1)),
        seed=6,
        regions=turned_regions,
        histories_per_batch=2000,
        batches=30,
    )
    mirrored = simulate(
        _mirrored(phantom, 2),
        beam,
        seed=7,
        regions=Regions(np.flip(regions.labels, 2).copy(), regions.names),
        histories_per_batch=2000,
        batches=30,
    )
    for other in (shifted, turned, mirrored):
        for name, region in base.regions.items():
            twin = other.regions[name]
            assert _agree(region.energy_kev, region.u_kev, twin.energy_kev, twin.u_kev), name


def test_sigma_is_the_spread_and_falls_with_the_root_of_the_batches(
    phantom: VoxelGeometry, beam: ParallelBeam, regions: Regions
) -> None:
    """Over 200 repeats the spread is the reported σ, and √2 larger with half the batches."""
    spreads, reported = {}, {}
    for batches in (8, 16):
        values, variances = [], []
        for seed in range(200):
            tally = _run(
                phantom,
                beam,
                seed=seed + 1000 * batches,
                batches=batches,
                histories_per_batch=100,
                regions=regions,
                voxel_scores=False,
            )
            region = tally.regions["lung"]
            values.append(region.energy_kev)
            variances.append(region.u_kev**2)
        spreads[batches], reported[batches] = np.var(values, ddof=1), np.mean(variances)
        chi2 = 199 * spreads[batches] / reported[batches]
        assert stats.chi2.ppf(1e-4, 199) < chi2 < stats.chi2.ppf(1 - 1e-4, 199)
    assert reported[8] / reported[16] == pytest.approx(2.0, rel=0.1)
    ratio = spreads[8] / spreads[16] / 2
    assert stats.f.ppf(1e-4, 199, 199) < ratio < stats.f.ppf(1 - 1e-4, 199, 199)


def test_voxel_sigma_is_the_spread_between_seeds(phantom: VoxelGeometry, beam: ParallelBeam) -> None:
    """The voxel uncertainty matches the spread over 40 seeds, averaged over the beam, in 15 %."""
    tallies = [_run(phantom, beam, seed=seed, histories_per_batch=300) for seed in range(40)]
    spread = np.var([tally.energy_kev for tally in tallies], axis=0, ddof=1)
    reported = np.mean([tally.energy_u_kev**2 for tally in tallies], axis=0)
    lit = tallies[0].energy_kev > 0.2 * tallies[0].energy_kev.max()
    assert spread[lit].mean() / reported[lit].mean() == pytest.approx(1.0, abs=0.15)


def test_response_is_the_dose_to_another_material(phantom: VoxelGeometry, beam: ParallelBeam) -> None:
    """A response of the region's own material is its dose; of another, its dose times the ratio of μen/ρ."""
    labels = (phantom.material + 1).astype(np.int16)
    own = Regions(labels, ("water", "bone", "lung"), {"lung": material("lung"), "bone": material("water")})
    mono = ParallelBeam((0, 0, -50), (0, 0, 1), (60, 40), 60.0)
    for source in (mono, beam):
        tally = _run(phantom, source, regions=own, batches=20)
        # a response has XCOM's incoherent part, the transport up to 0.3 % more of it (decision 11)
        assert tally.regions["lung@response"].dose_mgy == pytest.approx(
            tally.regions["lung"].dose_mgy, rel=2e-3, abs=0.0
        )
        ratio = tally.regions["bone@response"].dose_mgy / tally.regions["bone"].dose_mgy
        kev = np.geomspace(30.0, 90.0, 50)
        water, bone = (
            photon_data(material(n)).on("energy_absorption", kev) for n in ("water", "cortical_bone")
        )
        assert (water / bone).min() < ratio < (water / bone).max()


def test_a_region_has_several_responses(phantom: VoxelGeometry, beam: ParallelBeam) -> None:
    """Keys after an @ name further responses of a region, in any order; a table of μen/ρ is the material."""
    labels = (phantom.material + 1).astype(np.int16)
    kev = np.geomspace(1.0, 200.0, 2000)
    table = photon_data(material("water")).on("energy_absorption", kev)
    asked: dict[str, Any] = {
        "lung@water": material("water"),
        "bone@twice": (kev, 2.0 * table),
        "bone": material("water"),
        "water@bone": material("cortical_bone"),
        "bone@table": (kev, table),
    }
    regions = Regions(labels, ("water", "bone", "lung"), asked)
    found = _run(phantom, beam, regions=regions).regions
    assert list(found)[-5:] == ["water@bone", "bone@twice", "bone@response", "bone@table", "lung@water"]
    plain = found["bone@response"].dose_mgy
    assert found["bone@table"].dose_mgy == pytest.approx(plain, rel=1e-4)
    assert found["bone@twice"].dose_mgy == pytest.approx(2.0 * plain, rel=1e-4)
    alone = _run(phantom, beam, regions=Regions(labels, regions.names, {"water": material("cortical_bone")}))
    assert found["water@bone"].dose_mgy == alone.regions["water@response"].dose_mgy
    with pytest.raises(UnknownName, match="teeth"):
        Regions(labels, regions.names, {"teeth@water": material("water")})


def test_tables_of_responses_are_part_of_the_digest(phantom: VoxelGeometry) -> None:
    """Regions that differ in a response's table or key have different digests."""
    labels = (phantom.material + 1).astype(np.int16)
    names, kev = ("water", "bone", "lung"), np.array([1.0, 200.0])
    asked: tuple[dict[str, Any], ...] = (
        {},
        {"bone@a": (kev, kev)},
        {"bone@a": (kev, 2 * kev)},
        {"bone@b": (kev, kev)},
    )
    assert len({Regions(labels, names, item).digest() for item in asked}) == 4


def test_target_stops_and_replays(phantom: VoxelGeometry, beam: ParallelBeam, regions: Regions) -> None:
    """A target run stops when reached, on any number of workers alike, and batches=N gives it again."""
    options: dict[str, object] = {"regions": regions, "batches": None, "target": {"lung": 0.02}}
    one = _run(phantom, beam, **options)
    two = _run(phantom, beam, **options, executor=ThreadExecutor(2))
    assert one.regions["lung"].relative_u <= 0.02
    assert 20 <= one.batches < 200
    assert one.target_missed == ()
    again = _run(phantom, beam, regions=regions, batches=one.batches)
    assert one.digest() == two.digest() == again.digest()
    assert one.provenance.batches == one.batches
    limited = _run(phantom, beam, **{**options, "batches": 25, "target": 1e-4})
    assert limited.target_missed == ("water", "bone", "lung")
    timed = _run(phantom, beam, batches=None, seconds=0.05)
    assert timed.batches >= 4
    assert _run(phantom, beam, batches=timed.batches).digest() == timed.digest()


def test_progress_is_told_and_can_cancel(phantom: VoxelGeometry, beam: ParallelBeam) -> None:
    """Progress rises to 1; returning False raises Cancelled."""
    seen: list[float] = []
    _run(phantom, beam, progress=lambda fraction, text: seen.append(fraction))
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    with pytest.raises(Cancelled, match="The simulation was cancelled"):
        _run(phantom, beam, progress=lambda fraction, text: False, executor=ThreadExecutor(2))


def test_errors_say_what_and_what_to_do(phantom: VoxelGeometry, beam: ParallelBeam, regions: Regions) -> None:
    """Energies outside the domain, unknown regions, wrong shapes and numbers are refused with a way out."""
    for kev in (0.9, 10_001.0, float("nan")):
        with pytest.raises(OutsideDomain, match=r"outside the transport's domain.*from 1 keV to 10 MeV"):
            IsotropicSource((0, 0, 0), kev)
    with pytest.raises(UnknownName, match="No region 'lungs'; did you mean 'lung'"):
        _run(phantom, beam, regions=regions, target={"lungs": 0.01})
    with pytest.raises(UnknownName, match="No region 'liver'"):
        Regions(regions.labels, regions.names, {"liver": material("water")})
    with pytest.raises(UnknownName, match="No estimator 'magic'"):
        _run(phantom, beam, estimator="magic")
    with pytest.raises(InvalidInput, match="batches is 0; it must be positive"):
        _run(phantom, beam, batches=0)
    with pytest.raises(InvalidInput, match="The seed -1"):
        _run(phantom, beam, seed=-1)
    with pytest.raises(InvalidInput, match="The labels have shape"):
        _run(phantom, beam, regions=Regions(np.zeros((2, 2, 2), np.int16), ()))
    with pytest.raises(InvalidInput, match="there are 2 names"):
        Regions(regions.labels, ("a", "b"))
    with pytest.raises(InvalidInput, match="Material indices run from 0 to 2"):
        VoxelGeometry(phantom.grid, phantom.material, phantom.density_g_cm3, phantom.materials[:1])
    with pytest.raises(InvalidInput, match="Densities run from -1"):
        VoxelGeometry(phantom.grid, phantom.material, phantom.density_g_cm3 * 0 - 1, phantom.materials)
    with pytest.raises(InvalidInput, match="The target of 'lung' is 2"):
        _run(phantom, beam, regions=regions, target={"lung": 2.0})


def test_far_sources_lose_no_photon(phantom: VoxelGeometry) -> None:
    """A source 100 m away hits as one nearby does: its rays are projected in double precision."""
    tan = 30.0 / 100_000.0
    far = XrayBeam((0, 0, -100_000), (0, 0, 1), (1, 0, 0), 60.0, [1.0], (-tan, tan), (-tan, tan))
    near = ParallelBeam((0, 0, -10), (0, 0, 1), (60, 60), 60.0)
    a, b = (_run(phantom, source, batches=20).total for source in (far, near))
    assert _agree(a.energy_kev, a.u_kev, b.energy_kev, b.u_kev)
