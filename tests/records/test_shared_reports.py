"""Every report of the shared reference folder, against independent readings."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import pydicom
import pytest
from tests.records.test_dicom_pass import tree_of_ours, tree_of_pydicom

from wholedose.records import DoseReport, describe, merge_reports, read_dose_report, read_structured_report
from wholedose.records.report_checks import area_ratio

pytestmark = pytest.mark.shared

# seconds; the goal is 1 s a report, the rest is room for a busy machine
LIMIT_S = 3.0


def table(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(line for line in path.read_text().splitlines() if not line.startswith("#")))


def located(shared: Path, name: str) -> Path:
    (path,) = (shared / "rdsr").rglob(name)
    return path


def test_every_file_equals_the_expected_figures(shared: Path) -> None:
    """Event counts, totals and sums of all 37 files; files that are no report have none."""
    rows = table(shared / "xray" / "rdsr_expected.csv")
    reports = 0
    for row in rows:
        path = located(shared, row["file"])
        (item,) = describe(path)["items"]
        expected = int(row["ct_acquisitions"]) + int(row["xray_events"])
        if row["modality"] != "SR" or "non-dose" in row["file"]:
            assert item["kind"] in ("image", "other"), row["file"]
            continue
        reports += 1
        assert (item["kind"], item["events"]) == ("dose_report", expected), row["file"]
        totals = {name: value["value"] for name, value in item["totals"].items()}
        columns = {
            "dlp_total_mGycm": ("dlp", 1.0),
            "dap_total_Gym2": ("dap", 1e4),
            "dap_sum_of_events_Gym2": ("dap_sum_of_events", 1e4),
            "rp_dose_total_Gy": ("air_kerma_rp", 1e3),
            "rp_dose_sum_of_events_Gy": ("air_kerma_rp_sum_of_events", 1e3),
        }
        for column, (name, factor) in columns.items():
            # the mammography row holds zeros that its report doesn't
            if row[column] and item["modality"] != "MG":
                want = float(row[column]) * factor
                assert totals[name] == pytest.approx(want, rel=1e-9), (row["file"], column)
        if row["reference_point_definition"]:
            points = {
                one["reference_point"]["value"] for one in item["exposures"] if "reference_point" in one
            }
            assert points <= {row["reference_point_definition"]}, row["file"]
            assert all("reference_point_location" in one for one in item["exposures"]), row["file"]
    assert (len(rows), reports) == (37, 25)


def test_every_tree_equals_that_of_pydicom(shared: Path) -> None:
    """The bounded pass gives the content tree that pydicom gives, for every structured report."""
    read = 0
    for path in sorted((shared / "rdsr").rglob("*.dcm")):
        data = pydicom.dcmread(path)
        if data.get("Modality") != "SR":
            continue
        ours = read_structured_report(path)
        assert ours.problems == (), path.name
        assert tree_of_ours(ours.root) == tree_of_pydicom(data), path.name
        read += 1
    assert read == 26


def test_each_report_takes_less_than_its_limit(shared: Path) -> None:
    """No report, not even the one of 316 events, takes more than the limit."""
    slowest = 0.0
    for path in sorted((shared / "rdsr").rglob("*.dcm")):
        started = time.perf_counter()
        describe(path)
        slowest = max(slowest, time.perf_counter() - started)
    assert slowest < LIMIT_S


def test_ct_ranges_equal_the_expected_ones(shared: Path) -> None:
    """CTDIvol, DLP, lengths and phantom of every CT acquisition with dose."""
    for row in table(shared / "xray" / "ct_rdsr_ranges.csv"):
        event = read_dose_report(located(shared, row["file"])).events[int(row["acquisition"]) - 1]
        names = {
            "ctdivol_mGy": "ctdivol",
            "dlp_mGycm": "dlp",
            "scanning_length_mm": "scanning_length",
            "exposed_range_mm": "exposed_range",
            "reconstructable_mm": "reconstructable_length",
        }
        for column, name in names.items():
            want = float(row[column]) if row[column] else None
            assert event.number(name) == want, (row["file"], row["acquisition"], name)
        assert event.quantities["phantom"].value == (16 if "Head" in row["phantom"] else 32)
        assert str(event.quantities["acquisition_type"].value) == row["type"]


def test_dap_over_kerma_agrees_with_the_field_area(shared: Path) -> None:
    """The ratio of every event that states what is needed equals the expected one."""
    rows = table(shared / "xray" / "rdsr_dap_kerma_area_check.csv")
    ratios: dict[str, list[float]] = {}
    for name in {row["file"] for row in rows}:
        events = read_dose_report(located(shared, name)).events
        ratios[name] = [ratio for event in events if (ratio := area_ratio(event)) is not None]
    for row in rows:
        nearest = min(ratios[row["file"]], key=lambda ratio: abs(ratio - float(row["ratio"])))
        assert nearest == pytest.approx(float(row["ratio"]), abs=1e-3), row


def parts(shared: Path, stem: str) -> list[DoseReport]:
    return [read_dose_report(path) for path in sorted((shared / "rdsr").glob(f"{stem}-*.dcm"))]


@pytest.mark.parametrize(
    ("stem", "files", "events", "dlp"),
    [("CT-RDSR-Siemens-Continued", 2, 4, 116.61), ("CT-RDSR-Siemens-Multi", 3, 3, 236.09)],
)
def test_continued_and_repeated_reports_are_merged(
    stem: str, files: int, events: int, dlp: float, shared: Path
) -> None:
    """Continued parts are added; reports that repeat earlier events count each once."""
    found = parts(shared, stem)
    assert len(found) == files
    merged = merge_reports(found)
    assert len(merged.events) == events
    assert merged.totals["dlp"].value == pytest.approx(dlp, rel=1e-9)


def find(item: dict[str, Any], part: str) -> dict[str, Any]:
    (found,) = [one for one in item["findings"] if part in one["what"]]
    assert isinstance(found, dict)
    return found


def test_known_traps_are_found(shared: Path) -> None:
    """Milliseconds as seconds; totals unlike sums; a total of zero; an impossible distance; a picture of a
    page."""

    def item(name: str) -> dict[str, Any]:
        (found,) = describe(located(shared, name))["items"]
        assert isinstance(found, dict)
        return found

    big_bore = item("CT-RDSR-Philips_BigBore4DCT.dcm")
    assert find(big_bore, "An exposure time of 11912 s is impossible")["size"] > 100
    assert "exposure_time" not in big_bore["exposures"][0]
    assert find(item("philips_allura_clarity_u104.dcm"), "The total of dap")["size"] == pytest.approx(
        -0.159, abs=1e-3
    )
    assert find(item("Dual-RDSR-DX.dcm"), "The total of air_kerma_rp is 0 mGy")["severity"] == "warning"
    assert find(item("RF-RDSR-Siemens-Zee.dcm"), "The total of air_kerma_rp")["severity"] == "info"
    assert find(item("DX-Im-Carestream_DR7500-1.dcm"), "DistanceSourceToDetector: 11.5 mm is impossible")
    assert find(item("CT-SC-Philips_Brilliance16P.dcm"), "A secondary capture")
    assert find(item("ESR_non-dose.dcm"), "not of X-ray dose: Diagnostic Imaging Report")
    dual = item("CT-RDSR-Siemens_Flash-QA-DS.dcm")["exposures"][0]
    assert (dual["kv"]["value"], dual["kv_2"]["value"]) == (100, 140)


def test_the_example_series_is_recognised(shared: Path) -> None:
    """Twenty slices without identifiers make one series of 2 mm spacing."""
    item = describe(shared / "ct" / "example_ct_dicom")["items"][-1]
    assert (item["kind"], item["modality"], item["images"]) == ("series", "CT", 20)
    assert item["geometry"]["slice_spacing"]["value"] == 2.0
    assert item["exposures"][0]["kv"]["value"] == 120


def test_image_headers_give_exposures(shared: Path) -> None:
    """DAP and mean glandular dose of image headers, in our units."""
    dap = {
        "DX-Im-Carestream_DR7500-1.dcm": 1.1013,
        "DX-Im-Carestream_DR7500-2.dcm": 1.0157,
        "DX-Im-Carestream_DRX.dcm": 0.0633,
        "DX-Im-GE_XR220-1.dcm": 0.041,
    }
    for name, want in dap.items():
        (item,) = describe(located(shared, name))["items"]
        assert item["totals"]["dap"]["value"] == pytest.approx(want, rel=1e-12), name
    (item,) = describe(located(shared, "MG-Im-GE_Seno_2_ForPresentation.dcm"))["items"]
    assert item["totals"]["mean_glandular_dose_left"]["value"] == pytest.approx(1.409, rel=1e-12)
