"""Each sampling routine draws from the distribution it names."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray
from scipy import stats

from wholedose.matter import element_data, material
from wholedose.transport.coherent import sample_coherent
from wholedose.transport.crosssections import PhysicsTables, physics_tables
from wholedose.transport.direction import deflect, isotropic
from wholedose.transport.energies import ELECTRON_KEV, ENERGY_KEV, HC_KEV_ANGSTROM, energy_cell
from wholedose.transport.incoherent import klein_nishina, sample_incoherent
from wholedose.transport.photoelectric import sample_fluorescence
from wholedose.transport.rng import start_stream, stream_key, uniform

N = 100_000
LEVEL = 1e-4  # of about fifty tests here, one in two hundred runs would fail by chance; seeds are fixed


@njit
def _draw_coherent(energy, tables, n, seed):  # type: ignore[no-untyped-def]
    rng = np.empty(2, np.uint64)
    start_stream(rng, stream_key(seed, 0), 0)
    out = np.empty(n)
    for i in range(n):
        out[i] = sample_coherent(energy, 0, tables.form_factor, tables.guide, rng)
    return out


@njit
def _draw_incoherent(energy, tables, n, seed):  # type: ignore[no-untyped-def]
    rng = np.empty(2, np.uint64)
    start_stream(rng, stream_key(seed, 0), 0)
    out = np.empty((n, 2))
    for i in range(n):
        out[i, 0], out[i, 1] = sample_incoherent(energy, 0, tables.scattering, rng)
    return out


@njit
def _draw_fluorescence(energy, tables, n, seed):  # type: ignore[no-untyped-def]
    rng = np.empty(2, np.uint64)
    start_stream(rng, stream_key(seed, 0), 0)
    cell, place = energy_cell(energy)
    out = np.empty(n)
    for i in range(n):
        out[i] = sample_fluorescence(cell, place, 0, tables, rng)
    return out


@njit
def _draw_directions(cos_theta, n, seed):  # type: ignore[no-untyped-def]
    rng = np.empty(2, np.uint64)
    start_stream(rng, stream_key(seed, 0), 0)
    out = np.empty((n, 6))
    for i in range(n):
        u, v, w = isotropic(rng)
        out[i, 0], out[i, 1], out[i, 2] = u, v, w
        out[i, 3], out[i, 4], out[i, 5] = deflect(u, v, w, cos_theta, rng)
    return out


@njit
def _first_numbers(seed, batch, histories, depth):  # type: ignore[no-untyped-def]
    rng = np.empty(2, np.uint64)
    key = stream_key(seed, batch)
    out = np.empty((histories, depth))
    for history in range(histories):
        start_stream(rng, key, history)
        for k in range(depth):
            out[history, k] = uniform(rng)
    return out


def _tables(name: str) -> PhysicsTables:
    return physics_tables((material(name),), 0.3)


def _chi_square(
    cosines: NDArray[np.float64], density: NDArray[np.float64], grid: NDArray[np.float64]
) -> float:
    """Return the p value of cosines against a density tabulated on a fine grid, in 60 equally likely bins."""
    cumulated = np.concatenate([[0.0], np.cumsum(np.diff(grid) * 0.5 * (density[1:] + density[:-1]))])
    edges = np.interp(np.linspace(0, 1, 61), cumulated / cumulated[-1], grid)
    observed = np.histogram(cosines, bins=edges)[0]
    assert observed.sum() == len(cosines)
    return float(stats.chisquare(observed).pvalue)


def _molecule(name: str, x: NDArray[np.float64], what: str) -> NDArray[np.float64]:
    total = np.zeros_like(x)
    for z, fraction in material(name).composition:
        data = element_data(z)
        values = data.form_factor**2 if what == "form_factor" else data.incoherent_function
        total += fraction / data.atomic_weight * np.interp(x, data.x, values)
    return total


@pytest.mark.parametrize("energy", [3.0, 20.0, 60.0, 364.0, 3000.0])
@pytest.mark.parametrize("name", ["water", "cortical_bone"])
def test_coherent_angles_follow_the_form_factor(name: str, energy: float) -> None:
    """Coherent cosines follow F²(x) (1 + cos²θ)/2 of the tabulated form factors (χ², 60 bins)."""
    cosines = _draw_coherent(energy, _tables(name), N, 11)
    half_sine = np.linspace(0.0, 1.0, 400_001) ** 2
    grid = 1.0 - 2.0 * half_sine[::-1] ** 2
    x = half_sine[::-1] * energy / HC_KEV_ANGSTROM
    density = _molecule(name, x, "form_factor") * (1.0 + grid**2)
    assert _chi_square(cosines, density, grid) > LEVEL


@pytest.mark.parametrize("energy", [3.0, 20.0, 60.0, 364.0, 1500.0, 9000.0])
@pytest.mark.parametrize("name", ["water", "cortical_bone"])
def test_incoherent_angles_follow_klein_nishina_times_s(name: str, energy: float) -> None:
    """Incoherent cosines follow the Klein–Nishina cross section times S(x) (χ², 60 bins)."""
    drawn = _draw_incoherent(energy, _tables(name), N, 12)
    grid = 1.0 - 2.0 * (np.linspace(1.0, 0.0, 200_001) ** 2) ** 2
    x = np.sqrt((1.0 - grid) / 2.0) * energy / HC_KEV_ANGSTROM
    density = klein_nishina(np.full_like(grid, energy), grid) * _molecule(name, x, "incoherent_function")
    assert _chi_square(drawn[:, 1], density, grid) > LEVEL


@pytest.mark.parametrize("energy", [20.0, 364.0, 9000.0])
def test_incoherent_energy_obeys_compton(energy: float) -> None:
    """The scattered energy and the angle fulfil Compton's relation to rounding."""
    drawn = _draw_incoherent(energy, _tables("water"), 1000, 13)
    expected = energy / (1.0 + energy / ELECTRON_KEV * (1.0 - drawn[:, 1]))
    np.testing.assert_allclose(drawn[:, 0], expected, rtol=1e-9)


