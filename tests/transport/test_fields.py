"""Fields around a person: uniform fluence and even directions inside the box."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray
from scipy import stats

from wholedose.base import Grid, InvalidInput, OutsideDomain
from wholedose.matter import material
from wholedose.transport import IsotropicField, Regions, RotatingField, VoxelGeometry, simulate
from wholedose.transport.rng import start_stream, stream_key
from wholedose.transport.sources import emit

N = 200_000
LEVEL = 1e-4
LOW, HIGH = (-100.0, -50.0, 0.0), (100.0, 70.0, 300.0)
Field = type[IsotropicField] | type[RotatingField]
BOTH = pytest.mark.parametrize("kind", [IsotropicField, RotatingField])


@njit
def _emit(source, n):  # type: ignore[no-untyped-def]
    rng = np.empty(2, np.uint64)
    key = stream_key(4, 0)
    out = np.empty((n, 7))
    for i in range(n):
        start_stream(rng, key, i)
        x, y, z, u, v, w, e = emit(source, rng)
        out[i] = (x, y, z, u, v, w, e)
    return out


def _photons(field: IsotropicField | RotatingField) -> NDArray[np.float64]:
    return np.asarray(_emit(field.arrays((0.0, 0.0, 0.0)), N))


def _crossing(
    photons: NDArray[np.float64], centre: tuple[float, float, float], radius: float
) -> NDArray[np.bool_]:
    """Return which photons cross a sphere, cm."""
    to = np.asarray(centre) - photons[:, :3]
    along = (to * photons[:, 3:6]).sum(axis=1)
    return np.asarray((to**2).sum(axis=1) - along**2 < radius**2)


@BOTH
@pytest.mark.parametrize("centre", [(0.0, 1.0, 15.0), (8.5, -3.5, 1.5), (-8.5, 5.5, 28.5)])
def test_fluence_in_an_empty_sphere(kind: Field, centre: tuple[float, float, float]) -> None:
    """Photons through a sphere, over its cross-section, are the stated fluence, in corners too."""
    field, radius = kind(LOW, HIGH, 60.0), 1.4
    found = _crossing(_photons(field), centre, radius).sum()
    expected = N * field.fluence_per_cm2 * np.pi * radius**2
    assert abs(found - expected) < 4.5 * np.sqrt(expected)


@pytest.mark.parametrize("centre", [(0.0, 1.0, 15.0), (8.5, -3.5, 1.5)])
def test_directions_in_an_isotropic_field(centre: tuple[float, float, float]) -> None:
    """Of the photons that cross a sphere, equal solid angles send equal numbers (χ² in 12 × 8 cells)."""
    photons = _photons(IsotropicField(LOW, HIGH, 60.0))
    chosen = photons[_crossing(photons, centre, 1.4)]
    azimuth = np.arctan2(chosen[:, 4], chosen[:, 3])
    counts = np.histogram2d(azimuth, chosen[:, 5], bins=(12, 8), range=((-np.pi, np.pi), (-1, 1)))[0]
    assert counts.mean() > 15.0
    assert stats.chisquare(counts.ravel()).pvalue > LEVEL


@pytest.mark.parametrize("centre", [(0.0, 1.0, 15.0), (8.5, -3.5, 1.5)])
def test_directions_in_a_rotating_field(centre: tuple[float, float, float]) -> None:
    """Of the photons that cross a sphere, equal azimuths send equal numbers (χ², 24 cells), none along z."""
    photons = _photons(RotatingField(LOW, HIGH, 60.0))
    chosen = photons[_crossing(photons, centre, 1.4)]
    np.testing.assert_array_equal(chosen[:, 5], 0.0)
    azimuth = np.arctan2(chosen[:, 4], chosen[:, 3])
    counts = np.histogram(azimuth, bins=24, range=(-np.pi, np.pi))[0]
    assert counts.mean() > 50.0
    assert stats.chisquare(counts).pvalue > LEVEL


@BOTH
def test_fluence_is_the_same_everywhere(kind: Field) -> None:
    """In 27 cells of an empty box the transported fluence is the same (χ²); directions are unit vectors."""
    field = kind(LOW, HIGH, 60.0)
    grid = Grid((3, 3, 3), (100.0, 40.0, 200.0 / 3.0), (-200.0 / 3.0, -30.0, 50.0))
    labels = np.arange(1, 28, dtype=np.int16).reshape(grid.shape)
    thin = VoxelGeometry(
        grid, np.zeros(grid.shape, np.uint8), np.full(grid.shape, 1e-9), (material("water"),)
    )
    regions = Regions(labels, tuple(f"{i}" for i in labels.ravel()))
    tally = simulate(
        thin, field, seed=3, regions=regions, histories_per_batch=10_000, batches=64, voxel_scores=False
    )
    ratios = np.array([region.dose_mgy for region in tally.regions.values()])
    ratios /= tally.total.dose_mgy
    u = np.array([region.relative_u for region in tally.regions.values()])
    assert u.max() < 0.02
    assert stats.chi2.sf((((ratios - 1.0) / u) ** 2).sum(), 26) > LEVEL
    np.testing.assert_allclose((_photons(field)[:, 3:6] ** 2).sum(axis=1), 1.0, atol=1e-12)


@BOTH
def test_fluence_of_the_whole_box(kind: Field) -> None:
    """Kerma per fluence in an empty box is E·μtr/ρ of its material: the fluence per history is absolute."""
    from wholedose.matter import photon_data
    from wholedose.transport.tally import MGY_PER_KEV_G

    field = kind(LOW, HIGH, 60.0)
    grid = Grid((1, 1, 1), (300.0, 120.0, 200.0), (0.0, 10.0, 150.0))
    thin = VoxelGeometry(
        grid, np.zeros(grid.shape, np.uint8), np.full(grid.shape, 1e-9), (material("water"),)
    )
    tally = simulate(thin, field, seed=3, histories_per_batch=20_000, batches=16, voxel_scores=False)
    transfer = float(photon_data(material("water")).on("energy_transfer", np.array([60.0]))[0])
    expected = 60.0 * transfer * MGY_PER_KEV_G * field.fluence_per_cm2
    assert tally.total.dose_mgy / expected == pytest.approx(1.0, rel=1e-3 + 4.0 * tally.total.relative_u)


def test_spectrum_and_place() -> None:
    """Energies have their weights; the box lies where it was put."""
    photons = _photons(IsotropicField(LOW, HIGH, (np.array([30.0, 80.0]), np.array([1.0, 3.0]))))
    assert abs((photons[:, 6] == 30.0).mean() - 0.25) < 5.0 * np.sqrt(0.25 * 0.75 / N)
    np.testing.assert_allclose(photons[:, :3].min(axis=0), np.array(LOW) / 10.0, atol=0.01)
    np.testing.assert_allclose(photons[:, :3].max(axis=0), np.array(HIGH) / 10.0, atol=0.01)


@BOTH
def test_impossible_fields_are_refused(kind: Field) -> None:
    """Corners in the wrong order and energies outside the domain are refused; digests tell fields apart."""
    with pytest.raises(InvalidInput, match="A field needs a box"):
        kind(HIGH, LOW, 60.0)
    with pytest.raises(OutsideDomain, match="outside the transport's domain"):
        kind(LOW, HIGH, 0.5)
    assert kind(LOW, HIGH, 60.0).digest() == kind(LOW, HIGH, 60.0).digest()
    assert kind(LOW, HIGH, 60.0).digest() != kind(LOW, HIGH, 61.0).digest()


def test_the_two_fields_differ_in_digest() -> None:
    """An isotropic and a rotating field of one box are told apart."""
    assert IsotropicField(LOW, HIGH, 60.0).digest() != RotatingField(LOW, HIGH, 60.0).digest()
