"""A CT image series as one volume in HU with its facts. Defines `CtSeries` and `read_ct_series`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wholedose.base import Grid, InvalidInput, MissingInput, Tagged, Volume
from wholedose.records.ct_choice import SeriesFiles, choose
from wholedose.records.ct_facts import facts_of
from wholedose.records.ct_frames import CtFrame
from wholedose.records.ct_stack import Stack, obliquity_deg, resample_to_lps, stack_of, to_lps
from wholedose.records.dicom_file import read_stored_pixels

AIR_HU = -1024
"""Lower values are set to this: they pad the image outside the reconstruction circle."""

MAX_TILT_DEG = 31.0
"""A larger gantry tilt or obliquity is refused; no CT gantry tilts further than 30°."""


@dataclass(frozen=True, eq=False)
class CtSeries:
    """A CT image series.

    Attributes
    ----------
    image : Volume
        CT numbers in HU, LPS, ``[z, y, x]``; int16 where all slices allow it, otherwise float32.
    facts : mapping of str to Tagged
        Technique, device and patient as the headers say; per-slice facts are tuples in the order of z.
        ``z_mm`` holds the slice positions and is always there.
    findings : tuple of str
        What the reader did or doubts, in sentences.
    uids : mapping
        ``study``, ``series``, ``frame_of_reference``; empty text where the files have none.
    paths : tuple of Path
        The files of the volume, in the order of z.
    """

    image: Volume
    facts: Mapping[str, Tagged[Any]]
    findings: tuple[str, ...]
    uids: Mapping[str, str]
    paths: tuple[Path, ...]

    def fact(self, name: str) -> Tagged[Any]:
        """Return a fact.

        Raises
        ------
        MissingInput
            The headers don't hold it; the message lists what they hold.
        """
        try:
            return self.facts[name]
        except KeyError:
            raise MissingInput(
                f"The CT series does not say {name}.",
                where=f"series {self.uids['series']}",
                way_out=f"Type the value. Known: {', '.join(sorted(self.facts))}.",
            ) from None

    def __repr__(self) -> str:
        return f"CtSeries({self.image.grid}, {len(self.facts)} facts, {len(self.findings)} findings)"


def read_ct_series(
    source: str | PathLike[str] | Iterable[str | PathLike[str]], *, series: str | None = None
) -> CtSeries:
    """Read one CT series from a folder or files as a volume in patient coordinates.

    Localizers, dose reports, secondary captures and other modalities in the folder are set aside. Slices may
    be unsorted and in any orientation parallel to the patient axes; a tilted gantry (up to 30°) is resampled
    trilinearly to axial slices, which is a finding.

    Parameters
    ----------
    source : path or iterable of paths
        A folder (searched with its subfolders) or files.
    series : str, optional
        Series Instance UID, series number or series description; needed where several series are there.

    Returns
    -------
    CtSeries

    Raises
    ------
    InvalidInput
        Not a CT, several patients or series, missing, unevenly spaced or conflicting slices, no rescale,
        a broken, empty or oversized file. The message names it and the way out.

    Examples
    --------
    >>> from wholedose.records.ct_series import read_ct_series
    >>> read_ct_series("/nowhere")
    Traceback (most recent call last):
    wholedose.base.errors.InvalidInput: There is no such file or folder. [/nowhere] Check the path.
    """
    chosen = choose(source, series)
    findings = list(chosen.findings)
    where = chosen.label
    stack = stack_of(chosen.frames, where)
    rescales = [frame.rescale for frame in stack.frames]
    values, same = _read_pixels(stack, rescales, where)
    if stack.duplicates:
        if not same:
            first, second = stack.duplicates[0]
            raise InvalidInput(
                f"{len(stack.duplicates)} slice positions hold two different images.",
                where=f"{where}: {first.path.name} and {second.path.name}",
                way_out="Give the slices of one reconstruction and one time point only.",
            )
        findings.append(f"{len(stack.duplicates)} duplicated slices were left out.")
    placed = to_lps(values.transpose(2, 1, 0), stack.affine)
    frames = stack.frames
    if placed is None:
        angle = obliquity_deg(stack.affine)
        if angle > MAX_TILT_DEG:
            raise InvalidInput(
                f"The slices are tilted by {angle:.0f}° against the patient axes.",
                where=where,
                way_out="Resample the series to axial slices first.",
            )
        placed = resample_to_lps(values.transpose(2, 1, 0), stack.affine, AIR_HU)
        findings.append(f"The slices are tilted by {angle:.1f}° and were resampled to axial ones.")
    array, grid = np.ascontiguousarray(placed[0]), placed[1]
    if stack.affine[2, 2] < 0:
        frames = frames[::-1]
    if any(frame.text("LossyImageCompression") == "01" for frame in frames):
        findings.append(
            "The images were compressed with loss at some time; their CT numbers are approximate."
        )
    facts, notes = facts_of(frames)
    findings += notes
    middle = stack.affine @ [values.shape[2] / 2, values.shape[1] / 2, 0, 1]
    z = np.sort(middle[2] + stack.affine[2, 2] * np.arange(len(frames)))
    facts["z_mm"] = Tagged(
        tuple(round(float(p), 4) for p in z),
        "mm",
        "extracted",
        "ImagePositionPatient",
        "per slice, ascending",
    )
    cut = cut_sides(array, grid)
    if cut:
        findings.append(f"The body is cut at the edge of the image: {', '.join(cut)}.")
    head = frames[0]
    uids = {
        "study": head.text("StudyInstanceUID"),
        "series": head.text("SeriesInstanceUID"),
        "frame_of_reference": head.text("FrameOfReferenceUID"),
    }
    meta: dict[str, Any] = {
        "modality": "CT",
        "series_uid": uids["series"],
        "frame_of_reference": uids["frame_of_reference"],
        "patient_position": head.text("PatientPosition"),
        "truncated": cut,
    }
    paths = tuple(dict.fromkeys(frame.path for frame in frames))
    return CtSeries(Volume(grid, array, "HU", meta), facts, tuple(findings), uids, paths)


def _read_pixels(stack: Stack, rescales: list[tuple[float, float]], where: str) -> tuple[NDArray[Any], bool]:
    """Return HU as ``[slice, row, column]``, and whether all duplicates equal their twins."""
    rows, columns = stack.frames[0].size
    compact = all(
        slope == 1.0 and float(shift).is_integer() and abs(shift) <= 16384 for slope, shift in rescales
    )
    shape = (len(stack.frames), rows, columns)
    if int(np.prod(shape)) > 1 << 29:
        raise InvalidInput(
            f"The series has {shape[0]} slices of {rows} × {columns}; more than 2^29 voxels are not read.",
            where=where,
            way_out="Give the range that was irradiated, or a coarser reconstruction.",
        )
    values: NDArray[Any] = np.empty(shape, np.int16 if compact else np.float32)
    open_file: tuple[Path | None, NDArray[Any] | None] = (None, None)

    def hu_of(frame: CtFrame, slope: float, intercept: float) -> NDArray[Any]:
        nonlocal open_file
        if open_file[0] != frame.path:
            open_file = (frame.path, read_stored_pixels(frame.path, frame.header))
        stored = open_file[1]
        assert stored is not None
        plane = stored[frame.index]
        padding = frame.number("PixelPaddingValue")
        if compact:
            shifted = plane.astype(np.int32) + int(intercept)
            result: NDArray[Any] = np.clip(shifted, AIR_HU, 32767).astype(np.int16)
        else:
            result = np.maximum(plane * np.float32(slope) + np.float32(intercept), AIR_HU).astype(np.float32)
        if padding is not None:
            result[plane == padding] = AIR_HU
        return result

    for i, (frame, (slope, intercept)) in enumerate(zip(stack.frames, rescales, strict=True)):
        values[i] = hu_of(frame, slope, intercept)
    place = {id(frame): i for i, frame in enumerate(stack.frames)}
    same = all(
        np.array_equal(values[place[id(kept)]], hu_of(other, *other.rescale))
        for kept, other in stack.duplicates
    )
    return values, same


def cut_sides(array: NDArray[Any], grid: Grid) -> tuple[str, ...]:
    """Return the sides (right, left, front) where the body reaches the edge of the image.

    Tissue (> −300 HU) that touches a side's last column or row, or the padding outside the reconstruction
    circle, over more than 20 mm in at least one slice. The back is not looked at: there the couch leaves the
    image.
    """
    _, dy, dx = grid.spacing_mm
    step = max(1, array.shape[0] // 40)
    counts = {"right": 0.0, "left": 0.0, "front": 0.0}
    for plane in array[::step]:
        tissue = plane > -300
        if not tissue.any():
            continue
        counts["right"] = max(counts["right"], dy * _longest(tissue[:, 0]))
        counts["left"] = max(counts["left"], dy * _longest(tissue[:, -1]))
        counts["front"] = max(counts["front"], dx * _longest(tissue[0]))
        if plane[0, 0] <= AIR_HU and plane[0, -1] <= AIR_HU and not tissue[0].any():
            ny, nx = plane.shape
            y, x = np.ogrid[:ny, :nx]
            rim = np.hypot((x - (nx - 1) / 2) * dx, (y - (ny - 1) / 2) * dy) - min(nx * dx, ny * dy) / 2
            ring = (rim < 0) & (rim > -2 * max(dx, dy)) & tissue
            upper = ring[: ny // 2]
            counts["right"] = max(counts["right"], dy * upper[:, : nx // 4].any(axis=1).sum())
            counts["left"] = max(counts["left"], dy * upper[:, -(nx // 4) :].any(axis=1).sum())
    return tuple(side for side, length in counts.items() if length > 20.0)


def _longest(run: NDArray[np.bool_]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate(([0], run.astype(np.int8), [0]))))
    return int((edges[1::2] - edges[::2]).max(initial=0))


__all__ = ["CtSeries", "SeriesFiles", "cut_sides", "read_ct_series"]
