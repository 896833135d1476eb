"""What a user can do wrong, from the command line: each ends with one sentence and leaves nothing behind."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import nibabel
import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from tests.records.make_ct import phantom, slice_dataset, write, write_series

import wholedose as wd
from wholedose.body.masses import targets_of
from wholedose.cli.main import cli, main
from wholedose.synthetic import StudyTruth, simulate_study
from wholedose.xray import CtScan

TECHNIQUE = ("--kv", "120", "--ctdivol", "8.2", "--phantom", "32")
PERSON = ("--sex", "F", "--age", "34")

Refused = Callable[..., str]


@pytest.fixture
def refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
    """Run the command line; it must end with status 2, one sentence and nothing written."""

    def run(*arguments: str | Path, out: Path | None = None) -> str:
        target = out or tmp_path / "result" / "out"
        before = sorted(path.name for path in tmp_path.iterdir())
        with pytest.raises(SystemExit) as stop:
            main(["ct", "estimate", *map(str, arguments), "--out", str(target), "--quiet"])
        message = capsys.readouterr().err
        assert stop.value.code == 2
        assert "Traceback" not in message
        assert sorted(path.name for path in tmp_path.iterdir()) == before
        said = message.strip().splitlines()
        if message.startswith("Usage:"):
            return said[-1].removeprefix("Error: ")
        assert len(said) == 1
        assert said[0].startswith("wholedose: ")
        return said[0].removeprefix("wholedose: ")

    return run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A sound little series to spoil."""
    write_series(tmp_path / "study")
    return tmp_path / "study"


def nifti(path: Path, values: NDArray[np.int16], mm: float = 6.0) -> Path:
    affine = np.diag([-mm, -mm, mm, 1.0])
    nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(values.transpose(2, 1, 0)), affine), path)
    return path


def ellipse(slices: int = 12) -> NDArray[np.int16]:
    y, x = np.mgrid[-120:121:6, -180:181:6]
    plane = np.where((x / 165.0) ** 2 + (y / 105.0) ** 2 < 1, 40, -1000).astype(np.int16)
    return np.stack([plane] * slices)


def test_patients_are_not_mixed(folder: Path, refused: Refused) -> None:
    """A folder with two patients is refused, and both are named."""
    write_series(folder / "other", PatientID="T2", SeriesInstanceUID="2.25.7")
    message = refused(folder)
    assert "T1" in message
    assert "T2" in message


def test_series_are_not_mixed(folder: Path, refused: Refused) -> None:
    """Of two series one must be chosen; the message lists them, and an unknown choice is refused too."""
    write_series(folder / "other", first=50, SeriesInstanceUID="2.25.7", SeriesNumber=3)
    assert "--series" in refused(folder)
    assert "No series 'nope'" in refused(folder, "--series", "nope")


def test_missing_slice(folder: Path, refused: Refused) -> None:
    """A gap is named by its place."""
    (folder / "003_1.dcm").unlink()
    assert "1 of 6 slices are missing, at z = 109.0 mm" in refused(folder)


def test_two_images_at_one_place(folder: Path, refused: Refused) -> None:
    """Two different images of one place are refused; the same image twice is read once."""
    shutil.copy(folder / "003_1.dcm", folder / "again.dcm")
    scan = wd.read(folder)
    assert isinstance(scan, CtScan)
    assert any("duplicated" in text for text in scan.findings)
    write(folder / "again.dcm", slice_dataset(phantom()[0] + 9, (-20.0, -30.0, 109.0), 4))
    assert "two different images" in refused(folder)


def test_uneven_slices(folder: Path, refused: Refused) -> None:
    """Slices at uneven distances are refused with the distances."""
    write(folder / "006_1.dcm", slice_dataset(phantom()[0], (-20.0, -30.0, 98.6), 1))
    assert "unevenly spaced: 3.000 to 4.400 mm" in refused(folder)


def test_gantry_tilt(tmp_path: Path, refused: Refused) -> None:
    """A tilted gantry is resampled and said; a tilt that no gantry has is refused."""
    for degrees, accepted in ((15.0, True), (40.0, False)):
        folder = tmp_path / f"tilt{degrees:.0f}"
        sin, cos = float(np.sin(np.radians(degrees))), float(np.cos(np.radians(degrees)))
        write_series(folder, ImageOrientationPatient=[1, 0, 0, 0, cos, sin])
        if accepted:
            scan = wd.read(folder)
            assert isinstance(scan, CtScan)
            assert any("tilted by 15.0°" in text for text in scan.findings)
        else:
            assert "tilted by 40°" in refused(folder)


