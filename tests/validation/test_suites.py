"""Suites: rows, files and the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from wholedose.base import InvalidInput, MissingInput, UnknownName
from wholedose.cli.main import cli
from wholedose.validation.results import deviation, from_json, page, to_json
from wholedose.validation.suites import FILE_SUITES, SUITES, Row, count_passed, file_suite, read_rows, suite

ROW = Row(
    suite="tg195",
    case="2, 56.4 keV, radiography",
    quantity="VOI 1, eV per history",
    value=27.1,
    u=0.1,
    reference=27.0,
    u_reference=0.06,
    tolerance="2u",
    passed=True,
    evidence="published",
    source="doi:10.1118/1.4928676",
)


def test_results_round_trip(tmp_path: Path) -> None:
    """`validation-results.json` gives back its rows, with the public keys."""
    path = tmp_path / "validation-results.json"
    path.write_text(to_json([ROW, ROW]))
    assert from_json(path) == [ROW, ROW]
    keys = set(json.loads(path.read_text())["rows"][0])
    assert keys == {
        *("suite", "case", "quantity", "value", "u", "reference", "u_reference"),
        *("tolerance", "passed", "evidence", "source"),
    }


def test_page_counts_and_flags() -> None:
    """The page counts what agrees, shows the difference and flags what does not agree."""
    bad = Row(**{**vars(ROW), "value": 30.0, "passed": False})
    text = page([ROW, bad])
    assert "| 2 | 1 | published |" in text
    assert "+0.37% | yes |" in text
    assert "+11.11% | **no** |" in text
    assert count_passed([ROW, bad]) == (1, 2)
    assert deviation(ROW) == pytest.approx(1 / 270)


def test_unreadable_results(tmp_path: Path) -> None:
    """Results that are none are refused with their path."""
    (tmp_path / "x.json").write_text("[]")
    with pytest.raises(InvalidInput, match="not readable"):
        from_json(tmp_path / "x.json")


def test_rows_skip_comments(tmp_path: Path) -> None:
    """Lines that start with # are skipped; ragged and empty files are refused."""
    path = tmp_path / "cases.csv"
    path.write_text("# a note\na,b\n1,2\n# another\n3,4\n")
    assert read_rows(path) == [{"a": "1", "b": "2"}, {"a": "3", "b": "4"}]
    path.write_text("a,b\n1\n")
    with pytest.raises(InvalidInput, match="Row 1 does not have as many cells"):
        read_rows(path)
    path.write_text("# nothing\n")
    with pytest.raises(InvalidInput, match="no rows"):
        read_rows(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="not readable"):
        read_rows(path)


def test_unknown_suites_offer_the_closest() -> None:
    """A wrong name lists the suites."""
    with pytest.raises(UnknownName, match="did you mean 'tg195'"):
        suite("tg159")
    with pytest.raises(UnknownName, match="did you mean 'risk/lar_cases'"):
        file_suite("risk/lar_case.csv")


def test_reference_is_asked_for() -> None:
    """A suite that needs the reference data says so."""
    with pytest.raises(MissingInput, match="WHOLEDOSE_SHARED"):
        SUITES["risk"].rows(None)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    """A file without a needed column is refused, with the columns that the suite reads."""
    path = tmp_path / "lar_cases.csv"
    path.write_text("case_id,model\nX,beir_vii\n")
    with pytest.raises(InvalidInput, match="lacks the columns population"):
        file_suite("risk/lar_cases").compute(path)


HEADER = (
    "case_id,model,population,site,sex,age_exposure,age_now,dose_gy,latency,t_floor_y,comb,weight_err,ddref,"
    "excess_hazard"
)


def test_file_of_other_rows_is_computed(tmp_path: Path) -> None:
    """Any file of the columns is computed in its order, and a row that cannot be says why."""
    path = tmp_path / "mine.csv"
    good = "beir_vii,Aus-NZ Europe Northern America,stomach,m,20,20,{dose},hard 5 y,0,geometric,0.7,1.5,"
    rows = [
        f"B,{good.format(dose=0.2)}",
        f"A,{good.format(dose=0.1)}",
        f"C,{good.format(dose=0.1)}".replace("stomach", "toe"),
    ]
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    out = CliRunner().invoke(cli, ["validate", "risk/lar_cases", "--file", str(path), "--json"])
    assert out.exit_code == 0, out.output
    computed = json.loads(out.output)
    assert [item["row"]["case_id"] for item in computed] == ["B", "A", "C"]
    assert computed[0]["ours"]["lar_per_1e5"] == pytest.approx(2 * computed[1]["ours"]["lar_per_1e5"])
    assert computed[1]["reason"] is None
    assert "toe" in computed[2]["reason"]


def test_each_suite_is_documented() -> None:
    """Each suite's module exists and its name stands in the documentation."""
    import importlib

    text = (Path(__file__).resolve().parents[2] / "docs/validation-room.md").read_text()
    for item in SUITES.values():
        assert callable(importlib.import_module(item.module).rows)
        assert f"`{item.name}`" in text
    for one in FILE_SUITES.values():
        assert callable(getattr(importlib.import_module(one.module), one.function))
        assert f"`{one.name}`" in text
