"""Metal in an image. Defines `Metal`, `MetalPiece` and `find_metal`.

Pieces are voxels brighter than any bone, with their half-filled rim. What metal a piece is follows from its
brightest voxel on an extended scale: the lightest metal that can be so bright at the tube voltage. Where the
scale ends at about 3071 HU (12 bit) all metals look alike, and titanium is assumed. Streaks are not bright or
thick enough, and stay what their CT number says.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from wholedose.base import Grid, Volume
from wholedose.body.contrast import FILTER_MM_AL, KV_ASSUMED
from wholedose.body.segmentation import threshold
from wholedose.matter import Material, Spectrum, material
from wholedose.matter.elements import SYMBOLS
from wholedose.matter.hu import hu_of
from wholedose.tables import load

Mask = NDArray[np.bool_]

SHARES = (0.25, 0.5, 0.75, 1.0)
"""Volume shares of metal that materials are made for."""

CLEARANCE = 1.2
"""How much brighter than computed a metal may be before it must be a heavier one (assumption)."""


@dataclass(frozen=True)
class MetalPiece:
    """One piece of metal.

    Attributes
    ----------
    kind : str
        A name of the table ``body/metals``.
    cm3 : float
        Volume of metal, partly filled voxels counted by their share.
    peak_hu : float
        Its brightest voxel in the image as it came.
    centre_mm : tuple of float
        Middle of the piece, LPS mm (x, y, z).
    known : bool
        Whether the scale was long enough to tell which metal.
    """

    kind: str
    cm3: float
    peak_hu: float
    centre_mm: tuple[float, float, float]
    known: bool


@dataclass(frozen=True, eq=False)
class Metal:
    """Where metal is and what it is made of.

    Attributes
    ----------
    where : bool array [z, y, x]
    level : uint8 array [n]
        Index into ``materials`` at the voxels of ``where``, in its order.
    materials : tuple of Material
        Metals mixed with soft tissue in four steps of volume.
    density_g_cm3 : float32 array [n]
    pieces : tuple of MetalPiece
        Largest first.
    """

    where: Mask
    level: NDArray[np.uint8]
    materials: tuple[Material, ...]
    density_g_cm3: NDArray[np.float32]
    pieces: tuple[MetalPiece, ...]

    @property
    def cm3(self) -> float:
        """The volume of all metal."""
        return float(sum(piece.cm3 for piece in self.pieces))


@lru_cache(maxsize=1)
def _metals() -> tuple[Material, ...]:
    table = load("body/metals")
    found = []
    for row in table.rows():
        parts = {key: float(row[key]) for key in table.columns if key in SYMBOLS and np.isfinite(row[key])}
        total = sum(parts.values())
        shares = {key: value / total for key, value in parts.items()}
        found.append(Material.from_elements(str(row["name"]), float(row["density_g_cm3"]), shares))
    return tuple(found)


@lru_cache(maxsize=64)
def metal_hu(kind: str, kv: float = KV_ASSUMED, water_cm: float = 30.0) -> float:
    """Return the CT number that a small detail of a metal has on an unlimited scale.

    Parameters
    ----------
    kind : str
        A name of the table ``body/metals``.
    kv : float
    water_cm : float
        Size of the section, which hardens the beam.

    Examples
    --------
    >>> 8000 < metal_hu("titanium alloy") < 12000 < metal_hu("steel")
    True
    """
    metal = next(one for one in _metals() if one.name == kind)
    return hu_of(metal, Spectrum.tube(kv, 12.0, {"aluminium": FILTER_MM_AL, "water": 10.0 * water_cm}))


def find_metal(
    hu: NDArray[np.float32],
    grid: Grid,
    where: Mask,
    image: Volume | None = None,
    *,
    kv: float | None = None,
    water_cm: float = 30.0,
) -> Metal:
    """Return the metal of an image and its material.

    Parameters
    ----------
    hu : array [z, y, x]
    grid : Grid
    where : bool array [z, y, x]
        What the segmentation takes for metal.
    image : Volume, optional
        The image before it was averaged onto ``grid``: small pieces are brighter there.
    kv : float, optional
        Tube voltage; 120 kV when unknown.
    water_cm : float
        Size of the section, cm.
    """
    labels, count = ndimage.label(where, structure=np.ones((3, 3, 3), dtype=np.bool_))
    share = np.zeros(hu.shape, dtype=np.float32)
    kind = np.zeros(hu.shape, dtype=np.uint8)
    volts = KV_ASSUMED if kv is None else float(kv)
    pieces = []
    tissue = threshold("contrast_base")
    for number, box in enumerate(ndimage.find_objects(labels), start=1):
        here = labels[box] == number
        peak = max(float(hu[box][here].max()), _peak(image, grid, box))
        name, known, full = _kind(peak, float(here.sum()) * grid.voxel_cm3, volts, round(water_cm))
        # a voxel is full of metal when it is as bright as the piece can be
        top = min(full, max(float(np.percentile(hu[box][here], 90)), threshold("metal_from")))
        filled = np.clip((hu[box] - tissue) / (top - tissue), 0.05, 1.0)
        share[box][here] = filled[here]
        kind[box][here] = [metal.name for metal in _metals()].index(name)
        centre = ndimage.center_of_mass(here)
        at = [axis[part][0] for axis, part in zip(grid.axes_mm(), box, strict=True)]
        z, y, x = (float(a + c * d) for a, c, d in zip(at, centre, grid.spacing_mm, strict=True))
        pieces.append(MetalPiece(name, float(filled[here].sum()) * grid.voxel_cm3, peak, (x, y, z), known))
    level, materials, density = _matter(share[where], kind[where])
    ordered = tuple(sorted(pieces, key=lambda piece: -piece.cm3)) if count else ()
    return Metal(where, level, materials, density, ordered)


def _peak(image: Volume | None, grid: Grid, box: tuple[slice, ...]) -> float:
    """Return the brightest number of the image as it came, at a box of the averaged grid."""
    if image is None:
        return -1000.0
    cut = []
    low, high = image.grid.lower_mm[::-1], grid.lower_mm[::-1]
    for axis, part in enumerate(box):
        first = high[axis] + part.start * grid.spacing_mm[axis] - low[axis]
        last = high[axis] + part.stop * grid.spacing_mm[axis] - low[axis]
        step, size = image.grid.spacing_mm[axis], image.grid.shape[axis]
        a = int(np.clip(np.floor(first / step), 0, size - 1))
        cut.append(slice(a, int(np.clip(np.ceil(last / step), a + 1, size))))
    return float(image.values[tuple(cut)].max())


def _kind(peak: float, cm3: float, kv: float, water_cm: float) -> tuple[str, bool, float]:
    """Return the metal of a piece, whether that is known, and the number of a voxel full of it."""
    light, middle, heavy = _metals()
    if peak <= threshold("scale_end_12_bit"):
        return light.name, False, float(peak)
    of_light = metal_hu(light.name, kv, water_cm)
    if peak <= CLEARANCE * of_light:
        return light.name, True, of_light
    of_middle = metal_hu(middle.name, kv, water_cm)
    scale_ends = 0 <= peak - threshold("amalgam_from") <= 10
    if (scale_ends or peak > CLEARANCE * of_middle) and cm3 < threshold("amalgam_cm3"):
        return heavy.name, True, float(peak)
    return middle.name, True, min(of_middle, peak) if scale_ends else of_middle


def _matter(
    share: NDArray[np.float32], kind: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8], tuple[Material, ...], NDArray[np.float32]]:
    metals, tissue = _metals(), material("soft_tissue")
    step = np.clip(np.rint(share * len(SHARES)), 1, len(SHARES)).astype(int)
    keys, level = np.unique(kind.astype(int) * 10 + step, return_inverse=True)
    found = []
    for key in keys:
        metal, part = metals[int(key) // 10], SHARES[int(key) % 10 - 1]
        density = part * metal.density_g_cm3 + (1 - part) * tissue.density_g_cm3
        by_mass = part * metal.density_g_cm3 / density
        name = metal.name if part == 1 else f"{metal.name}, {100 * part:.0f} % by volume"
        mixed = [(metal, by_mass), (tissue, 1 - by_mass)] if part < 1 else [(metal, 1.0)]
        found.append(Material.mixture(name, density, mixed))
    own = np.array([metal.density_g_cm3 for metal in metals])
    filled = share * own[kind] + (1 - share) * tissue.density_g_cm3
    return level.astype(np.uint8), tuple(found), filled.astype(np.float32)
