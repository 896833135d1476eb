"""The simulated objects conform to DICOM: our own template check, and other checkers where installed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from wholedose.synthetic import StudyTruth

Study = tuple[Path, StudyTruth]

# mandatory content of TID 10011 and the templates it includes: path of concept codes, value type, relation
MANDATORY = [
    (("121058",), "CODE", "HAS CONCEPT MOD"),
    (("121058", "363703001"), "CODE", "HAS CONCEPT MOD"),
    (("121005",), "CODE", "HAS OBS CONTEXT"),
    (("121012",), "UIDREF", "HAS OBS CONTEXT"),
    (("113809",), "DATETIME", "HAS OBS CONTEXT"),
    (("113810",), "DATETIME", "HAS OBS CONTEXT"),
    (("113705",), "CODE", "HAS OBS CONTEXT"),
    (("113705", "110180"), "UIDREF", "HAS PROPERTIES"),
    (("113811",), "CONTAINER", "CONTAINS"),
    (("113811", "113812"), "NUM", "CONTAINS"),
    (("113811", "113813"), "NUM", "CONTAINS"),
    (("113819",), "CONTAINER", "CONTAINS"),
    (("113854",), "CODE", "CONTAINS"),
]
EVERY_EVENT = [
    (("123014",), "CODE", "CONTAINS"),
    (("113820",), "CODE", "CONTAINS"),
    (("113769",), "UIDREF", "CONTAINS"),
    (("113822",), "CONTAINER", "CONTAINS"),
    (("113822", "113824"), "NUM", "CONTAINS"),
    (("113822", "113825"), "NUM", "CONTAINS"),
    (("113822", "113826"), "NUM", "CONTAINS"),
    (("113822", "113827"), "NUM", "CONTAINS"),
    (("113822", "113823"), "NUM", "CONTAINS"),
    (("113822", "113831"), "CONTAINER", "CONTAINS"),
    (("113822", "113831", "113832"), "TEXT", "CONTAINS"),
    (("113822", "113831", "113733"), "NUM", "CONTAINS"),
    (("113822", "113831", "113833"), "NUM", "CONTAINS"),
    (("113822", "113831", "113734"), "NUM", "CONTAINS"),
    (("113876",), "CODE", "CONTAINS"),
]
HELICAL_EVENT = [
    (("113822", "113828"), "NUM", "CONTAINS"),
    (("113822", "113893"), "NUM", "CONTAINS"),
    (("113822", "113831", "113834"), "NUM", "CONTAINS"),
    (("113829",), "CONTAINER", "CONTAINS"),
    (("113829", "113830"), "NUM", "CONTAINS"),
    (("113829", "113835"), "CODE", "CONTAINS"),
    (("113829", "113838"), "NUM", "CONTAINS"),
]
UNITS = {"113812": "{events}", "113813": "mGy.cm", "113824": "s", "113825": "mm", "113826": "mm"}
UNITS |= {"113827": "mm", "113828": "{ratio}", "113823": "{X-Ray sources}", "113733": "kV", "113833": "mA"}
UNITS |= {"113734": "mA", "113834": "s", "113830": "mGy", "113838": "mGy.cm", "113893": "mm", "113899": "mm"}
UNITS |= {"113895": "mm", "113896": "mm", "113897": "mm", "113898": "mm"}


def children(item: Any, path: tuple[str, ...]) -> list[Any]:
    found = [
        child
        for child in item.get("ContentSequence", [])
        if child.ConceptNameCodeSequence[0].CodeValue == path[0]
    ]
    return found if len(path) == 1 else [deep for child in found for deep in children(child, path[1:])]


def all_items(item: Any) -> Iterator[Any]:
    for child in item.get("ContentSequence", []):
        yield child
        yield from all_items(child)


def test_mandatory_rows_of_the_template(study: Study) -> None:
    """Every mandatory row of TID 10011, 10012, 10013 and 10014 is there with its value type and relation."""
    report = dcmread(study[0] / "dose_report.dcm")
    assert report.SOPClassUID == "1.2.840.10008.5.1.4.1.1.88.67"
    assert report.ContentTemplateSequence[0].TemplateIdentifier == "10011"
    assert report.ConceptNameCodeSequence[0].CodeValue == "113701"
    localizer, helical = children(report, ("113819",))
    wanted = [(report, MANDATORY), (localizer, EVERY_EVENT), (helical, EVERY_EVENT + HELICAL_EVENT)]
    for root, rows in wanted:
        for path, value_type, relation in rows:
            items = children(root, path)
            assert items, path
            assert {(item.ValueType, item.RelationshipType) for item in items} == {(value_type, relation)}, (
                path
            )


def test_units_and_values(study: Study) -> None:
    """Every number has the template's unit, and the events' DLP add up to the total."""
    report = dcmread(study[0] / "dose_report.dcm")
    total = 0.0
    for item in all_items(report):
        number = item.ConceptNameCodeSequence[0].CodeValue
        if item.ValueType == "NUM":
            measured = item.MeasuredValueSequence[0]
            unit = measured.MeasurementUnitsCodeSequence[0]
            assert (unit.CodeValue, unit.CodingSchemeDesignator) == (UNITS[number], "UCUM")
            total += float(measured.NumericValue) if number == "113838" else 0.0
    (dlp,) = children(report, ("113811", "113813"))
    assert float(dlp.MeasuredValueSequence[0].NumericValue) == pytest.approx(total, abs=0.006)


def test_study_is_one_and_uids_are_unique(study: Study) -> None:
    """All objects share patient, study and frame of reference; instances, series and events differ."""
    paths = sorted(study[0].rglob("*.dcm"))
    headers = [dcmread(path, stop_before_pixels=True) for path in paths]
    assert {header.StudyInstanceUID for header in headers} == {study[1].uids["study"]}
    assert {str(header.PatientName) for header in headers} == {"SIMULATED^CHEST"}
    assert len({header.SOPInstanceUID for header in headers}) == len(paths)
    assert len({header.SeriesInstanceUID for header in headers}) == 3
    assert all(
        len(header.SOPInstanceUID) <= 64 and header.SOPInstanceUID.startswith("2.25.") for header in headers
    )
    report = dcmread(study[0] / "dose_report.dcm")
    events = {item.UID for item in children(report, ("113819", "113769"))}
    images = {header.IrradiationEventUID for header in headers if header.Modality == "CT"}
    assert events == images


@pytest.mark.skipif(shutil.which("dciodvfy") is None, reason="dciodvfy (dicom3tools) is not installed")
@pytest.mark.parametrize("name", ["images/0001.dcm", "images/0080.dcm", "localizer.dcm", "dose_report.dcm"])
def test_dciodvfy_finds_nothing(study: Study, name: str) -> None:
    """David Clunie's checker has neither errors nor warnings."""
    done = subprocess.run(["dciodvfy", study[0] / name], capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    assert "Error" not in said
    assert "Warning" not in said
    assert done.returncode == 0


@pytest.mark.skipif(shutil.which("dsrdump") is None, reason="dsrdump (dcmtk) is not installed")
def test_dsrdump_reads_the_report(study: Study) -> None:
    """DCMTK's reader, which checks relations and value types, accepts the report."""
    done = subprocess.run(
        ["dsrdump", "+Pc", study[0] / "dose_report.dcm"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert "E:" not in done.stderr
    assert "SIMULATED^CHEST" in done.stdout