@pytest.mark.parametrize("energy", [5.0, 60.0, 364.0, 9000.0])
def test_mean_recoil_is_what_the_track_length_scores(energy: float) -> None:
    """The sampled mean Compton recoil is the tables' μtr less the other parts, within 4σ."""
    tables = _tables("water")
    k = int(np.searchsorted(ENERGY_KEV, energy))
    kev = float(ENERGY_KEV[k])
    drawn = _draw_incoherent(kev, tables, N, 14)
    lost = 1.0 - drawn[:, 0] / kev
    total, transfer = tables.attenuation[k, 0, 0], tables.attenuation[k, 0, 2]
    incoherent, photoelectric = tables.branch[k, 0, 0], tables.branch[k, 0, 1] - tables.branch[k, 0, 0]
    pair = max(0.0, 1.0 - float(tables.branch[k, 0, 2]))
    expected = transfer / total - photoelectric - pair * max(0.0, 1.0 - 2 * ELECTRON_KEV / kev)
    assert abs(lost.mean() * incoherent - expected) < 4 * lost.std() / np.sqrt(N) * incoherent + 1e-6


def test_fluorescence_has_the_tabulated_chance_and_lines() -> None:
    """Above iodine's K edge the share k_share · k_yield emits, in the shares of the lines."""
    tables = _tables("iodine")
    data = element_data(53)
    drawn = _draw_fluorescence(60.0, tables, N, 15)
    emitted = drawn[drawn > 0]
    chance = data.k_share * data.k_yield
    assert abs(len(emitted) / N - chance) < 4 * np.sqrt(chance * (1 - chance) / N)
    for kev, share in zip(data.line_kev, data.line_share, strict=True):
        same = data.line_share[data.line_kev == kev].sum()
        found = np.isclose(emitted, kev).mean()
        assert share <= same
        assert abs(found - same) < 4 * np.sqrt(same / len(emitted)) + 1e-9
    assert not _draw_fluorescence(30.0, tables, 1000, 16).any()