def test_no_output_and_no_technique(folder: Path, tmp_path: Path, refused: Refused) -> None:
    """Without CTDIvol, phantom or tube voltage the dose has no scale: told before anything is computed."""
    shutil.rmtree(folder)
    write_series(folder, CTDIvol=None)
    assert "--ctdivol 8.2" in refused(folder)
    image = nifti(tmp_path / "ct.nii.gz", ellipse())
    assert "--kv 120" in refused(image)
    assert "--phantom 32" in refused(image, "--kv", "120")


@pytest.mark.parametrize("kv", ["35", "160"])
def test_tube_voltage_outside_the_table(folder: Path, refused: Refused, kv: str) -> None:
    """A tube voltage without a spectrum is refused with the range of the table."""
    message = refused(folder, "--kv", kv)
    assert f"No tube spectrum for {kv} kV" in message
    assert "40 to 150 kV" in message


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--phantom", "20", "known are 16 (head) and 32 (body)"),
        ("--ctdivol", "-3", "ctdivol_mgy is -3 mGy, outside"),
        ("--ctdivol", "nan", "not a number"),
        ("--dlp", "0", "dlp_mgy_cm is 0"),
        ("--age", "150", "Give 0 to 120 years"),
        ("--height-cm", "300", "Give 130 to 215 cm"),
        ("--target", "0", "not in the range"),
        ("--seconds", "0", "not in the range"),
        ("--voxel-mm", "50", "not in the range"),
        ("--sex", "X", "not one of 'F', 'M'"),
        ("--region", "moon", "Known: abdomen, chest"),
        ("--population", "atlantis", "No population with cancer rates 'atlantis'"),
        ("--labels", "absent.nii.gz", "no such file"),
        ("--label-names", "absent.json", "without a label map"),
    ],
)
def test_values_that_cannot_be(tmp_path: Path, refused: Refused, option: str, value: str, says: str) -> None:
    """A typed value that cannot be is refused with what can."""
    image = nifti(tmp_path / "ct.nii.gz", ellipse(4))
    assert says in refused(image, *TECHNIQUE, *PERSON, option, value)


