"""Promises of weight windows: nothing changes in expectation, far regions become known sooner."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from scipy import stats

from wholedose.base import Grid, InvalidInput, ThreadExecutor
from wholedose.matter import material
from wholedose.transport import ParallelBeam, Regions, Tally, VoxelGeometry, simulate
from wholedose.transport.importance import plan_window
from wholedose.transport.window import WeightWindow


@pytest.fixture(scope="module")
def pillar() -> VoxelGeometry:
    """Water and a bone, 60 cm long, 16 cm wide."""
    grid = Grid((60, 16, 16), (10.0, 10.0, 10.0), (-75.0, -75.0, 5.0))
    which = np.zeros(grid.shape, np.uint8)
    which[:, 10:12, 7:9] = 1
    density = np.where(which == 1, 1.4, 1.0)
    return VoxelGeometry(grid, which, density, (material("water"), material("cortical_bone")))


@pytest.fixture(scope="module")
def organs(pillar: VoxelGeometry) -> Regions:
    """60 blocks along the pillar: 2 cm by 8 by 16, front and back."""
    labels = np.zeros(pillar.grid.shape, np.int16)
    for k in range(60):
        half = slice(0, 8) if k % 2 else slice(8, 16)
        labels[2 * (k // 2) : 2 * (k // 2) + 2, half] = k + 1
    return Regions(labels, tuple(f"block {k}" for k in range(60)))


@pytest.fixture(scope="module")
def across() -> ParallelBeam:
    """A beam across the lower end."""
    return ParallelBeam((0.0, -200.0, 50.0), (0.0, 1.0, 0.0), (100.0, 80.0), 80.0)


def run(
    pillar: VoxelGeometry,
    across: ParallelBeam,
    organs: Regions,
    window: WeightWindow | None,
    seed: int,
    batches: int = 40,
    **more: object,
) -> Tally:
    options: dict[str, object] = {"histories_per_batch": 3000, "batches": batches, "voxel_scores": False}
    return simulate(pillar, across, seed=seed, regions=organs, window=window, **{**options, **more})  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def planned(pillar: VoxelGeometry, organs: Regions, across: ParallelBeam) -> WeightWindow:
    return plan_window(pillar, across, organs, organs.names, seed=5)


def test_window_on_and_off_agree(
    pillar: VoxelGeometry, organs: Regions, across: ParallelBeam, planned: WeightWindow
) -> None:
    """With and without a window 50 regions and more agree within 3σ (one may not), by both estimators."""
    on = run(pillar, across, organs, planned, 1, 80)
    off = run(pillar, across, organs, None, 2, 2000)
    known = [name for name in organs.names if off.regions[name].relative_u < 0.15]
    assert len(known) >= 50
    z, analogue = [], []
    for name in known:
        a, b = on.regions[name], off.regions[name]
        z.append((a.energy_kev - b.energy_kev) / np.hypot(a.u_kev, b.u_kev))
        analogue.append((a.analogue_kev - b.energy_kev) / np.hypot(a.analogue_u_kev, b.u_kev))
    for values in (np.array(z), np.array(analogue)):
        assert np.abs(values).max() < 4.0
        assert (np.abs(values) < 3.0).sum() >= len(values) - 1
        assert 0.4 < values.std() < 1.4
    assert abs(on.total.energy_kev - off.total.energy_kev) < 4.0 * np.hypot(on.total.u_kev, off.total.u_kev)


def test_energy_is_accounted_for(
    pillar: VoxelGeometry, organs: Regions, across: ParallelBeam, planned: WeightWindow
) -> None:
    """Emitted energy and what roulette won equal deposited and escaped to 1e-9; roulette wins little."""
    balance = run(pillar, across, organs, planned, 3).energy_balance
    assert abs(balance.closure) < 1e-9
    assert balance.roulette_kev != 0.0
    assert abs(balance.roulette_kev) < 0.02 * balance.emitted_kev


def test_far_regions_are_known_sooner(
    pillar: VoxelGeometry, organs: Regions, across: ParallelBeam, planned: WeightWindow
) -> None:
    """40 cm from the beam as many photons tell ten times as much (1/σ²), in it no less than a fifth."""
    on, off = (run(pillar, across, organs, window, 4, 60) for window in (planned, None))
    far = [name for name in organs.names[40:50] if off.regions[name].energy_kev > 0]
    gain = np.median([(off.regions[name].relative_u / on.regions[name].relative_u) ** 2 for name in far])
    assert gain > 10.0
    near = [(off.regions[n].relative_u / on.regions[n].relative_u) ** 2 for n in organs.names[2:8]]
    assert np.median(near) > 0.2


@pytest.mark.parametrize("block", [5, 20, 40])
def test_sigma_is_the_spread_of_repeats(
    pillar: VoxelGeometry, organs: Regions, across: ParallelBeam, planned: WeightWindow, block: int
) -> None:
    """The reported variance is that of 200 repeats with other seeds, within what chance allows (0.1 %)."""
    name = organs.names[block]
    runs = [run(pillar, across, organs, planned, 100 + k, 10, histories_per_batch=100) for k in range(200)]
    values = np.array([one.regions[name].energy_kev for one in runs])
    stated = np.mean([one.regions[name].u_kev ** 2 for one in runs])
    ratio = values.var(ddof=1) / stated
    # weights make heavy tails: the spread of the variance from that of the squares
    tail = float(stats.kurtosis(values, fisher=False))
    u = np.sqrt(max(tail - 1.0, 2.0) / 200.0) + np.std(
        [one.regions[name].u_kev ** 2 for one in runs]
    ) / stated / np.sqrt(200.0)
    assert abs(ratio - 1.0) < 3.3 * u


def test_a_plan_is_the_same_again(
    pillar: VoxelGeometry, organs: Regions, across: ParallelBeam, planned: WeightWindow
) -> None:
    """One seed gives one window and one result, on any number of workers; batches can be pickled."""
    again = plan_window(pillar, across, organs, organs.names, seed=5, executor=ThreadExecutor(2))
    assert again.digest() == planned.digest()
    goal = {"block 3": 0.05, "block 50": 0.3}
    results = {
        run(pillar, across, organs, "plan", 5, 60, target=goal, executor=executor).digest()  # type: ignore[arg-type]
        for executor in (None, ThreadExecutor(2))
    }
    assert len(results) == 1
    assert pickle.loads(pickle.dumps(planned)).digest() == planned.digest()


def test_weights_rise_behind_what_is_asked_for(
    pillar: VoxelGeometry, organs: Regions, across: ParallelBeam
) -> None:
    """A window for a near region sends no photons to the far end; one for the far end does."""
    near = plan_window(pillar, across, organs, ["block 16"], seed=6).weight
    far = plan_window(pillar, across, organs, ["block 59"], seed=6).weight
    assert near[-1].min() > 100.0 * far[-1].max()


def test_windows_that_make_no_sense_are_refused() -> None:
    """Weights of 0, of one cell, or not finite, and cells without an edge are named."""
    for weight in (np.zeros((2, 2, 2)), np.ones((1, 1, 1)), np.full((2, 1, 1), np.inf)):
        with pytest.raises(InvalidInput, match="weight"):
            WeightWindow(10.0, weight)
    with pytest.raises(InvalidInput, match="edge"):
        WeightWindow(0.0, np.ones((2, 1, 1)))
