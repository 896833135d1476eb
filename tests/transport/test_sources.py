"""Sources: what they emit."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray
from scipy import stats

from wholedose.base import InvalidInput
from wholedose.transport import IsotropicSource, ParallelBeam, Source, XrayBeam
from wholedose.transport.rng import start_stream, stream_key
from wholedose.transport.sources import alias_table, emit

N = 100_000
LEVEL = 1e-4


@njit
def _emit(source, n):  # type: ignore[no-untyped-def]
    rng = np.empty(2, np.uint64)
    key = stream_key(9, 0)
    out = np.empty((n, 7))
    for i in range(n):
        start_stream(rng, key, i)
        x, y, z, u, v, w, e = emit(source, rng)
        out[i] = (x, y, z, u, v, w, e)
    return out


def _photons(source: Source, lower: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> NDArray[np.float64]:
    return np.asarray(_emit(source.arrays(lower), N))


def test_alias_table_keeps_the_weights() -> None:
    """Chances and aliases add up to the weights to rounding."""
    weights = np.array([0.0, 3.0, 1.0, 0.5, 7.0])
    chance, alias = alias_table(weights)
    total = chance.copy()
    np.add.at(total, alias, 1.0 - chance)
    np.testing.assert_allclose(total / 5, weights / weights.sum(), atol=1e-15)


def test_parallel_beam_is_uniform_over_its_section() -> None:
    """A rectangle is filled uniformly (KS), a circle within its radius; energies have their weights."""
    spectrum = (np.array([30.0, 50.0, 80.0]), np.array([1.0, 0.0, 3.0]))
    photons = _photons(ParallelBeam((10, 20, -30), (0, 0, 2), (40, 20), spectrum), (-100, -100, 0))
    assert stats.kstest(photons[:, 0], "uniform", args=(9.0, 4.0)).pvalue > LEVEL
    assert stats.kstest(photons[:, 1], "uniform", args=(11.0, 2.0)).pvalue > LEVEL
    np.testing.assert_allclose(photons[:, 2], -3.0)
    np.testing.assert_allclose(photons[:, 3:6], [[0, 0, 1]] * N)
    assert set(photons[:, 6]) == {30.0, 80.0}
    assert abs((photons[:, 6] == 30).mean() - 0.25) < 5 * np.sqrt(0.25 * 0.75 / N)
    circle = _photons(ParallelBeam((0, 0, 0), (0, 0, 1), (40, 40), 60.0, circular=True))
    radius2 = (circle[:, 0] ** 2 + circle[:, 1] ** 2) / 4.0
    assert stats.kstest(radius2, "uniform").pvalue > LEVEL


def test_isotropic_box_fills_box_and_sphere() -> None:
    """Positions are uniform in the box, directions over the sphere (KS)."""
    photons = _photons(IsotropicSource((0, 0, 0), 100.0, (20, 40, 60)))
    for axis, half in enumerate((1.0, 2.0, 3.0)):
        assert stats.kstest(photons[:, axis], "uniform", args=(-half, 2 * half)).pvalue > LEVEL
        assert stats.kstest(photons[:, 3 + axis], "uniform", args=(-1, 2)).pvalue > LEVEL


def test_xray_opening_is_uniform_in_solid_angle() -> None:
    """Counts in 8 × 8 cells of a skew opening are proportional to their solid angles (χ²)."""
    source = XrayBeam((0, 0, 0), (0, 0, 1), (1, 0, 0), 60.0, [1.0], (-0.3, 0.8), (0.1, 0.5))
    photons = _photons(source)
    fan, cone = photons[:, 3] / photons[:, 5], photons[:, 4] / photons[:, 5]
    assert fan.min() >= -0.3 - 1e-12
    assert cone.max() <= 0.5 + 1e-12
    edges = np.linspace(-0.3, 0.8, 9), np.linspace(0.1, 0.5, 9)
    observed = np.histogram2d(fan, cone, bins=edges)[0]

    def corner(a: NDArray[np.float64], b: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.arctan2(a * b, np.sqrt(1 + a**2 + b**2))  # solid angle of the rectangle from 0 to (a, b)

    f = corner(*np.meshgrid(*edges, indexing="ij"))
    expected = f[1:, 1:] - f[:-1, 1:] - f[1:, :-1] + f[:-1, :-1]
    result = stats.chisquare(observed.ravel(), expected.ravel() / expected.sum() * observed.sum())
    assert result.pvalue > LEVEL


def test_xray_fan_bins_have_their_fluence_and_spectrum() -> None:
    """Photons per solid angle and their energies follow the bin of the fan angle; views their weights."""
    edges = np.array([-0.5, -0.1, 0.2, 0.6])
    fluence = np.array([[1.0, 0.0], [2.0, 2.0], [0.0, 3.0]])
    source = XrayBeam(
        [[0, -500, 0], [500, 0, 0]],
        [[0, 1, 0], [-1, 0, 0]],
        [[1, 0, 0], [0, 1, 0]],
        [40.0, 80.0],
        fluence,
        (-0.4, 0.5),
        (-0.01, 0.01),
        fan_angle_edges_rad=edges,
        weight=[1.0, 3.0],
        z_jitter_mm=10.0,
    )
    photons = _photons(source)
    second = photons[:, 0] > 10.0
    assert abs(second.mean() - 0.75) < 5 * np.sqrt(0.75 * 0.25 / N)
    assert stats.kstest(photons[:, 2], "uniform", args=(-0.5, 1.0)).pvalue > LEVEL
    first = photons[~second]
    angle = np.arctan(first[:, 3] / first[:, 4])
    bins = np.digitize(angle, edges) - 1
    reach = np.clip(edges, np.arctan(-0.4), np.arctan(0.5))
    # a thin cone opening: dΩ/dγ is proportional to cosγ
    expected = fluence.sum(axis=1) * np.diff(np.sin(reach))
    observed = np.bincount(bins, minlength=3)
    assert stats.chisquare(observed, expected / expected.sum() * len(first)).pvalue > LEVEL
    assert set(first[bins == 0, 6]) == {40.0}
    assert set(first[bins == 2, 6]) == {80.0}
    np.testing.assert_allclose(np.linalg.norm(first[:, 3:6], axis=1), 1.0, atol=1e-12)


def test_cone_axis_is_axis_cross_fan() -> None:
    """The third axis of a view is axis × fan."""
    source = XrayBeam((0, 0, 0), (0, 1, 0), (1, 0, 0), 60.0, [1.0], (-0.1, 0.1), (0.2, 0.3))
    photons = _photons(source)
    assert (photons[:, 5] < 0).all()  # y × x = −z


def test_bad_beams_are_refused() -> None:
    """Openings without width, bins that do not cover, fluence that does not fit: refused with a reason."""
    good = {"focus_mm": (0, 0, 0), "axis": (0, 0, 1), "fan": (1, 0, 0), "energy_kev": 60.0, "fluence": [1.0]}
    opening = {"tan_fan": (-0.1, 0.1), "tan_cone": (-0.1, 0.1)}
    cases: list[tuple[dict[str, object], str]] = [
        ({"tan_fan": (0.1, 0.1)}, "The opening tan_fan needs"),
        ({"fan_angle_edges_rad": [-0.01, 0.01]}, "beyond the bins"),
        ({"fluence": [1.0, 2.0]}, "does not fit 1 energies"),
        ({"fluence": [0.0]}, "The beam has no photons"),
        ({"axis": (0, 0, 0)}, "The axis needs three finite numbers"),
        ({"weight": [-1.0]}, "1 views need 1 non-negative weights"),
    ]
    for change, message in cases:
        with pytest.raises(InvalidInput, match=message):
            XrayBeam(**{**good, **opening, **change})  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="A beam needs two widths"):
        ParallelBeam((0, 0, 0), (0, 0, 1), (-1, 5), 60.0)
    with pytest.raises(InvalidInput, match="one non-negative weight for each energy"):
        ParallelBeam((0, 0, 0), (0, 0, 1), (1, 5), ([30.0, 40.0], [1.0]))
