"""Tests of the description of a CT examination."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from wholedose.base import Grid, InvalidInput, MissingInput, Tagged, UnknownName, Volume
from wholedose.xray import CtRange, CtScan, TubeCurrent


def test_typed_values_are_tagged_extracted_and_typed() -> None:
    """What a user types is tagged as extracted with the place "typed", and person hints go to the person."""
    scan = CtScan.typed(kv=120, ctdivol_mgy=8.2, phantom_cm=32, dlp_mgy_cm=287, sex="F", age_y=34)
    item = scan.single_range()
    assert item.kv == Tagged(120, "kV", "extracted", "", "typed")
    assert item.ctdivol_mgy == Tagged(8.2, "mGy", "extracted", "", "typed")
    assert scan.person["age_y"].value == 34
    assert set(item.inputs()) == {"kv", "ctdivol_mgy", "phantom_cm", "dlp_mgy_cm"}


def test_typed_values_override_and_none_changes_nothing() -> None:
    """A typed value replaces the one read; None leaves it."""
    read = CtRange(kv=Tagged(100.0, "kV", "extracted", "113733, DCM", "report"))
    scan = CtScan((read,)).with_typed(kv=120, ctdivol_mgy=None)
    assert scan.single_range().kv == Tagged(120, "kV", "extracted", "", "typed")
    assert scan.single_range().ctdivol_mgy is None


def test_typed_ctdivol_keeps_the_irradiated_length() -> None:
    """Another CTDIvol scales the DLP that was read, so that the range stays as long as it was."""
    read = CtRange(
        ctdivol_mgy=Tagged(10.0, "mGy", "extracted"), dlp_mgy_cm=Tagged(350.0, "mGy.cm", "extracted")
    )
    item = CtScan((read,)).with_typed(ctdivol_mgy=8.0).single_range()
    assert item.dlp_mgy_cm is not None
    assert item.dlp_mgy_cm.value == pytest.approx(280.0)
    assert item.dlp_mgy_cm.tag == "derived"


def test_a_value_of_one_range_is_not_typed_over_several() -> None:
    """CTDIvol typed for a scan of two acquisitions is refused; topograms do not count."""
    two = CtScan((CtRange(), CtRange()))
    with pytest.raises(InvalidInput, match="ctdivol_mgy belongs to one range, and this scan has 2"):
        two.with_typed(ctdivol_mgy=8.0)
    with pytest.raises(InvalidInput, match="has 2 ranges"):
        two.single_range()
    topogram = CtRange(mode=Tagged("topogram", "1", "extracted"))
    scan = CtScan((topogram, CtRange())).with_typed(ctdivol_mgy=8.0)
    assert scan.ranges[0].ctdivol_mgy is None
    assert scan.ranges[1].ctdivol_mgy is not None
    with pytest.raises(MissingInput, match="only topograms"):
        CtScan((topogram,)).single_range()


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("kv", 12000.0, "kv is 12000 kV, outside what a CT scanner does"),
        ("ctdivol_mgy", 0.0, "ctdivol_mgy is 0 mGy"),
        ("ctdivol_mgy", float("nan"), "not a number"),
        ("collimation_mm", -1.0, "collimation_mm is -1 mm"),
        ("pitch", 50.0, "pitch is 50"),
        ("phantom_cm", 20, "The CTDI phantom has 20 cm"),
    ],
)
def test_impossible_values_are_refused(name: str, value: Any, sentence: str) -> None:
    """A value that no scanner has is refused with the value and the limits."""
    with pytest.raises(InvalidInput, match=sentence):
        CtScan.typed(**{name: value})


def test_unknown_names_are_offered_the_known() -> None:
    """A misspelt input, mode or filter class names what is known."""
    with pytest.raises(UnknownName, match="did you mean 'ctdivol_mgy'"):
        CtScan.typed(ctdivol=8.2)
    with pytest.raises(UnknownName, match="No CT mode 'spiral'"):
        CtScan.typed(mode="spiral")
    with pytest.raises(UnknownName, match="No filter class 'neck'"):
        CtScan.typed(filter_class="neck")
    with pytest.raises(UnknownName, match="No person hint 'mass'"):
        CtScan((CtRange(),), person={"mass": Tagged(1, "kg", "extracted")})


def test_a_scan_needs_ranges_and_hu() -> None:
    """A scan without range and an image that is not in HU are refused."""
    with pytest.raises(InvalidInput, match="at least one range"):
        CtScan(())
    image = Volume(Grid((1, 1, 1), (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)), np.zeros((1, 1, 1)), "label", {})
    with pytest.raises(InvalidInput, match="HU"):
        CtScan((CtRange(),), image=image)


def test_current_curve() -> None:
    """A curve is sorted by z, constant beyond its ends, and relative to the mean over the positions."""
    curve = TubeCurrent(np.array([100.0, 0.0]), np.array([300.0, 100.0]))
    assert curve.at(np.array([-50.0, 25.0, 900.0])).tolist() == [100.0, 150.0, 300.0]
    assert curve.relative(np.linspace(0, 100, 11)).mean() == pytest.approx(1.0)
    assert not curve.is_constant
    with pytest.raises(InvalidInput, match="The tube current is zero from z 0 to 1 mm"):
        TubeCurrent(np.array([0.0, 1.0, 2.0]), np.array([0.0, 0.0, 9.0])).relative(np.array([0.0, 1.0]))
    assert TubeCurrent(np.array([0.0, 1.0]), np.array([200.0, 200.5])).is_constant
    for z, ma in (([0.0], [1.0, 2.0]), ([0.0], [-1.0]), ([0.0], [0.0]), ([np.nan], [1.0])):
        with pytest.raises(InvalidInput, match="current curve"):
            TubeCurrent(np.array(z), np.array(ma))


def test_scans_are_immutable_and_name_their_device() -> None:
    """A scan cannot be changed; its device origin holds maker, model, serial number and output check."""
    scan = CtScan.typed(kv=120, manufacturer="Maker", model="M1", device="4711", calibration="2026-03")
    assert scan.device_origin == "Maker M1 4711, 2026-03"
    assert CtScan.typed(kv=120).device_origin == "unknown scanner, output check unknown"
    with pytest.raises(dataclasses.FrozenInstanceError):
        scan.model = "M2"  # type: ignore[misc]
