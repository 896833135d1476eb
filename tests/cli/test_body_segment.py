"""`wholedose body segment` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from tests.body.make_ct import as_ct, dice

from wholedose.base import Grid
from wholedose.body import Body, Person, reference
from wholedose.body.locate import region_range, whole_organ
from wholedose.cli.main import cli, main
from wholedose.dose import nifti_bytes, read_own_nifti

HE = ["--sex", "M", "--age", "40", "--height", "176", "--weight", "73"]


@pytest.fixture(scope="module")
def he() -> Body:
    return reference(Person("M", 40, 176, 73), "supine, arms up", 6.0)


@pytest.fixture(scope="module")
def chest(he: Body, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chest CT of him as a NIfTI file."""
    image = as_ct(he, region_range(he, "chest"))
    path = tmp_path_factory.mktemp("ct") / "chest.nii.gz"
    path.write_bytes(nifti_bytes(image.grid, image.values))
    return path


def test_a_ct_in_labels_and_names_out(chest: Path, he: Body, tmp_path: Path) -> None:
    """Labels lie on the grid of the file, the JSON names each that occurs, and the lungs are in place."""
    out = tmp_path / "mine.nii.gz"
    done = CliRunner().invoke(
        cli, ["body", "segment", str(chest), "--out", str(out), *HE, "--voxel", "6"], catch_exceptions=False
    )
    assert done.exit_code == 0
    names = {int(i): name for i, name in json.loads((tmp_path / "mine.json").read_text()).items()}
    grid, labels = read_own_nifti(out)
    given, _ = read_own_nifti(chest)
    assert grid == given
    assert set(np.unique(labels)) - {0} == set(names)
    assert f"{len(names)} organs in {out}, their names in {tmp_path / 'mine.json'}" in done.output
    z, at = he.grid.axes_mm()[0], grid.axes_mm()[0]
    keep = (z > at[0] - 1) & (z < at[-1] + 1)
    truth = np.pad(whole_organ(he, "lungs")[keep], ((0, 0), (8, 8), (0, 0)))
    assert dice(labels == next(i for i, name in names.items() if name == "lungs"), truth) > 0.85


def test_what_was_assumed_is_said(chest: Path, tmp_path: Path) -> None:
    """Without a person the image decides the weight; parts are named apart; a plain .nii is one."""
    out = tmp_path / "labels.nii"
    done = CliRunner().invoke(
        cli,
        ["body", "segment", str(chest), "--out", str(out), "--parts", "--voxel", "6"],
        catch_exceptions=False,
    )
    assert done.exit_code == 0
    told = [line for line in done.output.splitlines() if line.startswith("assumed: ")]
    for what in ("sex", "age", "height", "weight"):
        assert any(line.startswith(f"assumed: {what}") for line in told), what
    assert "heart_wall" in json.loads((tmp_path / "labels.json").read_text()).values()
    assert out.read_bytes()[:2] != b"\x1f\x8b"  # not zipped


def spoilt(tmp_path: Path, kind: str) -> Path:
    """Inputs that are no CT of a person."""
    path = tmp_path / "input.nii.gz"
    if kind == "absent":
        return path
    if kind == "text":
        path.write_text("not an image")
    elif kind == "empty folder":
        (path := tmp_path / "folder").mkdir()
    elif kind == "air":
        grid = Grid((20, 40, 40), (6.0, 6.0, 6.0), (0.0, 0.0, 0.0))
        path.write_bytes(nifti_bytes(grid, np.full(grid.shape, -1000, dtype=np.int16)))
    return path


@pytest.mark.parametrize(
    ("kind", "message"),
    [("absent", "no such file"), ("text", "NIfTI"), ("empty folder", "is empty"), ("air", "no body")],
)
def test_what_is_no_ct_is_one_sentence(
    kind: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is no CT of a person ends in one sentence with exit status 2, and no file is left."""
    out = tmp_path / "out" / "labels.nii.gz"
    refused(["body", "segment", str(spoilt(tmp_path, kind)), "--out", str(out)], message, capsys)
    assert not out.parent.exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--out", "labels.txt"], "Labels are written as NIfTI"),
        (["--height", "300"], "A height of 300 cm is not plausible"),
        (["--region", "chst"], "did you mean 'chest'"),
        (["--voxel", "0.01"], "voxel"),
        (["--sex", "X"], "'X' is not one of"),
    ],
)
def test_bad_options_are_one_sentence(
    words: list[str], message: str, chest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """What cannot be asked for ends in one sentence with exit status 2, and no file is left."""
    monkeypatch.chdir(tmp_path)
    refused(["body", "segment", str(chest), *words], message, capsys)
    assert not list(tmp_path.iterdir())


def refused(words: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(words)
    assert stop.value.code == 2
    said = capsys.readouterr().err
    print(said)
    assert message in said
    assert "Traceback" not in said
    assert len([line for line in said.strip().splitlines() if line.startswith(("wholedose:", "Error:"))]) == 1
