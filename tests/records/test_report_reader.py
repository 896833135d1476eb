"""Dose reports as our types."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from tests.records import make_reports as make

from wholedose.base import InvalidInput
from wholedose.records import DoseReport, read_dose_report


def read(data: Any, folder: Path) -> DoseReport:
    return read_dose_report(make.save(data, folder / "report.dcm"))


def whats(report: DoseReport) -> str:
    return "\n".join(finding.what for finding in report.findings)


def test_a_ct_report_gives_events_and_total(tmp_path: Path) -> None:
    """Kinds, doses, phantom, technique and total of a chest CT, each with its unit, code and tag."""
    report = read(make.chest_ct(), tmp_path)
    assert (report.kind, report.modality) == ("ct", "CT")
    assert [event.kind for event in report.events] == ["localiser", "spiral", "spiral"]
    assert [event.number("ctdivol") for event in report.events] == [0.15, 8.13, 7.02]
    assert report.total("dlp") == 236.09
    assert report.total("dlp_sum_of_events") == 236.09
    ctdivol = report.events[1].quantities["ctdivol"]
    assert (ctdivol.unit, ctdivol.tag, ctdivol.code) == ("mGy", "extracted", "113830, DCM")
    assert report.events[1].quantities["phantom"].value == 32
    assert report.events[1].number("pitch") == 0.9
    assert report.events[1].number("kv") == 120
    assert str(report.events[1].quantities["target_region"].value) == "Chest"
    assert report.findings == ()


def test_patient_device_and_study_come_from_the_header(tmp_path: Path) -> None:
    """Sex, age, size, weight, device and study are read; the patient's name is not kept."""
    report = read(make.chest_ct(), tmp_path)
    assert report.patient.sex == "F"
    assert report.patient.age_y is not None
    assert report.patient.age_y.value == 34
    assert report.patient.height_cm is not None
    assert report.patient.height_cm.value == 168
    assert report.patient.weight_kg is not None
    assert report.patient.weight_kg.value == 61
    assert (report.device.manufacturer, report.device.model, report.device.serial) == ("ACME", "Ray 1", "42")
    assert (report.study.uid, report.study.date) == (f"{make.ROOT}.1", "20240229")
    assert "Test" not in repr(dataclasses.asdict(report))


def test_age_is_derived_from_the_birth_date(tmp_path: Path) -> None:
    """Without an age, birth and study date give it, tagged as derived; an impossible age is left out."""
    report = read(make.chest_ct(PatientAge=None, PatientBirthDate="19890301"), tmp_path)
    assert report.patient.age_y is not None
    assert (report.patient.age_y.value, report.patient.age_y.tag) == (35.0, "derived")
    report = read(make.chest_ct(PatientAge="162Y"), tmp_path)
    assert report.patient.age_y is None
    assert "'162Y' is impossible" in whats(report)


def test_missing_header_values_are_none(tmp_path: Path) -> None:
    """A de-identified header gives None and no invented value; a missing model is noted."""
    gone: dict[str, Any] = dict.fromkeys(
        ("PatientSex", "PatientAge", "PatientSize", "PatientWeight", "ManufacturerModelName")
    )
    report = read(make.chest_ct(**gone), tmp_path)
    assert (report.patient.sex, report.patient.age_y, report.patient.height_cm) == (None, None, None)
    assert "The model of the device is missing." in whats(report)


def test_dual_source_keeps_both_sources(tmp_path: Path) -> None:
    """Two X-ray sources of one acquisition keep their own kV and mA, and no single kV is made up."""
    event = make.ct_event(1, sources=(("A", "100", "399"), ("B", "140", "308")))
    report = read(make.ct_report(event, total="69.81"), tmp_path)
    sources = report.events[0].sources
    assert [(source["kv"].value, source["tube_current"].value) for source in sources] == [
        (100, 399),
        (140, 308),
    ]
    assert "kv" not in report.events[0].quantities
    flat = report.events[0].flat()
    assert (flat["kv"].value, flat["kv_2"].value) == (100, 140)


@pytest.mark.parametrize("unit", ["mGy.cm", "mGycm"])
def test_both_spellings_of_dlp_are_read(unit: str, tmp_path: Path) -> None:
    """The unit of DLP is written in two ways; both give mGy.cm."""
    report = read(make.ct_report(make.ct_event(1, dlp_unit=unit), total="69.81", unit=unit), tmp_path)
    assert (report.total("dlp"), report.events[0].number("dlp")) == (69.81, 69.81)


