"""Small DICOM CT series, composed in code, for the readers' tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence as DicomSequence
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian

SERIES = "2.25.1001"
FRAME_OF_REFERENCE = "2.25.1003"


def phantom(shape: tuple[int, int, int] = (6, 24, 20)) -> NDArray[np.int16]:
    """HU ``[z, y, x]``: an asymmetric body in air, so that no flip leaves it unchanged."""
    rng = np.random.default_rng(7)
    hu = np.full(shape, -1000, np.int16)
    hu[:, 6:18, 4:15] = 40
    hu[2:, 8:12, 5:8] = -800
    hu[:4, 13:16, 9:11] = 900
    return (hu + rng.integers(-9, 10, shape)).astype(np.int16)


def slice_dataset(hu: NDArray[Any], position: Sequence[float], number: int, **changes: Any) -> Dataset:
    """Return one CT image; ``changes`` set attributes, None deletes them."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = f"2.25.9{number:04d}"
    values: dict[str, Any] = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": f"2.25.9{number:04d}",
        "Modality": "CT",
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "Manufacturer": "MAKER",
        "PatientName": "TEST^ONE",
        "PatientID": "T1",
        "PatientBirthDate": "19850601",
        "PatientSex": "F",
        "PatientSize": "1.68",
        "PatientWeight": "61",
        "StudyDate": "20240301",
        "StudyInstanceUID": "2.25.1000",
        "SeriesInstanceUID": SERIES,
        "SeriesNumber": 2,
        "SeriesDescription": "chest",
        "FrameOfReferenceUID": FRAME_OF_REFERENCE,
        "InstanceNumber": number,
        "KVP": "120",
        "XRayTubeCurrent": 200 + number,
        "ExposureTime": 500,
        "Exposure": int((200 + number) * 0.5 / 0.8),
        "SpiralPitchFactor": 0.8,
        "TotalCollimationWidth": 38.4,
        "SingleCollimationWidth": 0.6,
        "CTDIvol": 5.0 + 0.1 * number,
        "FilterType": "BODY",
        "ConvolutionKernel": "B30",
        "PatientPosition": "HFS",
        "SliceThickness": "3",
        "ImagePositionPatient": [float(p) for p in position],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "PixelSpacing": [2.0, 2.5],
        "Rows": hu.shape[0],
        "Columns": hu.shape[1],
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 0,
        "RescaleSlope": "1",
        "RescaleIntercept": "-1024",
        "RescaleType": "HU",
    }
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = (
        "113691",
        "DCM",
        "IEC Body Dosimetry Phantom",
    )
    values["CTDIPhantomTypeCodeSequence"] = DicomSequence([code])
    for keyword, value in (values | changes).items():
        if value is not None:
            setattr(dataset, keyword, value)
    slope = float(changes.get("RescaleSlope") or 1.0)
    shift = float(changes.get("RescaleIntercept") or -1024.0)
    dataset.PixelData = np.rint((hu - shift) / slope).astype("<u2").tobytes()
    return dataset


def write(path: Path, dataset: Dataset) -> Path:
    dataset.save_as(path, enforce_file_format=True)
    return path


def write_series(
    folder: Path, hu: NDArray[Any] | None = None, *, dz: float = 3.0, first: int = 1, **changes: Any
) -> list[Path]:
    """Write an axial head-first supine series; files are named against the order of z."""
    folder.mkdir(parents=True, exist_ok=True)
    hu = phantom() if hu is None else hu
    return [
        write(
            folder / f"{len(hu) - k:03d}_{first}.dcm",
            slice_dataset(hu[k], (-20.0, -30.0, 100.0 + dz * k), first + k, **changes),
        )
        for k in range(len(hu))
    ]


IN_GROUPS = (
    *("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing", "SliceThickness", "RescaleSlope"),
    *("RescaleIntercept", "RescaleType", "KVP", "XRayTubeCurrent", "Exposure", "ExposureTime", "CTDIvol"),
    *("SpiralPitchFactor", "TotalCollimationWidth", "SingleCollimationWidth", "FilterType"),
    *("ConvolutionKernel", "CTDIPhantomTypeCodeSequence"),
)


def enhanced_dataset(hu: NDArray[Any], dz: float = 3.0) -> Dataset:
    """Return an enhanced multi-frame CT with the frames in descending z."""
    base = slice_dataset(hu[0], (0, 0, 0), 1)
    for keyword in IN_GROUPS:
        delattr(base, keyword)
    base.SOPClassUID = base.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    base.NumberOfFrames = len(hu)

    def group(**values: Any) -> DicomSequence:
        item = Dataset()
        for keyword, value in values.items():
            setattr(item, keyword, value)
        return DicomSequence([item])

    shared = Dataset()
    shared.PixelMeasuresSequence = group(PixelSpacing=[2.0, 2.5], SliceThickness="3")
    shared.PlaneOrientationSequence = group(ImageOrientationPatient=[1, 0, 0, 0, 1, 0])
    shared.PixelValueTransformationSequence = group(
        RescaleSlope="1", RescaleIntercept="-1024", RescaleType="HU"
    )
    shared.CTXRayDetailsSequence = group(KVP=120.0)
    base.SharedFunctionalGroupsSequence = DicomSequence([shared])
    frames = []
    for k in reversed(range(len(hu))):
        item = Dataset()
        item.PlanePositionSequence = group(ImagePositionPatient=[-20.0, -30.0, 100.0 + dz * k])
        item.CTExposureSequence = group(XRayTubeCurrentInmA=200.0 + k, ExposureInmAs=100.0, CTDIvol=5.0)
        frames.append(item)
    base.PerFrameFunctionalGroupsSequence = DicomSequence(frames)
    base.PixelData = (hu[::-1].astype(np.int32) + 1024).astype("<u2").tobytes()
    return base
