"""CT image objects of a simulated study. Defines `slice_object` and `localizer_object`."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.synthetic.ct_image import SlicePainter
from wholedose.synthetic.headers import PHANTOM, StudyHeader, code, new_dataset
from wholedose.synthetic.technique import (
    COLLIMATION_MM,
    FOCUS_TO_DETECTOR_MM,
    FOCUS_TO_ISOCENTRE_MM,
    PITCH,
    ROTATION_S,
    ROW_MM,
    ScanPlan,
)

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
LOCALIZER_MA = 35
LOCALIZER_SPEED_MM_S = 100.0
HELICAL_START_S = 60.0
BODY_PART = {"chest": "CHEST", "abdomen_pelvis": "ABDOMENPELVIS", "head": "HEAD"}


def _common(header: StudyHeader, plan: ScanPlan, what: str, number: int, start_s: float) -> Any:
    instance = header.uid(what)
    dataset = new_dataset(CT_IMAGE, instance)
    header.fill(dataset, "CT", CT_IMAGE, instance, start_s)
    moment = header.at(start_s)
    dataset.AcquisitionDate, dataset.AcquisitionTime = moment.strftime("%Y%m%d"), moment.strftime("%H%M%S")
    dataset.BodyPartExamined = BODY_PART[plan.region]
    dataset.KVP = f"{plan.kv:g}"
    dataset.DistanceSourceToDetector = f"{FOCUS_TO_DETECTOR_MM:g}"
    dataset.DistanceSourceToPatient = f"{FOCUS_TO_ISOCENTRE_MM:g}"
    dataset.GantryDetectorTilt = "0"
    dataset.FilterType = "HEAD" if plan.phantom_cm == 16 else "BODY"
    dataset.FocalSpots = "1.2"
    dataset.PatientPosition = "HFS"
    dataset.ProtocolName = f"simulated {plan.region}"
    dataset.FrameOfReferenceUID = header.uid("frame of reference")
    dataset.PositionReferenceIndicator = ""
    dataset.ImageComments = "Simulated; no person."
    dataset.InstanceNumber = number
    dataset.SamplesPerPixel = 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated, dataset.BitsStored, dataset.HighBit = 16, 12, 11
    dataset.PixelRepresentation = 0
    dataset.RescaleIntercept, dataset.RescaleSlope, dataset.RescaleType = "-1024", "1", "HU"
    return dataset


def _pixels(dataset: Any, hu: NDArray[np.int16]) -> None:
    dataset.Rows, dataset.Columns = hu.shape
    dataset.PixelData = (np.clip(hu, -1024, 3071) + np.int16(1024)).astype("<u2").tobytes()


def decimal(value: float) -> str:
    """Return a number in at most 16 characters, as DICOM's decimal strings want it."""
    return f"{value:.6f}".rstrip("0").rstrip(".")[:16]


def slice_object(header: StudyHeader, painter: SlicePainter, index: int) -> Any:
    """Return the CT image of slice ``index``, counted from below; instance numbers start at the head.

    Exposure is the effective mAs, mA·t/pitch, cut to whole mAs; Exposure Time is one rotation; CTDIvol
    follows the current of the slice, as on scanners that write it per slice.
    """
    plan = painter.plan
    number = len(plan.slices_mm) - index
    z = float(plan.slices_mm[index])
    ma = float(plan.slice_ma[index])
    dataset = _common(header, plan, f"slice {index}", number, HELICAL_START_S)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    dataset.SeriesInstanceUID, dataset.SeriesNumber = header.uid("helical series"), 2
    dataset.SeriesDescription = f"{plan.region.replace('_', ' ')} {plan.thickness_mm:g} mm"
    dataset.AcquisitionNumber = 2
    dataset.IrradiationEventUID = header.uid("helical event")
    dataset.ScanOptions = "HELICAL"
    dataset.SliceThickness = decimal(plan.thickness_mm)
    dataset.DataCollectionDiameter = dataset.ReconstructionDiameter = decimal(painter.fov_mm)
    dataset.TableHeight = decimal(abs(painter.couch_y_mm - painter.centre_mm[1]))
    dataset.RotationDirection = "CW"
    dataset.ExposureTime = round(1000 * ROTATION_S)
    dataset.XRayTubeCurrent = round(ma)
    dataset.Exposure = int(ma * ROTATION_S / PITCH)
    dataset.ConvolutionKernel = "SOFT"
    dataset.RevolutionTime = ROTATION_S
    dataset.SingleCollimationWidth, dataset.TotalCollimationWidth = ROW_MM, COLLIMATION_MM
    dataset.TableFeedPerRotation = COLLIMATION_MM * PITCH
    dataset.TableSpeed = COLLIMATION_MM * PITCH / ROTATION_S
    dataset.SpiralPitchFactor = PITCH
    centre = [painter.centre_mm[0], painter.centre_mm[1], z]
    dataset.DataCollectionCenterPatient = centre
    dataset.ReconstructionTargetCenterPatient = centre
    dataset.ExposureModulationType = "Z"
    dataset.CTDIvol = float(plan.ctdivol_mgy(ma))
    dataset.CTDIPhantomTypeCodeSequence = [code(*PHANTOM[plan.phantom_cm])]
    x_axis, y_axis = painter.axes_mm()
    dataset.ImagePositionPatient = [decimal(float(x_axis[0])), decimal(float(y_axis[0])), decimal(z)]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    dataset.SliceLocation = decimal(z)
    dataset.PixelSpacing = [decimal(painter.pixel_mm), decimal(painter.pixel_mm)]
    dataset.WindowCenter, dataset.WindowWidth = "40", "400"
    _pixels(dataset, painter.paint(index))
    return dataset


def localizer_object(header: StudyHeader, painter: SlicePainter) -> Any:
    """Return the front-to-back localizer: line integrals of the body at 1 mm."""
    plan, grid = painter.plan, painter.grid
    z_axis, _, x_axis = grid.axes_mm()
    low, high = plan.irradiated_mm[0] - 30.0, plan.irradiated_mm[1] + 30.0
    z = np.arange(high, low, -1.0)
    x = painter.centre_mm[0] + np.arange(-255.5, 256.0)
    line = painter.relative_mu.sum(axis=1, dtype=np.float64) * grid.spacing_mm[1] / 10.0
    rows = np.array([np.interp(x, x_axis, row, left=0.0, right=0.0) for row in line])
    image = np.array([np.interp(z, z_axis, column) for column in rows.T]).T
    hu = np.clip(np.rint(40.0 * image - 600.0), -1024, 3071).astype(np.int16)
    dataset = _common(header, plan, "localizer", 1, 0.0)
    dataset.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    dataset.SeriesInstanceUID, dataset.SeriesNumber = header.uid("localizer series"), 1
    dataset.SeriesDescription = "localizer"
    del dataset.RescaleType  # a projection has no HU
    dataset.AcquisitionNumber = 1
    dataset.IrradiationEventUID = header.uid("localizer event")
    dataset.SliceThickness = ""
    dataset.XRayTubeCurrent = LOCALIZER_MA
    dataset.ExposureTime = round(1000 * len(z) / LOCALIZER_SPEED_MM_S)
    dataset.Exposure = int(LOCALIZER_MA * len(z) / LOCALIZER_SPEED_MM_S)
    dataset.ImagePositionPatient = [decimal(float(x[0])), decimal(painter.centre_mm[1]), decimal(float(z[0]))]
    dataset.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    dataset.PixelSpacing = ["1", "1"]
    dataset.WindowCenter, dataset.WindowWidth = "0", "1200"
    _pixels(dataset, hu)
    return dataset
