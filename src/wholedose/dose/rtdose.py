"""Dose maps as DICOM RT Dose (PS3.3 A.18.3). Defines `save` and `load`.

The one place below `records` that knows DICOM: a dose map owns its file forms (docs/decisions/0002).
Stored values are 32-bit integers times Dose Grid Scaling. The scaling is a decimal string of at most 16
characters, so it is rounded *up* to that precision first and the doses are divided by the rounded value in
double precision: in single precision the hottest voxel would overflow to 0.
"""

from __future__ import annotations

import io
import uuid
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from wholedose.base import Grid, InvalidInput, Provenance, digest_of, write_atomically
from wholedose.dose.dose_map import DoseMap

RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"
LEVELS = 2**32 - 1
CARRIED = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "StudyInstanceUID",
    "StudyDate",
    "StudyTime",
    "StudyID",
    "AccessionNumber",
    "ReferringPhysicianName",
    "FrameOfReferenceUID",
    "PositionReferenceIndicator",
)


def scaling_for(maximum_gy: float) -> str:
    """Return the Dose Grid Scaling for a maximum, as the decimal string to store, rounded up.

    Examples
    --------
    >>> text = scaling_for(0.0123)
    >>> len(text) <= 16 and 0.0123 / float(text) <= LEVELS
    True
    """
    exact = max(maximum_gy, 1e-12) / LEVELS
    for step in range(5):
        text = f"{exact * (1 + step * 2e-9):.9e}"
        if maximum_gy / float(text) <= LEVELS:
            return text
    raise AssertionError("a scaling rounded up holds the maximum")  # pragma: no cover


def save(dose: DoseMap, path: Path, carried: Mapping[str, str]) -> Path:
    """Write an RT Dose instance whose identifiers derive from its content: the same bytes each time."""
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian

    unknown = sorted(set(carried) - set(CARRIED))
    if unknown:
        raise InvalidInput(
            f"RT Dose does not carry {', '.join(unknown)}.", way_out=f"Known: {', '.join(CARRIED)}."
        )
    content = digest_of(
        dose.grid.to_json(), dose.dose_mgy, dose.provenance.to_json(), dict(sorted(carried.items()))
    )
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = RT_DOSE
    meta.MediaStorageSOPInstanceUID = _uid(content, "instance")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data = FileDataset(None, {}, file_meta=meta, preamble=b"\0" * 128)
    data.SOPClassUID = RT_DOSE
    data.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
    data.SpecificCharacterSet = "ISO_IR 192"
    data.Modality = "RTDOSE"
    data.Manufacturer = "wholedose"
    data.SoftwareVersions = dose.provenance.software
    data.SeriesDescription = "Absorbed dose, research and quality assurance use"
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "PatientSex"):
        setattr(data, keyword, "")
    for keyword in ("StudyDate", "StudyTime", "StudyID", "AccessionNumber", "ReferringPhysicianName"):
        setattr(data, keyword, "")
    data.StudyInstanceUID = _uid(content, "study")
    data.FrameOfReferenceUID = _uid(content, "frame")
    data.PositionReferenceIndicator = ""
    for keyword, value in carried.items():
        setattr(data, keyword, value)
    data.SeriesInstanceUID = _uid(content, "series")
    data.SeriesNumber = None
    data.OperatorsName = ""
    data.InstanceNumber = 1
    _pixels(data, dose)
    stream = io.BytesIO()
    data.save_as(stream, enforce_file_format=True)
    return write_atomically(path, stream.getvalue())


def _pixels(data: Any, dose: DoseMap) -> None:
    (nz, ny, nx), (dz, dy, dx) = dose.grid.shape, dose.grid.spacing_mm
    data.ImagePositionPatient = [f"{p:.10g}" for p in dose.grid.origin_mm]
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    data.PixelSpacing = [f"{dy:.10g}", f"{dx:.10g}"]
    data.SliceThickness = f"{dz:.10g}"
    data.GridFrameOffsetVector = [f"{k * dz:.10g}" for k in range(nz)]
    data.FrameIncrementPointer = 0x3004000C
    data.NumberOfFrames, data.Rows, data.Columns = nz, ny, nx
    data.SamplesPerPixel = 1
    data.PhotometricInterpretation = "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 32
    data.HighBit = 31
    data.PixelRepresentation = 0
    data.DoseUnits = "GY"
    data.DoseType = "PHYSICAL"
    data.DoseSummationType = "PLAN"
    data.TissueHeterogeneityCorrection = "IMAGE"
    dose_gy = dose.dose_mgy.astype(np.float64) / 1000.0
    scaling = scaling_for(float(dose_gy.max()))
    data.DoseGridScaling = scaling
    levels = np.clip(np.rint(dose_gy / float(scaling)), 0, LEVELS).astype("<u4")
    data.PixelData = levels.tobytes()


def load(path: Path) -> DoseMap:
    """Read an RT Dose instance of any system in absorbed dose (GY) on axial planes at equal distances."""
    from pydicom import dcmread

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pydicom warns of each odd value; what we need is checked below
            data = dcmread(path)
            if data.get("SOPClassUID") != RT_DOSE:
                found = data.get("Modality", "of unknown modality")
                raise InvalidInput(f"The file is {found}, not RT Dose.", where=str(path))
            return _map_of(data, str(path))
    except InvalidInput:
        raise
    except Exception as error:  # pydicom raises many families on damaged files
        raise InvalidInput(f"The file is not a readable RT Dose: {error}.", where=str(path)) from error


def _map_of(data: Any, where: str) -> DoseMap:
    if data.DoseUnits != "GY":
        raise InvalidInput("The doses are relative, not in Gy.", where=where, way_out="Export absolute dose.")
    if not np.allclose([float(c) for c in data.ImageOrientationPatient], [1, 0, 0, 0, 1, 0], atol=1e-3):
        raise InvalidInput(
            "The dose planes are not axial head-first supine.", where=where, way_out="Resample them."
        )
    offsets = np.atleast_1d(np.array(data.GridFrameOffsetVector, dtype=np.float64))
    x, y, z = (float(p) for p in data.ImagePositionPatient)
    if offsets[0] != 0:  # PS3.3 C.8.8.3.2 b: the offsets are the z positions themselves
        z, offsets = float(offsets[0]), offsets - offsets[0]
    steps = np.diff(offsets)
    step = float(steps[0]) if steps.size else float(data.get("SliceThickness") or 1.0)
    if steps.size and not np.allclose(steps, step, atol=0.01):
        raise InvalidInput(
            "The dose planes are not at equal distances.", where=where, way_out="Resample them."
        )
    levels = data.pixel_array.reshape(len(offsets), int(data.Rows), int(data.Columns))
    dose_mgy = (levels.astype(np.float64) * float(data.DoseGridScaling) * 1000.0).astype(np.float32)
    if step < 0:
        dose_mgy, z, step = dose_mgy[::-1], z + float(offsets[-1]), -step
    spacing = (step, float(data.PixelSpacing[0]), float(data.PixelSpacing[1]))
    nz, ny, nx = dose_mgy.shape
    return DoseMap(Grid((nz, ny, nx), spacing, (x, y, z)), dose_mgy, Provenance("read from DICOM RT Dose"))


def _uid(content: str, role: str) -> str:
    return f"2.25.{uuid.UUID(bytes=bytes.fromhex(digest_of(content, role))[:16], version=4).int}"
