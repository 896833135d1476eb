"""Small DICOM segmentations and structure sets, composed in code, for the readers' tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, RTStructureSetStorage
from tests.records.make_ct import FRAME_OF_REFERENCE

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"


def write_seg(path: Path, slices: list[Path], masks: dict[str, NDArray[np.bool_]]) -> Path:
    """Write a binary SEG with highdicom; masks are ``[z, y, x]`` in the order of ``slices``."""
    import highdicom as hd
    from pydicom.sr.codedict import codes

    images = [dcmread(item) for item in slices]
    for image in images:
        for keyword in ("AccessionNumber", "StudyID", "StudyTime", "ReferringPhysicianName"):
            setattr(image, keyword, "")
        image.PatientBirthDate = image.get("PatientBirthDate", "")
    described = [
        hd.seg.SegmentDescription(
            segment_number=i,
            segment_label=name,
            segmented_property_category=codes.SCT.Organ,
            segmented_property_type=codes.SCT.Liver,
            algorithm_type="MANUAL",
        )
        for i, name in enumerate(masks, 1)
    ]
    seg = hd.seg.Segmentation(
        source_images=images,
        pixel_array=np.stack(list(masks.values()), axis=-1).astype(np.uint8),
        segmentation_type="BINARY",
        segment_descriptions=described,
        series_instance_uid="2.25.500",
        series_number=5,
        sop_instance_uid="2.25.501",
        instance_number=1,
        manufacturer="TEST",
        manufacturer_model_name="TEST",
        software_versions="1",
        device_serial_number="1",
        omit_empty_frames=True,
    )
    seg.save_as(path)
    return path


def write_rtstruct(
    path: Path, rois: dict[str, list[list[tuple[float, float, float]]]], **changes: Any
) -> Path:
    """Write a structure set: per structure its contours, each a list of LPS points."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = RTStructureSetStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = "2.25.601"
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = (
        RTStructureSetStorage,
        "2.25.601",
        "RTSTRUCT",
    )
    dataset.PatientID = "T1"
    described, drawn = [], []
    for number, (name, contours) in enumerate(rois.items(), 1):
        roi = Dataset()
        roi.ROINumber, roi.ROIName = number, name
        roi.ReferencedFrameOfReferenceUID = changes.get("frame_of_reference", FRAME_OF_REFERENCE)
        described.append(roi)
        item = Dataset()
        item.ReferencedROINumber = number
        item.ContourSequence = []
        for points in contours:
            contour = Dataset()
            contour.ContourGeometricType = "POINT" if len(points) < 3 else "CLOSED_PLANAR"
            contour.NumberOfContourPoints = len(points)
            contour.ContourData = [float(value) for point in points for value in point]
            item.ContourSequence.append(contour)
        drawn.append(item)
    dataset.StructureSetROISequence = described
    dataset.ROIContourSequence = drawn
    dataset.save_as(path, enforce_file_format=True)
    return path
