"""Elements: XCOM's cross sections, form factors and K shells."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wholedose.base.errors import OutsideDomain, UnknownName
from wholedose.matter import atomic_number, element_data, symbol
from wholedose.matter.elements import AVOGADRO_BARN, HC_KEV_ANGSTROM, PROCESSES, SYMBOLS, log_interpolate
from wholedose.tables import load

ROOT = Path(__file__).resolve().parents[2]
THOMSON_BARN = 0.0794078  # classical electron radius squared (CODATA 2018)


def test_symbols_and_numbers_invert() -> None:
    """Symbols and atomic numbers name the same elements."""
    assert [atomic_number(symbol(z)) for z in range(1, 87)] == list(range(1, 87))
    assert (symbol(1), symbol(20), symbol(82), len(SYMBOLS)) == ("H", "Ca", "Pb", 86)


def test_unknown_elements_say_what_is_there() -> None:
    """An unknown symbol or number is refused with what is there."""
    with pytest.raises(UnknownName, match="No element 'Cc'; did you mean"):
        atomic_number("Cc")
    with pytest.raises(OutsideDomain, match=r"No photon data for Z = 92. Elements from hydrogen \(1\) to Rn"):
        element_data(92)


@pytest.mark.parametrize(
    ("z", "kev", "coherent", "incoherent", "photoelectric"),
    [
        # nodes of NIST XCOM, barn/atom
        (82, 1.0, 4304.0, None, 1.788e6),
        (82, 100.0, None, None, 1802.0),
        (53, 30.0, 157.1, None, 1626.0),
        (53, 1000.0, None, None, 0.8683),
        (20, 20.0, 25.44, None, 834.9),
        (20, 60.0, 4.424, None, 29.47),
    ],
)
def test_nodes_of_xcom(
    z: int, kev: float, coherent: float | None, incoherent: float | None, photoelectric: float
) -> None:
    """At XCOM's own nodes the table gives XCOM's printed four digits."""
    values = element_data(z).on(np.array([kev]))
    assert values["photoelectric"][0] == pytest.approx(photoelectric, rel=5e-4)
    if coherent is not None:
        assert values["coherent"][0] == pytest.approx(coherent, rel=5e-4)
    assert values["incoherent"][0] > 0


@pytest.mark.parametrize(
    ("z", "edge", "below", "above"),
    [(82, 88.0045, 532.4, 2519.0), (53, 33.1694, 1224.0, 7393.0), (20, 4.0381, 7763.0, 67970.0)],
)
def test_edges_are_doubled(z: int, edge: float, below: float, above: float) -> None:
    """An absorption edge is two points: XCOM's value below it, and its value above it."""
    element = element_data(z)
    i = int(np.searchsorted(element.energy_kev, edge))
    assert element.energy_kev[i] == edge
    assert edge * (1 - 2e-9) < element.energy_kev[i - 1] < edge
    assert element.photoelectric[i - 1] == pytest.approx(below, rel=1e-4)
    assert element.photoelectric[i] == pytest.approx(above, rel=1e-4)
    assert element.on(np.array([edge]))["photoelectric"][0] == element.photoelectric[i]
    assert element.coherent[i - 1] == pytest.approx(element.coherent[i], rel=1e-6)


def test_grid_of_every_element() -> None:
    """Every element's energies increase strictly and its cross sections are finite and positive."""
    for z in range(1, 87):
        element = element_data(z)
        assert np.all(np.diff(element.energy_kev) > 0)
        assert element.energy_kev[0] == 1.0
        assert element.energy_kev[-1] == pytest.approx(1e5)
        for name in ("coherent", "incoherent", "photoelectric"):
            assert np.all(getattr(element, name) > 0)
        above = element.energy_kev > 1022.0
        assert np.all(element.pair_nuclear[element.energy_kev < 1021.0] == 0)
        assert np.all(element.pair_nuclear[above] > 0)
        assert np.all(np.diff(element.pair_nuclear[above]) >= 0)


def test_form_factors_and_incoherent_functions() -> None:
    """F falls from Z to near 0 and S rises from 0 to Z for every element."""
    for z in range(1, 87):
        element = element_data(z)
        assert element.form_factor[0] == z
        assert np.all(np.diff(element.form_factor) <= 0)
        assert element.form_factor[-1] < 1e-3
        assert element.incoherent_function[0] == 0
        assert np.all(np.diff(element.incoherent_function) >= 0)
        assert element.incoherent_function[-1] == pytest.approx(z, rel=1e-4)


@pytest.mark.parametrize(("z", "tolerance"), [(1, 0.001), (6, 0.005), (8, 0.005), (13, 0.006), (20, 0.009)])
def test_integrals_of_the_angular_functions(z: int, tolerance: float) -> None:
    """Thomson × F² and Klein-Nishina × S integrate to XCOM's cross sections, so x is what it should be.

    The tolerance is the difference of the atomic models (XCOM's coherent data are relativistic).
    """
    element = element_data(z)
    v = (np.arange(20000) + 0.5) / 20000
    u = v * v  # sin²(θ/2) = u², dΩ = 8π u du, du = 2 v dv
    cosine = 1 - 2 * u * u
    for kev in (10.0, 30.0, 60.0, 150.0):
        x = kev / HC_KEV_ANGSTROM * u
        f = np.interp(x, element.x, element.form_factor)
        s = np.interp(x, element.x, element.incoherent_function)
        ratio = 1 / (1 + kev / 510.99895 * (1 - cosine))
        solid = 8 * np.pi * u * 2 * v / 20000
        coherent = THOMSON_BARN / 2 * np.sum((1 + cosine**2) * f**2 * solid)
        klein = ratio**2 * (ratio + 1 / ratio - 1 + cosine**2)
        incoherent = THOMSON_BARN / 2 * np.sum(klein * s * solid)
        there = element.on(np.array([kev]))
        assert coherent == pytest.approx(there["coherent"][0], rel=tolerance)
        assert incoherent == pytest.approx(there["incoherent"][0], rel=tolerance)