def test_an_unknown_unit_leaves_the_quantity_out(tmp_path: Path) -> None:
    """A DLP in an unlisted unit is left out with an error; its neighbours stay."""
    report = read(make.ct_report(make.ct_event(1, dlp_unit="rad.in"), total="69.81"), tmp_path)
    assert report.events[0].number("dlp") is None
    assert report.events[0].number("ctdivol") == 8.13
    assert report.findings[0].severity == "error"
    assert report.findings[0].what == "dlp has unit 'rad.in', which isn't known: left out. (event 1)"


def test_a_quantity_without_unit_is_left_out(tmp_path: Path) -> None:
    """A number without a unit is not guessed."""
    extra = make.container("113829", make.num("113930", "9.1", None))
    report = read(make.ct_report(make.ct_event(1, extra=(extra,)), total="69.81"), tmp_path)
    assert "ssde" not in report.events[0].quantities
    assert "ssde has no unit, which isn't known: left out." in whats(report)


def test_a_localiser_may_have_no_dose(tmp_path: Path) -> None:
    """Some vendors give localisers no dose at all: no value, no complaint, and the total holds."""
    report = read(
        make.ct_report(
            make.ct_event(1, "113805", ctdivol=None, dlp=None, pitch=None), make.ct_event(2), total="69.81"
        ),
        tmp_path,
    )
    assert "ctdivol" not in report.events[0].quantities
    assert report.findings == ()


def test_a_scan_without_dose_is_noted(tmp_path: Path) -> None:
    """An acquisition without CTDIvol and DLP is named."""
    report = read(make.ct_report(make.ct_event(1, ctdivol=None, dlp=None), total=None), tmp_path)
    assert "An acquisition has no ctdivol." in whats(report)
    assert "dlp" not in report.totals


def test_an_unknown_phantom_is_left_out(tmp_path: Path) -> None:
    """A phantom other than the 16 and 32 cm ones is no number of ours."""
    report = read(make.ct_report(make.ct_event(1, phantom="113682"), total="69.81"), tmp_path)
    assert "phantom" not in report.events[0].quantities
    assert "CTDI phantom" in whats(report)


def test_private_codes_do_not_pass_for_standard_ones(tmp_path: Path) -> None:
    """A private code of the same value as a DICOM one is not taken for it."""
    extra = make.num("113830", "99", "mGy", scheme="99ACME")
    report = read(make.ct_report(make.ct_event(1, extra=(extra,)), total="69.81"), tmp_path)
    assert report.events[0].number("ctdivol") == 8.13


def test_the_planes_of_a_fluoroscopy_are_added(tmp_path: Path) -> None:
    """Totals of planes A and B are summed and tagged as derived; each plane is kept."""
    report = read(make.biplane(), tmp_path)
    assert (report.kind, report.modality, len(report.events)) == ("projection", "RF", 3)
    dap = report.totals["dap"]
    assert (round(dap.value, 12), dap.unit, dap.tag) == (0.6, "Gy.cm2", "derived")
    assert report.total("air_kerma_rp") == pytest.approx(3.0, rel=1e-12)
    assert report.total("fluoro_time") == pytest.approx(22.4, rel=1e-12)
    assert [values["dap"].value for values in report.planes.values()] == [0.4, 0.2]


def test_an_event_of_fluoroscopy_is_complete(tmp_path: Path) -> None:
    """Angles, distances, area, currents, times, pulses and filters of an event in our units."""
    event = read(make.biplane(), tmp_path).events[0]
    numbers = {
        "dap": 0.2, "air_kerma_rp": 1.0, "kv": 73.2, "tube_current": 12.5, "exposure": 4.5,
        "pulse_width": 0.006, "pulses": 75, "pulse_rate": 7.5, "primary_angle": -30.5, "secondary_angle": 12,
        "source_to_isocentre": 785, "source_to_detector": 1100, "field_area": 600.161,
    }  # fmt: skip
    for name, number in numbers.items():
        assert event.number(name) == pytest.approx(number, rel=1e-12), name
    assert event.kind == "fluoroscopy"
    assert str(event.quantities["plane"].value) == "Plane 113620"
    assert event.quantities["reference_point_location"].value == "15 cm from the isocentre towards the source"
    assert str(event.filters[0]["filter_material"].value) == "Copper or Copper compound"
    assert event.filters[0]["filter_thickness_min"].value == 0.3


