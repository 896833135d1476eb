"""Dose maps as NIfTI, in mGy, with the provenance in a header extension.

Defines `save` and `load`, and for the arrays that lie beside a dose map in a result (CT numbers, organs)
`nifti_bytes` and `read_own_nifti`. Volumes of other systems are for `records.read_nifti`.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import (
    Cause,
    Grid,
    InvalidInput,
    Provenance,
    WholedoseError,
    from_ras,
    reading_record,
    write_atomically,
)
from wholedose.dose.dose_map import DoseMap

U_NOTE = {"unit": "relative standard uncertainty"}
COMMENT = 6  # NIfTI extension code for plain text


def save(dose: DoseMap, path: Path) -> Path:
    """Write the map, and its statistical uncertainty beside it as ``*.u.nii.gz``."""
    note = {
        "unit": "mGy",
        "provenance": dose.provenance.to_json(),
        "relative_parts": [[*cause, part] for cause, part in sorted(dose.relative_parts.items())],
    }
    if dose.relative_u is not None:
        write_atomically(_beside(path), nifti_bytes(dose.grid, dose.relative_u, note=U_NOTE))
    zipped = path.name.endswith(".gz")
    return write_atomically(path, nifti_bytes(dose.grid, dose.dose_mgy, note=note, zipped=zipped))


def load(path: Path) -> DoseMap:
    """Read a map that `save` wrote, or any three-dimensional NIfTI of doses in mGy."""
    grid, dose, notes = _read(path)
    relative_u = None
    if _beside(path).exists():
        relative_u = read_own_nifti(_beside(path))[1].astype(np.float32)
    provenance = Provenance("read from NIfTI")
    parts = {}
    if "provenance" in notes:
        with reading_record("The note of the dose map is incomplete", where=str(path)):
            provenance = Provenance.from_json(notes["provenance"])
            parts = {Cause(name, origin): part for name, origin, part in notes["relative_parts"]}
    return DoseMap(grid, dose.astype(np.float32), provenance, relative_u, parts)


def _beside(path: Path) -> Path:
    stem = path.name.removesuffix(".gz").removesuffix(".nii")
    return path.with_name(f"{stem}.u.nii.gz")


def nifti_bytes(
    grid: Grid, values: NDArray[Any], *, note: Mapping[str, Any] | None = None, zipped: bool = True
) -> bytes:
    """Return a volume as a NIfTI file; the same bytes each time.

    Parameters
    ----------
    grid : Grid
    values : array [z, y, x]
        Of a type that NIfTI has, such as int16 or float32.
    note : mapping, optional
        Goes into a header extension as JSON; its ``"unit"`` is the description.
    zipped : bool
        As for a name that ends in ``.nii.gz``.
    """
    import nibabel

    image = nibabel.Nifti1Image(np.ascontiguousarray(values.transpose(2, 1, 0)), grid.affine_ras())
    image.header.set_xyzt_units("mm")
    if note is not None:
        image.header["descrip"] = note["unit"].encode()
        text = json.dumps(note, sort_keys=True).encode()
        image.header.extensions.append(nibabel.nifti1.Nifti1Extension(COMMENT, text))
    raw: bytes = image.to_bytes()
    return gzip.compress(raw, compresslevel=4, mtime=0) if zipped else raw


def read_own_nifti(path: str | Path) -> tuple[Grid, NDArray[Any]]:
    """Return grid and array [z, y, x] of a volume that `nifti_bytes` made.

    Raises
    ------
    InvalidInput
        The file is not readable, not three-dimensional, or oblique.
    """
    grid, values, _ = _read(Path(path))
    return grid, values


def _read(path: Path) -> tuple[Grid, NDArray[Any], dict[str, Any]]:
    import nibabel

    try:
        image = nibabel.load(path)
        notes: dict[str, Any] = {}
        for extension in image.header.extensions:
            if extension.get_code() == COMMENT:
                notes |= _note(extension.get_content())
        return *from_ras(image.affine, np.asarray(image.dataobj), where=str(path)), notes
    except WholedoseError:
        raise
    except Exception as error:  # nibabel, zlib and json each have their own family
        raise InvalidInput(f"The NIfTI file is not readable: {error}.", where=str(path)) from error


def _note(text: bytes) -> dict[str, Any]:
    """Return our note, or nothing of a comment that another program wrote."""
    try:
        note = json.loads(text)
    except ValueError:
        return {}
    return note if isinstance(note, dict) else {}