def test_k_shell() -> None:
    """K edge, yield and lines are xraylib's, and the K share is that of XCOM's jump."""
    iodine = element_data(53)
    assert iodine.k_edge_kev == 33.1694
    assert iodine.k_yield == pytest.approx(0.8819)
    assert iodine.line_kev[0] == pytest.approx(28.6123)
    assert iodine.line_share.sum() == pytest.approx(1)
    assert iodine.k_share == pytest.approx(1 - 1224 / 7393, rel=1e-3)
    for z in range(11, 87):
        element = element_data(z)
        assert 0 < element.k_yield < 1
        assert element.line_share.sum() == pytest.approx(1)
        assert np.all(element.line_kev < element.k_edge_kev)


@given(st.floats(1.0, 1e5), st.sampled_from([1, 8, 20, 53, 82]))
def test_interpolation_stays_between_its_points(kev: float, z: int) -> None:
    """An interpolated cross section lies between the values at the neighbouring grid points."""
    element = element_data(z)
    i = min(int(np.searchsorted(element.energy_kev, kev, side="right")) - 1, len(element.energy_kev) - 2)
    values = element.on(np.array([kev]))
    for name in PROCESSES:
        pair = getattr(element, name)[i : i + 2]
        assert min(pair) * (1 - 1e-9) <= values[name][0] <= max(pair) * (1 + 1e-9)


def test_outside_the_energies() -> None:
    """Energies outside the table are refused with its range, never extrapolated."""
    with pytest.raises(OutsideDomain, match="The tables hold 1 to 100000 keV"):
        log_interpolate(np.array([0.5]), element_data(1).energy_kev, element_data(1).coherent)


def test_table_says_its_sources() -> None:
    """The table names XCOM and xraylib; its shape and its first and last values stay."""
    table = load("matter/elements")
    assert "XCOM" in table.header["source"]
    assert "xraylib" in table.header["source"]
    assert table["atomic_weight"][0] == 1.00794
    assert table["photoelectric"].shape == (86, 641)
    assert table["coherent"][0, 0] == pytest.approx(0.581, rel=2e-3)
    assert table["incoherent"][85, -1] == pytest.approx(table["incoherent"][0, -1] * 86, rel=0.01)


@pytest.mark.parametrize("z", [1, 6, 8, 20, 29, 53, 64, 74, 82])
def test_between_nodes(z: int) -> None:
    """Between nodes and around edges the cross sections agree with xraylib's splines of the same data."""
    import xraylib

    element = element_data(z)
    energy = np.geomspace(1.5, 500, 200)
    ours = element.on(energy)
    for name, function in (
        ("photoelectric", xraylib.CS_Photo),
        ("incoherent", xraylib.CS_Compt),
        ("coherent", xraylib.CS_Rayl),
    ):
        theirs = np.array([function(z, float(kev)) for kev in energy])
        ratio = theirs / (ours[name] * AVOGADRO_BARN / element.atomic_weight) - 1
        assert np.quantile(np.abs(ratio), 0.95) < 2e-3
        assert np.abs(ratio).max() < 0.015  # at M edges of heavy elements


@pytest.mark.slow
def test_live_xcom() -> None:
    """For elements without edges the table agrees with live XCOM within 0.02 %.

    Pair production is compared at XCOM's nodes only, and elements with edges not at all: there the live
    package's splines swing by factors, or give infinity.
    """
    code = """
import numpy as np, xcom
from wholedose.matter import element_data
e = np.geomspace(1.01, 9.9e4, 313)
for z in (1, 6, 7, 8):
    live, ours = xcom.calculate_cross_section(z, e * 1e3), element_data(z).on(e)
    for name in ("coherent", "incoherent", "photoelectric"):
        # XCOM prints node 1022 keV coarsely: its spline bends there, by more than our grid follows
        use = (e < 800) | (e > 1300) if name == "photoelectric" else e > 0
        worst = np.abs(ours[name] / live[name] - 1)[use].max()
        assert worst < 2e-4, (z, name, worst)
    nodes = np.array([1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 80]) * 1e3
    live, ours = xcom.calculate_cross_section(z, nodes * 1e3), element_data(z).on(nodes)
    assert np.abs(ours["pair_nuclear"] / live["pair_atom"] - 1).max() < 1e-3, z
    assert np.abs(ours["pair_electron"][3:] / live["pair_electron"][3:] - 1).max() < 1e-3, z
"""
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=True, cwd=ROOT)


@pytest.mark.slow
def test_baking_gives_the_same_bytes(tmp_path: Path) -> None:
    """The bake script reproduces the committed table of elements byte for byte."""
    script = ROOT / "scripts/bake_matter.py"
    command = [sys.executable, "-W", "ignore", str(script), "elements", "--out", str(tmp_path)]
    subprocess.run(command, check=True, cwd=ROOT)
    committed = ROOT / "src/wholedose/tables/data/matter/elements.npz"
    assert (tmp_path / "elements.npz").read_bytes() == committed.read_bytes()
