"""The folder that a CT estimate leaves. Defines `save_bundle`, `load_result` and `FILES`.

The folder is written under another name and renamed, so that it is there whole or not at all.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wholedose.base import InvalidInput, check_writable, write_atomically, write_folder_atomically
from wholedose.dose import nifti_bytes
from wholedose.report.build import build

if TYPE_CHECKING:
    from wholedose.jobs import CtOutcome

FORMAT = 1
FILES = {
    "report.html": "report for the physicist",
    "letter.html": "letter for the patient",
    "organs.csv": "organ doses as a table",
    "result.json": "all numbers, inputs and provenance",
    "dose.nii.gz": "absorbed dose in mGy for each voxel (dose.u.nii.gz: its relative standard uncertainty)",
    "dose.dcm": "the same as DICOM RT Dose",
    "ct.nii.gz": "the CT numbers on the same voxels",
    "organs.nii.gz": "the organs on the same voxels (organs.json: their names)",
}


def result_json(outcome: CtOutcome) -> dict[str, Any]:
    """Return ``result.json``, format 1: what scripts rely on, and what makes the result again."""
    dose = outcome.dose
    scan = outcome.scan
    return {
        "format": FORMAT,
        "kind": "ct estimate",
        "request": outcome.request.to_json(),
        "person": asdict(outcome.body.person),
        "body": {"origin": dict(outcome.body.origin), "anatomy_u": dict(outcome.body.anatomy_u)},
        **dose.to_json(),
        "ssde": [
            None
            if one is None
            else {"dose": one.dose.value, "size_cm": one.size_cm, "size_kind": one.size_kind}
            for one in dose.ssde
        ],
        "inputs": [
            {name: {**tagged.to_json(), "where": tagged.where} for name, tagged in item.inputs().items()}
            for item in scan.ranges
        ],
        "findings": [*scan.findings],
        "risk": outcome.appraisal.to_json() if outcome.appraisal is not None else None,
        "no_risk_because": outcome.no_appraisal,
        "ledger": outcome.ledger.to_json(),
    }


def save_bundle(
    outcome: CtOutcome, directory: str | Path, *, evidence: Sequence[Mapping[str, Any]] = ()
) -> Path:
    """Write report, letter, organ table, dose maps and ``result.json`` into a folder.

    Parameters
    ----------
    outcome : CtOutcome
    directory : path
        Replaced as a whole when it is there already.
    evidence : rows of ``validation-results.json``, optional
        For the report's section on evidence.

    Raises
    ------
    InvalidInput
        The folder holds files that are not ours.
    OutputFailed
        The disk is full or the place cannot be written; what stood there before still does.
    """
    target = Path(directory)
    check_target(target)
    notes = [("warning", f"No risk is given: {outcome.no_appraisal}")] if outcome.no_appraisal else []
    documents = {
        "report.html": build(outcome.dose, outcome.appraisal, evidence=evidence, findings=notes).html,
        "letter.html": build(outcome.dose, outcome.appraisal, audience="patient").html,
        "organs.csv": organs_csv(outcome.dose.organs.sorted().to_rows()),
        "result.json": json.dumps(result_json(outcome), indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        "organs.json": json.dumps(dict(enumerate(outcome.body.organs, start=1)), indent=1),
    }
    with write_folder_atomically(target) as room:
        for name, text in documents.items():
            write_atomically(room / name, text)
        dose_map = outcome.dose.map
        dose_map.save(room / "dose.nii.gz")
        dose_map.save(room / "dose.dcm", dicom=_carried(outcome))
        grid = outcome.body.grid
        write_atomically(room / "organs.nii.gz", nifti_bytes(grid, outcome.body.labels.astype(np.int16)))
        write_atomically(room / "ct.nii.gz", nifti_bytes(grid, _hu(outcome)))
    return target


def check_target(target: Path, ours: Collection[str] = (*FILES, "dose.u.nii.gz", "organs.json")) -> None:
    """Refuse a folder that holds anything but an earlier result, so that nothing of the user's is lost.

    ``ours`` names the files that a result of the same kind may have left there.

    Raises
    ------
    InvalidInput
        The place is a file, or a folder with other files.
    OutputFailed
        Nothing can be written there; told before the work, not after it.
    """
    check_writable(target)
    if not target.exists():
        return
    if not target.is_dir():
        raise InvalidInput("The place for the result is a file.", where=str(target), way_out="Give a folder.")
    other = sorted(path.name for path in target.iterdir() if path.name not in ours)
    if other:
        raise InvalidInput(
            f"The folder holds other files ({', '.join(other[:3])}{' …' if len(other) > 3 else ''}).",
            where=str(target),
            way_out="Give a new folder, or an earlier result to replace.",
        )


def load_result(path: str | Path) -> dict[str, Any]:
    """Return a ``result.json``, given itself or its folder.

    Raises
    ------
    InvalidInput
        It is not there, not readable, or of another format.
    """
    source = Path(path)
    file = source / "result.json" if source.is_dir() else source
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        found = data["format"], data["kind"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(
            f"There is no readable result: {error}.",
            where=str(file),
            way_out="Give result.json or its folder.",
        ) from error
    if found != (FORMAT, "ct estimate"):
        raise InvalidInput(f"The result is {found[1]!r} of format {found[0]}.", where=str(file))
    result: dict[str, Any] = data
    return result


def organs_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the organ table as CSV: the highest dose first, one column for each cause of uncertainty."""
    causes = sorted({cause for row in rows for cause in row["uncertainty"]})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(
        ["organ", "dose_mgy", "u_mgy", "in_scan", "mass_g", *(f"u_{c.replace(' ', '_')}_mgy" for c in causes)]
    )
    for row in rows:
        shown = [f"{row[key]:.6g}" for key in ("dose_mgy", "u_mgy", "in_scan", "mass_g")]
        writer.writerow([row["organ"], *shown, *(f"{row['uncertainty'].get(c, 0.0):.6g}" for c in causes)])
    return out.getvalue()


def _carried(outcome: CtOutcome) -> dict[str, str]:
    image = outcome.scan.image
    carried = dict(image.meta.get("dicom", {})) if image is not None else {}
    return {key: str(value) for key, value in carried.items() if value}


def _hu(outcome: CtOutcome) -> np.ndarray[Any, np.dtype[np.int16]]:
    """Return CT numbers on the dose grid: the image where it reaches, elsewhere those of the body."""
    from wholedose.report.planes import hu_of

    body, image = outcome.body, outcome.scan.image
    values = hu_of(body)
    if image is not None:
        inside = [
            (axis > low) & (axis < high)
            for axis, low, high in zip(
                body.grid.axes_mm(), image.grid.lower_mm[::-1], image.grid.upper_mm[::-1], strict=True
            )
        ]
        index = [
            np.clip(((axis[part] - low) / step).astype(int), 0, n - 1)
            for axis, part, low, step, n in zip(
                body.grid.axes_mm(),
                inside,
                image.grid.lower_mm[::-1],
                image.grid.spacing_mm,
                image.grid.shape,
                strict=True,
            )
        ]
        seen = image.values[np.ix_(*index)]
        values[np.ix_(*inside)] = np.clip(np.rint(seen), -1024, 3071).astype(np.int16)
    return values
