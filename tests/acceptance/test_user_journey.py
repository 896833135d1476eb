"""The journey of a CT study as a user types it: in Python, and from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import wholedose as wd
from wholedose.body import ORGANS
from wholedose.cli.main import cli
from wholedose.synthetic import StudyTruth
from wholedose.xray import CtScan

pytestmark = pytest.mark.montecarlo

TAGS = {"extracted", "derived", "assumed"}


def run(*arguments: str | Path) -> Result:
    done = CliRunner().invoke(cli, [str(item) for item in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done


@pytest.fixture(scope="module")
def result(study: tuple[Path, StudyTruth], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `wholedose ct estimate` on the simulated study, with a target."""
    out = tmp_path_factory.mktemp("journey") / "out"
    done = run(
        "ct",
        "estimate",
        study[0],
        "--out",
        out,
        "--seed",
        "7",
        "--voxel-mm",
        "6",
        "--target",
        "0.03",
        "--quiet",
    )
    assert "effective dose" in done.output
    assert "highest skin dose" in done.output
    return out


def test_the_lines_of_the_design(study: tuple[Path, StudyTruth], tmp_path: Path) -> None:
    """Read, body, dose, ledger, risk, letter: the eight lines of Python that the design shows."""
    scan = wd.read(study[0])
    assert isinstance(scan, CtScan)
    assert scan.image is not None
    person = wd.Person(sex="F", age_y=34, height_cm=168, weight_kg=61)
    body = wd.body.from_ct(scan.image, person=person, voxel_mm=6.0)
    dose = wd.xray.estimate(scan, body, target=0.03, seed=1)
    lungs = dose.organs["lungs"]
    assert 1.2 < lungs.dose.value / dose.ctdivol_mgy < 1.8
    assert lungs.dose.by_name()["statistical"] < 0.03 * lungs.dose.value
    assert dose.organs["brain"].dose.value < 0.02 * lungs.dose.value
    ledger = wd.Ledger(person).add(dose)
    risk = wd.risk.appraise(ledger, models=["BEIR VII", "ICRP 103"], seed=1)
    assert 1e-5 < risk.person().total.value < 1e-3
    letter = wd.report.build(ledger, risk, audience="patient", language="en").save(tmp_path / "letter.html")
    assert "Dear patient" in Path(letter).read_text()


def test_read_tells_what_the_study_holds(study: tuple[Path, StudyTruth]) -> None:
    """`read --json`: format 1, every item of a known kind, every quantity with unit and tag."""
    data = json.loads(run("read", study[0], "--json").stdout)
    assert data["format"] == 1
    kinds = [item["kind"] for item in data["items"]]
    assert {"dose_report", "image", "series"} >= set(kinds)
    report = next(item for item in data["items"] if item["kind"] == "dose_report")
    assert report["modality"] == "CT"
    assert report["events"] == len(report["exposures"]) == 2
    assert report["totals"]["dlp"]["unit"] == "mGy.cm"
    assert report["totals"]["dlp"]["value"] == pytest.approx(study[1].dlp_mgy_cm, rel=0.01)
    for item in data["items"]:
        for quantity in item["totals"].values():
            assert quantity["tag"] in TAGS
        for exposure in item["exposures"]:
            for quantity in exposure.values():
                assert set(quantity) >= {"value", "unit", "code", "tag"}
                assert quantity["tag"] in TAGS


def test_result_has_the_promised_form(result: Path) -> None:
    """`result.json`: organs of the published list with their causes, effective dose, CTDIvol, provenance."""
    data = json.loads((result / "result.json").read_text())
    for row in data["organs"]:
        assert set(row) >= {"organ", "dose_mgy", "u_mgy", "uncertainty", "in_scan", "mass_g"}
        assert row["organ"] in ORGANS
        assert row["dose_mgy"] >= 0.0
        assert row["u_mgy"] > 0.0
    assert set(data["effective_dose_msv"]) == {"value", "u", "uncertainty"}
    assert data["ctdivol_mgy"] > 0.0
    assert {"software", "seed", "tables", "inputs", "assumptions"} <= set(data["provenance"])
    assert data["provenance"]["seed"] == 7


def test_rerun_gives_the_same_digest(result: Path) -> None:
    """A run that stopped by its target is computed again to the same digest, with other workers."""
    again = run("rerun", result, "--workers", "1", "--quiet").output
    recorded, now = (line.split()[-1] for line in again.splitlines()[:2])
    assert recorded == now == json.loads((result / "result.json").read_text())["digest"]
    assert "The results are equal." in again


def test_a_changed_result_is_found(result: Path, tmp_path: Path) -> None:
    """A digest that was tampered with is told with exit status 1."""
    data = json.loads((result / "result.json").read_text())
    data["digest"] = "0" * len(data["digest"])
    (tmp_path / "result.json").write_text(json.dumps(data))
    done = CliRunner().invoke(cli, ["rerun", str(tmp_path), "--quiet"])
    assert done.exit_code == 1
    assert "The results differ." in done.output


@pytest.mark.parametrize("audience", ["physicist", "patient"])
def test_documents_are_written_again(result: Path, tmp_path: Path, audience: str) -> None:
    """Both documents are made again from the folder, and say that this is no medical device."""
    page = tmp_path / f"{audience}.html"
    run("report", result, "--audience", audience, "--out", page)
    text = page.read_text()
    assert "ot a medical device" in text
    assert ("Organ doses" in text) == (audience == "physicist")


def test_typed_values_override_and_are_tagged(study: tuple[Path, StudyTruth], tmp_path: Path) -> None:
    """CTDIvol typed twice as large doubles every dose to rounding; the person typed is the person used."""
    common = ("--voxel-mm", "6", "--seconds", "0.1", "--target", "0.5", "--quiet")
    folders = {}
    truth = wd.read(study[0])
    assert isinstance(truth, CtScan)
    ctdivol = truth.single_range().ctdivol_mgy
    assert ctdivol is not None
    for factor in (1.0, 2.0):
        out = folders[factor] = tmp_path / f"x{factor:g}"
        typed = ("--ctdivol", f"{factor * ctdivol.value!r}", "--age", "50", "--weight-kg", "70")
        run("ct", "estimate", study[0], "--out", out, *common, *typed)
    one, two = (json.loads((folder / "result.json").read_text()) for folder in folders.values())
    assert one["person"]["age_y"] == 50.0
    assert one["person"]["weight_kg"] == 70.0
    assert one["inputs"][0]["ctdivol_mgy"]["where"] == "typed"
    assert one["provenance"]["batches"] == two["provenance"]["batches"]
    for a, b in zip(one["organs"], two["organs"], strict=True):
        assert b["dose_mgy"] == pytest.approx(2.0 * a["dose_mgy"], rel=1e-12)
