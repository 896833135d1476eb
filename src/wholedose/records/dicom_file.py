"""Bounded reading of one DICOM file. Defines `read_header`, `read_stored_pixels` and value getters.

A broken file must cost neither minutes nor gigabytes: sizes are checked before anything is opened, the header
stops at the pixel data, and every failure of a decoder becomes an `InvalidInput` that names the file.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import InvalidInput

MAX_FILE_BYTES = 1 << 30
"""Larger files are refused unread: 1 GiB holds 2000 slices of 512 × 512."""

MAX_ELEMENTS = 20_000
"""More top-level elements than this before the pixel data is a broken file."""

MAX_PIXELS = 1 << 30
"""More voxels than this in one file are refused: they would need more than 2 GB."""

_DEFLATED = "1.2.840.10008.1.2.1.99"
_PIXELS = (0x7FE00008, 0x7FE00009, 0x7FE00010)


@contextmanager
def quiet() -> Iterator[None]:
    """Silence pydicom's warnings on values outside the standard: readers are tolerant."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def looks_like_dicom(path: Path) -> bool:
    """Return whether a file starts as DICOM does: ``DICM`` at byte 128, or a group 0008 element at once."""
    try:
        with path.open("rb") as stream:
            start = stream.read(132)
    except OSError:
        return False
    return start[128:132] == b"DICM" or (len(start) == 132 and start[:2] == b"\x08\x00" and start[3] == 0)


def check_size(path: Path) -> int:
    """Return the size of a file in bytes.

    Raises
    ------
    InvalidInput
        The file is missing, empty or larger than `MAX_FILE_BYTES`.
    """
    try:
        size = path.stat().st_size
    except OSError as error:
        raise InvalidInput(
            f"The file cannot be read: {error.strerror}.", where=str(path), way_out="Check the path."
        ) from None
    if size == 0:
        raise InvalidInput("The file is empty.", where=str(path), way_out="Export it again.")
    if size > MAX_FILE_BYTES:
        raise InvalidInput(
            f"The file has {size / 2**30:.1f} GiB; more than {MAX_FILE_BYTES >> 30} GiB is not read.",
            where=str(path),
            way_out="Give the slices as single files, or cut the object to the scan of interest.",
        )
    return size


def read_header(path: Path) -> Any:
    """Return the data set of a DICOM file without its pixel data.

    Parameters
    ----------
    path : Path

    Returns
    -------
    pydicom.FileDataset
        With ``file_meta``; values longer than 1 MB are left on disk.

    Raises
    ------
    InvalidInput
        The file is empty, too large, not DICOM, deflated or broken.
    """
    from pydicom.filereader import read_partial

    check_size(path)
    if not looks_like_dicom(path):
        raise InvalidInput("The file is not DICOM.", where=str(path), way_out="Give a DICOM file.")
    seen = 0
    last = -1

    def stop(tag: Any, vr: str | None, length: int) -> bool:
        nonlocal seen, last
        number = int(tag)
        if number in _PIXELS:
            return True
        seen += 1
        if seen > MAX_ELEMENTS or number <= last or number >> 16 < 8:
            raise ValueError(f"element {tag} out of order")
        last = number
        return False

    try:
        with quiet(), path.open("rb") as stream:
            syntax = _transfer_syntax(path)
            if syntax == _DEFLATED:
                raise ValueError("deflated objects are not read; convert it with `dcmconv +te`")
            return read_partial(stream, stop_when=stop, defer_size=1 << 20, force=True)
    except Exception as error:  # any failure of the parser is a broken file
        raise _broken(path, error) from None


def element_value(dataset: Any, keyword: str) -> Any:
    """Return an attribute's value; None when it is absent, empty or not decodable."""
    try:
        with quiet():
            value = dataset.get(keyword)
            if value is None or (hasattr(value, "__len__") and len(value) == 0):
                return None
            return value
    except Exception:  # an undecodable optional attribute counts as absent
        return None


