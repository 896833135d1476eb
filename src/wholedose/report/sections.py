"""Sections through a body in the colours of its organs. Defines `Cut`, `Section` and `section`.

Radiological convention: the patient's left is on the viewer's right; sagittal sections show the front on the
left. Edges between labels are smooth: each label's share of a pixel is interpolated, the largest wins.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base.errors import OutsideDomain
from wholedose.body import Body
from wholedose.report.organ_colours import look_of
from wholedose.report.planes import Orientation

AXIS: dict[Orientation, int] = {"axial": 0, "coronal": 1, "sagittal": 2}
EDGE = 0.72  # colours on the border of two labels are multiplied by this
PALE = 0.80  # how far labels that were not asked for go to white
TISSUES = frozenset({"muscle", "adipose", "skin", "residual_soft_tissue", "breast_adipose", "cartilage"})
MARGIN_MM = 12.0
THIN = 0.4  # the least mean share of a label in its own voxels that is made up for


@dataclass(frozen=True)
class Cut:
    """Where a section lies and what it is called.

    Attributes
    ----------
    orientation : {"axial", "coronal", "sagittal"}
    at_mm : float
        z, y or x in LPS mm.
    title : str
    """

    orientation: Orientation
    at_mm: float
    title: str


@dataclass(frozen=True, eq=False)
class Section:
    """A section as a picture.

    Attributes
    ----------
    cut : Cut
    pixels : uint8 array [v, u, 3]
    mm_per_pixel : float
    spots : sequence of (organ, column, row, room)
        For each connected region large enough to carry a mark: its deepest point and the distance from
        there to its edge, in pixels.
    """

    cut: Cut
    pixels: NDArray[np.uint8]
    mm_per_pixel: float
    spots: Sequence[tuple[str, float, float, float]]


def section(
    body: Body, cut: Cut, mm_per_pixel: float = 1.5, organs: Collection[str] | None = None
) -> Section:
    """Return a section through a body, cropped to the person; long ones reach from head to toe.

    Parameters
    ----------
    body : Body
    cut : Cut
    mm_per_pixel : float
    organs : collection of str, optional
        Only these are in full colour.

    Raises
    ------
    OutsideDomain
        The plane lies outside the body.
    """
    axis = AXIS[cut.orientation]
    index = int(np.argmin(np.abs(body.grid.axes_mm()[axis] - cut.at_mm)))
    plane = np.take(body.labels, index, axis=axis)
    rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
    if rows.size == 0 or abs(body.grid.axes_mm()[axis][index] - cut.at_mm) > body.grid.spacing_mm[axis]:
        raise OutsideDomain(
            f"The {cut.orientation} plane at {cut.at_mm:.0f} mm meets no part of the body.", where="cut"
        )
    if cut.orientation != "axial":  # all long sections begin and end with the person
        rows = np.flatnonzero((body.labels > 0).any(axis=(1, 2)))
    sizes = [size for a, size in enumerate(body.grid.spacing_mm) if a != axis]
    plane = plane[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    if cut.orientation != "axial":
        plane = plane[::-1]  # the head is up
    pads = [int(np.ceil(MARGIN_MM / size)) for size in sizes]
    plane = np.pad(plane, [(pads[0], pads[0]), (pads[1], pads[1])])
    fine = _finer(plane, sizes, mm_per_pixel)
    return Section(cut, _painted(fine, body.organs, organs), mm_per_pixel, _spots(fine, body.organs))


def _finer(plane: NDArray[Any], sizes: Sequence[float], step: float) -> NDArray[np.int16]:
    """Return labels on finer pixels: the label with the largest interpolated share of each."""
    from scipy.ndimage import find_objects, gaussian_filter

    shape = [max(1, round(n * size / step)) for n, size in zip(plane.shape, sizes, strict=True)]
    at = [
        np.clip((np.arange(n) + 0.5) * m / n - 0.5, 0, m - 1) for n, m in zip(shape, plane.shape, strict=True)
    ]
    best = np.zeros(shape, dtype=np.float32)
    fine = np.zeros(shape, dtype=np.int16)
    boxes = find_objects(plane.astype(np.int32) + 1)  # the outside competes like any label
    for number, box in enumerate(boxes):
        if box is None:
            continue
        wide = [(max(0, s.start - 2), min(n, s.stop + 2)) for s, n in zip(box, plane.shape, strict=True)]
        part = plane[wide[0][0] : wide[0][1], wide[1][0] : wide[1][1]] == number
        share = gaussian_filter(part.astype(np.float32), 0.6, mode="nearest", truncate=3.0)
        # sheets of one voxel, such as skin, would lose to what lies on their sides
        share /= max(THIN, float(share[part].mean()))
        ends = [
            (int(np.searchsorted(a, w[0])), int(np.searchsorted(a, w[1] - 1, side="right")))
            for a, w in zip(at, wide, strict=True)
        ]
        for axis in (0, 1):
            place = at[axis][ends[axis][0] : ends[axis][1]] - wide[axis][0]
            low = np.clip(place.astype(int), 0, max(0, share.shape[axis] - 2))
            high = np.minimum(low + 1, share.shape[axis] - 1)
            weight = (place - low).astype(np.float32)
            weight = weight[:, None] if axis == 0 else weight
            share = share.take(low, axis) * (1 - weight) + share.take(high, axis) * weight
        window = (slice(*ends[0]), slice(*ends[1]))
        wins = share > best[window]
        best[window][wins] = share[wins]
        fine[window][wins] = number
    return fine


def _painted(
    fine: NDArray[np.int16], names: Sequence[str], organs: Collection[str] | None
) -> NDArray[np.uint8]:
    colours = np.ones((len(names) + 1, 3))
    for number, name in enumerate(names, start=1):
        colour = np.asarray(look_of(name).colour)
        if organs is not None and name not in organs and look_of(name).layer != "skeleton":
            colour = colour + PALE * (1.0 - colour)
        colours[number] = colour
    picture = colours[fine]
    edge = np.zeros(fine.shape, dtype=bool)
    edge[1:] |= fine[1:] != fine[:-1]
    edge[:, 1:] |= fine[:, 1:] != fine[:, :-1]
    picture[edge] *= EDGE
    return (picture * 255 + 0.5).astype(np.uint8)


def _spots(
    fine: NDArray[np.int16], names: Sequence[str], least: float = 6.0
) -> list[tuple[str, float, float, float]]:
    from scipy.ndimage import distance_transform_edt, find_objects, label, maximum_position

    found = []
    for number, box in enumerate(find_objects(fine, len(names)), start=1):
        if box is None or names[number - 1] in TISSUES:
            continue
        if min(s.stop - s.start for s in box) < 2 * least:
            continue
        depth = distance_transform_edt(np.pad(fine[box] == number, 1))[1:-1, 1:-1]
        if depth.max() < least:
            continue
        pieces, count = label(depth > 0)
        places: Any = maximum_position(depth, pieces, range(1, count + 1))
        for row, column in places:
            if depth[row, column] >= least:
                spot = box[1].start + float(column), box[0].start + float(row), float(depth[row, column])
                found.append((names[number - 1], *spot))
    return found
