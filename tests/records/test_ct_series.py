"""Promises of `records.ct_series`: geometry, HU, facts, and refusals with a way out."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.records.make_ct import (
    FRAME_OF_REFERENCE,
    SERIES,
    enhanced_dataset,
    phantom,
    slice_dataset,
    write,
    write_series,
)

from wholedose.base import InvalidInput, MissingInput, UnknownName
from wholedose.records.ct_series import cut_sides, read_ct_series


def test_unsorted_slices_become_a_volume_in_lps(tmp_path: Path) -> None:
    """Whatever the order of files, z ascends, HU are exact and the grid is that of the headers."""
    write_series(tmp_path)
    series = read_ct_series(tmp_path)
    assert np.array_equal(series.image.values, np.maximum(phantom(), -1024))
    assert series.image.values.dtype == np.int16
    assert series.image.unit == "HU"
    assert series.image.grid.spacing_mm == (3.0, 2.0, 2.5)
    assert series.image.grid.origin_mm == (-20.0, -30.0, 100.0)
    assert series.uids == {"study": "2.25.1000", "series": SERIES, "frame_of_reference": FRAME_OF_REFERENCE}
    assert series.findings == ()


def test_facts_are_tagged_and_per_slice_facts_follow_z(tmp_path: Path) -> None:
    """Technique, device and patient come with unit, attribute and tag; slice facts in the order of z."""
    write_series(tmp_path)
    facts = read_ct_series(tmp_path).facts
    assert (facts["kv"].value, facts["kv"].unit, facts["kv"].tag, facts["kv"].code) == (
        120.0,
        "kV",
        "extracted",
        "KVP",
    )
    assert facts["tube_current_ma"].value == (201, 202, 203, 204, 205, 206)
    assert facts["ctdivol_mgy"].value == pytest.approx((5.1, 5.2, 5.3, 5.4, 5.5, 5.6))
    assert facts["z_mm"].value == (100, 103, 106, 109, 112, 115)
    assert facts["collimation_mm"].value == 38.4
    assert facts["phantom_cm"].value == 32
    assert facts["height_cm"].value == 168
    assert (facts["age_y"].value, facts["age_y"].tag) == (38.0, "derived")
    assert facts["filter"].value == "BODY"
    # Exposure is mA·t/pitch rounded down here, which tells that Exposure Time is one rotation
    assert (facts["rotation_time_s"].value, facts["rotation_time_s"].tag) == (0.5, "derived")
    assert facts["effective_mas"].value[0] == pytest.approx(201 * 0.5 / 0.8, abs=1e-3)


def test_a_missing_fact_names_what_is_there(tmp_path: Path) -> None:
    """Asking for a fact that the headers don't hold says so and lists the others."""
    write_series(tmp_path, KVP=None)
    with pytest.raises(MissingInput, match=r"does not say kv\..*Known: .*ctdivol_mgy"):
        read_ct_series(tmp_path).fact("kv")


ORIENTATIONS = {
    "feet first supine": ([-1, 0, 0, 0, 1, 0], lambda a: a[:, :, ::-1], (1, 0)),
    "prone": ([-1, 0, 0, 0, -1, 0], lambda a: a[:, ::-1, ::-1], (1, 1)),
    "columns up": ([1, 0, 0, 0, -1, 0], lambda a: a[:, ::-1, :], (0, 1)),
}


@pytest.mark.parametrize("name", ORIENTATIONS)
def test_every_orientation_gives_the_same_volume(tmp_path: Path, name: str) -> None:
    """Feet first, prone or flipped: the patient's left stays left."""
    cosines, turn, (flip_x, flip_y) = ORIENTATIONS[name]
    hu: Any = turn(phantom())  # type: ignore[no-untyped-call]
    x = -20.0 + flip_x * 2.5 * (hu.shape[2] - 1)
    y = -30.0 + flip_y * 2.0 * (hu.shape[1] - 1)
    for k in range(len(hu)):
        dataset = slice_dataset(hu[k], (x, y, 100.0 + 3 * k), k + 1, ImageOrientationPatient=cosines)
        write(tmp_path / f"{k}.dcm", dataset)
    series = read_ct_series(tmp_path)
    assert np.array_equal(series.image.values, np.maximum(phantom(), -1024))
    assert series.image.grid.origin_mm == (-20.0, -30.0, 100.0)
    assert series.facts["tube_current_ma"].value == (201, 202, 203, 204, 205, 206)


