"""A folder that shows a body."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from tests.report.ball_body import ball_body

from wholedose.base import InvalidInput, UnknownName
from wholedose.dose.nifti import read_own_nifti
from wholedose.report.body_folder import BODY_FILES, save_body_folder


def test_the_folder_holds_the_body(tmp_path: Path) -> None:
    """Labels, names, masses and picture can be read back; a second call replaces the first."""
    body = ball_body(6.0)
    for pose in ("standing", "sitting"):
        out = save_body_folder(body, tmp_path / "body", pose=pose)
    assert {path.name for path in out.iterdir()} == set(BODY_FILES)
    grid, labels = read_own_nifti(out / "labels.nii.gz")
    assert grid.matches(body.grid)
    assert np.array_equal(labels, body.labels)
    names = json.loads((out / "labels.json").read_text())
    assert names["2"] == body.organs[1]
    data = json.loads((out / "body.json").read_text())
    assert (data["pose"], data["format"], data["person"]["age_y"]) == ("sitting", 1, 34.0)
    rows = list(csv.DictReader((out / "organs.csv").read_text().splitlines()))
    assert {row["organ"] for row in rows} == set(body.organs)
    liver = next(row for row in rows if row["organ"] == "liver")
    assert float(liver["x_mm"]) == pytest.approx(-60.0, abs=3.0)
    with Image.open(out / "sheet.png") as picture:
        assert picture.width == 2560


def test_foreign_files_are_kept(tmp_path: Path) -> None:
    """A folder with other files is refused before anything is made."""
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(InvalidInput, match=r"holds other files \(thesis.docx\)"):
        save_body_folder(ball_body(6.0), tmp_path)


def test_an_unknown_organ_writes_nothing(tmp_path: Path) -> None:
    """A name that the body lacks is refused with the nearest, and no folder is left."""
    with pytest.raises(UnknownName, match="did you mean 'liver'"):
        save_body_folder(ball_body(6.0), tmp_path / "new", organs=["lifer"])
    assert not (tmp_path / "new").exists()
