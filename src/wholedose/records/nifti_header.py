"""What a NIfTI file holds, from its header and first voxels. Defines `is_nifti` and `describe_nifti`."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from wholedose.base import InvalidInput

_SAMPLE = 8 * 2**20
_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4"}


def is_nifti(path: Path) -> bool:
    """Tell whether a file is named as NIfTI."""
    return path.name.lower().endswith((".nii", ".nii.gz"))


def describe_nifti(path: Path) -> dict[str, Any]:
    """Return the item of a NIfTI file; a NIfTI file states no modality, so that CT is guessed from its
    values.

    Raises
    ------
    InvalidInput
        When the file is empty, damaged or not NIfTI-1 or -2.
    """
    head = _start(path)
    order, version = _version(head)
    if version == 0:
        raise InvalidInput("The file is named NIfTI, but has no NIfTI header.", where=str(path))
    layout = (
        (40, "8h", 70, 76, "8f", 108, 112, "f") if version == 1 else (16, "8q", 12, 104, "8d", 168, 176, "d")
    )
    shape_at, shape_form, type_at, step_at, step_form, offset_at, scale_at, scale_form = layout
    try:
        shape = struct.unpack_from(order + shape_form, head, shape_at)
        (data_type,) = struct.unpack_from(order + "h", head, type_at)
        steps = struct.unpack_from(order + step_form, head, step_at)
        (offset,) = struct.unpack_from(order + ("f" if version == 1 else "q"), head, offset_at)
        slope, intercept = struct.unpack_from(order + f"2{scale_form}", head, scale_at)
    except struct.error:
        raise InvalidInput("The NIfTI header is cut.", where=str(path), way_out="Export it again.") from None
    axes = shape[0]
    if not 1 <= axes <= 7 or any(not 0 < size < 2**20 for size in shape[1 : axes + 1]):
        raise InvalidInput(f"The NIfTI header has impossible sizes {shape}.", where=str(path))
    findings = []
    ct = False
    if data_type in _TYPES and np.isfinite(offset) and 0 <= offset < len(head):
        ct = _looks_like_ct(head[int(offset) :], order + _TYPES[data_type], slope, intercept)
    what = "A NIfTI file states no modality; "
    what += "CT is guessed from values that look like HU." if ct else "its values don't look like HU."
    findings.append({"what": what, "size": None, "severity": "info"})
    return {
        "path": str(path),
        "modality": "CT" if ct else "OT",
        "kind": "image",
        "events": 0,
        "totals": {},
        "exposures": [],
        "findings": findings,
        "shape": list(shape[1 : axes + 1]),
        "voxel_mm": [float(step) if np.isfinite(step) else 0.0 for step in steps[1 : min(axes, 3) + 1]],
    }


def _start(path: Path) -> bytes:
    """Return the first bytes, inflated where needed; never more than the sample."""
    try:
        with path.open("rb") as file:
            zipped = file.read(2) == b"\x1f\x8b"
        with gzip.open(path, "rb") if zipped else path.open("rb") as stream:
            return stream.read(_SAMPLE)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InvalidInput(
            f"The file can't be read: {reason}.", where=str(path), way_out="Export it again."
        ) from None


def _version(head: bytes) -> tuple[str, int]:
    for order in "<>":
        if len(head) >= 348:
            (size,) = struct.unpack_from(order + "i", head, 0)
            if size == 348 and head[344:347] in (b"n+1", b"ni1"):
                return order, 1
            if size == 540 and head[4:7] in (b"n+2", b"ni2"):
                return order, 2
    return "<", 0


def _looks_like_ct(data: bytes, kind: str, slope: float, intercept: float) -> bool:
    """Tell whether the first voxels look like CT numbers: air near -1000 and nothing far below."""
    size = np.dtype(kind).itemsize
    values = np.frombuffer(data[: len(data) // size * size], dtype=kind)
    if values.size == 0:
        return False
    with np.errstate(all="ignore"):
        low, high = float(np.nanmin(values)), float(np.nanmax(values))
        if slope and np.isfinite(slope) and np.isfinite(intercept):
            low, high = sorted((low * slope + intercept, high * slope + intercept))
    return -10_000 < low <= -900 and -900 < high < 70_000
