"""NIfTI volumes of any system into the LPS convention. Defines `read_nifti`."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import InvalidInput, OutsideDomain, Volume, ras_to_lps
from wholedose.records.ct_stack import obliquity_deg, resample_to_lps, to_lps

MAX_VOXELS = 1 << 29
"""Larger volumes are refused before their data is read."""

_UNITS_MM = {"unknown": 1.0, "mm": 1.0, "meter": 1000.0, "micron": 0.001}


def read_nifti(path: str | PathLike[str], *, unit: str = "HU") -> Volume:
    """Read a NIfTI volume into patient coordinates.

    Parameters
    ----------
    path : path
        ``.nii`` or ``.nii.gz``; three-dimensional, oriented by its sform or qform.
    unit : {"HU", "label"}
        CT numbers (interpolated where the volume is oblique), or labels (nearest neighbour, integers only).

    Returns
    -------
    Volume
        ``[z, y, x]`` in LPS; int16 or float32 for HU, int32 for labels. ``meta["findings"]`` tells of
        resampling.

    Raises
    ------
    InvalidInput
        Not a NIfTI file, broken, without orientation, not three-dimensional, or too large.
    OutsideDomain
        ``unit="HU"`` but no value is as low as air or lung: an MR, or a CT stored with an offset.

    Examples
    --------
    >>> read_nifti("/nowhere.nii.gz")
    Traceback (most recent call last):
    wholedose.base.errors.InvalidInput: There is no such file. [/nowhere.nii.gz] Check the path.
    """
    place = Path(path)
    values, affine = _load(place)
    findings: list[str] = []
    if unit == "label":
        values = as_labels(values, str(place))
        outside = 0.0
    else:
        if not np.isfinite(values).all():
            raise InvalidInput(
                "The volume holds values that are not finite.",
                where=str(place),
                way_out="Write it again in HU.",
            )
        if values.min() > -500 or values.max() > 70_000:
            raise OutsideDomain(
                f"The values run from {values.min():g} to {values.max():g}; "
                "a CT in HU has air or lung below −500.",
                where=str(place),
                way_out="Give a CT in HU; an MR or a CT stored with an offset is not one.",
            )
        integral = values.dtype.kind in "iu" and values.min() >= -32768 and values.max() <= 32767
        values = np.maximum(values, -1024).astype(np.int16 if integral else np.float32)
        outside = -1024.0
    placed = to_lps(values, affine)
    if placed is None:
        placed = resample_to_lps(values, affine, outside, nearest=unit == "label")
        findings.append(f"The volume is oblique by {obliquity_deg(affine):.1f}° and was resampled.")
    array, grid = placed
    return Volume(
        grid, np.ascontiguousarray(array), unit, {"source": str(place), "findings": tuple(findings)}
    )


def as_labels(values: NDArray[Any], where: str) -> NDArray[np.int32]:
    """Return values as int32 labels; raise when they are no small non-negative integers."""
    if values.dtype.kind not in "iu":
        if not np.isfinite(values).all() or np.abs(values - np.rint(values)).max() > 1e-3:
            raise InvalidInput(
                "The label map holds values that are no integers.",
                where=where,
                way_out="Give a label map with one integer per structure, not a probability map.",
            )
        values = np.rint(values)
    if values.min() < 0 or values.max() > 65535:
        raise InvalidInput(
            f"The label map holds values from {values.min():g} to {values.max():g}.",
            where=where,
            way_out="Labels are 0 (background) to 65535.",
        )
    return values.astype(np.int32)


def _load(path: Path) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return the array ``[i, j, k]`` and its affine to LPS mm."""
    import nibabel

    if not path.is_file():
        raise InvalidInput("There is no such file.", where=str(path), way_out="Check the path.")
    if path.stat().st_size == 0:
        raise InvalidInput("The file is empty.", where=str(path), way_out="Write the volume again.")
    try:
        image = nibabel.load(path)
        header = image.header
        shape = tuple(int(n) for n in image.shape)
        coded = int(header["sform_code"]) > 0 or int(header["qform_code"]) > 0
        scale = _UNITS_MM[header.get_xyzt_units()[0]]
        affine = np.array(image.affine, dtype=np.float64)
    except Exception as error:  # nibabel raises many kinds on a broken header
        raise _broken(path, error) from None
    while len(shape) > 3 and shape[-1] == 1:
        shape = shape[:-1]
    if len(shape) != 3 or min(shape) < 1 or int(np.prod([float(n) for n in shape])) > MAX_VOXELS:
        raise InvalidInput(
            f"The volume has the shape {shape}; three dimensions and at most 2^29 voxels are read.",
            where=str(path),
            way_out="Give one three-dimensional volume.",
        )
    usable = bool(np.isfinite(affine).all()) and abs(np.linalg.det(affine[:3, :3])) > 1e-9
    if not coded or not usable:
        raise InvalidInput(
            "The volume has no orientation (neither sform nor qform is set).",
            where=str(path),
            way_out="Convert it again with its orientation; left and right are not guessed.",
        )
    try:
        slope, shift = header.get_slope_inter()
        # unscaled integers stay integers
        plain = (slope is None or slope == 1) and (shift is None or shift == 0)
        data = (
            np.asanyarray(image.dataobj) if plain else image.get_fdata(dtype=np.float32, caching="unchanged")
        )
    except Exception as error:  # a truncated or bit-flipped stream
        raise _broken(path, error) from None
    affine[:3] *= scale
    return np.asarray(data).reshape(shape), ras_to_lps(affine)


def _broken(path: Path, error: BaseException) -> InvalidInput:
    detail = " ".join(str(error).split())[:160] or type(error).__name__
    return InvalidInput(
        f"The NIfTI file is broken or not readable ({detail}).", where=str(path), way_out="Write it again."
    )
