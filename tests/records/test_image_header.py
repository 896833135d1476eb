"""Exposures in image headers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian
from tests.records.make_reports import ROOT

from wholedose.records.image_header import read_image_header

DX, MG, SC = "1.2.840.10008.5.1.4.1.1.1.1", "1.2.840.10008.5.1.4.1.1.1.2", "1.2.840.10008.5.1.4.1.1.7"
RTPLAN = "1.2.840.10008.5.1.4.1.1.481.5"


def save(
    path: Path, modality: str, sop_class: str, raw: dict[bytes, bytes] | None = None, **values: Any
) -> Path:
    """Write an image header; `raw` sets values as bytes, past pydicom's checks."""
    data = Dataset()
    data.SOPClassUID, data.SOPInstanceUID, data.Modality = sop_class, f"{ROOT}.3.1", modality
    data.StudyInstanceUID, data.SeriesInstanceUID = f"{ROOT}.3.2", f"{ROOT}.3.3"
    if "Rows" not in values:
        data.Rows, data.Columns = 8, 8
    for keyword, value in values.items():
        if value is not None:
            setattr(data, keyword, value)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = sop_class, data.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta = meta
    data.save_as(path, enforce_file_format=True)
    if raw:
        content = path.read_bytes()
        for written, wanted in raw.items():
            assert content.count(written) == 1
            assert len(written) == len(wanted)
            content = content.replace(written, wanted)
        path.write_bytes(content)
    return path


def test_a_radiograph_gives_one_exposure(tmp_path: Path) -> None:
    """Tube voltage, current, time, exposure and DAP in our units, with the attribute's keyword as code."""
    facts = read_image_header(
        save(
            tmp_path / "dx.dcm",
            "DX",
            DX,
            KVP="69.64",
            XRayTubeCurrent="189",
            ExposureTime="6",
            Exposure="1",
            ExposureInuAs="1040",
            ImageAndFluoroscopyAreaDoseProduct="0.41",
            DistanceSourceToDetector="1100",
        )
    )
    (exposure,) = facts.exposures
    numbers = {"kv": 69.64, "tube_current": 189, "exposure_time": 0.006, "exposure": 1.04, "dap": 0.041}
    for name, number in numbers.items():
        assert exposure.number(name) == number, name
    assert exposure.quantities["exposure"].code == "ExposureInuAs"
    assert facts.totals["dap"].value == 0.041
    assert (facts.kind, facts.modality, facts.findings) == ("image", "DX", ())


def test_a_mammogram_gives_its_glandular_dose_by_side(tmp_path: Path) -> None:
    """Organ dose in dGy becomes mean glandular dose in mGy; an integer entrance dose of 0 is no value."""
    facts = read_image_header(
        save(
            tmp_path / "mg.dcm",
            "MG",
            MG,
            KVP="29",
            OrganDose="0.01409",
            EntranceDoseInmGy="4.931",
            EntranceDose=0,
            BodyPartThickness="39",
            ImageLaterality="L",
            AnodeTargetMaterial="RHODIUM",
        )
    )
    assert facts.totals["mean_glandular_dose_left"].value == 1.409
    assert facts.exposures[0].number("entrance_air_kerma") == 4.931
    assert facts.exposures[0].number("compression_thickness") == 39


def test_an_entrance_dose_of_zero_is_no_value(tmp_path: Path) -> None:
    """The integer attribute in dGy holds 0 for every mammogram: it is left out."""
    facts = read_image_header(save(tmp_path / "mg.dcm", "MG", MG, KVP="29", EntranceDose=0))
    assert "entrance_air_kerma" not in facts.exposures[0].quantities


def test_filters_separated_by_commas_are_read(tmp_path: Path) -> None:
    """One vendor separates several filters by commas, which DICOM doesn't allow: both are read."""
    path = save(
        tmp_path / "dx.dcm", "DX", DX, {b"ALUMINUM_COPPER": b"ALUMINUM,COPPER", b"1.061111": b"1.06,0.2"},
        KVP="80", FilterMaterial="ALUMINUM_COPPER", FilterThicknessMinimum="1.061111",
    )  # fmt: skip
    filters = read_image_header(path).exposures[0].filters
    assert [one["filter_material"].value for one in filters] == ["ALUMINUM", "COPPER"]
    assert [one["filter_thickness_min"].value for one in filters] == [1.06, 0.2]


@pytest.mark.parametrize(
    ("keyword", "value", "name"),
    [("DistanceSourceToDetector", "11.5", "source_to_detector"), ("KVP", "2", "kv")],
)
def test_impossible_values_are_left_out(keyword: str, value: str, name: str, tmp_path: Path) -> None:
    """A detector at 11.5 mm or a tube voltage of 2 kV is no value, and said so."""
    facts = read_image_header(save(tmp_path / "dx.dcm", "DX", DX, None, Exposure="9", **{keyword: value}))
    assert name not in facts.exposures[0].quantities
    assert f"{keyword}: {value} " in facts.findings[0].what
    assert "is impossible; left out" in facts.findings[0].what


def test_a_secondary_capture_is_named_and_not_counted(tmp_path: Path) -> None:
    """A picture of a dose page is no exposure, whatever technique its header copies."""
    facts = read_image_header(
        save(tmp_path / "sc.dcm", "CT", SC, KVP="120", ImageType=["DERIVED", "SECONDARY"])
    )
    assert (facts.kind, facts.exposures) == ("image", ())
    assert facts.findings[0].what.startswith("A secondary capture")


def test_an_original_image_stored_as_secondary_capture_is_an_exposure(tmp_path: Path) -> None:
    """One vendor stores raw projections as secondary captures: ORIGINAL says that they are exposures."""
    facts = read_image_header(
        save(tmp_path / "sc.dcm", "MG", SC, KVP="28", ImageType=["ORIGINAL", "PRIMARY"])
    )
    assert len(facts.exposures) == 1


def test_plans_and_other_modalities_are_named(tmp_path: Path) -> None:
    """A treatment plan is a plan; a magnetic resonance image is an image without exposure."""
    assert read_image_header(save(tmp_path / "p.dcm", "RTPLAN", RTPLAN, Rows=None)).kind == "plan"
    facts = read_image_header(save(tmp_path / "mr.dcm", "MR", "1.2.840.10008.5.1.4.1.1.4"))
    assert (facts.kind, facts.exposures) == ("image", ())
    assert facts.findings[0].what == "Modality MR is named and left for later."


def test_an_enhanced_image_is_read_through_its_functional_groups(tmp_path: Path) -> None:
    """Technique in shared and per-frame groups is found; it is that of the first frame, and said so."""
    exposure, details, shared, frame = Dataset(), Dataset(), Dataset(), Dataset()
    exposure.XRayTubeCurrentInmA, exposure.CTDIvol = 210.5, 7.25
    details.KVP = "100"
    shared.CTXRayDetailsSequence, frame.CTExposureSequence = [details], [exposure]
    path = save(
        tmp_path / "ct.dcm", "CT", "1.2.840.10008.5.1.4.1.1.2.1", NumberOfFrames="4",
        SharedFunctionalGroupsSequence=[shared], PerFrameFunctionalGroupsSequence=[frame],
    )  # fmt: skip
    facts = read_image_header(path)
    numbers = [facts.exposures[0].number(name) for name in ("kv", "tube_current", "ctdivol")]
    assert numbers == [100, 210.5, 7.25]
    assert "of 4 frames" in facts.findings[0].what
