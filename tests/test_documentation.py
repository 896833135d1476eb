"""The documentation tells the truth: its commands and its Python run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))
RUN_ELSEWHERE = {"docs/first-steps.md"}


def python_blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", (ROOT / page).read_text(), re.S)


@pytest.mark.montecarlo
@pytest.mark.timeout(900)  # five whole runs, a minute each on a busy machine
def test_first_steps_run(tmp_path: Path) -> None:
    """Each command and each Python line of the first-steps page runs, in its order, in an empty folder."""
    text = (ROOT / "docs/first-steps.md").read_text()
    environment = {**os.environ, "PYTHONWARNINGS": "error::DeprecationWarning:wholedose"}
    for command in re.findall(r"^\$ (.*)$", text, re.M):
        words = shlex.split(command)
        assert words[0] == "wholedose"
        done = subprocess.run(
            [sys.executable, "-m", "wholedose", *words[1:]],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    script = "\n".join(python_blocks("docs/first-steps.md"))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    for name in ("out/demo/report.html", "out/mine/result.json", "out/typed/organs.csv", "out/letter.html"):
        assert (tmp_path / name).stat().st_size > 1000


@pytest.mark.parametrize(
    "page", [page for page in PAGES if page not in RUN_ELSEWHERE and python_blocks(page)]
)
def test_python_of_each_page_runs(page: str, tmp_path: Path) -> None:
    """The Python on a page runs as one script in an empty folder."""
    script = "\n".join(python_blocks(page))
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-3000:]


def test_each_room_has_a_page() -> None:
    """Each room has a documentation page that the site lists."""
    rooms = {path.parent.name for path in (ROOT / "src/wholedose").glob("*/__init__.py")}
    navigation = (ROOT / "mkdocs.yml").read_text()
    for room in rooms:
        page = "validation-room.md" if room == "validation" else f"{room}.md"
        assert (ROOT / "docs" / page).exists(), room
        assert f": {page}" in navigation


def test_each_decision_is_listed() -> None:
    """Each decision record stands in the list of decisions."""
    listed = (ROOT / "docs/decisions/index.md").read_text()
    for path in (ROOT / "docs/decisions").glob("[0-9]*.md"):
        assert path.name in listed