def test_damaged_files(folder: Path, refused: Refused) -> None:
    """A bit-flipped, a cut, an empty and a 2 GB file are each refused by name."""
    path = folder / "003_1.dcm"
    whole = path.read_bytes()
    flipped = bytearray(whole)
    at = whole.find(b"\x28\x00\x10\x00US") + 8  # the value of Rows
    flipped[at] ^= 0x40
    for data in (bytes(flipped), whole[: len(whole) // 2], b""):
        path.write_bytes(data)
        assert "003_1.dcm" in refused(folder)
    with path.open("wb") as stream:
        stream.truncate(2 << 30)  # sparse: takes no space
    assert "003_1.dcm" in refused(folder)


def test_damaged_volumes(tmp_path: Path, refused: Refused) -> None:
    """NIfTI files likewise: empty, cut, of 2 GB, or not NIfTI at all."""
    image = nifti(tmp_path / "ct.nii.gz", ellipse(4))
    whole = image.read_bytes()
    for data in (b"", whole[: len(whole) // 2], b"not an image"):
        image.write_bytes(data)
        assert "ct.nii.gz" in refused(image, *TECHNIQUE)
    with (tmp_path / "big.nii").open("wb") as stream:
        stream.truncate(2 << 30)
    assert "big.nii" in refused(tmp_path / "big.nii", *TECHNIQUE)


def test_no_rescale(folder: Path, refused: Refused) -> None:
    """Stored values without a rescale are no CT numbers."""
    shutil.rmtree(folder)
    write_series(folder, RescaleSlope=None, RescaleIntercept=None)
    assert "escale" in refused(folder)


def test_magnetic_resonance(folder: Path, tmp_path: Path, refused: Refused) -> None:
    """An MR is not taken for a CT, neither as DICOM nor as NIfTI."""
    shutil.rmtree(folder)
    write_series(folder, Modality="MR", SOPClassUID="1.2.840.10008.5.1.4.1.1.4")
    assert "CT" in refused(folder)
    image = nifti(tmp_path / "mr.nii.gz", (ellipse() + 1000).astype(np.int16))
    assert "a CT in HU has air or lung" in refused(image, *TECHNIQUE)


def test_labels_of_another_grid(tmp_path: Path, refused: Refused) -> None:
    """A label map that does not lie on the image is refused with both grids."""
    image = nifti(tmp_path / "ct.nii.gz", ellipse())
    labels = nifti(tmp_path / "labels.nii.gz", (ellipse(10) > 0).astype(np.int16))
    message = refused(image, *TECHNIQUE, "--labels", labels)
    assert "61 × 41 × 10" in message
    assert "61 × 41 × 12" in message


def test_nothing_there(tmp_path: Path, refused: Refused) -> None:
    """An empty folder, a text file and a path that is not there are told apart."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("see me")
    assert "no such file or folder" in refused(tmp_path / "absent").lower()
    assert "empty" in refused(tmp_path / "empty")
    assert "notes.txt" in refused(tmp_path / "notes.txt")


def test_place_that_cannot_be_written(folder: Path, tmp_path: Path, refused: Refused) -> None:
    """A result's place that cannot be written is refused before the work, and is as it was."""
    (tmp_path / "file").write_text("mine")
    assert "is a file" in refused(folder, out=tmp_path / "file")
    assert "could not be written" in refused(folder, out=tmp_path / "file" / "deeper")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("mine")
    assert "other files (thesis.tex)" in refused(folder, out=tmp_path / "thesis")
    assert (tmp_path / "thesis" / "thesis.tex").read_text() == "mine"
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("name", ["empty.dcm", "text.dcm", "absent.dcm"])
def test_read_says_why_not(tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """`wholedose read` of what it does not know: status 2 and one line."""
    (tmp_path / "empty.dcm").write_bytes(b"")
    (tmp_path / "text.dcm").write_text("no DICOM")
    with pytest.raises(SystemExit) as stop:
        main(["read", str(tmp_path / name), "--json"])
    out, err = capsys.readouterr()
    assert stop.value.code == 2
    assert out == ""
    assert len(err.strip().splitlines()) == 1
    assert name in err


@pytest.mark.montecarlo
class TestHardCases:
    """Input that is computed all the same, with what is missing said and counted."""

    QUICK = ("--voxel-mm", "6", "--seconds", "0.2", "--target", "0.5", "--quiet")

    def test_a_child_is_completed_by_a_child(self, tmp_path: Path) -> None:
        """A chest CT of a child of 6 years gets a child's organs, an effective dose and a risk."""
        from wholedose.report.bundle import load_result

        child = wd.Person("F", 6, 115, 20)
        simulate_study(tmp_path / "study", child, slice_mm=5.0, voxel_mm=5.0)
        out = tmp_path / "child"
        done = CliRunner().invoke(
            cli,
            ["ct", "estimate", str(tmp_path / "study"), "--out", str(out), *self.QUICK],
            catch_exceptions=False,
        )
        assert done.exit_code == 0
        data = load_result(out)
        assert data["effective_dose_msv"]["value"] > 0
        assert data["risk"] is not None
        rows = {row["organ"]: row for row in data["organs"]}
        # at 6 mm, with organs cut by the image's end: a child's, not an adult's, whose liver has 2.4 times
        for organ in ("liver", "brain", "lungs"):
            wanted = sum(
                t.mass_g
                for n, t in targets_of(child).items()
                if n == organ or (n == "hippocampi" and organ == "brain")
            )
            assert rows[organ]["mass_g"] == pytest.approx(wanted, rel=0.5), organ

    def test_a_body_cut_by_the_image_warns_and_widens(
        self, study: tuple[Path, StudyTruth], tmp_path: Path
    ) -> None:
        """A field of view that cuts the body is a warning, and every organ's uncertainty grows."""
        scan = wd.read(study[0])
        assert isinstance(scan, CtScan)
        assert scan.image is not None
        found = {}
        for name, part in (("whole", slice(None)), ("cut", slice(45, -45))):
            values = scan.image.values[:, :, part].astype(np.int16)
            grid = scan.image.grid
            affine = np.diag([-grid.spacing_mm[2], -grid.spacing_mm[1], grid.spacing_mm[0], 1.0])
            path = tmp_path / f"{name}.nii.gz"
            nibabel.save(nibabel.Nifti1Image(np.ascontiguousarray(values.transpose(2, 1, 0)), affine), path)
            image = wd.read(path)
            assert isinstance(image, CtScan)
            assert image.image is not None
            found[name] = wd.body.from_ct(image.image, wd.Person("F", 34, 168, 61), voxel_mm=6.0)
        said = {item.what for item in found["cut"].assumptions}
        assert "truncated field of view" in said - {item.what for item in found["whole"].assumptions}
        assert found["cut"].anatomy_u["lungs"] > found["whole"].anatomy_u["lungs"] + 0.01

    def test_a_disk_that_fills_up_at_the_end(
        self,
        study: tuple[Path, StudyTruth],
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        refused: Refused,
    ) -> None:
        """No space for the result: one sentence, and no trace of the half-written folder."""
        calls = []

        def fills_up(handle: int) -> None:
            calls.append(handle)
            if len(calls) > 4:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(os, "fsync", fills_up)
        assert "No space left" in refused(study[0], *self.QUICK, out=tmp_path / "out")
        assert len(calls) > 4
        assert list(tmp_path.iterdir()) == []
