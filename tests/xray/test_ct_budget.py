"""Tests of the uncertainty budget's parts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from wholedose.tables import load
from wholedose.xray import CtScan, resolve
from wholedose.xray.ct_budget import OUTSIDE, coverage, range_sensitivity, sensitivity

Z = np.arange(-300.0, 301.0, 5.0)


def test_coverage_is_one_inside_a_long_scan_and_falls_outside() -> None:
    """Deep in a long scan the kernel gives all of the dose, at its end about half of the scatter is
    missing."""
    found = coverage(Z, -250.0, 250.0)
    assert found[np.argmin(np.abs(Z))] == pytest.approx(1.0, abs=0.01)
    assert found[0] == pytest.approx(0.65 * 0.5 * np.exp(-50.0 / 47.0), rel=0.01)
    assert (coverage(Z, 10.0, 10.0) == 0.0).all()


def test_range_matters_for_organs_at_its_ends(little_scan: Callable[..., CtScan]) -> None:
    """A shift hardly moves an organ in the middle, moves one at the end, and its sign follows the side."""
    scan = little_scan(start_z_mm=-150.0, end_z_mm=150.0)
    item = replace(resolve(scan.single_range(), scan), position_u_mm=15.0, end_u_mm=15.0)

    def organ(centre: float) -> float:
        return range_sensitivity(Z, np.exp(-(((Z - centre) / 20.0) ** 2)), item)

    assert abs(organ(0.0)) < 0.02
    assert organ(170.0) > 0.08
    assert organ(-170.0) == pytest.approx(-organ(170.0), rel=1e-6)
    assert range_sensitivity(Z, np.zeros_like(Z), item) == 0.0


def test_sensitivities_cover_every_organ() -> None:
    """No organ has a zero sensitivity; unknown organs get the largest, far ones the row for outside."""
    table = load("xray/ct_sensitivity")
    for column in ("filter_u", "spectrum_u"):
        assert table[column].min() > 0.0
    assert sensitivity("thyroid")[0] > sensitivity("lungs")[0]
    assert sensitivity("no such organ") == (table["filter_u"].max(), table["spectrum_u"].max())
    assert sensitivity("brain", inside=False) == sensitivity(OUTSIDE)
