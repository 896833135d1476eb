"""A folder that shows a body. Defines `save_body_folder` and `BODY_FILES`."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from wholedose.base import write_atomically, write_folder_atomically
from wholedose.body import Body
from wholedose.dose.nifti import nifti_bytes
from wholedose.report.body_masses import OrganMass, masses_of
from wholedose.report.bodysheet import labels_named, sheet
from wholedose.report.bundle import check_target

FORMAT = 1
BODY_FILES = {
    "sheet.png": "renderings, sections and masses on one page",
    "organs.csv": "masses, voxels, pieces and centre of each label",
    "labels.nii.gz": "the labels (labels.json: their names)",
    "labels.json": "names of the labels by number",
    "body.json": "person, pose, grid, assumptions and masses",
}


def save_body_folder(
    body: Body, directory: str | Path, *, pose: str = "", organs: Collection[str] | None = None
) -> Path:
    """Write the contact sheet, the masses and the labels of a body into a folder.

    Parameters
    ----------
    body : Body
    directory : path
        Replaced as a whole when it holds an earlier one of these.
    pose : str
        For the sheet's title.
    organs : collection of str, optional
        See `sheet`.

    Raises
    ------
    InvalidInput
        The folder holds files that are not ours.
    OutputFailed
        The place cannot be written.
    UnknownName
        The body has no such label.

    Examples
    --------
    ``save_body_folder(body, "out/body", pose="sitting")`` → ``PosixPath("out/body")``
    """
    target = Path(directory)
    check_target(target, tuple(BODY_FILES))
    labels_named(body, organs)
    masses = masses_of(body)
    stream = io.BytesIO()
    sheet(body, pose=pose, organs=organs).save(stream, format="png")
    with write_folder_atomically(target) as room:
        write_atomically(room / "sheet.png", stream.getvalue())
        write_atomically(room / "organs.csv", _csv(masses))
        write_atomically(room / "labels.nii.gz", nifti_bytes(body.grid, body.labels.astype(np.int16)))
        names = json.dumps(dict(enumerate(body.organs, start=1)), indent=1)
        write_atomically(room / "labels.json", names + "\n")
        text = json.dumps(body_json(body, masses, pose=pose), indent=1, ensure_ascii=False, allow_nan=False)
        write_atomically(room / "body.json", text + "\n")
    return target


def body_json(body: Body, masses: Collection[OrganMass], *, pose: str = "") -> dict[str, Any]:
    """Return ``body.json``, format 1: what scripts rely on."""
    return {
        "format": FORMAT,
        "kind": "body",
        "pose": pose,
        **body.to_json(),
        "organs": [
            {
                "organ": row.organ,
                "voxel_mass_g": row.voxel_mass_g,
                "target_mass_g": _known(row.target_mass_g),
                "reference_mass_g": _known(row.reference_mass_g),
                "voxels": row.voxels,
                "pieces": row.pieces,
                "centre_mm": list(row.centre_mm),
            }
            for row in masses
        ],
    }


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _csv(masses: Collection[OrganMass]) -> str:
    text = io.StringIO()
    rows = [row.to_row() for row in masses]
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
