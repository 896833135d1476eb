"""What a file or folder holds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.records import make_reports as make
from tests.records.test_image_header import DX
from tests.records.test_image_header import save as save_image

from wholedose.base import InvalidInput
from wholedose.records import describe, describe_text

KEYS = {"path", "modality", "kind", "events", "totals", "exposures", "findings"}


def only(found: dict[str, Any]) -> dict[str, Any]:
    (item,) = found["items"]
    assert isinstance(item, dict)
    return item


def test_the_form_of_a_ct_report(tmp_path: Path) -> None:
    """Format 1: path, modality, kind, events, totals, exposures and findings, as plain JSON."""
    path = make.save(make.chest_ct(), tmp_path / "report.dcm")
    found = describe(path)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert found["format"] == 1
    item = only(found)
    assert set(item) >= KEYS
    assert (item["path"], item["modality"], item["kind"], item["events"]) == (
        str(path),
        "CT",
        "dose_report",
        3,
    )
    assert item["totals"]["dlp"] == {
        "value": 236.09, "unit": "mGy.cm", "code": "113813, DCM", "tag": "extracted",
    }  # fmt: skip
    assert item["exposures"][1]["ctdivol"] == {
        "value": 8.13, "unit": "mGy", "code": "113830, DCM", "tag": "extracted",
    }  # fmt: skip
    assert item["exposures"][1]["phantom"]["value"] == 32
    assert item["exposures"][1]["target_region"]["value_code"] == "T-D3000, SRT"
    assert all(
        set(value) >= {"value", "unit", "code", "tag"} for one in item["exposures"] for value in one.values()
    )


def test_the_totals_of_each_modality(tmp_path: Path) -> None:
    """DAP in Gy.cm2, air kerma in mGy, glandular dose by side in mGy."""
    item = only(describe(make.save(make.biplane(), tmp_path / "rf.dcm")))
    assert item["totals"]["dap"]["unit"] == "Gy.cm2"
    assert item["totals"]["dap"]["value"] == pytest.approx(0.6)
    assert item["totals"]["air_kerma_rp"]["unit"] == "mGy"
    item = only(describe(make.save(make.mammography(), tmp_path / "mg.dcm")))
    assert item["totals"]["mean_glandular_dose_left"]["value"] == 1.30
    assert item["totals"]["mean_glandular_dose_right"]["unit"] == "mGy"


def test_parts_are_merged_as_one_more_item(tmp_path: Path) -> None:
    """Two continued reports give three items; the last one holds all events once."""
    for number in (1, 2):
        data = make.ct_report(make.ct_event(number), total="69.81", SOPInstanceUID=f"{make.ROOT}.9.{number}")
        make.save(data, tmp_path / f"{number}.dcm")
    items = describe(tmp_path)["items"]
    assert [item["events"] for item in items] == [1, 1, 2]
    assert items[2]["totals"]["dlp"]["value"] == pytest.approx(139.62)
    assert items[2]["parts"] == [str(tmp_path / "1.dcm"), str(tmp_path / "2.dcm")]


def test_copies_in_other_studies_are_named(tmp_path: Path) -> None:
    """A report whose events another study's report holds too is not to be counted twice."""
    make.save(make.chest_ct(), tmp_path / "a.dcm")
    make.save(make.chest_ct(StudyInstanceUID=f"{make.ROOT}.88"), tmp_path / "b.dcm")
    items = describe(tmp_path)["items"]
    assert len(items) == 2
    assert "count them once" in items[1]["findings"][-1]["what"]


def test_a_folder_lists_what_it_skipped(tmp_path: Path) -> None:
    """Files that are not recognised are named with their reason, hidden ones are left alone."""
    make.save(make.chest_ct(), tmp_path / "report.dcm")
    (tmp_path / "notes.txt").write_text("nothing for us")
    (tmp_path / ".hidden").write_text("nothing for us")
    (tmp_path / "empty.dcm").touch()
    found = describe(tmp_path)
    assert [item["kind"] for item in found["items"]] == ["dose_report"]
    assert [Path(one["path"]).name for one in found["skipped"]] == ["empty.dcm", "notes.txt"]
    assert "The file is empty." in found["skipped"][0]["reason"]


