"""From single slices to a volume on an axis-aligned LPS grid. Defines `Stack`, `stack_of` and `to_lps`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Grid, InvalidInput
from wholedose.records.ct_frames import CtFrame

ALIGNED = 1e-3
"""Direction cosines nearer to 0 or 1 than this count as parallel to an axis (0.06°)."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Slices in order, with the affine that places them.

    Attributes
    ----------
    frames : list of CtFrame
        Sorted along the slice normal, without duplicates.
    affine : array (4, 4)
        Index ``(column, row, slice)`` → LPS mm.
    duplicates : list of (CtFrame, CtFrame)
        A kept slice and another at the same place; the caller compares their pixels.
    """

    frames: list[CtFrame]
    affine: NDArray[np.float64]
    duplicates: list[tuple[CtFrame, CtFrame]]


def stack_of(frames: Sequence[CtFrame], where: str) -> Stack:
    """Sort the slices of one series and check that they form a regular stack.

    Parameters
    ----------
    frames : sequence of CtFrame
        In any order.
    where : str
        The series, for messages.

    Raises
    ------
    InvalidInput
        Slices of different size or orientation, missing slices, or uneven distances.
    """
    first = frames[0]
    row, column = first.orientation
    size, pixel = first.size, first.pixel_mm
    for frame in frames[1:]:
        other_row, other_column = frame.orientation
        if (
            frame.size != size
            or np.abs(np.subtract(frame.pixel_mm, pixel)).max() > 1e-4 * max(pixel)
            or max(np.abs(other_row - row).max(), np.abs(other_column - column).max()) > ALIGNED
        ):
            raise InvalidInput(
                "The slices of the series differ in size, pixel spacing or orientation.",
                where=f"{where}: {first.path.name} and {frame.path.name}",
                way_out="Give only the slices of one reconstruction.",
            )
    normal = np.cross(row, column)
    along = np.array([frame.position_mm @ normal for frame in frames])
    order = np.argsort(along, kind="stable")
    kept: list[CtFrame] = []
    places: list[float] = []
    duplicates: list[tuple[CtFrame, CtFrame]] = []
    for i in order:
        if kept and along[i] - places[-1] < 0.01:
            duplicates.append((kept[-1], frames[i]))
            continue
        kept.append(frames[i])
        places.append(float(along[i]))
    if len(kept) < 2:
        raise InvalidInput(
            "The series has a single slice; a dose needs the volume that was irradiated.",
            where=where,
            way_out="Give the complete series.",
        )
    gap = _check_even(np.array(places), normal, where)
    positions = np.array([frame.position_mm for frame in kept])
    index = np.arange(len(kept))
    step = (positions[-1] - positions[0]) / (len(kept) - 1)
    drift = np.abs(positions - positions[0] - index[:, None] * step).max()
    if drift > max(0.1, 0.1 * gap):
        raise InvalidInput(
            f"The slices do not lie on one straight line: they deviate by up to {drift:.2f} mm.",
            where=where,
            way_out="Give only the slices of one reconstruction.",
        )
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1], affine[:3, 2] = row * pixel[1], column * pixel[0], step
    affine[:3, 3] = positions[0]
    return Stack(kept, affine, duplicates)


def _check_even(places: NDArray[np.float64], normal: NDArray[np.float64], where: str) -> float:
    """Return the slice distance; raise when slices are missing or uneven."""
    gaps = np.diff(places)
    gap = float(np.sort(gaps)[(len(gaps) - 1) // 2])
    ratio = gaps / gap
    # archives round positions, so single gaps may deviate by a little
    slack = max(0.05, 0.02 / gap)
    if bool((np.abs(ratio - 1) <= slack).all()):
        return gap
    whole = np.rint(ratio)
    if bool((np.abs(ratio - whole) <= slack * np.maximum(whole, 1)).all() and (whole >= 1).all()):
        axis = "xyz"[int(np.abs(normal).argmax())]
        sign = float(np.sign(normal[np.abs(normal).argmax()]))
        absent = [
            sign * (places[i] + gap * k) for i in np.nonzero(whole > 1)[0] for k in range(1, int(whole[i]))
        ]
        named = ", ".join(f"{value:.1f}" for value in sorted(absent)[:8]) + (" …" if len(absent) > 8 else "")
        raise InvalidInput(
            f"{len(absent)} of {len(places) + len(absent)} slices are missing, at {axis} = {named} mm.",
            where=where,
            way_out="Export the series again, complete; gaps are not filled.",
        )
    raise InvalidInput(
        f"The slices are unevenly spaced: {gaps.min():.3f} to {gaps.max():.3f} mm apart.",
        where=where,
        way_out="Give one range with one slice distance, or another reconstruction of the scan.",
    )


def aligned_axes(affine: NDArray[np.float64]) -> list[tuple[int, bool]] | None:
    """Return for LPS x, y, z the array axis that runs along it and whether it runs backwards.

    None when an array axis is not parallel to a patient axis.
    """
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    axes = np.abs(directions).argmax(axis=0)
    if sorted(axes) != [0, 1, 2] or bool((np.abs(np.abs(directions).max(axis=0) - 1) > ALIGNED**2).any()):
        return None
    found = [(0, False)] * 3
    for array_axis, patient_axis in enumerate(axes):
        found[patient_axis] = (array_axis, bool(directions[patient_axis, array_axis] < 0))
    return found


def to_lps(values: NDArray[Any], affine: NDArray[np.float64]) -> tuple[NDArray[Any], Grid] | None:
    """Turn and flip an array so that it is ``[z, y, x]`` with every index growing along L, P and S.

    Parameters
    ----------
    values : array of shape (n0, n1, n2)
    affine : array (4, 4)
        Index ``(i0, i1, i2)`` → LPS mm.

    Returns
    -------
    (array, Grid) or None
        A view where possible; None when the axes are oblique (use `resample_to_lps`).
    """
    axes = aligned_axes(affine)
    if axes is None:
        return None
    turned = np.transpose(values, [axes[2][0], axes[1][0], axes[0][0]])
    flips = tuple(slice(None, None, -1 if axes[i][1] else 1) for i in (2, 1, 0))
    corner = np.array([values.shape[a] - 1 if back else 0 for a, back in _by_array_axis(axes)])
    origin = affine[:3, :3] @ corner + affine[:3, 3]
    spacing = [float(np.linalg.norm(affine[:3, axes[i][0]])) for i in (2, 1, 0)]
    shape = turned.shape
    grid = Grid(
        (shape[0], shape[1], shape[2]),
        (spacing[0], spacing[1], spacing[2]),
        (float(origin[0]), float(origin[1]), float(origin[2])),
    )
    return turned[flips], grid


def _by_array_axis(axes: list[tuple[int, bool]]) -> list[tuple[int, bool]]:
    return sorted(axes)


def obliquity_deg(affine: NDArray[np.float64]) -> float:
    """Return the largest angle in degrees between an array axis and the nearest patient axis."""
    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    return float(np.degrees(np.arccos(np.clip(np.abs(directions).max(axis=0), 0, 1))).max())


def resample_to_lps(
    values: NDArray[Any], affine: NDArray[np.float64], outside: float, nearest: bool = False
) -> tuple[NDArray[Any], Grid]:
    """Resample an oblique or sheared stack (gantry tilt) to the axis-aligned grid that encloses it.

    Parameters
    ----------
    values : array of shape (n0, n1, n2)
    affine : array (4, 4)
        Index ``(i0, i1, i2)`` → LPS mm; any regular, even non-orthogonal one.
    outside : float
        The value where the stack does not reach.
    nearest : bool
        Nearest neighbour (labels) instead of trilinear interpolation.

    Returns
    -------
    (array, Grid)
        Of the same type as ``values``; spacing along each patient axis as the array axis nearest to it.
    """
    from scipy.ndimage import affine_transform

    directions = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    nearest_axis = np.abs(directions).argmax(axis=0)
    if sorted(nearest_axis) != [0, 1, 2]:
        raise InvalidInput(
            "The axes of the image are more than 45° away from the patient's.",
            way_out="Resample the image to axial slices first.",
        )
    spacing = np.empty(3)
    for array_axis, patient_axis in enumerate(nearest_axis):
        column = affine[:3, array_axis]
        # slices of a tilted gantry follow each other by the table feed, not by the normal distance
        spacing[patient_axis] = np.linalg.norm(column)
    corners = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * (
        np.array(values.shape) - 1
    )
    points = corners @ affine[:3, :3].T + affine[:3, 3]
    low, high = points.min(axis=0), points.max(axis=0)
    count = np.maximum(np.floor((high - low) / spacing + 1e-6).astype(int) + 1, 1)
    if int(np.prod(count)) > 4 * values.size + 1000:
        raise InvalidInput(
            "The oblique image would fill more than four times its size on an axis-aligned grid.",
            way_out="Resample the image to axial slices first.",
        )
    inverse = np.linalg.inv(affine)
    to_index = inverse[:3, :3] @ np.diag(spacing)[:, ::-1]
    offset = inverse[:3, :3] @ low + inverse[:3, 3]
    target: NDArray[Any] = affine_transform(
        values,
        to_index,
        offset=offset,
        output_shape=tuple(int(n) for n in count[::-1]),
        output=values.dtype,
        order=0 if nearest else 1,
        mode="constant",
        cval=outside,
    )
    grid = Grid(
        (int(count[2]), int(count[1]), int(count[0])),
        (float(spacing[2]), float(spacing[1]), float(spacing[0])),
        (float(low[0]), float(low[1]), float(low[2])),
    )
    return target, grid