def test_light_elements_keep_their_fluorescence() -> None:
    """Water and soft tissue emit no tracked fluorescence: its range is far below a voxel."""
    for name in ("water", "soft_tissue"):
        assert _tables(name).fluorescence.shape[2] == 0


def test_directions_are_isotropic_and_deflections_keep_angle_and_length() -> None:
    """Isotropic vectors are uniform (KS); deflected ones have the angle, unit length, uniform azimuth."""
    cos_theta = 0.3
    drawn = _draw_directions(cos_theta, N, 17)
    before, after = drawn[:, :3], drawn[:, 3:]
    for axis in range(3):
        assert stats.kstest(before[:, axis], "uniform", args=(-1, 2)).pvalue > LEVEL
    np.testing.assert_allclose((before * after).sum(axis=1), cos_theta, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(after, axis=1), 1.0, atol=1e-12)
    across = np.cross(before, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    up = np.cross(across, before)
    azimuth = np.arctan2((after * across).sum(axis=1), (after * up).sum(axis=1))
    assert stats.kstest(azimuth, "uniform", args=(-np.pi, 2 * np.pi)).pvalue > LEVEL


@njit
def _deflect_from(u, v, w, cos_theta, n):  # type: ignore[no-untyped-def]
    rng = np.empty(2, np.uint64)
    start_stream(rng, stream_key(5, 0), 0)
    out = np.empty((n, 3))
    for i in range(n):
        out[i, 0], out[i, 1], out[i, 2] = deflect(u, v, w, cos_theta, rng)
    return out


@pytest.mark.parametrize("w", [1.0, -1.0])
def test_deflection_from_the_z_axis_keeps_the_angle(w: float) -> None:
    """A photon along +z or -z, where the general formula fails, is turned by θ from where it flew."""
    after = _deflect_from(0.0, 0.0, w, 0.3, 1000)
    np.testing.assert_allclose(after[:, 2] * w, 0.3, atol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(after, axis=1), 1.0, atol=1e-12)
    assert abs(after[:, :2].mean(axis=0)).max() < 5 / np.sqrt(2 * 1000)


def test_random_numbers_are_uniform_along_and_across_histories() -> None:
    """Numbers across histories and along one are uniform, uncorrelated and balanced in each bit."""
    across = _first_numbers(5, 3, 40_000, 8)
    for column in across.T:
        assert stats.kstest(column, "uniform").pvalue > LEVEL
    correlation = np.corrcoef(across.T) - np.eye(8)
    assert abs(correlation).max() < 5 / np.sqrt(40_000)
    lag = np.corrcoef(across[:-1, 0], across[1:, 0])[0, 1]
    assert abs(lag) < 5 / np.sqrt(40_000)
    pairs = np.histogram2d(across[:, 0], across[:, 1], bins=16, range=[[0, 1], [0, 1]])[0]
    assert stats.chisquare(pairs.ravel()).pvalue > LEVEL
    along = _first_numbers(5, 4, 1, 320_000)[0]
    assert stats.chisquare(np.histogram(along, bins=1000, range=(0, 1))[0]).pvalue > LEVEL
    bits = (along * 2**52).astype(np.int64)
    for bit in range(52):
        share = ((bits >> bit) & 1).mean()
        assert abs(share - 0.5) < 5 * 0.5 / np.sqrt(len(along))


def test_streams_differ_by_seed_batch_and_history() -> None:
    """A stream depends on seed, batch and history, and on nothing else."""
    first = _first_numbers(1, 0, 3, 4)
    np.testing.assert_array_equal(first, _first_numbers(1, 0, 3, 4))
    assert (
        len({*first.ravel(), *_first_numbers(2, 0, 3, 4).ravel(), *_first_numbers(1, 1, 3, 4).ravel()}) == 36
    )