def test_slices_make_a_series(tmp_path: Path) -> None:
    """CT images of one series are one more item, with their number, spacing and range of tube current."""
    ct = "1.2.840.10008.5.1.4.1.1.2"
    for number, current in enumerate((100, 140, 120)):
        save_image(
            tmp_path / f"{number}.dcm", "CT", ct, KVP="120", XRayTubeCurrent=str(current),
            CTDIvol=5.0 + number, ImagePositionPatient=["0", "0", str(3 * number)],
        )  # fmt: skip
    items = describe(tmp_path)["items"]
    assert [item["kind"] for item in items] == ["image"] * 3 + ["series"]
    series = items[-1]
    assert (series["images"], series["path"]) == (3, str(tmp_path))
    assert series["geometry"]["slice_spacing"]["value"] == 3
    exposure = series["exposures"][0]
    assert [exposure[name]["value"] for name in ("kv", "tube_current_min", "tube_current_max")] == [
        120,
        100,
        140,
    ]
    assert exposure["ctdivol"]["value"] == 6


def test_uneven_slices_are_found(tmp_path: Path) -> None:
    """A missing slice shows in the series as a finding with its size."""
    for number in (0, 1, 2, 4):
        place = ["0", "0", str(3 * number)]
        save_image(
            tmp_path / f"{number}.dcm",
            "CT",
            "1.2.840.10008.5.1.4.1.1.2",
            KVP="120",
            ImagePositionPatient=place,
        )
    finding = describe(tmp_path)["items"][-1]["findings"][0]
    assert "unevenly spaced" in finding["what"]
    assert finding["size"] == 3


def test_other_structured_reports_are_named(tmp_path: Path) -> None:
    """A structured report that is not about dose is recognised as such."""
    item = only(describe(make.save(make.report(title="126000"), tmp_path / "sr.dcm")))
    assert (item["kind"], item["modality"], item["events"]) == ("other", "SR", 0)
    assert "not of X-ray dose" in item["findings"][0]["what"]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "There is no such file or folder."),
        (b"", "The file is empty."),
        (b"words " * 100, "The file is neither DICOM nor NIfTI."),
    ],
)
def test_what_is_not_recognised_is_refused(content: bytes | None, sentence: str, tmp_path: Path) -> None:
    """A missing, empty or foreign file gives one sentence."""
    path = tmp_path / "file"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInput) as error:
        describe(path)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_without_anything_is_refused(tmp_path: Path) -> None:
    """A folder in which nothing is recognised says how many files were looked at."""
    (tmp_path / "notes.txt").write_text("words")
    with pytest.raises(InvalidInput, match=r"Nothing in the folder is recognised \(1 files looked at\)"):
        describe(tmp_path)


def test_a_huge_file_is_refused_at_once(tmp_path: Path) -> None:
    """A sparse 2 GB file, with and without a report's beginning, is answered without being read."""
    zeros = tmp_path / "zeros.dcm"
    with zeros.open("wb") as file:
        file.truncate(2 * 2**30)
    with pytest.raises(InvalidInput, match="neither DICOM nor NIfTI"):
        describe(zeros)
    report = make.save(make.chest_ct(), tmp_path / "report.dcm")
    with report.open("r+b") as file:
        file.truncate(2 * 2**30)
    item = only(describe(report))
    assert item["kind"] == "other"
    assert "a report may have 64 MiB" in item["findings"][0]["what"]


def test_the_text_shows_values_with_their_tags(tmp_path: Path) -> None:
    """The text for reading aligns quantities, and shows units, tags, codes and findings."""
    make.save(make.ct_report(make.ct_event(1), total="69.81", count=2), tmp_path / "report.dcm")
    save_image(tmp_path / "image.dcm", "DX", DX, KVP="80", Exposure="9")
    (tmp_path / "notes.txt").write_text("words")
    lines = describe_text(describe(tmp_path)).splitlines()
    assert "  dose report, CT, 1 event, ACME Ray 1" in lines
    dose = next(line for line in lines if "ctdivol" in line)
    assert dose.split() == ["ctdivol", "8.13", "mGy", "extracted", "113830,", "DCM"]
    assert any(line.startswith("  warning: The report counts 2 events and holds 1") for line in lines)
    assert "Not recognised: 1" in lines


def test_a_file_cannot_steer_the_terminal(tmp_path: Path) -> None:
    """Control characters in a report's texts are not printed."""
    event = make.ct_event(1, extra=(make.text("121106", "red \x1b[31m alert"),))
    make.save(make.ct_report(event, total="69.81"), tmp_path / "report.dcm")
    shown = describe_text(describe(tmp_path))
    assert "red ?[31m alert" in shown
    assert "\x1b" not in shown


def test_importing_the_room_is_light() -> None:
    """`import wholedose.records` loads neither pydicom nor numerical packages."""
    code = "import sys, wholedose.records; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(result.stdout.split())
    assert "wholedose" in loaded
    assert not loaded & {"pydicom", "scipy", "numba", "SimpleITK", "nibabel", "highdicom", "matplotlib"}
