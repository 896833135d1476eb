"""A CT estimate from request to result folder, and again."""

from __future__ import annotations

import csv
import errno
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from wholedose.base import Cancelled, InvalidInput, OutputFailed, SerialExecutor, ThreadExecutor
from wholedose.body import ORGANS
from wholedose.dose import Ledger, load_dose
from wholedose.jobs import CtOutcome, CtRequest, run_ct
from wholedose.jobs.ct import replay
from wholedose.report.again import build_again
from wholedose.report.bundle import load_result, save_bundle
from wholedose.synthetic import StudyTruth

pytestmark = pytest.mark.montecarlo


@pytest.fixture(scope="module")
def request_(study: tuple[Path, StudyTruth]) -> CtRequest:
    return CtRequest(input=str(study[0]), voxel_mm=6.0, batches=4, seed=5)


@pytest.fixture(scope="module")
def outcome(request_: CtRequest) -> CtOutcome:
    return run_ct(request_, executor=ThreadExecutor(2))


@pytest.fixture(scope="module")
def folder(outcome: CtOutcome, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_bundle(outcome, tmp_path_factory.mktemp("bundle") / "out")


def test_workers_do_not_change_the_result(outcome: CtOutcome, request_: CtRequest) -> None:
    """One, two and four workers give one digest."""
    others = [run_ct(request_, executor=ThreadExecutor(workers)).dose for workers in (1, 4)]
    assert {other.digest() for other in others} == {outcome.dose.digest()}
    skins = [dose.skin for dose in (outcome.dose, *others)]
    assert len({json.dumps(skin.to_json()) for skin in skins if skin is not None}) == 1
    assert None not in skins


def test_another_seed_is_another_result(outcome: CtOutcome, request_: CtRequest) -> None:
    """Another seed gives other numbers, within their statistics."""
    other = run_ct(replace(request_, seed=6), executor=SerialExecutor())
    assert other.dose.digest() != outcome.dose.digest()
    for organ in ("lungs", "heart", "liver"):
        a, b = outcome.dose.organs[organ].dose, other.dose.organs[organ].dose
        spread = float(np.hypot(a.by_name()["statistical"], b.by_name()["statistical"]))
        assert abs(a.value - b.value) < 5 * spread


def test_target_is_replayed_by_its_batches(request_: CtRequest) -> None:
    """A run that stopped by its target is repeated by its number of batches, with the same digest."""
    first = run_ct(replace(request_, batches=None, target=0.2))
    again = run_ct(replay(first.request, first.dose.provenance), executor=SerialExecutor())
    assert again.dose.digest() == first.dose.digest()


def test_result_json_has_the_public_form(folder: Path) -> None:
    """`result.json` holds what scripts rely on, and no NaN."""
    data = json.loads((folder / "result.json").read_text(), parse_constant=lambda text: pytest.fail(text))
    assert data["format"] == 1
    assert data["ctdivol_mgy"] > 0
    assert set(data["effective_dose_msv"]) == {"value", "u", "uncertainty"}
    for row in data["organs"]:
        assert {"organ", "dose_mgy", "u_mgy", "uncertainty", "in_scan", "mass_g"} <= set(row)
        assert row["organ"] in ORGANS
        assert 0 <= row["in_scan"] <= 1
        assert row["u_mgy"] ** 2 == pytest.approx(sum(u * u for u in row["uncertainty"].values()))
    assert set(data["skin"]) == {"mean", "peak", "depth_mm", "area_cm2"}
    assert data["skin"]["peak"]["dose_mgy"] > data["skin"]["mean"]["dose_mgy"] > 0
    assert data["provenance"]["seed"] == 5
    assert data["provenance"]["batches"] == 4


def test_folder_holds_all_forms(folder: Path, outcome: CtOutcome) -> None:
    """Dose maps agree among each other and with the result; the organ table has every organ."""
    nifti, rtdose = load_dose(folder / "dose.nii.gz"), load_dose(folder / "dose.dcm")
    np.testing.assert_array_equal(nifti.dose_mgy, outcome.dose.map.dose_mgy)
    np.testing.assert_allclose(rtdose.dose_mgy, nifti.dose_mgy, rtol=1e-5, atol=1e-6)
    with (folder / "organs.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert {row["organ"] for row in rows} == set(outcome.dose.organs)
    doses = [float(row["dose_mgy"]) for row in rows]
    assert doses == sorted(doses, reverse=True)


def test_organ_dose_is_the_mean_of_its_voxels(outcome: CtOutcome) -> None:
    """An organ's dose is the mass-weighted mean of the map over its voxels."""
    body, dose = outcome.body, outcome.dose
    for organ in ("lungs", "liver", "heart"):
        mask = body.mask(organ)
        mean = float(np.average(dose.map.dose_mgy[mask], weights=body.density_g_cm3[mask]))
        assert dose.organs[organ].dose.value == pytest.approx(mean, rel=1e-3)


def test_ledger_of_the_folder(folder: Path, outcome: CtOutcome) -> None:
    """The recorded ledger is the ledger."""
    assert Ledger.from_json(load_result(folder)["ledger"]) == outcome.ledger


def test_documents_again(folder: Path) -> None:
    """Documents are written again from the folder, with images and the same numbers."""
    report = build_again(folder, "physicist")
    first = (folder / "report.html").read_text()
    assert report.html.count("<img") == first.count("<img")
    assert build_again(folder, "patient").html == (folder / "letter.html").read_text()
    skin, again = (html[html.index('<h2 id="skin"') :].split("</table>")[0] for html in (first, report.html))
    assert again == skin
    bare = build_again(folder / "result.json", "physicist")
    assert bare.title == report.title


@pytest.mark.parametrize("part", ["ledger", "risk", "ranges", "inputs", "ssde", "body", "skin"])
@pytest.mark.parametrize("value", ["x", [7]])
def test_documents_of_a_damaged_result(folder: Path, tmp_path: Path, part: str, value: object) -> None:
    """A result of which a part is no more what it was gives an error of ours."""
    copied = shutil.copytree(folder, tmp_path / "copy")
    data = json.loads((copied / "result.json").read_text())
    (copied / "result.json").write_text(json.dumps({**data, part: value}))
    with pytest.raises(InvalidInput, match="incomplete"):
        build_again(copied)


def test_cancel(request_: CtRequest) -> None:
    """Progress that returns False stops the work."""
    seen = []

    def stop(fraction: float, text: str) -> bool:
        seen.append(fraction)
        return fraction < 0.2

    with pytest.raises(Cancelled):
        run_ct(request_, progress=stop)
    assert seen == sorted(seen)


@pytest.mark.parametrize("step", ["reading the study", "building the body", "simulating"])
def test_cancel_before_the_simulation(request_: CtRequest, step: str) -> None:
    """Progress that returns False stops the work at each step, not in the simulation alone."""
    told = []

    def stop(_: float, text: str) -> bool:
        told.append(text)
        return text != step

    with pytest.raises(Cancelled, match=f"Stopped at '{step}'"):
        run_ct(request_, progress=stop)
    assert told[-1] == step


def test_disk_full_at_the_end(outcome: CtOutcome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that fills up while the result is written leaves the earlier result whole."""
    target = save_bundle(outcome, tmp_path / "out")
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    full: Callable[[int], None] = os.fsync
    calls = []

    def fills_up(handle: int) -> None:
        calls.append(handle)
        if len(calls) > 5:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        full(handle)

    monkeypatch.setattr(os, "fsync", fills_up)
    with pytest.raises(OutputFailed, match="No space left"):
        save_bundle(outcome, target)
    monkeypatch.undo()
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_request_round_trip() -> None:
    """A request survives JSON; unknown fields and a missing input are refused."""
    request = CtRequest(input="x", kv=120.0, seed=3)
    assert CtRequest.from_json(json.loads(json.dumps(request.to_json()))) == request
    with pytest.raises(InvalidInput, match="has colour"):
        CtRequest.from_json({"input": "x", "colour": "red"})
    with pytest.raises(InvalidInput, match="no input"):
        CtRequest.from_json({})


def test_names_without_labels(request_: CtRequest) -> None:
    """Names without a label map are refused, not ignored."""
    with pytest.raises(InvalidInput, match="without a label map"):
        run_ct(replace(request_, label_names="names.json"))
