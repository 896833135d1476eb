"""The reference adults beside ICRP 116: published values, rows, and going on after an interruption."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.validation.test_icrp116 import block

from wholedose.base import UnknownName
from wholedose.body import Body
from wholedose.validation import icrp116_report as report
from wholedose.validation.icrp116 import GEOMETRIES, Coefficient, Coefficients, voxels_of, weights
from wholedose.validation.suites import REPORTED_ONLY, suite


def point(sex: str, geometry: str = "AP", kev: float = 60.0, value: float = 0.389) -> Coefficients:
    return Coefficients(
        sex, geometry, kev, {"liver": Coefficient(value, 0.001)}, Coefficient(value, 0.004),
        Coefficient(1.05 * value, 0.003), 200_000,
    )  # fmt: skip


def test_published_values() -> None:
    """Printed values come back as they are; between them they lie between their neighbours."""
    assert report.published("AP", 60.0) == 0.389
    assert report.published("ISO", 3000.0) == 8.08
    assert report.published("PA", 20.0) == 0.0261
    for geometry in GEOMETRIES:
        assert (
            report.published(geometry, 60.0)
            < report.published(geometry, 65.0)
            < report.published(geometry, 70.0)
        )
    with pytest.raises(UnknownName, match="geometry"):
        report.published("TOP", 60.0)


@pytest.mark.shared
def test_published_values_are_those_of_the_reference_folder(shared: Path) -> None:
    """The shipped table has every value of the reference folder up to 10 MeV."""
    lines = (shared / "icrp116" / "photon_effective_dose_per_fluence.csv").read_text().splitlines()[2:]
    rows = np.array([[float(cell) for cell in line.split(",")] for line in lines if line])
    rows = rows[rows[:, 0] <= 10.0]
    assert len(rows) > 25
    for mev, *values in rows.tolist():
        assert [report.published(name, round(1000.0 * mev, 6)) for name in GEOMETRIES] == values


def test_rows_are_judged_by_energy() -> None:
    """10 % is tolerated from 60 keV on, 20 % below."""

    def passed(kev: float, ratio: float) -> bool:
        value = ratio * report.published("AP", kev) / (1.05 if kev <= 150.0 else 1.0)
        return report.row_of(point("M", kev=kev, value=value), point("F", kev=kev, value=value)).passed

    near = ((60.0, 1.09), (60.0, 0.91), (40.0, 0.81), (300.0, 1.09))
    far = ((60.0, 1.11), (60.0, 0.89), (40.0, 0.79), (300.0, 0.89))
    assert all(passed(*item) for item in near)
    assert not any(passed(*item) for item in far)


def test_up_to_150_kev_the_mixture_is_judged_and_the_product_reported() -> None:
    """The published marrow dose below 200 keV is the mixture's: it is judged, and what wholedose reports
    stands beside it; above, wholedose's own value is judged."""
    row = report.row_of(point("M"), point("F"))
    assert (row.case, row.tolerance, row.reference) == ("AP, 60 keV", "10%", 0.389)
    assert row.value == pytest.approx(1.05 * 0.389)
    assert row.u == pytest.approx(0.003 / 2**0.5)
    assert "mixture" in row.quantity
    own = report.response_row(point("M", value=0.5), point("F", value=0.5))
    assert (own.tolerance, own.passed) == (REPORTED_ONLY, True)
    assert own.value == pytest.approx(0.5)
    above = report.row_of(point("M", kev=300.0, value=1.5), point("F", kev=300.0, value=1.5))
    assert above.value == pytest.approx(1.5)
    assert "mixture" not in above.quantity


def test_an_interrupted_suite_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Finished points are not simulated again, a half-written line is dropped, another body starts anew."""
    calls: list[tuple[str, str, float]] = []

    def counted(body: Body, geometry: str, energies: Sequence[float], **_: Any) -> list[Coefficients]:
        if len(calls) == 3:
            calls.append(("", "", 0.0))
            raise KeyboardInterrupt
        calls.append((body.person.sex, geometry, energies[0]))
        return [point(body.person.sex, geometry, energies[0])]

    monkeypatch.setattr(report, "dose_coefficients", counted)
    path = tmp_path / "out" / "points.jsonl"
    man, woman = block("M"), block("F")
    said: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        report.compare(man, woman, ["AP", "PA"], [60.0], store=report.Store(path))
    with path.open("a") as stream:
        stream.write('{"key": "half')
    path.write_text(path.read_text() + "\n")
    pairs = report.compare(man, woman, ["AP", "PA"], [60.0], store=report.Store(path), progress=said.append)
    assert [call[:2] for call in calls] == [("M", "AP"), ("F", "AP"), ("M", "PA"), ("", ""), ("F", "PA")]
    assert [(one.sex, two.sex, one.geometry) for one, two in pairs] == [("M", "F", "AP"), ("M", "F", "PA")]
    assert said == ["AP, 60 keV (1 of 2)", "PA, 60 keV (2 of 2)"]
    report.compare(block("M", density=0.9), woman, ["AP"], [60.0], store=report.Store(path))
    assert [call[:2] for call in calls[5:]] == [("M", "AP")]
    store = report.Store(path)
    store.clear()
    assert not path.exists()
    assert report.Store(path).get("half") is None


def test_the_program_is_part_of_the_key() -> None:
    """The digest of the program is one of 64 hexadecimal digits, and does not change within a run."""
    assert report.program_digest() == report.program_digest()
    assert len(report.program_digest()) == 64


def test_suite_reports_every_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite has a judged row for each geometry and energy and one that is not judged up to 150 keV, keeps
    nothing behind, and is known to the command."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(report, "adults", lambda: (block("M"), block("F")))
    monkeypatch.setattr(
        report,
        "dose_coefficients",
        lambda body, geometry, energies, **_: [
            replace(point(body.person.sex, geometry, energies[0]), weighted=Coefficient(1.0, 0.01))
        ],
    )
    rows = suite("icrp116").rows(None)
    assert len(rows) == 6 * (12 + 7)
    assert sum(row.tolerance != REPORTED_ONLY for row in rows) == 72
    assert not list(tmp_path.rglob("*.jsonl"))


@pytest.mark.slow
def test_the_reference_adults_stand_and_have_all_tissues() -> None:
    """Man and woman of 73 and 60 kg, taller than wide or deep, with weights that add up to 1."""
    for body, weight in zip(report.adults(voxel_mm=8.0), (73.0, 60.0), strict=True):
        assert body.total_mass_kg == pytest.approx(weight, rel=0.01)
        nz, ny, nx = voxels_of(body).geometry.grid.shape
        assert nz > 2 * nx > 2 * ny
        assert sum(weights(body).values()) == pytest.approx(1.0)
