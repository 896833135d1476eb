"""The case suite of the room risk: our risks beside those of the reference files. Defines `rows`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from wholedose.validation.risk_suites import SUITES
from wholedose.validation.suites import Evidence, Progress, Row, read_rows

CASES: tuple[tuple[str, float, float, str], ...] = (
    ("risk/lar_cases", 0.001, 1e-6, "independent computation of the published equations, Korean rates"),
    ("risk/lar_uncertainty_cases", 0.03, 0.01, "independent sampling, 200,000 draws, Korean rates"),
    ("risk/beir_vii_region1_vs_12d1", 0.001, 5e-4, "independent computation, rates of region 1"),
)
EVIDENCE: Evidence = "own simulation"  # written for this project by another hand, not published


def rows(reference: Path | None, progress: Progress | Callable[[str], None] = lambda text: None) -> list[Row]:
    """Compute the reference files of the room and compare every output column within its tolerance.

    Parameters
    ----------
    reference : Path
        The folder ``reference`` of the shared data.
    progress : callable
        Called with the name of each file.
    """
    found: list[Row] = []
    assert reference is not None
    for name, tolerance, print_u, source in CASES:
        progress(name)
        path = reference / f"{name}.csv"
        for result in SUITES[name](read_rows(path), path):
            found += _compared(name, result, tolerance, print_u, source)
    return found


def _compared(
    name: str, result: dict[str, object], tolerance: float, print_u: float, source: str
) -> list[Row]:
    row, ours, u = result["row"], result["ours"], result["u"]
    assert isinstance(row, dict)
    assert isinstance(ours, dict)
    assert isinstance(u, dict)
    case = row.get("case_id") or " ".join(str(row[key]) for key in ("site", "sex", "age_exposure"))
    rows_: list[Row] = []
    for column, value in ours.items():
        text = row.get(column, "")
        if not text:
            continue
        reference = float(text)
        rows_.append(
            Row(
                suite=name,
                case=case,
                quantity=column,
                value=value,
                u=u[column],
                reference=reference,
                u_reference=print_u * abs(reference),
                tolerance=f"{tolerance:.1%} of the reference",
                passed=abs(value - reference) <= tolerance * abs(reference),
                evidence=EVIDENCE,
                source=source,
            )
        )
    return rows_
