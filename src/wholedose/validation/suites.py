"""What a validation suite is, and the list of them. Defines `Row`, `Suite`, `FileSuite`, `run_all`.

Two kinds of suite stand side by side. A *case suite* runs published cases and compares: it returns rows with
a reference, a tolerance and whether they agree. A *file suite* takes any CSV of the columns of its reference
file and computes the rows it holds; the comparison with the file's own figures is then a case suite too.
"""

from __future__ import annotations

import csv
import importlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from wholedose.base import InvalidInput, MissingInput, UnknownName

Evidence = Literal["measurement", "published", "peer code", "own simulation"]
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Row:
    """One compared quantity of a published case.

    Attributes
    ----------
    suite, case, quantity : str
    value, u : float
        Ours, with its standard uncertainty, in the quantity's unit.
    reference, u_reference : float
        The published one.
    tolerance : str
        The rule by which `passed` was decided, in words.
    passed : bool
    evidence : {"measurement", "published", "peer code", "own simulation"}
        What the reference is, so that agreement with simulations never reads as clinical accuracy.
    source : str
        Where the reference is printed.
    """

    suite: str
    case: str
    quantity: str
    value: float
    u: float
    reference: float
    u_reference: float
    tolerance: str
    passed: bool
    evidence: Evidence
    source: str


@dataclass(frozen=True)
class Suite:
    """A suite of published cases.

    Attributes
    ----------
    name : str
        As typed after ``wholedose validate``.
    title : str
    module : str
        Module with ``rows(reference: Path, progress) -> list[Row]``.
    needs_reference : bool
        Whether it reads the shared reference folder.
    """

    name: str
    title: str
    module: str
    needs_reference: bool = True

    def rows(self, reference: Path | None, progress: Progress = lambda text: None) -> list[Row]:
        """Run the suite and return its rows."""
        if self.needs_reference and reference is None:
            raise MissingInput(
                f"The suite {self.name} needs the reference data.",
                where="wholedose validate",
                way_out="Put the shared reference folder beside the checkout or set WHOLEDOSE_SHARED.",
            )
        result: list[Row] = importlib.import_module(self.module).rows(reference, progress)
        return result


@dataclass(frozen=True)
class FileSuite:
    """A suite that computes the rows of any CSV of known columns.

    Attributes
    ----------
    name : str
        The path of its reference file without ``.csv``, such as ``"risk/lar_cases"``.
    module, function : str
        Function ``(rows, path) -> list of {"ours": {...}, "u": {...}, "reason": None | str}`` in the order
        of the rows.
    columns : tuple of str
        Input columns that a file must have.
    """

    name: str
    module: str
    function: str
    columns: tuple[str, ...]

    def compute(self, path: Path) -> list[dict[str, Any]]:
        """Compute the rows of a file: ``{"row", "ours", "u", "reason"}`` each, in the file's order."""
        rows = read_rows(path)
        missing = [column for column in self.columns if rows and column not in rows[0]]
        if missing:
            raise InvalidInput(
                f"The file lacks the columns {', '.join(missing)}.",
                where=str(path),
                way_out=f"The suite {self.name} reads {', '.join(self.columns)}.",
            )
        function = getattr(importlib.import_module(self.module), self.function)
        results: list[Mapping[str, Any]] = function(rows, path)
        return [
            {"row": row, "ours": dict(r["ours"]), "u": dict(r["u"]), "reason": r["reason"]}
            for row, r in zip(rows, results, strict=True)
        ]


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV as dictionaries; lines that start with # are skipped."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"The file is not readable: {error}.", where=str(path)) from error
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not lines:
        raise InvalidInput(
            "The file holds no rows.", where=str(path), way_out="Give a CSV with a line of columns."
        )
    rows = []
    for number, row in enumerate(csv.DictReader(lines), start=1):
        if None in row or any(value is None for value in row.values()):
            raise InvalidInput(
                f"Row {number} does not have as many cells as there are columns.", where=str(path)
            )
        rows.append({str(key): str(value) for key, value in row.items()})
    return rows


SUITES: dict[str, Suite] = {
    item.name: item
    for item in (
        Suite(
            "tg195", "AAPM TG-195: reference cases of four Monte Carlo codes", "wholedose.validation.tg195"
        ),
        Suite(
            "transport",
            "Problems A, B and C: water, bone and lung",
            "wholedose.validation.transport_cases",
            needs_reference=False,
        ),
        Suite("ctdi", "CT dose index and AAPM 204", "wholedose.validation.ctdi", needs_reference=False),
        Suite(
            "icrp116",
            "ICRP 116: effective dose per fluence of the reference adults",
            "wholedose.validation.icrp116_report",
            needs_reference=False,
        ),
        Suite(
            "bodies",
            "Reference bodies: masses of ICRP 89, size, poses, voxel size, symmetry",
            "wholedose.validation.bodies",
            needs_reference=False,
        ),
        Suite(
            "completion",
            "Completion: a cut CT beside the whole body behind it",
            "wholedose.validation.completion",
            needs_reference=False,
        ),
        Suite("risk", "Lifetime attributable risk", "wholedose.validation.risk_cases"),
    )
}

FILE_SUITES: dict[str, FileSuite] = {
    item.name: item
    for item in (
        FileSuite(
            "risk/lar_cases",
            "wholedose.validation.risk_suites",
            "lar_cases",
            ("model", "population", "site", "sex", "age_exposure", "age_now", "dose_gy", "latency"),
        ),
        FileSuite(
            "risk/lar_uncertainty_cases",
            "wholedose.validation.risk_suites",
            "lar_uncertainty_cases",
            ("site", "sex", "age_exposure", "dose_median_gy", "dose_distribution"),
        ),
        FileSuite(
            "risk/beir_vii_region1_vs_12d1",
            "wholedose.validation.risk_suites",
            "beir_vii_region1_vs_12d1",
            ("site", "sex", "age_exposure"),
        ),
        FileSuite(
            "risk/larisk_peer_cases",
            "wholedose.validation.risk_suites",
            "larisk_peer_cases",
            ("population", "sex", "site", "age_exposure", "dose_rate", "dose_distribution"),
        ),
    )
}


def suite(name: str) -> Suite:
    """Return a case suite by name."""
    if name not in SUITES:
        raise UnknownName("suite", name, [*SUITES, *FILE_SUITES])
    return SUITES[name]


def file_suite(name: str) -> FileSuite:
    """Return a file suite by name; an ending ``.csv`` is ignored."""
    key = name.removesuffix(".csv").replace("\\", "/")
    if key not in FILE_SUITES:
        raise UnknownName("suite by file", key, FILE_SUITES)
    return FILE_SUITES[key]


def run_all(
    names: Sequence[str], reference: Path | None, progress: Progress = lambda text: None
) -> list[Row]:
    """Run suites one after the other and return all their rows."""
    return [row for name in names for row in suite(name).rows(reference, progress)]


REPORTED_ONLY = "reported beside the reference, no tolerance"
"""The tolerance of a row of quantities that differ by definition: shown, never counted as agreement."""


def count_passed(rows: Iterable[Row]) -> tuple[int, int]:
    """Return (passed, all) of the rows that have a tolerance."""
    items = [row for row in rows if row.tolerance != REPORTED_ONLY]
    return sum(row.passed for row in items), len(items)
