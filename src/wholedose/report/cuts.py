"""Which sections a contact sheet shows. Defines `long_cuts`, `axial_cuts` and `extents_of`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wholedose.body import Body
from wholedose.report.sections import Cut

QUARTER = 0.25  # where an organ that places a plane is missing: this share of the body's extent
APART_MM = 6.0  # planes nearer than this to the middle one show nothing new


@dataclass(frozen=True, eq=False)
class Extent:
    """Where a label lies.

    Attributes
    ----------
    centre_mm : tuple of float
        Centre of volume (x, y, z), LPS.
    voxels : int
    profile : tuple of int arrays
        Voxels per plane of the whole grid along z, y and x.
    """

    centre_mm: tuple[float, float, float]
    voxels: int
    profile: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


def extents_of(body: Body) -> dict[str, Extent]:
    """Return the extent of each label that has voxels."""
    from scipy.ndimage import find_objects

    found = {}
    axes = body.grid.axes_mm()
    boxes = find_objects(body.labels, len(body.organs))
    for number, (name, box) in enumerate(zip(body.organs, boxes, strict=True), start=1):
        if box is None:
            continue
        mask = body.labels[box] == number
        rows = mask.sum(axis=2)
        parts = (rows.sum(axis=1), rows.sum(axis=0), mask.sum(axis=(0, 1)))
        profile = []
        for axis in range(3):
            whole = np.zeros(body.grid.shape[axis], dtype=np.int64)
            whole[box[axis]] = parts[axis]
            profile.append(whole)
        count = int(profile[0].sum())
        z, y, x = (float(profile[a] @ axes[a] / count) for a in range(3))
        found[name] = Extent((x, y, z), count, (profile[0], profile[1], profile[2]))
    return found


def long_cuts(body: Body, extents: Mapping[str, Extent]) -> list[Cut]:
    """Return three coronal (front to back) and three sagittal (right to left) planes.

    The middle ones pass through the middle of the trunk; the others through heart and kidneys, and through
    either lung, and where these are missing a quarter of the body's extent away.
    """
    cuts = []
    front, middle, back = _middle(body, extents, 1, ("lungs", "liver"))
    words = ["front", "mid-plane", "back"]
    for place, organ, sign in ((0, "heart", -1), (2, "kidneys", 1)):
        centre = _centre(extents, organ, 1)
        if centre is not None and sign * (centre - middle) > APART_MM:
            words[place] = organ
            front, back = (centre, back) if place == 0 else (front, centre)
    for at, word in zip((front, middle, back), words, strict=True):
        cuts.append(Cut("coronal", at, f"Coronal, {word}"))
    right, middle, left = _middle(body, extents, 2, ("spinal_cord", "bone_thoracic_spine", "brain"))
    sides = ["right", "left"]
    lungs = [extent.profile[2] for name, extent in extents.items() if _is(name, "lungs")]
    if lungs:
        x = body.grid.axes_mm()[2]
        amount = np.sum(lungs, axis=0)
        low, high = amount * (x < middle - APART_MM), amount * (x > middle + APART_MM)
        if low.any() and high.any():
            right, left = float(low @ x / low.sum()), float(high @ x / high.sum())
            sides = ["right lung", "left lung"]
    for at, word in zip((right, middle, left), (sides[0], "mid-plane", sides[1]), strict=True):
        cuts.append(Cut("sagittal", at, f"Sagittal, {word}"))
    return cuts


def axial_cuts(body: Body, extents: Mapping[str, Extent]) -> list[Cut]:
    """Return axial planes at brain, thyroid, heart, liver and kidneys, pelvis and thighs, from the head down.

    A level whose organs the body lacks is left out.
    """
    levels = [
        (("brain",), "Brain"),
        (("thyroid",), "Thyroid"),
        (("heart",), "Heart"),
        (("liver", "kidneys"), "Liver and kidneys"),
        (("bone_pelvis",), "Pelvis"),
        (("bone_femora_upper", "bone_femora_lower"), "Thighs"),
    ]
    z = body.grid.axes_mm()[0]
    cuts = []
    for organs, title in levels:
        parts = [_profile(extents, organ) for organ in organs]
        here = [part for part in parts if part is not None]
        if not here:
            continue
        if title == "Thighs":
            amount = np.sum(here, axis=0)
            at = float(amount @ z / amount.sum())
        elif len(here) == 1:
            at = float(here[0] @ z / here[0].sum())
        else:  # the level that shows the most of both
            both = np.min([part / part.max() for part in here], axis=0)
            at = float(z[int(both.argmax())]) if both.any() else float(here[0] @ z / here[0].sum())
        cuts.append(Cut("axial", at, title))
    return cuts


def _is(name: str, organ: str) -> bool:
    return name == organ or name.startswith(organ + "_")


def _profile(extents: Mapping[str, Extent], organ: str) -> NDArray[np.int64] | None:
    found = [extent.profile[0] for name, extent in extents.items() if _is(name, organ)]
    return np.asarray(np.sum(found, axis=0)) if found else None


def _centre(extents: Mapping[str, Extent], organ: str, axis: int) -> float | None:
    """Return the centre of an organ and its parts along an axis (1: y, 2: x)."""
    found = [extent for name, extent in extents.items() if _is(name, organ)]
    if not found:
        return None
    weights = [extent.voxels for extent in found]
    return float(np.average([extent.centre_mm[2 - axis] for extent in found], weights=weights))


def _middle(
    body: Body, extents: Mapping[str, Extent], axis: int, organs: tuple[str, ...]
) -> tuple[float, float, float]:
    """Return a quarter before, the middle and a quarter after, in mm along an axis."""
    along = body.grid.axes_mm()[axis]
    amount = np.sum([extent.profile[axis] for extent in extents.values()], axis=0)
    reach = along[np.flatnonzero(amount)]
    centres = [found for organ in organs if (found := _centre(extents, organ, axis)) is not None]
    middle = float(np.mean(centres)) if centres else float(amount @ along / amount.sum())
    step = QUARTER * float(np.ptp(reach))
    low, high = float(reach[0]), float(reach[-1])
    return max(low, middle - step), middle, min(high, middle + step)
