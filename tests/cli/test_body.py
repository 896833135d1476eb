"""`wholedose body` as a user meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wholedose.base import InvalidInput
from wholedose.body.organs import BONE_SITES, ORGANS
from wholedose.body.pose import POSES
from wholedose.cli.main import cli, main
from wholedose.report.body_folder import BODY_FILES

SHE = ["--sex", "F", "--age", "34", "--height", "168", "--weight", "61", "--quiet"]
COARSE = ["--voxel", "8"]


def shown(tmp_path: Path, *words: str) -> Any:
    out = tmp_path / "body"
    made = CliRunner().invoke(cli, ["body", "show", *SHE, *COARSE, "--out", str(out), *words])
    assert made.exit_code == 0, made.output
    return made


def test_show_writes_the_folder(tmp_path: Path) -> None:
    """`body show` writes all files of a sitting person, and lists them with what was assumed."""
    made = shown(tmp_path, "--pose", "sitting", "--organs", "liver, kidneys")
    assert {path.name for path in (tmp_path / "body").iterdir()} == set(BODY_FILES)
    assert made.output.startswith("Female, 34 years, 168 cm, 61 kg, sitting: ")
    for name in BODY_FILES:
        assert str(tmp_path / "body" / name) in made.output


def test_show_as_json(tmp_path: Path) -> None:
    """`--json` prints body.json and nothing else; the masses add up to the person."""
    data = json.loads(shown(tmp_path, "--json").output)
    assert data == json.loads((tmp_path / "body" / "body.json").read_text())
    assert data["total_mass_kg"] == pytest.approx(61.0, rel=0.02)
    assert sum(row["voxel_mass_g"] for row in data["organs"]) == pytest.approx(1000 * data["total_mass_kg"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--sex", "F", "--age", "34", "--height", "300"], "A height of 300 cm is not plausible"),
        (["--sex", "F", "--age", "34", "--weight", "12"], "A weight of 12 kg is not plausible"),
        (["--sex", "M", "--age", "34", "--pregnancy-week", "30"], "pregnan"),
        (["--sex", "F", "--age", "34", "--pose", "siting"], "did you mean 'sitting'"),
        (["--sex", "F", "--age", "34", "--voxel", "0.1"], "Voxels of 0.1 mm are not offered"),
        (["--sex", "F", "--age", "34", "--organs", " , "], "No organ is named"),
        (["--sex", "F", "--age", "34", "--voxel", "10", "--organs", "lifer"], "did you mean 'liver'"),
    ],
)
def test_bad_input_is_one_sentence(
    words: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be is refused in one sentence with exit status 2, and nothing is written."""
    out = tmp_path / "body"
    with pytest.raises(SystemExit) as stop:
        main(["body", "show", *words, "--quiet", "--out", str(out)])
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert said.startswith("wholedose: ")
    assert message in said
    assert len(said.strip().splitlines()) == 1
    assert not out.exists()


def test_a_folder_with_other_files_is_refused(tmp_path: Path) -> None:
    """A folder that holds other files is never replaced, and that is said before the body is made."""
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(InvalidInput, match=r"holds other files \(thesis.docx\)"):
        cli.main(["body", "show", *SHE, "--out", str(tmp_path)], standalone_mode=False)


def test_list_names_poses_and_organs() -> None:
    """`body list` names every pose, and every organ, part and bone site once."""
    poses = CliRunner().invoke(cli, ["body", "list", "poses"]).output.splitlines()
    assert poses == list(POSES)
    organs = json.loads(CliRunner().invoke(cli, ["body", "list", "organs", "--json"]).output)
    assert {*ORGANS, *BONE_SITES, "stomach_wall"} <= set(organs)
    assert len(organs) == len(set(organs))
