"""Contradictions in dose reports."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.records import make_reports as make

from wholedose.records import DoseReport, Finding, read_dose_report
from wholedose.records.report_checks import area_ratio, scan_time_s


def read(data: Any, folder: Path) -> DoseReport:
    return read_dose_report(make.save(data, folder / "report.dcm"))


def finding(report: DoseReport, part: str) -> Finding:
    found = [one for one in report.findings if part in one.what]
    assert len(found) == 1, [one.what for one in report.findings]
    return found[0]


def test_milliseconds_written_as_seconds_are_found(tmp_path: Path) -> None:
    """An exposure time beyond the whole irradiation is left out; the finding has its size."""
    event = make.ct_event(
        1, ctdivol="23.7", dlp="541.1", length="212", pitch="0.042", time=("11912", "s"), extra=()
    )
    report = read(make.ct_report(event, total="541.1"), tmp_path)
    assert "exposure_time" not in report.events[0].quantities
    found = finding(report, "An exposure time of 11912 s is impossible")
    assert "the whole irradiation lasted 120 s" in found.what
    assert "the scan's geometry gives 65.72 s" in found.what
    assert (found.severity, found.size) == ("error", 99.267)


def test_the_scan_time_follows_from_the_geometry(tmp_path: Path) -> None:
    """Length over pitch times collimation, times the rotation time."""
    event = read(make.chest_ct(), tmp_path).events[1]
    assert scan_time_s(event) == pytest.approx(92 / (0.9 * 38.4) * 0.5, rel=1e-12)


def test_a_total_unlike_the_sum_is_found(tmp_path: Path) -> None:
    """A total 16 % above its events is kept beside their sum, and reported with its size."""
    report = read(
        make.report(
            make.plane_totals("113622", "0.0000238", "0.0010"), make.projection_event(1, dap="0.0000200")
        ),
        tmp_path,
    )
    assert report.total("dap") == 0.238
    assert report.total("dap_sum_of_events") == 0.2
    found = finding(report, "The total of dap is 0.238 Gy.cm2, its events sum to 0.2.")
    assert found.severity == "warning"
    assert found.size == pytest.approx(-0.159664, abs=1e-6)


def test_a_total_of_zero_over_events_with_dose_is_found(tmp_path: Path) -> None:
    """A zero total over events that have air kerma is not believed silently."""
    report = read(
        make.report(make.plane_totals("113622", "0.00002", "0"), make.projection_event(1)), tmp_path
    )
    assert finding(report, "The total of air_kerma_rp is 0 mGy").size == 1.0


def test_rounding_of_totals_is_no_contradiction(tmp_path: Path) -> None:
    """A total that differs from the sum by its printed digits only is noted, without a warning."""
    events = [make.projection_event(number, dap="0.0000204", kerma="0.00102") for number in (1, 2)]
    report = read(make.report(make.plane_totals("113622", "0.000041", "0.00204"), *events), tmp_path)
    assert finding(report, "within the rounding of the printed values").severity == "info"


def test_a_wrong_count_is_found(tmp_path: Path) -> None:
    """The report's own count of events is compared with what it holds."""
    report = read(make.ct_report(make.ct_event(1), total="69.81", count=2), tmp_path)
    assert finding(report, "The report counts 2 events and holds 1").size == -1


def test_copies_of_an_event_count_once(tmp_path: Path) -> None:
    """An exact copy is dropped with a warning; another event of the same identifier stays, with a warning."""
    report = read(make.ct_report(make.ct_event(1), make.ct_event(1), total="69.81", count=1), tmp_path)
    assert len(report.events) == 1
    assert finding(report, "a copy of an earlier one").severity == "warning"
    other = make.ct_event(2, dlp="50", uid_of=f"{make.ROOT}.5.1")
    report = read(make.ct_report(make.ct_event(1), other, total="119.81"), tmp_path)
    assert len(report.events) == 2
    assert "both are counted" in finding(report, "has the identifier of an earlier one").what


def test_both_planes_of_one_event_are_kept(tmp_path: Path) -> None:
    """A biplane run has one identifier in two planes: two irradiations."""
    first, second = make.projection_event(1), make.projection_event(1, plane="113621")
    report = read(make.report(first, second), tmp_path)
    assert len(report.events) == 2
    assert not [one for one in report.findings if "identifier" in one.what]


def test_a_report_without_events_is_found(tmp_path: Path) -> None:
    """An empty report is a report, and says that it is empty."""
    report = read(make.ct_report(total="0", count=0), tmp_path)
    assert report.events == ()
    assert finding(report, "The report holds no irradiation event.").severity == "warning"


def test_dlp_is_compared_with_the_scanned_length(tmp_path: Path) -> None:
    """DLP / CTDIvol far from the scanning length is found, with the relative difference."""
    report = read(make.ct_report(make.ct_event(1, dlp="698.1"), total="698.1"), tmp_path)
    assert finding(report, "DLP / CTDIvol is 858.7 mm, the scanning length 92 mm.").size == pytest.approx(
        8.3334
    )


def test_mixed_phantoms_are_found(tmp_path: Path) -> None:
    """A total over both phantoms is not one quantity."""
    report = read(
        make.ct_report(make.ct_event(1), make.ct_event(2, phantom="113690"), total="139.62"), tmp_path
    )
    assert finding(report, "refer to the 16 cm and to the 32 cm phantom").severity == "warning"


@pytest.mark.parametrize("point", ["113860", "113861"])
def test_the_field_area_is_scaled_to_the_reference_point(point: str, tmp_path: Path) -> None:
    """DAP / air kerma equals the collimated area scaled by the square of the distances."""
    area = {"113860": "0.0600161", "113861": str(0.02 * (1100 / 800) ** 2)}[point]
    event = make.projection_event(1, point=make.coded("113780", make.code(point)))
    for child in event.ContentSequence:
        if make._is(child, "113790"):
            child.MeasuredValueSequence[0].NumericValue = area
    report = read(make.report(event), tmp_path)
    assert area_ratio(report.events[0]) == pytest.approx(1, abs=1e-5)
    assert not [one for one in report.findings if "field area" in one.what]


@pytest.mark.parametrize("factor", [10, 0.01])
def test_a_dap_wrong_by_a_power_of_ten_is_found(factor: float, tmp_path: Path) -> None:
    """A DAP in a wrong unit contradicts the field area, by that factor."""
    report = read(make.report(make.projection_event(1, dap=f"{0.00002 * factor:.7f}")), tmp_path)
    found = finding(report, "DAP / air kerma disagrees with the collimated field area")
    assert found.size == pytest.approx(factor - 1, abs=1e-3)


def test_events_out_of_order_are_noted(tmp_path: Path) -> None:
    """Start times that run backwards are noted."""
    report = read(
        make.report(
            make.projection_event(1, started="20240229120000"),
            make.projection_event(2, started="20240229110000"),
        ),
        tmp_path,
    )
    assert finding(report, "1 events start before").severity == "info"


def test_impossible_values_are_left_out(tmp_path: Path) -> None:
    """An angle of 400 degrees and a tube voltage of 0 kV are no values."""
    event = make.projection_event(1, kv="0")
    for child in event.ContentSequence:
        if make._is(child, "112011"):
            child.MeasuredValueSequence[0].NumericValue = "400"
    report = read(make.report(event), tmp_path)
    assert report.events[0].number("primary_angle") is None
    assert report.events[0].number("kv") is None
    assert finding(report, "primary_angle: 400 deg is impossible; left out.").severity == "error"
