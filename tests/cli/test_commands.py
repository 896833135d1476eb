"""The command line as a user meets it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from wholedose._version import __version__
from wholedose.base import InvalidInput
from wholedose.cli.main import COMMANDS, cli, main

ROOT = Path(__file__).resolve().parents[2]
HEAVY = ("numba", "scipy", "pydicom", "matplotlib", "SimpleITK", "nibabel", "zarr", "jinja2", "highdicom")


def test_help_loads_nothing_heavy() -> None:
    """`wholedose --help` imports none of the heavy packages, so that it answers within half a second."""
    code = (
        "import sys; from wholedose.cli import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print('loaded', [m for m in {HEAVY!r} if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "loaded []" in out
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-c", "from wholedose.cli import main; main(['--help'])"],
        check=True,
        capture_output=True,
    )
    assert time.perf_counter() - started < 2.0  # 0.3 s on an idle machine; the bound is for a busy one


def test_import_loads_nothing_heavy() -> None:
    """`import wholedose` is light."""
    code = f"import sys, wholedose; print([m for m in {HEAVY!r} if m in sys.modules])"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "[]"


def test_version() -> None:
    """`wholedose --version` prints the version."""
    assert __version__ in CliRunner().invoke(cli, ["--version"]).output


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_is_documented(name: str) -> None:
    """Each command stands in docs/cli.md, has a help text, and documents each option."""
    assert f"`wholedose {name}" in (ROOT / "docs/cli.md").read_text()
    words = ["ct", "estimate"] if name == "ct" else [name]
    result = CliRunner().invoke(cli, [*words, "--help"])
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 5


def test_errors_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An error of ours is a sentence on standard error and exit status 2, never a traceback."""
    with pytest.raises(SystemExit) as stop:
        main(["read", str(tmp_path / "absent")])
    assert stop.value.code == 2
    message = capsys.readouterr().err
    assert message.startswith("wholedose: ")
    assert "Traceback" not in message
    assert len(message.strip().splitlines()) == 1


def test_out_with_foreign_files_is_refused(tmp_path: Path) -> None:
    """A folder that holds other files is never replaced."""
    (tmp_path / "thesis.docx").write_text("years of work")
    with pytest.raises(InvalidInput, match=r"holds other files \(thesis.docx\)"):
        cli.main(["ct", "estimate", str(tmp_path), "--out", str(tmp_path)], standalone_mode=False)
    assert (tmp_path / "thesis.docx").read_text() == "years of work"


def test_a_result_that_is_none(tmp_path: Path) -> None:
    """`rerun` of something else says what to give."""
    (tmp_path / "result.json").write_text(json.dumps({"format": 9, "kind": "soup"}))
    with pytest.raises(InvalidInput, match="'soup' of format 9"):
        cli.main(["rerun", str(tmp_path)], standalone_mode=False)
    with pytest.raises(InvalidInput, match="no readable result"):
        cli.main(["rerun", str(tmp_path / "nothing")], standalone_mode=False)


def test_suites_are_listed() -> None:
    """`wholedose validate --list` names each suite, and an unknown one offers the closest."""
    out = CliRunner().invoke(cli, ["validate", "--list"]).output
    assert re.search(r"^tg195 ", out, re.M)
    assert "risk/lar_cases" in out
    with pytest.raises(KeyError, match="did you mean 'tg195'"):
        cli.main(["validate", "tg159"], standalone_mode=False)


def test_demo_replaces_no_foreign_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder of the user's that happens to be called OUT-study is refused, not replaced."""
    theirs = tmp_path / "mine-study" / "thesis.txt"
    theirs.parent.mkdir()
    theirs.write_text("years of work")
    with pytest.raises(SystemExit) as stop:
        main(["demo", "--out", str(tmp_path / "mine"), "--quiet"])
    assert stop.value.code == 2
    assert "holds something else. [" in capsys.readouterr().err
    assert theirs.read_text() == "years of work"
    assert [path.name for path in tmp_path.iterdir()] == ["mine-study"]