def numbers(dataset: Any, keyword: str) -> tuple[float, ...] | None:
    """Return an attribute as finite floats; None when it is absent or holds anything else."""
    value = element_value(dataset, keyword)
    if value is None:
        return None
    try:
        items = [value] if isinstance(value, int | float | str) else list(value)
        found = tuple(float(item) for item in items)
    except (TypeError, ValueError):
        return None
    return found if found and all(math.isfinite(item) for item in found) else None


def number(dataset: Any, keyword: str) -> float | None:
    """Return an attribute's first value as a finite float, or None."""
    found = numbers(dataset, keyword)
    return found[0] if found else None


def text(dataset: Any, keyword: str) -> str:
    """Return an attribute as stripped text, several values joined by a backslash; empty when absent."""
    value = element_value(dataset, keyword)
    if value is None:
        return ""
    try:
        if isinstance(value, list) or type(value).__name__ == "MultiValue":
            return "\\".join(str(item).strip() for item in value)
        return str(value).strip()
    except Exception:  # a name in an unknown character set
        return ""


def _transfer_syntax(path: Path) -> str:
    from pydicom.filereader import read_file_meta_info

    with path.open("rb") as stream:
        stream.seek(128)
        if stream.read(4) != b"DICM":
            return ""
    return str(read_file_meta_info(path).get("TransferSyntaxUID", ""))


def _broken(path: Path, error: BaseException) -> InvalidInput:
    detail = " ".join(str(error).split())[:200] or type(error).__name__
    return InvalidInput(
        f"The DICOM file is broken or not readable ({detail}).",
        where=str(path),
        way_out="Export it again from the archive; all other files of the study may stay.",
    )


def read_stored_pixels(path: Path, header: Any) -> NDArray[Any]:
    """Return the stored values of a single- or multi-frame image, before rescale.

    Parameters
    ----------
    path : Path
    header : pydicom.FileDataset
        What `read_header` returned for the same file.

    Returns
    -------
    array of shape (frames, rows, columns)

    Raises
    ------
    InvalidInput
        No pixel data, a size that does not fit, a compression without a decoder, or broken data.
    """
    from pydicom.filereader import dcmread

    rows, columns = int(number(header, "Rows") or 0), int(number(header, "Columns") or 0)
    frames = int(number(header, "NumberOfFrames") or 1)
    if rows < 1 or columns < 1 or frames < 1 or rows * columns * frames > MAX_PIXELS:
        raise InvalidInput(
            f"The image size {frames} × {rows} × {columns} is not usable.",
            where=str(path),
            way_out="Export the file again from the archive.",
        )
    try:
        with quiet():
            dataset = dcmread(path, force=True)
            if "PixelData" not in dataset:
                raise ValueError("no pixel data")
            meta = getattr(dataset, "file_meta", None)
            if meta is None or "TransferSyntaxUID" not in meta:
                from pydicom.uid import ImplicitVRLittleEndian

                dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
            try:
                stored = np.asarray(dataset.pixel_array)
            except Exception:
                if frames > 1 or not dataset.file_meta.TransferSyntaxUID.is_compressed:
                    raise
                stored = _decode_with_gdcm(path, header)
    except Exception as error:  # any failure of a decoder is a broken file
        raise _broken(path, error) from None
    if stored.size != frames * rows * columns:
        raise InvalidInput(
            f"The pixel data holds {stored.size} values; {frames} × {rows} × {columns} were announced.",
            where=str(path),
            way_out="Export the file again from the archive.",
        )
    return stored.reshape(frames, rows, columns)


def _decode_with_gdcm(path: Path, header: Any) -> NDArray[Any]:
    # JPEG Lossless and 12-bit JPEG: pydicom's own plugins for them are GPL; SimpleITK carries GDCM's decoders
    import SimpleITK as sitk

    reader = sitk.ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(str(path))
    rescaled = sitk.GetArrayFromImage(reader.Execute()).astype(np.float64)
    slope = number(header, "RescaleSlope") or 1.0
    intercept = number(header, "RescaleIntercept") or 0.0
    return np.asarray(np.rint((rescaled - intercept) / slope).astype(np.int32))
