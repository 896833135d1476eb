"""Tests of the CTDI validation suite."""

from __future__ import annotations

from pathlib import Path

import pytest

from wholedose.validation import ctdi
from wholedose.xray import bowtie_names


def test_transported_beam_is_the_beam_that_was_defined() -> None:
    """Free in air the transported kerma has the collimation's width and the filter's profile across the
    fan."""
    for shape in ("flat", "generic_body"):
        rows = ctdi.beam_rows(shape)
        assert len(rows) == 3
        assert all(row.passed for row in rows), rows


def test_long_scans_give_more_than_short_ones_and_less_to_large_patients() -> None:
    """Scatter from beyond 100 mm adds dose; the dose per CTDIvol falls with the diameter."""
    small, large = ctdi.section("generic_body", 16.0), ctdi.section("generic_body", 32.0)
    for item in (small, large):
        assert item.long > item.short + 3.0 * item.short_u
    assert small.short > large.short
    assert large.short == pytest.approx(1.0, abs=0.1)  # a section of the size of the phantom itself


def test_reference_of_the_scanners() -> None:
    """The published mean output of head and body phantoms has the ratio 2.14."""
    assert pytest.approx(2.14, abs=0.005) == ctdi.SCANNER_RATIO
    assert ctdi.printed_factor(30.0) == 1.23


@pytest.mark.slow
def test_suite_has_a_row_for_every_shape_and_size(tmp_path: Path) -> None:
    """The whole suite runs: beam and phantom rows of every shape, two scans of every cylinder, and its
    figure."""
    rows = ctdi.rows(None)
    shapes = bowtie_names()
    assert len(rows) == len(shapes) * (5 + 2 * len(ctdi.DIAMETERS_CM))
    assert all(row.passed for row in rows)
    shaped = [row for row in rows if row.quantity.startswith("CTDIw(16)") and "flat" not in row.case]
    assert all(1.9 < row.value < 2.6 for row in shaped)
    assert ctdi.figure(tmp_path / "ctdi.png").stat().st_size > 20_000
