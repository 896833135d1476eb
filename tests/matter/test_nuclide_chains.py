"""Decay chains: branching, growth and equilibrium."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.linalg import expm

from wholedose.base.errors import InvalidInput
from wholedose.matter import Nuclide, chain, chain_activities, equilibrium_activities, nuclides
from wholedose.tables import load


def test_mother_and_daughter() -> None:
    """Tc-99m in its generator follows the two-member formula and tends to the transient equilibrium."""
    mother, daughter = Nuclide.of("Mo-99"), Nuclide.of("Tc-99m")
    times = np.array([0.0, 3600.0, 86400.0, 20 * 86400.0])
    fraction = mother.progeny["Tc-99m"]
    slow, fast = mother.decay_constant_per_s, daughter.decay_constant_per_s
    expected = fraction * fast / (fast - slow) * (np.exp(-slow * times) - np.exp(-fast * times))
    found = chain_activities("Mo-99", times)
    assert found["Mo-99"] == pytest.approx(np.exp(-slow * times), rel=1e-12)
    assert found["Tc-99m"] == pytest.approx(expected, rel=1e-9)
    late = found["Tc-99m"][-1] / found["Mo-99"][-1]
    assert equilibrium_activities("Mo-99")["Tc-99m"] == pytest.approx(late, rel=1e-9)
    assert late == pytest.approx(0.967, abs=0.003)  # what generators give, from NuDat's 87.7 %


@pytest.mark.parametrize("name", ["Ra-223", "Ac-225", "Pb-212", "Ra-226", "Th-229", "U-230"])
def test_chains_are_stable_at_all_times(name: str) -> None:
    """From nanoseconds to years no activity is negative, and the atoms of a chain only ever fall."""
    times = np.array([0.0, 1e-9, 1e-3, 1.0, 100.0, 1e4, 1e6, 1e9])
    found = chain_activities(name, times)
    assert list(found) == chain(name)
    start = Nuclide.of(name).half_life_s
    assert all(np.all(activity >= 0) and np.all(np.isfinite(activity)) for activity in found.values())
    atoms = sum(activity * Nuclide.of(member).half_life_s for member, activity in found.items())
    assert np.all(np.diff(atoms) <= start * 1e-12)


def test_first_daughter_at_the_start() -> None:
    """Just after the start a daughter's activity is b λ t, the granddaughter's b λ b' λ' t²/2."""
    parent, first, second = (Nuclide.of(name) for name in ("Ac-225", "Fr-221", "At-217"))
    found = chain_activities("Ac-225", 1e-6)
    slope = parent.progeny["Fr-221"] * first.decay_constant_per_s * 1e-6
    assert found["Fr-221"] == pytest.approx(slope, rel=1e-6)
    slope *= first.progeny["At-217"] * second.decay_constant_per_s * 1e-6 / 2
    assert found["At-217"] == pytest.approx(slope, rel=1e-4)


def test_radium_chain() -> None:
    """The chains of Ra-223 and of Bi-212 branch as known, and short-lived daughters keep pace."""
    assert chain("Ra-223") == ["Ra-223", "Rn-219", "Po-215", "Pb-211", "Bi-211", "Tl-207", "Po-211"]
    assert Nuclide.of("Bi-212").progeny == pytest.approx({"Tl-208": 0.3594, "Po-212": 0.6406}, abs=2e-4)
    assert Nuclide.of("Bi-213").progeny == pytest.approx({"Tl-209": 0.0216, "Po-213": 0.9784}, abs=5e-4)
    balance = equilibrium_activities("Ra-223")
    assert balance["Po-215"] == pytest.approx(1, abs=1e-4)
    assert balance["Pb-211"] == pytest.approx(987552.0 / (987552.0 - 2166.0), rel=1e-5)
    after_day = chain_activities("Ra-223", 86400.0)
    # another way: the matrix exponential of the same rates
    names = chain("Ra-223")
    rate = {name: math.log(2.0) / Nuclide.of(name).half_life_s for name in names}
    flow = np.zeros((len(names), len(names)))
    for parent in names:
        flow[names.index(parent), names.index(parent)] = -rate[parent] if math.isfinite(rate[parent]) else 0.0
        for daughter, share in Nuclide.of(parent).progeny.items():
            if daughter in names:
                flow[names.index(daughter), names.index(parent)] += share * rate[parent]
    number = expm(flow * 86400.0)[:, 0] / rate["Ra-223"]
    for i, name in enumerate(names):
        assert after_day[name] == pytest.approx(number[i] * rate[name], rel=1e-6), name


def test_long_lived_daughters_have_no_equilibrium() -> None:
    """Xe-131m outlives I-131, so it is left out; it still grows in."""
    assert list(equilibrium_activities("I-131")) == ["I-131"]
    assert chain_activities("I-131", 8 * 86400.0)["Xe-131m"] > 0


def test_times_are_checked() -> None:
    """A negative or infinite time is refused."""
    for time in (-1.0, float("inf"), float("nan")):
        with pytest.raises(InvalidInput, match="A time of a decay chain"):
            chain_activities("Mo-99", time)


def test_chain_rows_name_nuclides_and_a_source() -> None:
    """Every row of the chains has a parent and a daughter of the table, a fraction and a source."""
    for row in load("matter/nuclide_chains").rows():
        assert {str(row["parent"]), str(row["daughter"])} <= set(nuclides())
        assert 0 < row["fraction"] <= 1
        assert str(row["source"]).startswith(("UKDD-12", "ENDF/B-VIII.0"))