def test_a_coronal_series_is_turned_to_axial(tmp_path: Path) -> None:
    """Slices along y fill the same grid."""
    hu = phantom()
    for j in range(hu.shape[1]):
        dataset = slice_dataset(
            hu[::-1, j, :],
            (-20.0, -30.0 + 2.0 * j, 115.0),
            j + 1,
            ImageOrientationPatient=[1, 0, 0, 0, 0, -1],
            PixelSpacing=[3.0, 2.5],
        )
        write(tmp_path / f"{j}.dcm", dataset)
    series = read_ct_series(tmp_path)
    assert np.array_equal(series.image.values, np.maximum(hu, -1024))
    assert series.image.grid.spacing_mm == (3.0, 2.0, 2.5)


def test_enhanced_multi_frame(tmp_path: Path) -> None:
    """An enhanced CT gives the volume and the facts of its functional groups."""
    write(tmp_path / "enhanced.dcm", enhanced_dataset(phantom()))
    series = read_ct_series(tmp_path / "enhanced.dcm")
    assert np.array_equal(series.image.values, np.maximum(phantom(), -1024))
    assert series.facts["tube_current_ma"].value == (200, 201, 202, 203, 204, 205)
    assert series.facts["kv"].value == 120


def test_a_tilted_gantry_is_resampled(tmp_path: Path) -> None:
    """Slices tilted by 15° that the table feeds along z come out axial, with a finding; a linear HU stays."""
    angle = np.radians(15.0)
    cosines = [1, 0, 0, 0, float(np.cos(angle)), float(np.sin(angle))]
    shape = (8, 24, 20)
    for k in range(shape[0]):
        z = 100.0 + 3 * k + 2.0 * np.sin(angle) * np.arange(shape[1])[:, None] + np.zeros((1, shape[2]))
        write(
            tmp_path / f"{k}.dcm",
            slice_dataset(
                np.rint(10 * (z - 100)), (-20, -30, 100 + 3 * k), k + 1, ImageOrientationPatient=cosines
            ),
        )
    series = read_ct_series(tmp_path)
    assert any("tilted by 15.0°" in finding for finding in series.findings)
    z_axis = series.image.grid.axes_mm()[0]
    inside = series.image.values > -1024
    expected = np.broadcast_to(10 * (z_axis[:, None, None] - 100), series.image.values.shape)
    assert inside.mean() > 0.5
    core = inside[2:-2, 2:-2, 2:-2] & (expected[2:-2, 2:-2, 2:-2] > 20) & (expected[2:-2, 2:-2, 2:-2] < 200)
    error = (series.image.values - expected)[2:-2, 2:-2, 2:-2][core]
    assert np.abs(error).max() <= 1.5
    cosines = [1, 0, 0, 0, float(np.cos(0.7)), float(np.sin(0.7))]
    write_series(tmp_path / "steep", ImageOrientationPatient=cosines)
    with pytest.raises(InvalidInput, match="tilted by 40° against the patient axes"):
        read_ct_series(tmp_path / "steep")


def test_rescale_is_never_guessed(tmp_path: Path) -> None:
    """HU without rescale, or values of another kind, are refused."""
    write_series(tmp_path / "a", RescaleIntercept=None)
    with pytest.raises(InvalidInput, match="has no Rescale Slope and Intercept"):
        read_ct_series(tmp_path / "a")
    write_series(tmp_path / "b", RescaleType="US")
    with pytest.raises(InvalidInput, match="of type US, not HU"):
        read_ct_series(tmp_path / "b")


def test_fractional_rescale_gives_float(tmp_path: Path) -> None:
    """A slope other than one is applied exactly."""
    write_series(tmp_path, RescaleSlope="0.5", RescaleIntercept="-1024")
    series = read_ct_series(tmp_path)
    assert series.image.values.dtype == np.float32
    assert np.array_equal(series.image.values, np.maximum(phantom(), -1024))


def test_two_patients_are_refused_by_name(tmp_path: Path) -> None:
    """A folder that mixes patients names both."""
    write_series(tmp_path)
    write_series(tmp_path / "b", first=50, PatientID="T2", PatientName="TEST^TWO")
    with pytest.raises(InvalidInput, match=r"belong to 2 patients.*TEST\^ONE \(T1\).*TEST\^TWO \(T2\)"):
        read_ct_series(tmp_path)


def test_several_series_must_be_chosen(tmp_path: Path) -> None:
    """Two reconstructions are listed with the way to choose; each way works; a wrong one lists the known."""
    write_series(tmp_path / "a")
    write_series(
        tmp_path / "b", first=50, SeriesInstanceUID="2.25.77", SeriesNumber=3, SeriesDescription="lung"
    )
    with pytest.raises(
        InvalidInput, match=r"There are 2 CT series: series 2 chest, 6 slices.*lung.*Choose one by UID"
    ):
        read_ct_series(tmp_path)
    for choice in ("2.25.77", "3", "lung"):
        assert read_ct_series(tmp_path, series=choice).uids["series"] == "2.25.77"
    with pytest.raises(UnknownName, match=r"No series '9'.*Known: 2\.25\.1001, 2\.25\.77"):
        read_ct_series(tmp_path, series="9")


