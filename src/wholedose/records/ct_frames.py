"""The CT slices of files, single- or multi-frame, as one kind of thing. Defines `CtFrame` and `frames_of`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import InvalidInput
from wholedose.records.dicom_file import element_value, number, numbers, quiet, text

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"
ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.1"
LEGACY_ENHANCED_CT = "1.2.840.10008.5.1.4.1.1.2.2"
MULTI_FRAME = (ENHANCED_CT, LEGACY_ENHANCED_CT)


@dataclass(eq=False)
class CtFrame:
    """One CT slice: where it lies, how stored values become HU, and its attributes.

    Attributes
    ----------
    path : Path
    index : int
        Frame number inside the file, from 0.
    header : pydicom.Dataset
        The data set of the file, without pixels.
    groups : mapping
        Attributes of the frame's functional groups (enhanced objects); empty for single-frame files.
    """

    path: Path
    index: int
    header: Any
    groups: Mapping[str, Any] = field(default_factory=dict)

    def get(self, keyword: str) -> Any:
        """Return an attribute by keyword, the frame's own before the file's; None when absent."""
        return element_value(self.groups if keyword in self.groups else self.header, keyword)

    def number(self, keyword: str) -> float | None:
        """Return the first value of an attribute as a float, or None."""
        return number(self.groups if keyword in self.groups else self.header, keyword)

    def numbers(self, keyword: str) -> tuple[float, ...] | None:
        """Return all values of an attribute as floats, or None."""
        return numbers(self.groups if keyword in self.groups else self.header, keyword)

    def text(self, keyword: str) -> str:
        """Return an attribute as text, empty when absent."""
        return text(self.groups if keyword in self.groups else self.header, keyword)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns."""
        return int(self.number("Rows") or 0), int(self.number("Columns") or 0)

    @property
    def position_mm(self) -> NDArray[np.float64]:
        """The LPS position of the centre of the first pixel."""
        return self._vector("ImagePositionPatient", 3)

    @property
    def orientation(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Unit vectors in LPS along a row (growing column) and along a column (growing row)."""
        cosines = self._vector("ImageOrientationPatient", 6)
        row, column = cosines[:3], cosines[3:]
        lengths = np.linalg.norm(row), np.linalg.norm(column)
        if min(lengths) < 0.99 or max(lengths) > 1.01 or abs(row @ column) > 0.01:
            raise InvalidInput(
                f"The image orientation {tuple(cosines)} is not two perpendicular unit vectors.",
                where=str(self.path),
                way_out="Export the series again from the archive.",
            )
        return row / lengths[0], column / lengths[1]

    @property
    def pixel_mm(self) -> tuple[float, float]:
        """Distance of rows and of columns in mm."""
        spacing = self._vector("PixelSpacing", 2)
        if min(spacing) <= 0 or max(spacing) > 50:
            raise InvalidInput(
                f"The pixel spacing {tuple(spacing)} mm is not usable.",
                where=str(self.path),
                way_out="Export the series again from the archive.",
            )
        return float(spacing[0]), float(spacing[1])

    @property
    def rescale(self) -> tuple[float, float]:
        """Slope and intercept from stored values to HU.

        Raises
        ------
        InvalidInput
            Slope or intercept is absent, or the rescaled values are no HU.
        """
        slope, intercept = self.number("RescaleSlope"), self.number("RescaleIntercept")
        if slope is None or intercept is None or slope == 0:
            raise InvalidInput(
                "The image has no Rescale Slope and Intercept, so its values are not known in HU.",
                where=str(self.path),
                way_out="Export the original CT series; do not guess the offset.",
            )
        kind = self.text("RescaleType").upper()
        if kind not in ("", "HU", "HU_MOD"):
            raise InvalidInput(
                f"The rescaled values are of type {kind}, not HU.",
                where=str(self.path),
                way_out="Choose a series in HU; electron density, iodine or Z maps are no CT numbers.",
            )
        return slope, intercept

    def _vector(self, keyword: str, length: int) -> NDArray[np.float64]:
        found = self.numbers(keyword)
        if found is None or len(found) != length or max(abs(item) for item in found) > 1e5:
            raise InvalidInput(
                f"The attribute {keyword} is missing or unusable.",
                where=str(self.path),
                way_out="Export the series again from the archive; the geometry is not guessed.",
            )
        return np.array(found, dtype=np.float64)


def sop_class(header: Any) -> str:
    """Return the SOP Class UID of a data set, from the file meta header when the data set has none."""
    return text(header, "SOPClassUID") or text(
        getattr(header, "file_meta", {}) or {}, "MediaStorageSOPClassUID"
    )


def frames_of(path: Path, header: Any) -> list[CtFrame]:
    """Return the slices in a CT file: one for a CT image, many for an enhanced CT image."""
    count = int(number(header, "NumberOfFrames") or 1)
    per_frame = element_value(header, "PerFrameFunctionalGroupsSequence")
    if sop_class(header) not in MULTI_FRAME and per_frame is None:
        return [CtFrame(path, 0, header)]
    if per_frame is None or len(per_frame) != count:
        raise InvalidInput(
            f"The multi-frame image announces {count} frames but describes {len(per_frame or ())}.",
            where=str(path),
            way_out="Export the series again, or as single-frame CT images.",
        )
    try:
        shared: dict[str, Any] = {}
        with quiet():
            for item in element_value(header, "SharedFunctionalGroupsSequence") or ():
                shared |= _flattened(item)
            return [CtFrame(path, i, header, shared | _flattened(item)) for i, item in enumerate(per_frame)]
    except Exception as error:  # a functional group that pydicom cannot decode
        raise InvalidInput(
            f"The functional groups of the multi-frame image are broken ({type(error).__name__}).",
            where=str(path),
            way_out="Export the series again, or as single-frame CT images.",
        ) from None


# the enhanced object's names for what a single-frame image calls otherwise
_SAME = {
    "XRayTubeCurrentInmA": "XRayTubeCurrent",
    "ExposureInmAs": "Exposure",
    "ExposureTimeInms": "ExposureTime",
    "FrameType": "ImageType",
}


def _flattened(groups: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for group in groups:
        if group.VR != "SQ" or len(group.value) == 0:
            continue
        for element in group.value[0]:
            if element.keyword:
                found[_SAME.get(element.keyword, element.keyword)] = element.value
    return found
