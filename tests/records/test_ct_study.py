"""A study's images and dose report joined into one scan."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest

import wholedose as wd
from wholedose.base import InvalidInput
from wholedose.records import DoseReport, read, read_ct_study
from wholedose.synthetic import StudyTruth
from wholedose.xray import CtScan

Study = tuple[Path, StudyTruth]


def test_study_has_what_the_truth_says(study: Study) -> None:
    """Images and report together give technique, output, current along z and the person."""
    folder, truth = study
    scan = read_ct_study(folder)
    item = scan.single_range()
    assert item.ctdivol_mgy is not None
    assert item.dlp_mgy_cm is not None
    assert item.kv is not None
    assert item.current is not None
    assert item.ctdivol_mgy.value == pytest.approx(truth.ctdivol_mgy, rel=0.01)
    assert item.dlp_mgy_cm.value == pytest.approx(truth.dlp_mgy_cm, rel=0.01)
    assert item.ctdivol_mgy.tag == "extracted"
    assert item.phantom_cm is not None
    assert item.phantom_cm.value == 32
    assert item.kv.value == 120.0
    assert item.current.ma.max() > 1.1 * item.current.ma.min()
    assert {name: tagged.value for name, tagged in scan.person.items()} == {
        "sex": "F",
        "age_y": 34.0,
        "height_cm": 168.0,
        "weight_kg": 61.0,
    }
    assert len(scan.inputs) == 2


def test_images_alone(study: Study, tmp_path: Path) -> None:
    """Without the report, the headers give CTDIvol; DLP is left open."""
    shutil.copytree(study[0] / "images", tmp_path / "images")
    item = read_ct_study(tmp_path / "images").single_range()
    assert item.ctdivol_mgy is not None
    assert item.ctdivol_mgy.value == pytest.approx(study[1].ctdivol_mgy, rel=0.05)
    assert item.dlp_mgy_cm is None


def test_report_alone_is_a_report(study: Study) -> None:
    """`wd.read` of a dose report gives the report; of the study, a scan."""
    assert isinstance(wd.read(study[0] / "dose_report.dcm"), DoseReport)
    assert isinstance(read(study[0]), CtScan)


def test_report_of_another_patient_is_refused(study: Study, tmp_path: Path) -> None:
    """A dose report that names another patient is refused, with both names."""
    shutil.copytree(study[0], tmp_path / "study")
    path = tmp_path / "study" / "dose_report.dcm"
    data = pydicom.dcmread(path)
    ours, data.PatientID = data.PatientID, "SOMEBODY-ELSE"
    data.save_as(path)
    with pytest.raises(InvalidInput, match=f"SOMEBODY-ELSE.*{ours}"):
        read_ct_study(tmp_path / "study")


def test_report_of_another_study_is_set_aside(study: Study, tmp_path: Path) -> None:
    """A dose report of another examination of the same patient does not change the scan."""
    shutil.copytree(study[0], tmp_path / "study")
    path = tmp_path / "study" / "dose_report.dcm"
    data = pydicom.dcmread(path)
    data.StudyInstanceUID = "2.25.1234"
    data.save_as(path)
    assert read_ct_study(tmp_path / "study").single_range().dlp_mgy_cm is None


def test_typed_values_override(study: Study) -> None:
    """A typed CTDIvol replaces the one read, and the DLP keeps the irradiated length."""
    scan = read_ct_study(study[0])
    before, after = scan.single_range(), scan.with_typed(ctdivol_mgy=9.18).single_range()
    assert before.ctdivol_mgy is not None
    assert before.dlp_mgy_cm is not None
    assert after.ctdivol_mgy is not None
    assert after.dlp_mgy_cm is not None
    assert after.ctdivol_mgy.where == "typed"
    length = before.dlp_mgy_cm.value / before.ctdivol_mgy.value
    assert after.dlp_mgy_cm.value / after.ctdivol_mgy.value == pytest.approx(length)


def test_nifti_needs_its_technique(study: Study) -> None:
    """A NIfTI volume comes as an image without technique."""
    import nibabel

    scan = read_ct_study(study[0])
    assert scan.image is not None
    image = nibabel.Nifti1Image(scan.image.values.transpose(2, 1, 0), scan.image.grid.affine_ras())
    path = study[0].parent / "image.nii.gz"
    nibabel.save(image, path)
    again = read_ct_study(path)
    assert again.image is not None
    assert again.image.grid.matches(scan.image.grid)
    np.testing.assert_array_equal(again.image.values, scan.image.values)
    assert again.single_range().kv is None


def test_nothing_there(tmp_path: Path) -> None:
    """An absent path and an empty folder are refused with a sentence."""
    with pytest.raises(InvalidInput, match="no such file or folder"):
        read(tmp_path / "absent")
    with pytest.raises(InvalidInput):
        read(tmp_path)
