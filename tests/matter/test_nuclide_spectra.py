"""Shapes of beta spectra, and captures beside positrons."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholedose.base.errors import InvalidInput
from wholedose.matter import ELECTRON_MASS_KEV, BetaShape
from wholedose.matter.nuclide_spectra import beta_density, binned, capture_to_positron


def phase_space(endpoint_kev: float, z_daughter: int, a: int, *, positron: bool) -> float:
    node, weight = np.polynomial.legendre.leggauss(200)
    at = endpoint_kev / 2 * (node + 1)
    density = beta_density(at, endpoint_kev, z_daughter, a, BetaShape.ALLOWED, positron=positron)
    return float(weight @ density) * endpoint_kev / 2 / ELECTRON_MASS_KEV


@pytest.mark.parametrize(
    ("endpoint_kev", "z_daughter", "a", "positron", "f"),
    [
        (782.347, 1, 1, False, 1.6887),  # neutron, Wilkinson 1982
        (885.9, 5, 10, True, 2.3004),  # C-10, superallowed branches: Hardy and Towner 2015
        (1809.0, 7, 14, True, 42.77),  # O-14
        (3210.7, 12, 26, True, 478.3),  # Al-26m
    ],
)
def test_phase_space(endpoint_kev: float, z_daughter: int, a: int, positron: bool, f: float) -> None:
    """The integral of the density is the statistical rate function of the literature within 0.3 %."""
    assert phase_space(endpoint_kev, z_daughter, a, positron=positron) == pytest.approx(f, rel=0.003)


def test_limits_of_the_shape() -> None:
    """Without charge the mean is 1/3 of a small endpoint and 1/2 of a large one."""
    for endpoint, share in ((0.1, 1 / 3), (1e7, 1 / 2)):
        edges = np.linspace(0.0, endpoint, 2001)
        _, energy = binned(edges, endpoint, 0, 1, BetaShape.ALLOWED, positron=False)
        assert energy.sum() / endpoint == pytest.approx(share, rel=2e-3)


@given(
    endpoint=st.floats(5, 5000),
    z=st.integers(2, 90),
    shape=st.sampled_from(list(BetaShape)),
    positron=st.booleans(),
    bins=st.integers(1, 300),
)
def test_shape_is_a_density(endpoint: float, z: int, shape: BetaShape, positron: bool, bins: int) -> None:
    """Any branch gives shares that are not negative and sum to 1, with a mean between 0 and the endpoint."""
    share, energy = binned(
        np.linspace(0, endpoint, bins + 1), endpoint, z, 2 * z + 10, shape, positron=positron
    )
    assert np.all(share >= 0)
    assert share.sum() == pytest.approx(1)
    assert 0 < energy.sum() < endpoint


def test_charge_pulls_electrons_and_pushes_positrons() -> None:
    """The Coulomb field slows electrons down and speeds positrons up."""
    edges = np.linspace(0.0, 600.0, 101)

    def mean(positron: bool) -> float:
        return float(binned(edges, 600.0, 53, 130, BetaShape.ALLOWED, positron=positron)[1].sum())

    assert mean(positron=False) < 200 < 260 < mean(positron=True)


def test_bins_must_hold_the_spectrum() -> None:
    """Bins that end below the endpoint are refused."""
    with pytest.raises(InvalidInput, match="do not hold a spectrum that ends at 600 keV"):
        binned(np.linspace(0.0, 500.0, 11), 600.0, 53, 130, BetaShape.ALLOWED, positron=False)


@pytest.mark.parametrize(
    ("q_kev", "z", "a", "shape", "ratio"),
    [
        (1655.9, 9, 18, "allowed", 0.9686 / 0.0314),  # F-18
        (1567.7, 11, 22, "allowed", 0.8984 / 0.1011),  # Na-22
        (1497.1, 27, 58, "allowed", 0.149 / 0.839),  # Co-58
        (1675.0, 29, 64, "allowed", 0.1752 / 0.435),  # Cu-64
        (1924.0, 40, 89, "allowed", 0.2274 / 0.762),  # Zr-89
        (300.0, 40, 89, "allowed", 0.0),
    ],
)
def test_capture_and_positrons(q_kev: float, z: int, a: int, shape: str, ratio: float) -> None:
    """The theoretical ratio of positrons to captures is the measured one (DDEP) within 10 %."""
    assert capture_to_positron(q_kev, z, a, BetaShape(shape)) == pytest.approx(ratio, rel=0.1)