@pytest.mark.parametrize(
    ("written", "location"),
    [
        ("15cm below BeamIsocenter", "15 cm from the isocentre towards the source"),
        ("15cm in Front of Image Input Surface", "15 cm in front of the image receptor"),
        ("30cm in Front of Image input surface", "30 cm in front of the image receptor"),
    ],
)
def test_reference_points_may_be_text(written: str, location: str, tmp_path: Path) -> None:
    """Two vendors write the reference point as text; the known texts are understood, and it is noted."""
    report = read(make.report(make.projection_event(1, point=make.text("113780", written))), tmp_path)
    assert report.events[0].quantities["reference_point_location"].value == location
    assert "The reference point is given as text" in whats(report)


def test_an_unknown_reference_point_is_named(tmp_path: Path) -> None:
    """Another text gives no location, and a warning."""
    report = read(make.report(make.projection_event(1, point=make.text("113780", "at the skin"))), tmp_path)
    assert "reference_point_location" not in report.events[0].quantities
    assert "The reference point 'at the skin' isn't known. (event 1)" in whats(report)


def test_a_misspelt_unit_scheme_is_read_with_a_note(tmp_path: Path) -> None:
    """One vendor writes UCM instead of UCUM: the unit is still one of the list."""
    report = read(make.report(make.projection_event(1, units="UCM")), tmp_path)
    assert report.events[0].number("exposure") == 4.5
    assert "scheme 'UCM'" in whats(report)


def test_an_empty_number_is_missing(tmp_path: Path) -> None:
    """A measured value sequence without items means not known, and gives no quantity and no complaint."""
    extra = (make.num("113739", None, None),)
    report = read(make.report(make.projection_event(1, extra=extra)), tmp_path)
    assert "primary_end_angle" not in report.events[0].quantities
    assert "primary_end_angle" not in whats(report)


def test_values_per_pulse_are_averaged(tmp_path: Path) -> None:
    """Several tube voltages of one event give their mean, tagged as derived; several doses give none."""
    extra = (make.num("113733", "70", "kV"), make.num("113733", "80", "kV"))
    report = read(make.report(make.projection_event(1, kv=None, extra=extra)), tmp_path)
    kv = report.events[0].quantities["kv"]
    assert (kv.value, kv.tag) == (75, "derived")
    report = read(
        make.report(make.projection_event(1, extra=(make.num("122130", "0.00003", "Gy.m2"),))), tmp_path
    )
    assert "dap" not in report.events[0].quantities
    assert "dap is given 2 times with different values" in whats(report)


def test_without_fluoroscopy_the_modality_is_radiography(tmp_path: Path) -> None:
    """Stationary acquisitions alone make a DX report."""
    report = read(make.report(make.projection_event(1, ("113611", "DCM"))), tmp_path)
    assert (report.modality, report.events[0].kind) == ("DX", "acquisition")


def test_mammography_gives_dose_by_side(tmp_path: Path) -> None:
    """Accumulated mean glandular dose by side, and thickness, HVL and anode of each view."""
    report = read(make.mammography(), tmp_path)
    assert (report.kind, report.modality) == ("mammography", "MG")
    assert report.total("mean_glandular_dose_left") == 1.30
    assert report.total("mean_glandular_dose_right") == 1.28
    event = report.events[0]
    assert str(event.quantities["laterality"].value) == "Left"
    assert (event.number("exposure"), event.number("compression_thickness")) == (90.2, 43)
    assert event.quantities["reference_point_location"].value == "entrance of a 4.2 cm breast"


def test_mammography_without_totals_sums_its_events(tmp_path: Path) -> None:
    """Without accumulated doses, those of the events are summed by side and tagged as derived."""
    data = make.mammography()
    data.ContentSequence = [item for item in data.ContentSequence if not make._is(item, "113702")]
    report = read(data, tmp_path)
    left = report.totals["mean_glandular_dose_left"]
    assert (left.value, left.tag) == (1.30, "derived")


def test_enhanced_reports_without_template_are_read(tmp_path: Path) -> None:
    """The title decides: an enhanced SR and a missing template make no difference."""
    data = make.chest_ct(SOPClassUID=make.ENHANCED_SR, ContentTemplateSequence=None)
    assert len(read(data, tmp_path).events) == 3


def test_other_reports_are_refused(tmp_path: Path) -> None:
    """A structured report of something else says what it is."""
    with pytest.raises(InvalidInput, match="not 'X-Ray Radiation Dose Report'"):
        read(make.report(title="126000"), tmp_path)


def test_wrapped_events_are_found(tmp_path: Path) -> None:
    """Events and totals that a vendor puts into a further container are read all the same."""
    data = make.chest_ct()
    first, *rest = data.ContentSequence
    data.ContentSequence = [first, make.container("121070", *rest)]
    report = read(data, tmp_path)
    assert (len(report.events), report.total("dlp")) == (3, 236.09)
