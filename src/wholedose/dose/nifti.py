"""Dose maps as NIfTI, in mGy, with the provenance in a header extension. Defines `save` and `load`."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np

from wholedose.base import Cause, InvalidInput, Provenance, WholedoseError, from_ras, write_atomically
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
        write_atomically(_beside(path), _bytes(dose, dose.relative_u, U_NOTE, _beside(path)))
    return write_atomically(path, _bytes(dose, dose.dose_mgy, note, path))


def load(path: Path) -> DoseMap:
    """Read a map that `save` wrote, or any three-dimensional NIfTI of doses in mGy."""
    affine, values, notes = _read(path)
    grid, dose = from_ras(affine, values, where=str(path))
    relative_u = None
    if _beside(path).exists():
        relative_u = from_ras(*_read(_beside(path))[:2], where=str(_beside(path)))[1].astype(np.float32)
    provenance = Provenance("read from NIfTI")
    parts = {}
    if "provenance" in notes:
        provenance = Provenance.from_json(notes["provenance"])
        parts = {Cause(name, origin): part for name, origin, part in notes["relative_parts"]}
    return DoseMap(grid, dose.astype(np.float32), provenance, relative_u, parts)


def _beside(path: Path) -> Path:
    stem = path.name.removesuffix(".gz").removesuffix(".nii")
    return path.with_name(f"{stem}.u.nii.gz")


def _bytes(dose: DoseMap, values: Any, note: dict[str, Any], path: Path) -> bytes:
    import nibabel

    image = nibabel.Nifti1Image(np.ascontiguousarray(values.transpose(2, 1, 0)), dose.grid.affine_ras())
    image.header.set_xyzt_units("mm")
    image.header["descrip"] = note["unit"].encode()
    text = json.dumps(note, sort_keys=True).encode()
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension(COMMENT, text))
    raw: bytes = image.to_bytes()
    return gzip.compress(raw, compresslevel=4, mtime=0) if path.name.endswith(".gz") else raw


def _read(path: Path) -> tuple[Any, Any, dict[str, Any]]:
    import nibabel

    try:
        image = nibabel.load(path)
        notes: dict[str, Any] = {}
        for extension in image.header.extensions:
            if extension.get_code() == COMMENT:
                notes = json.loads(extension.get_content())
        return image.affine, np.asarray(image.dataobj), notes
    except WholedoseError:
        raise
    except Exception as error:  # nibabel, zlib and json each have their own family
        raise InvalidInput(f"The NIfTI file is not readable: {error}.", where=str(path)) from error
