"""The page that shows how to add an organ and a pose: its table rows work."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import wholedose

ROOT = Path(__file__).resolve().parents[2]

SCRIPT = """
from wholedose.body import Person, reference
body = reference(Person("M", 40), "reading a book", voxel_mm=4.0)
z, y, x = body.grid.axes_mm()
where = body.mask("seminal_vesicles").nonzero()
assert abs(body.mass_g("seminal_vesicles") - 8.0) < 0.5, body.mass_g("seminal_vesicles")
assert x[where[2]].min() < 0 < x[where[2]].max()
assert "seminal_vesicles" not in reference(Person("F", 40), voxel_mm=6.0).organs
"""


def test_rows_of_the_page_make_an_organ_and_a_pose(tmp_path: Path) -> None:
    """The rows that the page tells a newcomer to add give a man seminal vesicles and a new pose."""
    page = (ROOT / "docs/own-organ-and-pose.md").read_text()
    shutil.copytree(
        Path(wholedose.__file__).parent,
        tmp_path / "wholedose",
        ignore=shutil.ignore_patterns("__pycache__", "*.nbi", "*.nbc"),
    )
    rows = re.findall(r"`(\w+\.csv)`.*?```csv\n(.*?)```", page, re.S)
    assert [name for name, _ in rows] == [
        "organs.csv",
        "own_masses.csv",
        "painting.csv",
        "drawn_trunk.csv",
        "poses.csv",
    ]
    for name, text in rows:
        table = tmp_path / "wholedose/tables/data/body" / name
        old = table.read_text()
        if name == "painting.csv":
            new = old.replace("\nprostate,", f"\n{text}prostate,", 1)
        else:
            new = old.rstrip("\n") + "\n" + text
        assert new != old
        table.write_text(new)
    script = f"import wholedose\nassert wholedose.__file__.startswith({str(tmp_path)!r})\n" + SCRIPT
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
