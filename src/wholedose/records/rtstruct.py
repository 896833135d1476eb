"""Radiotherapy structure sets as label maps. Defines `read_rtstruct` and `fill_polygon`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Grid, InvalidInput, OutsideDomain, Volume
from wholedose.records.dicom_file import element_value, number, numbers, read_header, text

MAX_POINTS = 5_000_000
"""More contour points than this in one structure set are refused."""

Contours = list[tuple[float, NDArray[np.float64]]]


def read_rtstruct(path: Path, reference: Volume) -> tuple[Volume, dict[int, str]]:
    """Turn closed planar contours into labels on the grid of the CT.

    A voxel belongs to a structure when its centre is inside an odd number of the structure's contours in
    the plane (so that inner contours and key-holes cut holes). A CT slice takes the structure's nearest
    contour plane within half the distance of contour planes, so that contours between slices keep their
    thickness.

    Parameters
    ----------
    path : Path
    reference : Volume
        The CT.

    Returns
    -------
    (Volume, dict of int to str)
        Labels are the ROI numbers. Where structures overlap the smaller one wins, which is a finding.

    Raises
    ------
    InvalidInput
        Another frame of reference, no contour in the CT, or broken data.
    OutsideDomain
        Contours that are not axial.
    """
    header = read_header(path)
    _same_frame_of_reference(header, reference, path)
    names = _roi_names(header, path)
    findings: list[str] = []
    masks: dict[int, tuple[NDArray[np.bool_], int]] = {}
    points = 0
    for item in element_value(header, "ROIContourSequence") or ():
        roi = number(item, "ReferencedROINumber")
        if roi is None or int(roi) not in names or int(roi) < 1:
            continue
        contours, skipped = _contours(item, path)
        points += sum(len(polygon) for _, polygon in contours)
        if points > MAX_POINTS:
            raise InvalidInput(
                f"The structure set has more than {MAX_POINTS} contour points.",
                where=str(path),
                way_out="Export only the structures that are needed.",
            )
        if skipped:
            findings.append(f"{names[int(roi)]}: {skipped} points or open contours are left out.")
        if not contours:
            continue
        mask, first = _rasterise(contours, reference.grid)
        if mask.any():
            masks[int(roi)] = (mask, first)
        else:
            findings.append(f"{names[int(roi)]}: no contour lies in the CT.")
    if not masks:
        raise InvalidInput(
            "No structure has a contour in the CT.",
            where=str(path),
            way_out="Give the CT that the contours were drawn on.",
        )
    labels = np.zeros(reference.grid.shape, np.int32)
    overlap = 0
    for roi in sorted(masks, key=lambda key: (-int(masks[key][0].sum()), key)):
        mask, first = masks[roi]
        target = labels[first : first + len(mask)]
        overlap += int(np.count_nonzero(target[mask]))
        target[mask] = roi
    if overlap:
        findings.append(f"Structures overlap in {overlap} voxels; the smaller one wins.")
    present = set(np.unique(labels).tolist()) - {0}
    meta = {"source": str(path), "findings": tuple(findings), "assumed": False, "names_from": str(path)}
    return Volume(reference.grid, labels, "label", meta), {roi: names[roi] for roi in sorted(present)}


def _same_frame_of_reference(header: Any, reference: Volume, path: Path) -> None:
    wanted = str(reference.meta.get("frame_of_reference", ""))
    items = element_value(header, "ReferencedFrameOfReferenceSequence") or ()
    given = {text(item, "FrameOfReferenceUID") for item in items} | {text(header, "FrameOfReferenceUID")}
    for item in element_value(header, "StructureSetROISequence") or ():
        given.add(text(item, "ReferencedFrameOfReferenceUID"))
    given.discard("")
    if wanted and given and wanted not in given:
        raise InvalidInput(
            "The contours were drawn in another frame of reference than the CT's.",
            where=str(path),
            way_out="Give the CT of the same scan, or register the contours first.",
        )


def _roi_names(header: Any, path: Path) -> dict[int, str]:
    from wholedose.records.labels import snake_case

    names: dict[int, str] = {}
    for item in element_value(header, "StructureSetROISequence") or ():
        roi = number(item, "ROINumber")
        if roi is not None:
            names[int(roi)] = snake_case(text(item, "ROIName")) or f"roi_{int(roi)}"
    if not names:
        raise InvalidInput(
            "The structure set names no structures.", where=str(path), way_out="Export it again."
        )
    return names


def _contours(item: Any, path: Path) -> tuple[Contours, int]:
    """Return (z, points (n, 2) in x, y) of each closed planar contour, and how many others there are."""
    found: Contours = []
    skipped = 0
    for contour in element_value(item, "ContourSequence") or ():
        kind = text(contour, "ContourGeometricType").upper()
        data = numbers(contour, "ContourData")
        if not kind.startswith("CLOSED") or data is None or len(data) < 9 or len(data) % 3:
            skipped += 1
            continue
        points = np.array(data, dtype=np.float64).reshape(-1, 3)
        if np.ptp(points[:, 2]) > 0.1:
            raise OutsideDomain(
                "The structure set holds contours that are not axial.",
                where=str(path),
                way_out="Export axial contours, or a label map.",
            )
        found.append((float(points[0, 2]), points[:, :2]))
    return found, skipped


def _rasterise(contours: Contours, grid: Grid) -> tuple[NDArray[np.bool_], int]:
    """Return the mask on the slices that the contours reach, and the first of these slices."""
    z_axis, y_axis, x_axis = (np.asarray(axis) for axis in grid.axes_mm())
    planes: dict[float, list[NDArray[np.float64]]] = {}
    for z, polygon in contours:
        planes.setdefault(round(z, 2), []).append(polygon)
    z_planes = np.array(sorted(planes))
    dz = grid.spacing_mm[0]
    gap = float(np.median(np.diff(z_planes))) if len(z_planes) > 1 else dz
    reach = max(gap, 0.0) / 2 + 1e-3
    nearest = np.abs(z_axis[:, None] - z_planes[None, :]).argmin(axis=1)
    taken = np.flatnonzero(np.abs(z_axis - z_planes[nearest]) <= reach)
    if taken.size == 0:
        return np.zeros((0, *grid.shape[1:]), bool), 0
    first = int(taken[0])
    mask = np.zeros((int(taken[-1]) - first + 1, *grid.shape[1:]), bool)
    drawn: dict[int, NDArray[np.bool_]] = {}
    for i in taken:
        plane = int(nearest[i])
        if plane not in drawn:
            inside = np.zeros(grid.shape[1:], bool)
            for polygon in planes[float(z_planes[plane])]:
                fill_polygon(inside, polygon, x_axis, y_axis)
            drawn[plane] = inside
        mask[i - first] = drawn[plane]
    return mask, first


def fill_polygon(
    mask: NDArray[np.bool_], polygon: NDArray[np.float64], x_axis: NDArray[Any], y_axis: NDArray[Any]
) -> None:
    """Invert, in place, the pixels whose centres are inside a polygon (even-odd rule).

    Parameters
    ----------
    mask : array (ny, nx) of bool
    polygon : array (n, 2)
        Points x, y in mm; closed implicitly.
    x_axis, y_axis : arrays
        Pixel centres in mm, ascending. A centre exactly on a left or upper edge counts as inside.
    """
    x0, y0 = polygon[:, 0], polygon[:, 1]
    x1, y1 = np.roll(x0, -1), np.roll(y0, -1)
    first, last = np.searchsorted(y_axis, [y0.min(), y0.max()])
    for j in range(int(first), int(last)):
        y = y_axis[j]
        crosses = (y0 <= y) != (y1 <= y)
        if not crosses.any():
            continue
        at = np.sort(x0[crosses] + (y - y0[crosses]) / (y1 - y0)[crosses] * (x1 - x0)[crosses])
        edges = np.searchsorted(x_axis, at)
        for left, right in zip(edges[0::2], edges[1::2], strict=True):
            mask[j, left:right] ^= True