def test_localizers_reports_and_derived_images_are_set_aside(tmp_path: Path) -> None:
    """What is no original axial volume does not ask for a choice, but is told."""
    write_series(tmp_path / "a")
    hu = phantom()[0]
    write(
        tmp_path / "scout.dcm",
        slice_dataset(
            hu, (0, 0, 0), 90, SeriesInstanceUID="2.25.5", ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"]
        ),
    )
    write_series(
        tmp_path / "mpr", first=50, SeriesInstanceUID="2.25.6", ImageType=["DERIVED", "SECONDARY", "MPR"]
    )
    write(
        tmp_path / "dose.dcm",
        slice_dataset(hu, (0, 0, 0), 91, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.67", Modality="SR"),
    )
    (tmp_path / "readme.txt").write_text("hello")
    series = read_ct_series(tmp_path)
    assert series.uids["series"] == SERIES
    told = " ".join(series.findings)
    assert "1 localizer" in told
    assert "1 X-Ray Radiation Dose SR Storage" in told
    assert "1 not DICOM" in told
    assert "2.25.6" in told


def test_missing_slices_are_named(tmp_path: Path) -> None:
    """Gaps are errors that name the positions."""
    paths = sorted(write_series(tmp_path), reverse=True)
    paths[2].unlink()
    with pytest.raises(InvalidInput, match=r"1 of 6 slices are missing, at z = 106\.0 mm"):
        read_ct_series(tmp_path)


def test_uneven_slices_are_refused(tmp_path: Path) -> None:
    """Distances that are no multiples of one another are refused."""
    for k, z in enumerate((0.0, 3.0, 6.0, 10.4, 13.4)):
        write(tmp_path / f"{k}.dcm", slice_dataset(phantom()[k], (0, 0, z), k + 1))
    with pytest.raises(InvalidInput, match=r"unevenly spaced: 3\.000 to 4\.400 mm"):
        read_ct_series(tmp_path)


def test_duplicates(tmp_path: Path) -> None:
    """Identical duplicates are dropped with a finding; conflicting ones are refused."""
    write_series(tmp_path)
    write(tmp_path / "again.dcm", slice_dataset(phantom()[1], (-20, -30, 103.0), 60))
    series = read_ct_series(tmp_path)
    assert series.image.grid.shape == (6, 24, 20)
    assert series.findings == ("1 duplicated slices were left out.",)
    write(tmp_path / "again.dcm", slice_dataset(phantom()[1] + 5, (-20, -30, 103.0), 60))
    with pytest.raises(InvalidInput, match="1 slice positions hold two different images"):
        read_ct_series(tmp_path)


def test_refusals(tmp_path: Path) -> None:
    """Single slices, other modalities, empty folders and mixed geometry each get a sentence."""
    write(tmp_path / "one.dcm", slice_dataset(phantom()[0], (0, 0, 0), 1))
    with pytest.raises(InvalidInput, match="single slice; a dose needs the volume"):
        read_ct_series(tmp_path)
    write_series(tmp_path / "mr", Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4")
    with pytest.raises(InvalidInput, match="There is no CT image series; found: 6 MR Image Storage"):
        read_ct_series(tmp_path / "mr")
    (tmp_path / "none").mkdir()
    with pytest.raises(InvalidInput, match="The folder is empty"):
        read_ct_series(tmp_path / "none")
    write_series(tmp_path / "mixed")
    write(tmp_path / "mixed" / "x.dcm", slice_dataset(phantom()[0], (-20, -30, 200), 70, PixelSpacing=[1, 1]))
    with pytest.raises(InvalidInput, match="differ in size, pixel spacing or orientation"):
        read_ct_series(tmp_path / "mixed")


def test_broken_files(tmp_path: Path) -> None:
    """Empty, sparse 2 GB, truncated and endless files are refused quickly and by name."""
    paths = write_series(tmp_path)
    whole = paths[0].read_bytes()
    paths[0].write_bytes(b"")
    with pytest.raises(InvalidInput, match="The file is empty"):
        read_ct_series(tmp_path)
    with paths[0].open("wb") as stream:
        stream.write(whole)
        stream.truncate(2 << 30)
    with pytest.raises(InvalidInput, match=r"2\.0 GiB; more than 1 GiB is not read"):
        read_ct_series(tmp_path)
    with paths[0].open("wb") as stream:
        stream.write(whole[:400])
        stream.truncate(900 << 20)
    with pytest.raises(InvalidInput, match="broken"):
        read_ct_series(tmp_path)
    paths[0].write_bytes(whole[:-100])
    with pytest.raises(InvalidInput, match=r"broken or not readable.*Export it again"):
        read_ct_series(tmp_path)


def test_padding_and_truncated_body(tmp_path: Path) -> None:
    """Padding becomes air; a body that reaches a side of the image is a finding, a couch below is not."""
    hu = np.full((4, 60, 60), -1000, np.int16)
    hu[:, 10:50, 20:] = 30
    hu[:, 55:58, :] = 100
    hu[:, 0, 0] = 1
    write_series(tmp_path, hu, PixelPaddingValue=1025, PixelSpacing=[2.0, 2.0])
    series = read_ct_series(tmp_path)
    assert (series.image.values[:, 0, 0] == -1024).all()
    assert series.findings == ("The body is cut at the edge of the image: left.",)
    assert cut_sides(series.image.values[:, :, :50], series.image.grid) == ("left",)
    assert cut_sides(np.pad(hu, ((0, 0), (0, 0), (9, 9)), constant_values=-1000), series.image.grid) == ()


def test_the_series_may_be_given_as_files(tmp_path: Path) -> None:
    """A list of files reads as the folder does, and is provenance."""
    paths = write_series(tmp_path)
    series = read_ct_series(paths)
    assert series.paths == tuple(sorted(paths, reverse=True))
    with pytest.raises(InvalidInput, match="No files were given"):
        read_ct_series([])


@pytest.mark.parametrize(
    "command", [["dcmcrle"], ["dcmcjpeg", "+e1"], ["dcmcjpls"]], ids=["RLE", "JPEG lossless", "JPEG-LS"]
)
def test_compressed_slices(tmp_path: Path, command: list[str]) -> None:
    """Losslessly compressed slices, written by DCMTK, give the same HU; JPEG Lossless by way of GDCM."""
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} (dcmtk) is not installed")
    (tmp_path / "packed").mkdir()
    for path in write_series(tmp_path / "raw"):
        subprocess.run([*command, path, tmp_path / "packed" / path.name], check=True, capture_output=True)
    series = read_ct_series(tmp_path / "packed")
    assert np.array_equal(series.image.values, np.maximum(phantom(), -1024))


def test_deflated_and_lossy_files(tmp_path: Path) -> None:
    """A deflated object, which could inflate without bound, is refused; loss in the past is a finding."""
    write_series(tmp_path / "lossy", LossyImageCompression="01")
    assert "compressed with loss" in read_ct_series(tmp_path / "lossy").findings[0]
    dataset = slice_dataset(phantom()[0], (0, 0, 0), 1)
    dataset.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2.1.99"
    path = write(tmp_path / "deflated.dcm", dataset)
    with pytest.raises(InvalidInput, match=r"deflated objects are not read; convert it with `dcmconv \+te`"):
        read_ct_series(path)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("693_UNCI.dcm", "single slice"),
        ("JPEG-LL.dcm", "There is no CT image series; found: 1 Secondary Capture"),
        ("bad_sequence.dcm", "single slice"),
        ("eCT_Supplemental.dcm", "rescaled values are of type US, not HU"),
        ("explicit_VR-UN.dcm", "single slice"),
    ],
)
def test_odd_files(shared: Path, name: str, sentence: str) -> None:
    """Odd but legal files are understood as far as to say why they are no CT volume."""
    with pytest.raises(InvalidInput, match=sentence):
        read_ct_series(shared / "odd_dicom" / name)


@pytest.mark.shared
def test_siemens_series(shared: Path) -> None:
    """A de-identified JPEG 2000 series without UIDs reads with the vendor's mA, exposure and CTDIvol."""
    series = read_ct_series(shared / "ct" / "example_ct_dicom")
    assert series.image.grid.shape == (20, 512, 512)
    assert series.image.grid.spacing_mm == (2.0, 0.9765625, 0.9765625)
    assert series.facts["rotation_time_s"].value == 0.33
    at_615 = series.facts["tube_current_ma"].value.index(615)
    assert series.facts["effective_mas"].value[at_615] == pytest.approx(253.7, abs=0.05)
    per_ma = np.divide(series.facts["ctdivol_mgy"].value, series.facts["tube_current_ma"].value)
    assert per_ma == pytest.approx(0.030149, abs=1e-6)
    assert series.findings == ()
