"""Results of validation as a file and as a page. Defines `to_json`, `from_json` and `page`."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from wholedose.base import InvalidInput
from wholedose.validation.suites import REPORTED_ONLY, SUITES, Row, count_passed


def to_json(rows: Sequence[Row]) -> str:
    """Return ``validation-results.json``: ``{"rows": [...]}``, one row a line, numbers to 6 digits."""
    lines = [json.dumps({key: _rounded(value) for key, value in asdict(row).items()}) for row in rows]
    return '{"rows": [\n' + ",\n".join(lines) + "\n]}\n"


def from_json(path: Path) -> list[Row]:
    """Return the rows that `to_json` wrote."""
    try:
        return [Row(**row) for row in json.loads(path.read_text(encoding="utf-8"))["rows"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"The validation results are not readable: {error}.", where=str(path)) from error


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    return value


def deviation(row: Row) -> float | None:
    """Return ours / reference − 1, or None where the reference is 0."""
    return row.value / row.reference - 1.0 if row.reference else None


def page(rows: Sequence[Row]) -> str:
    """Return the documentation page: a summary table, then one table a suite."""
    out = [
        "# Validation",
        "",
        "Made by `make validate` (`wholedose validate`) from `validation-results.json`; do not edit.",
        "*Evidence* says what we compare with: **published** results (of other codes or of formulas), a",
        "**peer code** run beside ours, a **measurement**, or our **own simulation**.",
        "Agreement with simulations is not clinical accuracy. Rows without a tolerance compare what differs",
        "by definition; they are shown, and counted nowhere.",
        "",
        "| suite | cases | inside their tolerance | evidence | median difference | largest difference |",
        "|---|--:|--:|---|--:|--:|",
    ]
    for name in dict.fromkeys(row.suite for row in rows):
        mine = [row for row in rows if row.suite == name and row.tolerance != REPORTED_ONLY]
        passed, count = count_passed(mine)
        differences = sorted(abs(d) for d in map(deviation, mine) if d is not None)
        middle = f"{differences[len(differences) // 2]:.2%}" if differences else "–"
        largest = f"{differences[-1]:.2%}" if differences else "–"
        evidence = ", ".join(dict.fromkeys(row.evidence for row in mine))
        out.append(
            f"| [{_title(name)}](#{_slug(name)}) | {count} | {passed} | {evidence} | {middle} | {largest} |"
        )
    for name in dict.fromkeys(row.suite for row in rows):
        out += ["", f"## {name} {{#{_slug(name)}}}", "", _title(name) + ".", ""]
        mine = [row for row in rows if row.suite == name]
        for source in dict.fromkeys(row.source for row in mine):
            out.append(f"- Source: {source}")
        for rule in dict.fromkeys(row.tolerance for row in mine):
            out.append(f"- Tolerance: {rule}")
        out += [
            "",
            "| case | quantity | ours | reference | difference | agrees |",
            "|---|---|--:|--:|--:|---|",
        ]
        out += [_line(row) for row in mine]
    return "\n".join(out) + "\n"


def _slug(name: str) -> str:
    return name.replace("/", "-")


def _title(name: str) -> str:
    return SUITES[name].title if name in SUITES else name


def _line(row: Row) -> str:
    difference = deviation(row)
    shown = f"{difference:+.2%}" if difference is not None else "–"
    ours, reference = _number(row.value, row.u), _number(row.reference, row.u_reference)
    agrees = "yes" if row.passed else "**no**"
    if row.tolerance == REPORTED_ONLY:
        agrees = "–"
    return f"| {row.case} | {row.quantity} | {ours} | {reference} | {shown} | {agrees} |"


def _number(value: float, u: float | None) -> str:
    return f"{value:.5g}" if not u else f"{value:.5g} ± {u:.2g}"
