"""DICOM segmentation objects as label maps. Defines `read_seg`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import InvalidInput, Volume
from wholedose.records.ct_frames import CtFrame, frames_of
from wholedose.records.ct_stack import to_lps
from wholedose.records.dicom_file import element_value, number, read_header, read_stored_pixels, text


def read_seg(path: Path, reference: Volume | None = None) -> tuple[Volume, dict[int, str]]:
    """Read a SEG of type BINARY, FRACTIONAL (from one half on) or LABELMAP.

    Frames without any voxel may be absent from the file; where ``reference`` is given, every frame goes to
    the CT slice at its place.

    Parameters
    ----------
    path : Path
    reference : Volume, optional
        The CT.

    Returns
    -------
    (Volume, dict of int to str)
        Labels are the segment numbers. Where segments overlap the smaller one wins, which is a finding.

    Raises
    ------
    InvalidInput
        Broken, oblique, without geometry, or not on the slices of ``reference``.
    """
    header = read_header(path)
    frames = frames_of(path, header)
    names = _segment_names(header, path)
    stored = read_stored_pixels(path, header)
    kind = text(header, "SegmentationType").upper()
    full = number(header, "MaximumFractionalValue") or 1.0
    planes: dict[int, list[tuple[float, NDArray[Any]]]] = {}
    row, column = frames[0].orientation
    dy, dx = frames[0].pixel_mm
    origin = frames[0].position_mm
    for frame, plane in zip(frames, stored, strict=True):
        if not np.allclose(frame.position_mm[:2], origin[:2], atol=0.05) or not np.allclose(
            np.concatenate(frame.orientation), np.concatenate((row, column)), atol=1e-3
        ):
            raise InvalidInput(
                "The frames of the segmentation do not form a straight axial stack.",
                where=str(path),
                way_out="Export the segmentation on the axial CT slices.",
            )
        z = float(frame.position_mm[2])
        if kind == "LABELMAP":
            for label in np.unique(plane):
                if label:
                    planes.setdefault(int(label), []).append((z, plane == label))
        else:
            mask = plane >= (0.5 * full if kind == "FRACTIONAL" else 1)
            planes.setdefault(_segment_of(frame, path), []).append((z, mask))
    all_z = sorted({round(z, 3) for group in planes.values() for z, _ in group})
    z_of_slice = _slices(all_z, frames[0], reference, path)
    labels = np.zeros((len(z_of_slice), *stored.shape[1:]), np.int32)
    counts = {label: sum(int(mask.sum()) for _, mask in group) for label, group in planes.items()}
    overlap = 0
    for label in sorted(planes, key=lambda item: (-counts[item], item)):
        for z, mask in planes[label]:
            target = labels[_index(z_of_slice, z, path)]
            overlap += int(np.count_nonzero(target[mask]))
            target[mask] = label
    spacing = float(z_of_slice[1] - z_of_slice[0]) if len(z_of_slice) > 1 else 1.0
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = row * dx, column * dy, (0, 0, spacing)
    affine[:3, 3] = (origin[0], origin[1], z_of_slice[0])
    placed = to_lps(labels.transpose(2, 1, 0), affine)
    if placed is None:
        raise InvalidInput(
            "The segmentation is oblique to the patient axes.",
            where=str(path),
            way_out="Export the segmentation on the axial CT slices.",
        )
    array, grid = placed
    present = set(np.unique(array).tolist()) - {0}
    if not present:
        raise InvalidInput("The segmentation is empty.", where=str(path), way_out="Segment the series again.")
    findings = (f"Segments overlap in {overlap} voxels; the smaller one wins.",) if overlap else ()
    meta = {"source": str(path), "findings": findings, "assumed": False, "names_from": str(path)}
    chosen = {label: names.get(label, f"segment_{label}") for label in sorted(present)}
    return Volume(grid, np.ascontiguousarray(array), "label", meta), chosen


def _segment_names(header: Any, path: Path) -> dict[int, str]:
    from wholedose.records.labels import snake_case

    names: dict[int, str] = {}
    for item in element_value(header, "SegmentSequence") or ():
        label = number(item, "SegmentNumber")
        name = text(item, "SegmentLabel")
        codes = element_value(item, "SegmentedPropertyTypeCodeSequence")
        if not snake_case(name) and codes:
            name = text(codes[0], "CodeMeaning")
        if label is not None:
            names[int(label)] = snake_case(name) or f"segment_{int(label)}"
    if not names:
        raise InvalidInput(
            "The segmentation describes no segments.",
            where=str(path),
            way_out="Export the segmentation again.",
        )
    return names


def _segment_of(frame: CtFrame, path: Path) -> int:
    found = frame.number("ReferencedSegmentNumber")
    if found is None:
        raise InvalidInput(
            "A frame of the segmentation does not say its segment.",
            where=str(path),
            way_out="Export the segmentation again.",
        )
    return int(found)


def _slices(all_z: list[float], frame: CtFrame, reference: Volume | None, path: Path) -> NDArray[np.float64]:
    if not all_z:
        raise InvalidInput("The segmentation is empty.", where=str(path), way_out="Segment the series again.")
    if reference is not None:
        return np.asarray(reference.grid.axes_mm()[0], dtype=np.float64)
    gaps = np.diff(all_z)
    spacing = float(gaps.min()) if len(gaps) else 0.0
    spacing = frame.number("SpacingBetweenSlices") or spacing or frame.number("SliceThickness") or 0.0
    if spacing <= 0 or (all_z[-1] - all_z[0]) / spacing > 10_000:
        raise InvalidInput(
            "The slice distance of the segmentation is not known.",
            where=str(path),
            way_out="Give the CT too.",
        )
    count = round((all_z[-1] - all_z[0]) / spacing) + 1
    return np.asarray(all_z[0] + spacing * np.arange(count), dtype=np.float64)


def _index(z_of_slice: NDArray[np.float64], z: float, path: Path) -> int:
    i = int(np.abs(z_of_slice - z).argmin())
    half = 0.1 * abs(float(z_of_slice[1] - z_of_slice[0])) if len(z_of_slice) > 1 else 0.1
    if abs(z_of_slice[i] - z) > max(half, 0.05):
        raise InvalidInput(
            f"The segmentation has a frame at z = {z:.2f} mm, where the CT has no slice.",
            where=str(path),
            way_out="Segment this very series, or resample the segmentation to it.",
        )
    return i
